// SPDX-License-Identifier: Apache-2.0
#include "engine/worker_core.h"

#include "base/prefetch.h"
#include "engine/health_event.h"

#include <stdlib.h>

enum {
    CLOSED_SECONDS = WORKER_CLOSED_NS / SECOND_NS,
    FOLD_AHEAD = 8,     /* flows that are brought into the cache ahead */
    DUE_AHEAD = 12,     /* likewise, */
    DUE_LATER = 8,      /* their conversations, */
    DUE_SOON = 4,       /* and what protocols keep of them */
    DUE_ASIDE = 256,    /* of those that are due, how many may be out of order to be moved by themselves */
};

/* ---- Reports -------------------------------------------------------------------------------- */

static bool is_flooded(const struct worker *w, flow_index index)
{
    return flood_has(&w->flood, flow_at(w->flows, index));
}

/* What TCP health says of the flow, if it is a connection. How long one is silent that was open when
 * the capture ended nobody knows: as good as for ever. */
static bool ask_health(const struct worker *w, flow_index index, bool is_end, uint64_t now_ns,
                       struct health_record *ret)
{
    uint64_t last_ns = flow_at(w->flows, index)->last_ns;
    uint64_t silence_ns = now_ns > last_ns ? now_ns - last_ns : 0;
    if (!health_finish(w->health, index, is_end ? UINT64_MAX : silence_ns, ret)) {
        return false;
    }
    if (is_flooded(w, index)) {
        health_in_flood(ret);
    }
    return true;
}

/* The event of it. */
static void report_health(struct worker *w, flow_index index, enum flow_reason reason,
                          uint64_t now_ns)
{
    struct health_record record;
    if (!w->config.health || !ask_health(w, index, reason == FLOW_REASON_END, now_ns, &record)) {
        return;
    }
    struct health_event *event = outbox_reserve(w->options.outbox, sizeof *event);
    if (event == NULL) {
        return;
    }
    const struct flow_cold *cold = flow_cold_at(w->flows, index);
    health_event_fill(event, flow_at(w->flows, index), cold, reason, now_ns);
    event->record = record;
    event->flow.head.order = w->step;
    event->flow.head.suborder = cold->order;
    outbox_commit(w->options.outbox);
}

