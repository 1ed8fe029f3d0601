// SPDX-License-Identifier: Apache-2.0
#include "engine/worker.h"

#include "base/pages.h"
#include "engine/flow_search.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

enum {
    PREFETCH_AHEAD = 8,    /* units between asking for a bucket, for its flow, and the work */
    TOUCHED_MAX = 1 << 18,  /* flows that may gain between two flushes before one is forced */
    DUE_STEP = 1024,        /* timers worked off between two batches, live */
    SEARCH_STEP = 8192,     /* flows looked at between two batches for a reader */
    WAIT_NS = 20000,
    CLOSED_SECONDS = 5, /* that a closed connection waits for stragglers, as Zeek's does */
};

/* A flow that had packets since the last flush, with its counters as they were before. */
struct touched {
    flow_index index;
    struct flow_counters before;
};

/* A flow whose timer came up. */
struct due {
    uint64_t order;
    flow_index index;
};

struct worker {
    struct worker_options options;
    struct config_flows config;
    struct flow_table *flows;
    struct flow_counters *reported; /* at the last report, when reports are of differences */
    struct delta *delta;            /* being filled */
    struct touched *touched;
    uint32_t touched_count;
    struct due *due;
    uint64_t due_second;  /* timers up to here are to be worked off */
    uint64_t now_ns;      /* packet time of the latest mark */
    uint64_t step;        /* of the unit or mark under way */
    uint64_t period;      /* seconds; 0: no intermediate reports */
    uint64_t packets, bytes, created, evicted;
    uint64_t last_layers; /* the path of the last frame is likely the next one's */
    struct board_path *last_path;
    /* read by other threads */
    struct worker_stats stats;
    _Atomic(struct delta *) ready;
    _Atomic(struct delta *) spare;
    _Atomic(struct worker_query *) question;
    _Atomic bool lost_packets;
};

/* ---- Lifetime ------------------------------------------------------------------------------- */

static size_t reported_size(const struct worker *w)
{
    return ((size_t)w->options.capacity + 1) * sizeof *w->reported;
}

static size_t due_size(const struct worker *w)
{
    return ((size_t)w->options.capacity + 1) * sizeof *w->due;
}

static bool take_memory(struct worker *w)
{
    struct flow_table_options table = {.capacity = w->options.capacity, .seed = w->options.seed};
    struct err err = {0};
    w->flows = flow_table_new(&table, &err);
    w->touched = pages_reserve(TOUCHED_MAX * sizeof *w->touched);
    w->due = pages_reserve(due_size(w));
    w->delta = delta_new(w->options.layout);
    struct delta *spare = delta_new(w->options.layout);
    atomic_store(&w->spare, spare);
    if (w->config.deltas) {
        w->reported = pages_reserve(reported_size(w));
    }
    return w->flows != NULL && w->touched != NULL && w->due != NULL && w->delta != NULL &&
           spare != NULL && (w->reported != NULL || !w->config.deltas);
}

struct worker *worker_new(const struct worker_options *options, struct err *err)
{
    struct worker *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    w->options = *options;
    w->config = *options->flows;
    if (options->wants_events && w->config.period >= 0) {
        w->period = (uint64_t)w->config.period / SECOND_NS;
        w->period = w->period > 0 ? w->period : 1;
    }
    if (!take_memory(w)) {
        err_set(err, ERR_FAILED,
                "cannot reserve memory for %u flows; lower limits.flows or limits.memory",
                options->capacity);
        worker_free(w);
        return NULL;
    }
    return w;
}

void worker_free(struct worker *w)
{
    if (w == NULL) {
        return;
    }
    flow_table_free(w->flows);
    pages_release(w->touched, TOUCHED_MAX * sizeof *w->touched);
    pages_release(w->due, due_size(w));
    pages_release(w->reported, reported_size(w));
    delta_free(w->delta);
    delta_free(atomic_load(&w->spare));
    delta_free(atomic_load(&w->ready));
    free(w);
}

/* ---- Reports -------------------------------------------------------------------------------- */

static void report(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns)
{
    if (!w->options.wants_events) {
        return;
    }
    struct flow *flow = flow_at(w->flows, index);
    struct flow_cold *cold = flow_cold_at(w->flows, index);
    struct flow_event *event = outbox_reserve(w->options.outbox, sizeof *event);
    if (event == NULL) {
        return;
    }
    struct flow_counters *before = w->reported != NULL ? &w->reported[index] : NULL;
    flow_event_fill(event, flow, cold, reason, now_ns, before);
    event->head.order = w->step;
    event->head.suborder = cold->order;
    outbox_commit(w->options.outbox);
    if (before != NULL) {
        memcpy(before->packets, flow->packets, sizeof before->packets);
        memcpy(before->bytes, flow->bytes, sizeof before->bytes);
    }
}

