// SPDX-License-Identifier: Apache-2.0
#include "engine/worker.h"

#include "base/pages.h"
#include "engine/worker_core.h"

#include <stdlib.h>

enum {
    TEXT_MAX = 64 << 10, /* bytes of a text in an event */
    SEARCH_STEP = 8192, /* flows looked at between two batches for a reader */
    GRAPH_ROOM = 20000, /* marks of a picture of a file's connection */
};

/* ---- Lifetime ------------------------------------------------------------------------------- */

static size_t reported_size(const struct worker *w)
{
    return ((size_t)w->options.memory.flows + 1) * sizeof *w->reported;
}

static size_t due_size(const struct worker *w)
{
    return ((size_t)w->options.memory.flows + 1) * sizeof *w->due;
}

/* True without one when no protocol listens. */
static bool take_talks(struct worker *w)
{
    if (w->options.listeners->count == 0) {
        return true;
    }
    const struct memory_plan *plan = &w->options.memory;
    uint64_t most = plan->talk_memory / 2 + plan->shared_memory;
    struct conversation_options options = {
        .listeners = w->options.listeners,
        .outbox = w->options.outbox,
        .finish = w->finish,
        .capacity = plan->flows,
        .memory = most,
        .budget = &w->memory[MEMORY_TALKS],
        .blocks = &w->memory[MEMORY_BLOCKS],
        .wants_events = w->options.wants_events,
        .wants_lines = w->options.wants_lines,
        .text_max = TEXT_MAX,
    };
    w->talks = conversations_new(&options, NULL);
    return w->talks != NULL;
}

/* True without when nobody wants to see a graph. */
static bool take_watch(struct worker *w)
{
    const uint64_t *draw = w->options.draw;
    if (w->health == NULL || (draw == NULL && w->options.drawers == 0)) {
        return true;
    }
    struct watch_options options = {.drawers = w->options.drawers, .room = WORKER_GRAPH_ROOM};
    if (draw != NULL) {
        options = (struct watch_options){
            .drawers = 1, .room = GRAPH_ROOM, .only = true, .order = *draw};
    }
    struct err err = {0};
    w->watch = watch_new(&options, &err);
    return w->watch != NULL;
}

/* Flows and what they say have a part each that is theirs, and what is behind. */
static void part_memory(struct worker *w)
{
    const struct memory_plan *plan = &w->options.memory;
    struct budget *shared = &w->memory[MEMORY_SHARED];
    w->memory[MEMORY_SHARED] = (struct budget){plan->shared_memory, NULL};
    w->memory[MEMORY_FLOWS] = (struct budget){plan->flow_memory, shared};
    w->memory[MEMORY_TALKS] = (struct budget){plan->talk_memory / 2, shared};
    w->memory[MEMORY_BLOCKS] = (struct budget){plan->talk_memory / 2, shared};
}

static bool take_memory(struct worker *w)
{
    const struct memory_plan *plan = &w->options.memory;
    struct flow_table_options table = {.capacity = plan->flows,
                                       .seed = w->options.seed,
                                       .budget = &w->memory[MEMORY_FLOWS],
                                       .bytes_each = plan->flow_bytes};
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
    if (w->config.health || w->options.policies != NULL) {
        struct health_options health = {.flows = plan->flows, .details = plan->health_details};
        w->book = health_book_new(&health, &err);
        w->health = w->config.health ? w->book : NULL;
    }
    return w->flows != NULL && w->touched != NULL && w->due != NULL && w->delta != NULL &&
           spare != NULL && (w->reported != NULL || !w->config.deltas) &&
           (w->book != NULL || (!w->config.health && w->options.policies == NULL));
}

/* Takes what policies there are. Once one has asked for the health of connections, it is followed as
 * long as the worker lives: those that were begun are ended. */
static void poll_policies(struct worker *w)
{
    intake_poll(w->intake);
    finish_poll(w->finish, flow_table_bound(w->flows));
    if (finish_wants(w->finish, INTAKE_CONNECTION)) {
        w->health = w->book;
    }
}