static void report_flow(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns)
{
    if (!w->options.wants_flows) {
        return;
    }
    report_health(w, index, reason, now_ns);
    if (w->config.only_health) {
        return;
    }
    struct flow *flow = flow_at(w->flows, index);
    struct flow_cold *cold = flow_cold_at(w->flows, index);
    outbox_expect(w->options.outbox, index);
    struct flow_event *event = outbox_reserve(w->options.outbox, sizeof *event);
    if (event == NULL) {
        return;
    }
    struct flow_counters *before = w->reported != NULL ? &w->reported[index] : NULL;
    flow_event_fill(event, flow, cold, reason, now_ns, before);
    event->head.order = w->step;
    event->head.suborder = cold->order;
    event->flow = index;
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

void flow_life_fold(struct worker *w)
{
    const struct delta_layout *layout = w->options.layout;
    bool lost = atomic_load_explicit(&w->lost_packets, memory_order_relaxed);
    for (uint32_t i = 0; i < w->touched_count; i++) {
        if (i + FOLD_AHEAD < w->touched_count) {
            struct flow *ahead = flow_at(w->flows, w->touched[i + FOLD_AHEAD].index);
            prefetch_write(ahead);
            prefetch_read(&ahead->first_ns);
        }
        struct flow *flow = flow_at(w->flows, w->touched[i].index);
        struct proto_gain gain;
        gain_of(flow, &w->touched[i].before, &gain);
        flow->flags &= (uint8_t)~FLOW_TOUCHED;
        flow->flags |= lost ? FLOW_INCOMPLETE : 0;
        for (uint32_t mask = w->on_flow; mask != 0;) {
            unsigned k = delta_next(&mask);
            layout->protos[k]->on_flow(w->delta->blocks + layout->offsets[k], flow, &gain);
        }
    }
    w->touched_count = 0;
}

void flow_life_touch(struct worker *w, flow_index index, struct flow *flow)
{
    if (flow->flags & FLOW_TOUCHED) {
        return;
    }
    if (w->touched_count == TOUCHED_MAX) {
        flow_life_fold(w);
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
    uint64_t show_at = finish_look(w->finish, flow, second);
    look = show_at < look ? show_at : look;
    return look;
}

/* What policies want of a connection that ends, or goes on. */
static void tell_policies(struct worker *w, flow_index index, uint64_t now_ns, bool goes_on)
{
    struct health_record record;
    if (finish_wants(w->finish, INTAKE_CONNECTION) && w->health != NULL &&
        ask_health(w, index, !goes_on, now_ns, &record)) {
        finish_connection(w->finish, index, flow_at(w->flows, index), &record, now_ns, goes_on);
    }
}

static struct gone *gone_of(struct worker *w, const struct flow_key *key, uint64_t *hash)
{
    *hash = flow_key_hash(key, 0);
    return &w->gone[*hash % WORKER_GONE];
}

static void note_gone(struct worker *w, const struct flow *flow)
{
    uint64_t hash;
    struct gone *gone = gone_of(w, &flow->key, &hash);
    *gone = (struct gone){.hash = hash, .last_ns = flow->last_ns};
}

/* A packet from before a connection was gone: some captures have copies, seconds late, with the time of the
 * first. Protocols heard it then. */
static bool is_late_copy(struct worker *w, const struct unit *unit)
{
    if (unit->packet.time_ns + WORKER_CLOSED_NS - SECOND_NS > w->now_ns) { /* it is there still */
        return false;
    }
    uint64_t hash;
    const struct gone *gone = gone_of(w, &unit->key, &hash);
    return gone->hash == hash && unit->packet.time_ns <= gone->last_ns;
}

/* Judges and reports a flow as a whole, for the last time. */
static void conclude(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns)
{
    const struct delta_layout *layout = w->options.layout;
    struct flow *flow = flow_at(w->flows, index);
    if (flow->flags & FLOW_TOUCHED) {
        flow_life_fold(w);
    }
    if (w->talks != NULL) {
        if ((flow->flags & (FLOW_CLOSED | FLOW_HEARD)) == (FLOW_CLOSED | FLOW_HEARD)) {
            note_gone(w, flow);
        }
        struct conversation_moment moment = worker_moment(w, index, now_ns);
        conversation_close(w->talks, &moment, index, flow);
    }
    flow->flooded = is_flooded(w, index);
    for (uint32_t mask = w->on_end; mask != 0;) {
        unsigned k = delta_next(&mask);
        layout->protos[k]->on_end(w->delta->blocks + layout->offsets[k], flow);
    }
    tell_policies(w, index, now_ns, false);
    report_flow(w, index, reason, now_ns);
}

void flow_life_end(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns)
{
    conclude(w, index, reason, now_ns);
    if (w->reported != NULL) {
        w->reported[index] = (struct flow_counters){0};
    }
    if (w->watch != NULL && watch_draws(w->watch, index)) {
        struct health_record record;
        bool known = ask_health(w, index, true, now_ns, &record);
        watch_end(w->watch, index, known ? health_event_badness(&record) : 0);
    }
    if (w->health != NULL) {
        health_drop(w->health, index);
    }
    flow_drop(w->flows, index);
}

flow_index flow_life_begin(struct worker *w, const struct unit *unit)
{
    if (flow_table_is_full(w->flows)) {
        flow_life_end(w, flow_table_victim(w->flows), FLOW_REASON_EVICTED, unit->packet.time_ns);
        w->evicted++;
    }
    flow_index index = flow_add(w->flows, &unit->key, unit->hash);
    flow_begin(w->flows, index, &unit->packet, unit->end, unit->step);
    struct flow *flow = flow_at(w->flows, index);
    flow->last_ns = unit->packet.time_ns;
    flow->flags |= w->talks != NULL && is_late_copy(w, unit) ? FLOW_UNHEARD : 0;
    finish_begin(w->finish, index);
    flow_arm(w->flows, index, next_look(w, flow, w->now_ns / SECOND_NS));
    w->created++;
    w->delta->flows_created++;
    if (w->watch != NULL) {
        struct watch_id id = {.key = unit->key, .order = unit->step};
        watch_begin(w->watch, w->health, index, &id, false);
    }
    return index;
}

void flow_life_close(struct worker *w, flow_index index)
{
    flow_arm(w->flows, index, w->now_ns / SECOND_NS + CLOSED_SECONDS);
}

/* ---- Timers --------------------------------------------------------------------------------- */

static void run_due(struct worker *w, flow_index index, uint64_t second)
{
    struct flow *flow = flow_at(w->flows, index);
    uint64_t now_ns = second * SECOND_NS;
    if (flow->flags & FLOW_CLOSED) {
        flow_life_end(w, index, FLOW_REASON_CLOSED, now_ns);
        return;
    }
    if (flow->last_ns + timeout_of(w, flow) <= now_ns) {
        flow_life_end(w, index, FLOW_REASON_IDLE, now_ns);
        return;
    }
    if (w->config.active_timeout > 0 &&
        flow->first_ns + (uint64_t)w->config.active_timeout <= now_ns) {
        flow_life_end(w, index, FLOW_REASON_ACTIVE, now_ns);
        return;
    }
    if (w->talks != NULL) {
        struct conversation_moment moment = worker_moment(w, index, now_ns);
        conversation_age(w->talks, &moment, index, flow);
    }
    if (finish_is_due(w->finish, index, flow, second)) {
        tell_policies(w, index, now_ns, true);
    }
    if (w->period > 0 && second % w->period == 0) {
        report_flow(w, index, FLOW_REASON_PERIOD, now_ns);
    }
    flow_arm(w->flows, index, next_look(w, flow, second));
}

static int compare_due(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static void reverse(struct due *due, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        struct due other = due[i];
        due[i] = due[count - 1 - i];
        due[count - 1 - i] = other;
    }
}

/* Puts what is due in order. Timers come up last armed first, and those that were looked at together
 * were armed in this order: most are there already, backwards. The few that are not are put aside, and
 * sorted, and come back where they belong. */
static void sort_due(struct due *due, uint32_t count)
{
    struct due aside[DUE_ASIDE];
    uint32_t kept = 0, out = 0;
    reverse(due, count);
    for (uint32_t i = 0; i < count; i++) { /* those from `i` on have not been moved */
        if (kept == 0 || due[kept - 1].order <= due[i].order) {
            due[kept++] = due[i];
            continue;
        }
        if (out == DUE_ASIDE) {
            memcpy(due + kept, aside, sizeof aside);
            qsort(due, count, sizeof *due, compare_due);
            return;
        }
        bool is_late = kept < 2 || due[kept - 2].order <= due[i].order; /* not this one, but that before */
        aside[out++] = is_late ? due[kept - 1] : due[i];
        due[kept - 1] = is_late ? due[i] : due[kept - 1];
    }
    qsort(aside, out, sizeof *aside, compare_due);
    for (uint32_t end = count; out > 0; end--) {
        bool is_kept = kept > 0 && due[kept - 1].order > aside[out - 1].order;
        due[end - 1] = is_kept ? due[--kept] : aside[--out];
    }
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
        sort_due(w->due, count);
    }
    return count;
}

/* The flow that is due at place i; behind the last one that. */
static flow_index due_at(const struct worker *w, uint32_t i, uint32_t count)
{
    return w->due[i < count ? i : count - 1].index;
}

/* Fetches ahead, in steps, what those that are due behind place i need: mostly they have not been at work
 * of late. */
static void prefetch_due(const struct worker *w, uint32_t i, uint32_t count)
{
    flow_index ahead = due_at(w, i + DUE_AHEAD, count);
    flow_index later = due_at(w, i + DUE_LATER, count);
    prefetch_write(flow_at(w->flows, ahead));
    prefetch_read(&flow_at(w->flows, ahead)->first_ns);
    prefetch_read(flow_cold_at(w->flows, ahead));
    flow_prefetch_drop(w->flows, later);
    if (w->health != NULL) {
        health_prefetch_index(w->health, ahead);
        health_prefetch(w->health, later);
    }
    if (w->talks != NULL) {
        conversation_prefetch(w->talks, flow_at(w->flows, later),
                              flow_at(w->flows, due_at(w, i + DUE_SOON, count)));
    }
}

bool flow_life_due(struct worker *w, uint64_t second, uint32_t max)
{
    uint32_t count = collect_due(w, second, max);
    for (uint32_t i = 0; i < count; i++) {
        prefetch_due(w, i, count);
        run_due(w, w->due[i].index, second);
    }
    return count == max;
}

/* ---- The end -------------------------------------------------------------------------------- */

static void conclude_at_end(struct worker *w, flow_index index)
{
    const struct flow *flow = flow_at(w->flows, index);
    enum flow_reason reason = flow->flags & FLOW_CLOSED ? FLOW_REASON_CLOSED : FLOW_REASON_END;
    conclude(w, index, reason, flow->last_ns > w->now_ns ? flow->last_ns : w->now_ns);
}

void flow_life_end_all(struct worker *w)
{
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
        prefetch_due(w, i, count);
        conclude_at_end(w, w->due[i].index);
    }
}