/* ---- What flows gained ---------------------------------------------------------------------- */

static void gain_of(const struct flow *flow, const struct flow_counters *before,
                    struct proto_gain *ret)
{
    for (unsigned side = 0; side < 2; side++) {
        ret->packets[side] = flow->packets[side] - before->packets[side];
        ret->bytes[side] = flow->bytes[side] - before->bytes[side];
    }
    ret->is_new = before->packets[0] + before->packets[1] == 0;
}

/* Tells the protocols what each touched flow gained, and begins anew. */
static void fold_touched(struct worker *w)
{
    const struct delta_layout *layout = w->options.layout;
    bool lost = atomic_load_explicit(&w->lost_packets, memory_order_relaxed);
    for (uint32_t i = 0; i < w->touched_count; i++) {
        if (i + 8 < w->touched_count) {
            struct flow *ahead = flow_at(w->flows, w->touched[i + 8].index);
            __builtin_prefetch(ahead, 1);
            __builtin_prefetch(&ahead->first_ns);
        }
        struct flow *flow = flow_at(w->flows, w->touched[i].index);
        struct proto_gain gain;
        gain_of(flow, &w->touched[i].before, &gain);
        flow->flags &= (uint8_t)~FLOW_TOUCHED;
        flow->flags |= lost ? FLOW_INCOMPLETE : 0;
        for (uint32_t k = 0; k < layout->count; k++) {
            if (layout->protos[k]->on_flow != NULL) {
                layout->protos[k]->on_flow(w->delta->blocks + layout->offsets[k], flow, &gain);
            }
        }
    }
    w->touched_count = 0;
}

static void touch(struct worker *w, flow_index index, struct flow *flow)
{
    if (flow->flags & FLOW_TOUCHED) {
        return;
    }
    if (w->touched_count == TOUCHED_MAX) {
        fold_touched(w);
    }
    flow->flags |= FLOW_TOUCHED;
    struct touched *t = &w->touched[w->touched_count++];
    t->index = index;
    memcpy(t->before.packets, flow->packets, sizeof t->before.packets);
    memcpy(t->before.bytes, flow->bytes, sizeof t->before.bytes);
}

/* ---- Beginning and ending of flows ---------------------------------------------------------- */

static uint64_t timeout_of(const struct worker *w, const struct flow *flow)
{
    int64_t own = 0;
    switch (flow->key.version == 0 ? 0 : flow->key.protocol) {
    case 6:
        own = w->config.tcp_timeout;
        break;
    case 17:
        own = w->config.udp_timeout;
        break;
    case 1:
    case 58:
        own = w->config.icmp_timeout;
        break;
    default:
        break;
    }
    return (uint64_t)(own > 0 ? own : w->config.timeout);
}

/* The second at which a flow must be looked at again. */
static uint64_t next_look(const struct worker *w, const struct flow *flow, uint64_t second)
{
    if (flow->flags & FLOW_CLOSED) {
        return second + CLOSED_SECONDS;
    }
    uint64_t look = (flow->last_ns + timeout_of(w, flow) + SECOND_NS - 1) / SECOND_NS;
    if (w->period > 0) {
        uint64_t report_at = second - second % w->period + w->period;
        look = report_at < look ? report_at : look;
    }
    if (w->config.active_timeout > 0) {
        uint64_t end_at =
            (flow->first_ns + (uint64_t)w->config.active_timeout + SECOND_NS - 1) / SECOND_NS;
        look = end_at < look ? end_at : look;
    }
    return look;
}

/* Judges and reports a flow as a whole, for the last time. */
static void conclude(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns)
{
    const struct delta_layout *layout = w->options.layout;
    const struct flow *flow = flow_at(w->flows, index);
    if (flow->flags & FLOW_TOUCHED) {
        fold_touched(w);
    }
    for (uint32_t k = 0; k < layout->count; k++) {
        if (layout->protos[k]->on_end != NULL) {
            layout->protos[k]->on_end(w->delta->blocks + layout->offsets[k], flow);
        }
    }
    report(w, index, reason, now_ns);
}