/* True without one when there are no policies. */
static bool take_intake(struct worker *w)
{
    if (w->options.policies == NULL) {
        return true;
    }
    w->intake = intake_new(w->options.policies, w->options.number, NULL);
    if (w->intake == NULL) {
        return false;
    }
    w->finish = finish_new(w->intake, w->options.memory.flows);
    poll_policies(w);
    return w->finish != NULL;
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
    if (!options->skips_counts) {
        w->on_frame = options->layout->on_frame;
        w->on_packet = options->layout->on_packet;
        w->on_flow = options->layout->on_flow;
        w->on_end = options->layout->on_end;
    }
    if (options->wants_flows && w->config.period >= 0) {
        w->period = (uint64_t)w->config.period / SECOND_NS;
        w->period = w->period > 0 ? w->period : 1;
    }
    part_memory(w);
    if (!take_memory(w) || !take_watch(w) || !take_intake(w) || !take_talks(w)) {
        err_set(err, ERR_FAILED,
                "cannot reserve memory for %u flows; lower limits.flows or limits.memory",
                options->memory.flows);
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
    health_book_free(w->book);
    finish_free(w->finish);
    intake_free(w->intake);
    watch_free(w->watch);
    conversations_free(w->talks);
    pages_release(w->touched, TOUCHED_MAX * sizeof *w->touched);
    pages_release(w->due, due_size(w));
    pages_release(w->reported, reported_size(w));
    delta_free(w->delta);
    delta_free(atomic_load(&w->spare));
    delta_free(atomic_load(&w->ready));
    free(w);
}

/* ---- Marks ---------------------------------------------------------------------------------- */

bool worker_step(struct worker *w)
{
    if (w->due_second == 0) {
        return false;
    }
    bool more = flow_life_due(w, w->due_second, DUE_STEP);
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
    if (w->talks != NULL) {
        outbox_reclaim(w->options.outbox);
        const struct conversation_stats *talks = conversations_stats(w->talks);
        atomic_store_explicit(&s->talks_active, talks->active, memory_order_relaxed);
        atomic_store_explicit(&s->talks_refused, talks->refused, memory_order_relaxed);
        atomic_store_explicit(&s->talk_memory_refused, talks->memory_refused, memory_order_relaxed);
        atomic_store_explicit(&s->events_cut, talks->events_cut, memory_order_relaxed);
        atomic_store_explicit(&s->proxy_headers, talks->proxy_headers, memory_order_relaxed);
    }
}

/* Hands the delta over if the collector has given the other one back; if not, it goes on being
 * filled: nothing is lost, it only covers more time. */
static void hand_over(struct worker *w)
{
    struct delta *spare = atomic_exchange_explicit(&w->spare, NULL, memory_order_acquire);
    if (spare == NULL) {
        return;
    }
    if (w->delta->frames == 0) {
        w->delta->from_ns = w->delta->to_ns = w->now_ns;
    }
    atomic_store_explicit(&w->ready, w->delta, memory_order_release);
    w->delta = spare;
    w->last_path = NULL;
}

static void run_mark(struct worker *w, const struct mark *mark)
{
    w->step = mark->step;
    w->now_ns = mark->time_ns;
    if (mark->kind == MARK_FLUSH) {
        flow_life_fold(w);
        publish(w);
        if (!w->options.skips_counts) {
            hand_over(w);
        }
        if (w->intake != NULL) {
            intake_flush(w->intake, mark->time_ns);
        }
        return;
    }
    if (mark->kind == MARK_FLOOD) {
        flood_note(&w->flood, mark->server, mark->time_ns);
        return;
    }
    uint64_t second = mark->time_ns / SECOND_NS;
    if (w->health != NULL) {
        health_tick(w->health, mark->time_ns);
    }
    if (w->options.is_live) {
        w->due_second = second;
        worker_step(w);
    } else {
        flow_life_due(w, second, w->options.memory.flows);
    }
}

void worker_run(struct worker *w, const struct chunk *chunk)
{
    const struct unit_list *list = &chunk->lists[w->options.index];
    uint32_t at = 0;
    for (uint32_t m = 0; m < chunk->mark_count; m++) {
        uint32_t until = at;
        while (until < list->count &&
               chunk->units[list->indices[until]].step < chunk->marks[m].step) {
            until++;
        }
        pipeline_run(w, chunk, at, until);
        run_mark(w, &chunk->marks[m]);
        at = until;
    }
    pipeline_run(w, chunk, at, list->count);
}

void worker_end(struct worker *w)
{
    flow_life_fold(w);
    w->step = WORKER_LAST_STEP;
    flow_life_end_all(w);
    publish(w);
    if (w->intake != NULL) {
        intake_end(w->intake);
    }
}

void worker_conclude(struct worker *w)
{
    flow_life_fold(w);
    w->step = WORKER_LAST_STEP;
    for (flow_index i = 1; i < flow_table_bound(w->flows); i++) {
        const struct flow *flow = flow_at(w->flows, i);
        if (flow->flags & FLOW_IN_USE) {
            flow_life_end(w, i, FLOW_REASON_END,
                          flow->last_ns > w->now_ns ? flow->last_ns : w->now_ns);
        }
    }
}

void worker_settle(struct worker *w)
{
    intake_settle(w->intake);
}

const struct delta *worker_rest(struct worker *w)
{
    if (w->delta->frames == 0) {
        w->delta->from_ns = w->delta->to_ns = w->now_ns;
    }
    return w->delta;
}

void worker_select_tap(struct worker *w, const char *name)
{
    if (w->intake != NULL) {
        intake_select(w->intake, name);
        finish_select(w->finish, name);
    }
}

void worker_note_loss(struct worker *w, bool lost)
{
    atomic_store_explicit(&w->lost_packets, lost, memory_order_relaxed);
}

const struct tcp_marks *worker_graph(const struct worker *w)
{
    return w->watch != NULL ? watch_first(w->watch) : NULL;
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

const struct flow_table *worker_flows(const struct worker *w)
{
    return w->flows;
}

uint32_t worker_capacity(const struct worker *w)
{
    return w->options.memory.flows;
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

/* A connection that goes on and is not drawn is drawn from now on. */
static void begin_graph(struct worker *w, struct worker_graph *graph)
{
    uint64_t hash = flow_key_hash(&graph->id.key, w->options.seed);
    flow_index index = flow_find(w->flows, &graph->id.key, hash);
    for (unsigned end = 0; index == 0 && end < 2; end++) {
        index = flow_find_across(w->flows, &graph->id.key, end, hash);
    }
    if (index != 0 && flow_cold_at(w->flows, index)->order == graph->id.order) {
        watch_begin(w->watch, w->health, index, &graph->id, true);
        graph->state = WORKER_GRAPH_BEGUN;
    }
}

static void answer_graph(struct worker *w, struct worker_graph *graph)
{
    bool whole = false;
    const struct tcp_marks *marks =
        w->watch != NULL ? watch_find(w->watch, &graph->id, &whole) : NULL;
    if (marks == NULL) {
        if (w->watch != NULL) {
            begin_graph(w, graph);
        }
        return;
    }
    memcpy(graph->marks, marks->marks, marks->count * sizeof *marks->marks);
    graph->count = marks->count;
    graph->columns = marks->columns;
    graph->seen = marks->seen;
    graph->state = whole ? WORKER_GRAPH_WHOLE : WORKER_GRAPH_PART;
}

void worker_answer(struct worker *w)
{
    if (w->intake != NULL) {
        poll_policies(w);
    }
    if (atomic_load_explicit(&w->question, memory_order_relaxed) == NULL) {
        return;
    }
    /* Taken off while it is worked on, so that the reader cannot withdraw it under our hands. */
    struct worker_query *q = atomic_exchange_explicit(&w->question, NULL, memory_order_acquire);
    if (q == NULL) {
        return;
    }
    if (q->graph != NULL) {
        answer_graph(w, q->graph);
    } else {
        flow_search_step(w->flows, &q->search, SEARCH_STEP, w->now_ns);
    }
    if (q->graph != NULL || q->search.at >= flow_table_bound(w->flows)) {
        atomic_store_explicit(&q->done, true, memory_order_release);
    } else {
        atomic_store_explicit(&w->question, q, memory_order_release);
    }
}
