// SPDX-License-Identifier: Apache-2.0
/* What happens behind the packet path: deltas go to the board, events to the sinks. With one worker
 * on a file the reading thread does it between two batches; else a thread of its own (publisher.c). */
#include "engine/engine_core.h"

#include "base/log.h"
#include "engine/health_desk.h"

#include <stdio.h>
#include <time.h>

enum { REFRESH_SECONDS = 2 };

uint32_t office_collect(struct engine *engine, uint32_t worker)
{
    struct delta *delta = worker_take_delta(engine->workers[worker]);
    if (delta == NULL) {
        return 0;
    }
    if (engine->config->beat != NULL) {
        notices_tell(&engine->notices, delta);
    }
    collector_add(engine->collector, delta);
    delta_reset(delta);
    worker_give_delta(engine->workers[worker], delta);
    return 1;
}

/* Databases of places that were replaced are taken now and then; what there is to tell of one is told. */
static void refresh(struct engine *engine)
{
    char note[LOG_LINE_MAX];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec < engine->refresh_at) {
        return;
    }
    engine->refresh_at = now.tv_sec + REFRESH_SECONDS;
    if (engine->options.policies != NULL &&
        policies_refresh(engine->options.policies, note, sizeof note)) {
        log_info("%s", note);
    }
    if (health_desk_refresh(output_health(engine->output), note, sizeof note)) {
        log_info("%s", note);
    }
}

uint32_t office_round(struct engine *engine, bool last)
{
    if (engine->is_live && engine->keys != NULL) {
        key_file_poll(engine->keys);
    }
    if (engine->is_live) {
        refresh(engine);
    }
    uint32_t moved = output_drain(engine->output, last);
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        moved += office_collect(engine, i);
    }
    if (engine->options.policies != NULL) {
        moved += policies_collect(engine->options.policies);
    }
    return moved;
}

void office_note(struct engine *engine, const char *text)
{
    log_info("%s", text);
    struct board *board = collector_edit(engine->collector);
    snprintf(board->note, sizeof board->note, "%s", text);
    collector_publish(engine->collector);
}