static void end_flow(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns)
{
    conclude(w, index, reason, now_ns);
    if (w->reported != NULL) {
        w->reported[index] = (struct flow_counters){0};
    }
    flow_drop(w->flows, index);
}

static flow_index begin_flow(struct worker *w, const struct unit *unit)
{
    if (flow_table_is_full(w->flows)) {
        end_flow(w, flow_table_victim(w->flows), FLOW_REASON_EVICTED, unit->packet.time_ns);
        w->evicted++;
    }
    flow_index index = flow_add(w->flows, &unit->key, unit->hash);
    flow_begin(w->flows, index, &unit->packet, unit->end, unit->step);
    struct flow *flow = flow_at(w->flows, index);
    flow->last_ns = unit->packet.time_ns;
    flow_arm(w->flows, index, next_look(w, flow, w->now_ns / SECOND_NS));
    w->created++;
    w->delta->flows_created++;
    return index;
}

/* ---- Units ---------------------------------------------------------------------------------- */

static void count_frame(struct worker *w, const struct unit *unit)
{
    const struct packet *p = &unit->packet;
    const struct delta_layout *layout = w->options.layout;
    w->packets++;
    w->bytes += p->wire_len;
    w->delta->frames++;
    w->delta->frame_bytes += p->wire_len;
    if (p->layers == w->last_layers && w->last_path != NULL) {
        w->last_path->packets++;
        w->last_path->bytes += p->wire_len;
    } else {
        w->last_path = delta_paths_add(&w->delta->paths, p->layers, 1, p->wire_len);
        w->last_layers = p->layers;
    }
    for (uint32_t k = 0; k < layout->count; k++) {
        if (layout->protos[k]->on_frame != NULL) {
            layout->protos[k]->on_frame(w->delta->blocks + layout->offsets[k], p);
        }
    }
}

/* 0: towards us or from the responder, 1: away from us or from the initiator. */
static void count_direction(struct worker *w, const struct packet *p, unsigned side)
{
    unsigned way = p->direction == FRAME_DIRECTION_UNKNOWN ? side == 0
                                                            : p->direction == FRAME_DIRECTION_OUT;
    w->delta->packets[way] += p->frames;
    w->delta->bytes[way] += p->wire_len;
}

static unsigned run_flow(struct worker *w, const struct unit *unit)
{
    flow_index index = flow_find(w->flows, &unit->key, unit->hash);
    if (index != 0 && flow_is_reopened(flow_at(w->flows, index), &unit->packet, unit->end)) {
        end_flow(w, index, FLOW_REASON_CLOSED, unit->packet.time_ns);
        index = 0;
    }
    if (index == 0) {
        index = begin_flow(w, unit);
    }
    struct flow *flow = flow_at(w->flows, index);
    touch(w, index, flow);
    struct flow_update update = flow_count(w->flows, index, &unit->packet, unit->end);
    const struct delta_layout *layout = w->options.layout;
    for (uint32_t k = 0; k < layout->count; k++) {
        if (layout->protos[k]->on_packet != NULL) {
            layout->protos[k]->on_packet(w->delta->blocks + layout->offsets[k], &unit->packet, flow,
                                         &update);
        }
    }
    if (update.closed) {
        flow_arm(w->flows, index, w->now_ns / SECOND_NS + CLOSED_SECONDS);
    }
    return update.side;
}

static void run_unit(struct worker *w, const struct unit *unit)
{
    w->step = unit->step;
    unsigned side = 1;
    if (unit->flags & UNIT_FRAME) {
        count_frame(w, unit);
    }
    if (unit->flags & UNIT_FLOW) {
        side = run_flow(w, unit);
    } else if (unit->flags & UNIT_NOTE) {
        flow_index index = flow_find(w->flows, &unit->key, unit->hash);
        if (index != 0) {
            flow_note_icmp(w->flows, index, &unit->packet);
        }
        return;
    }
    if (unit->flags & UNIT_FLOW || unit->packet.fragment == FRAGMENT_NONE) {
        count_direction(w, &unit->packet, side);
    }
}

/* A unit that another core has written is in its cache: four lines to fetch. */
static void prefetch_unit(const struct unit *unit)
{
    const uint8_t *at = (const uint8_t *)unit;
    for (size_t offset = 0; offset < sizeof *unit; offset += 64) {
        __builtin_prefetch(at + offset);
    }
}

/* Cache misses are under way while other units are worked on: of each unit first its bucket, then
 * its flow, then the work. Spread out like this, the misses in flight stay few enough for the
 * processor's fill buffers. */
