// SPDX-License-Identifier: Apache-2.0
#include "engine/publisher.h"

#include "base/log.h"
#include "base/seconds.h"
#include "engine/exporter.h"
#include "engine/live_taps.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REST_NS = 5000000 /* when nothing was ready */ };

/* ---- The board ------------------------------------------------------------------------------ */

static void edit_workers(struct engine *engine, struct board *board)
{
    board->worker_count = engine->worker_count;
    board->memory_used = 0;
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        const struct worker_stats *s = worker_stats(engine->workers[i]);
        struct outbox *outbox = output_outbox(engine->output, i);
        struct board_worker *w = &board->workers[i];
        w->packets = atomic_load_explicit(&s->packets, memory_order_relaxed);
        w->bytes = atomic_load_explicit(&s->bytes, memory_order_relaxed);
        w->flows_active = atomic_load_explicit(&s->flows_active, memory_order_relaxed);
        w->flows_created = atomic_load_explicit(&s->flows_created, memory_order_relaxed);
        w->flows_evicted = atomic_load_explicit(&s->flows_evicted, memory_order_relaxed);
        w->talks_active = atomic_load_explicit(&s->talks_active, memory_order_relaxed);
        w->talks_refused = atomic_load_explicit(&s->talks_refused, memory_order_relaxed);
        w->talk_memory_refused =
            atomic_load_explicit(&s->talk_memory_refused, memory_order_relaxed);
        w->events_cut = atomic_load_explicit(&s->events_cut, memory_order_relaxed);
        w->proxy_headers = atomic_load_explicit(&s->proxy_headers, memory_order_relaxed);
        w->flow_capacity = worker_capacity(engine->workers[i]);
        w->memory_bytes = atomic_load_explicit(&s->memory, memory_order_relaxed);
        w->load = (double)atomic_load_explicit(&s->load_ppm, memory_order_relaxed) / 1e6;
        w->events_dropped = atomic_load_explicit(&outbox->dropped, memory_order_relaxed);
        board->memory_used += w->memory_bytes;
    }
}

static void edit_tap(struct board *board, const struct config_tap *config,
                     const struct tap_stats *stats)
{
    struct board_tap *tap = &board->taps[board->tap_count++];
    *tap = (struct board_tap){
        .received = stats->received,
        .dropped = stats->dropped,
        .interface_drops = stats->interface_drops,
    };
    snprintf(tap->name, sizeof tap->name, "%s", config->name != NULL ? config->name : config->kind);
    /* Of a tap that only plays at being live its name says more than its file. */
    bool is_replay = config->interfaces.count == 0 && tap_kind_find(config->kind)->is_live;
    const struct text_list none = {0};
    const struct text_list *list = is_replay ? &none
                                     : config->interfaces.count > 0 ? &config->interfaces
                                                                    : &config->files;
    size_t at = 0;
    for (size_t i = 0; i < list->count && at < sizeof tap->source; i++) {
        int n = snprintf(tap->source + at, sizeof tap->source - at, "%s%s", i > 0 ? ", " : "",
                         list->items[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    board->dropped += stats->dropped;
}

static void edit_taps(struct engine *engine, struct board *board)
{
    struct tap_stats stats;
    board->tap_count = 0;
    board->dropped = 0;
    if (engine->file != NULL) {
        file_run_stats(engine->file, &stats);
        edit_tap(board, file_run_tap(engine->file)->config, &stats);
        return;
    }
    const struct live_plan *plan = live_run_hold(engine->live);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct live_tap *tap = plan->taps[i];
        live_run_stats(engine->live, tap, &stats);
        edit_tap(board, tap->config, &stats);
        if (engine->options.policies != NULL) {
            policies_note_drops(engine->options.policies, tap->config->name, stats.dropped,
                                stats.interface_drops);
        }
    }
    live_run_release(engine->live);
}

static void edit_fragments(struct engine *engine, struct board *board)
{
    struct defrag_stats stats;
    if (engine->file != NULL) {
        stats = *front_fragments(file_run_front(engine->file));
    } else {
        live_run_fragments(engine->live, &stats);
    }
    board->fragments_held = stats.held;
    board->fragments_dropped = stats.evicted + stats.timed_out;
}

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* A trouble that is new is told once, unless it ends the run, which is told by whoever runs it; the board
 * has it as long as it lasts. */
static void edit_outputs(struct engine *engine, struct board *board)
{
    struct err failure = {0};
    bool goes_on = !output_failure(engine->output, &failure);
    struct sink_status status;
    const char *kind;
    uint32_t i = 0;
    for (; i < 16 && (kind = output_status(engine->output, i, &status)) != NULL; i++) {
        struct board_output *to = &board->outputs[i];
        bool is_new = strcmp(status.last_error, to->trouble) != 0;
        if (goes_on && is_new && status.last_error[0] != '\0') {
            log_warning("output %s: %s", kind, status.last_error);
        }
        if (goes_on && engine->is_live) {
            output_watch_look(&engine->watches[i], kind, &status, (int64_t)(clock_ns() / SECOND_NS));
        }
        *to = (struct board_output){
            .events = status.events,
            .bytes = status.bytes,
            .lost = status.lost,
            .refused = status.refused,
            .waiting = status.waiting,
            .retries = status.retries,
        };
        snprintf(to->kind, sizeof to->kind, "%s", kind);
        snprintf(to->trouble, sizeof to->trouble, "%s", status.last_error);
    }
    board->output_count = i;
}

/* New drops belong to the second in which they were noticed. */
static void note_drops(struct engine *engine, struct board *board, uint64_t before)
{
    uint64_t lost = board->dropped - before;
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        worker_note_loss(engine->workers[i], lost > 0);
    }
    if (lost > 0 && board->history_count > 0) {
        board->history[board->history_count - 1].dropped += lost;
    }
}

void publisher_publish(struct engine *engine)
{
    struct board *board = collector_edit(engine->collector);
    uint64_t dropped = board->dropped;
    edit_workers(engine, board);
    edit_taps(engine, board);
    edit_fragments(engine, board);
    edit_outputs(engine, board);
    note_drops(engine, board, dropped);
    collector_publish(engine->collector);
    if (engine->is_live) {
        exporter_round(engine->exporter, false);
    }
}

/* ---- The thread ----------------------------------------------------------------------------- */

static void *work(void *argument)
{
    struct engine *engine = argument;
    uint64_t published = 0;
    while (!atomic_load_explicit(&engine->publisher_ends, memory_order_acquire)) {
        uint32_t moved = office_round(engine, false);
        uint64_t now = clock_ns();
        if (now - published >= SECOND_NS) {
            publisher_publish(engine);
            published = now;
        }
        if (moved == 0) {
            nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
        }
    }
    return NULL;
}

void publisher_start(struct engine *engine)
{
    int failed = pthread_create(&engine->publisher, NULL, work, engine);
    assert(failed == 0);
    engine->publisher_runs = true;
}

void publisher_stop(struct engine *engine)
{
    if (engine->publisher_runs) {
        atomic_store_explicit(&engine->publisher_ends, true, memory_order_release);
        pthread_join(engine->publisher, NULL);
        engine->publisher_runs = false;
    }
}