static void run_units(struct worker *w, const struct unit *units, const uint32_t *which,
                      uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to + 2 * PREFETCH_AHEAD; i++) {
        if (which != NULL && i + PREFETCH_AHEAD < to) {
            prefetch_unit(&units[which[i + PREFETCH_AHEAD]]);
        }
        if (i < to) {
            flow_prefetch_bucket(w->flows, units[which ? which[i] : i].hash);
        }
        if (i >= from + PREFETCH_AHEAD && i < to + PREFETCH_AHEAD) {
            uint32_t k = i - PREFETCH_AHEAD;
            flow_prefetch(w->flows, units[which ? which[k] : k].hash);
        }
        if (i >= from + 2 * PREFETCH_AHEAD) {
            uint32_t k = i - 2 * PREFETCH_AHEAD;
            run_unit(w, &units[which ? which[k] : k]);
        }
    }
}

/* ---- Marks ---------------------------------------------------------------------------------- */

static void run_due(struct worker *w, flow_index index, uint64_t second)
{
    struct flow *flow = flow_at(w->flows, index);
    uint64_t now_ns = second * SECOND_NS;
    if (flow->flags & FLOW_CLOSED) {
        end_flow(w, index, FLOW_REASON_CLOSED, now_ns);
        return;
    }
    if (flow->last_ns + timeout_of(w, flow) <= now_ns) {
        end_flow(w, index, FLOW_REASON_IDLE, now_ns);
        return;
    }
    if (w->config.active_timeout > 0 &&
        flow->first_ns + (uint64_t)w->config.active_timeout <= now_ns) {
        end_flow(w, index, FLOW_REASON_ACTIVE, now_ns);
        return;
    }
    if (w->period > 0 && second % w->period == 0) {
        report(w, index, FLOW_REASON_PERIOD, now_ns);
    }
    flow_arm(w->flows, index, next_look(w, flow, second));
}

static int compare_due(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

/* Collects at most `max` flows that are due into w->due, in the order in which they began, which
 * does not depend on hashes or on the number of workers. */
static uint32_t collect_due(struct worker *w, uint64_t second, uint32_t max)
{
    flow_index found[DUE_STEP];
    uint32_t count = 0;
    while (count < max) {
        uint32_t want = max - count < DUE_STEP ? max - count : DUE_STEP;
        uint32_t got = flow_due(w->flows, second, found, want);
        for (uint32_t i = 0; i < got; i++) {
            uint64_t order = w->options.wants_events ? flow_cold_at(w->flows, found[i])->order : 0;
            w->due[count++] = (struct due){order, found[i]};
        }
        if (got < want) {
            break;
        }
    }
    if (w->options.wants_events) {
        qsort(w->due, count, sizeof *w->due, compare_due);
    }
    return count;
}

/* True when there may be more. */
static bool work_off_due(struct worker *w, uint64_t second, uint32_t max)
{
    uint32_t count = collect_due(w, second, max);
    for (uint32_t i = 0; i < count; i++) {
        run_due(w, w->due[i].index, second);
    }
    return count == max;
}

bool worker_step(struct worker *w)
{
    if (w->due_second == 0) {
        return false;
    }
    bool more = work_off_due(w, w->due_second, DUE_STEP);
    if (!more) {
        w->due_second = 0;
    }
    return more;
}

static void publish(struct worker *w)
{
    struct worker_stats *s = &w->stats;
    atomic_store_explicit(&s->packets, w->packets, memory_order_relaxed);
    atomic_store_explicit(&s->bytes, w->bytes, memory_order_relaxed);
    atomic_store_explicit(&s->flows_active, flow_table_count(w->flows), memory_order_relaxed);
    atomic_store_explicit(&s->flows_created, w->created, memory_order_relaxed);
    atomic_store_explicit(&s->flows_evicted, w->evicted, memory_order_relaxed);
    atomic_store_explicit(&s->memory, flow_table_memory(w->flows), memory_order_relaxed);
}

/* Hands the delta over if the collector has given the other one back; if not, it goes on being
 * filled: nothing is lost, it only covers more time. */
static void hand_over(struct worker *w)
{
    struct delta *spare = atomic_exchange_explicit(&w->spare, NULL, memory_order_acquire);
    while (spare == NULL && w->options.wait_for_spare) {
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
        spare = atomic_exchange_explicit(&w->spare, NULL, memory_order_acquire);
    }
    if (spare == NULL) {
        return;
    }
    w->delta->to_ns = w->now_ns;
    spare->from_ns = w->now_ns;
    atomic_store_explicit(&w->ready, w->delta, memory_order_release);
    w->delta = spare;
    w->last_path = NULL;
}

static void run_mark(struct worker *w, const struct mark *mark)
{
    w->step = mark->step;
    w->now_ns = mark->time_ns;
    if (mark->kind == MARK_FLUSH) {
        fold_touched(w);
        publish(w);
        hand_over(w);
        return;
    }
    uint64_t second = mark->time_ns / SECOND_NS;
    if (w->options.is_live) {
        w->due_second = second;
        worker_step(w);
    } else {
        work_off_due(w, second, w->options.capacity);
    }
}

void worker_run(struct worker *w, const struct chunk *chunk, const uint32_t *which, uint32_t count)
{
    uint32_t at = 0;
    uint32_t total = which != NULL ? count : chunk->unit_count;
    for (uint32_t m = 0; m < chunk->mark_count; m++) {
        uint32_t until = at;
        while (until < total && (which ? which[until] : until) < chunk->marks[m].before) {
            until++;
        }
        run_units(w, chunk->units, which, at, until);
        run_mark(w, &chunk->marks[m]);
        at = until;
    }
    run_units(w, chunk->units, which, at, total);
}

static void conclude_at_end(struct worker *w, flow_index index)
{
    const struct flow *flow = flow_at(w->flows, index);
    enum flow_reason reason = flow->flags & FLOW_CLOSED ? FLOW_REASON_CLOSED : FLOW_REASON_END;
    conclude(w, index, reason, flow->last_ns > w->now_ns ? flow->last_ns : w->now_ns);
}

void worker_end(struct worker *w)
{
    fold_touched(w);
    w->step = WORKER_LAST_STEP;
    uint32_t count = 0;
    for (flow_index i = 1; i < flow_table_bound(w->flows); i++) {
        if (!(flow_at(w->flows, i)->flags & FLOW_IN_USE)) {
            continue;
        }
        if (w->options.wants_events) {
            w->due[count++] = (struct due){flow_cold_at(w->flows, i)->order, i};
        } else {
            conclude_at_end(w, i); /* nobody will see the order */
        }
    }
    qsort(w->due, count, sizeof *w->due, compare_due);
    for (uint32_t i = 0; i < count; i++) {
        conclude_at_end(w, w->due[i].index);
    }
    publish(w);
}

const struct delta *worker_rest(struct worker *w)
{
    w->delta->to_ns = w->now_ns;
    return w->delta;
}

void worker_note_loss(struct worker *w, bool lost)
{
    atomic_store_explicit(&w->lost_packets, lost, memory_order_relaxed);
}

/* ---- Other threads -------------------------------------------------------------------------- */

struct delta *worker_take_delta(struct worker *w)
{
    return atomic_exchange_explicit(&w->ready, NULL, memory_order_acquire);
}

void worker_give_delta(struct worker *w, struct delta *delta)
{
    atomic_store_explicit(&w->spare, delta, memory_order_release);
}

const struct worker_stats *worker_stats(const struct worker *w)
{
    return &w->stats;
}

void worker_set_load(struct worker *w, uint64_t ppm)
{
    atomic_store_explicit(&w->stats.load_ppm, ppm, memory_order_relaxed);
}

uint32_t worker_capacity(const struct worker *w)
{
    return w->options.capacity;
}

bool worker_ask(struct worker *w, struct worker_query *query)
{
    struct worker_query *none = NULL;
    return atomic_compare_exchange_strong(&w->question, &none, query);
}

bool worker_withdraw(struct worker *w, struct worker_query *query)
{
    struct worker_query *mine = query;
    return atomic_compare_exchange_strong(&w->question, &mine, NULL);
}

void worker_answer(struct worker *w)
{
    if (atomic_load_explicit(&w->question, memory_order_relaxed) == NULL) {
        return;
    }
    /* Taken off while it is worked on, so that the reader cannot withdraw it under our hands. */
    struct worker_query *q = atomic_exchange_explicit(&w->question, NULL, memory_order_acquire);
    if (q == NULL) {
        return;
    }
    flow_search_step(w->flows, q, SEARCH_STEP, w->now_ns);
    if (q->at >= flow_table_bound(w->flows)) {
        atomic_store_explicit(&q->done, true, memory_order_release);
    } else {
        atomic_store_explicit(&w->question, q, memory_order_release);
    }
}
