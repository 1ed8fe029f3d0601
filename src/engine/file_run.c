// SPDX-License-Identifier: Apache-2.0
/* Reading files. With one worker all happens on the calling thread; with several, they read by
 * themselves (file_spread.c), and the calling thread waits. */
#include "engine/engine_core.h"

#include "base/pages.h"
#include "tap/pcapwrite.h"

#include <assert.h>
#include <stdlib.h>

enum { BATCHES_A_READ = 32 /* between two looks at the caller's progress and signals */ };

struct file_run {
    struct engine *engine;
    struct engine_tap tap;
    struct tap_batch batch;     /* one worker */
    struct lane lane;           /* one worker */
    struct front *front;        /* several */
    struct file_spread *spread; /* several */
};

/* ---- Building ------------------------------------------------------------------------------- */

static bool open_tap(struct file_run *run, struct err *err)
{
    const struct config_tap *config = &run->engine->config->taps[0];
    struct tap_options options = {
        .sources = config->files.items,
        .source_count = (uint32_t)config->files.count,
        .filter = config->filter != NULL && config->filter[0] != '\0' ? config->filter : NULL,
        .snap_len = (uint32_t)config->snap_len,
        .workers = 1,
    };
    run->tap.config = config;
    run->tap.kind = tap_kind_find(config->kind);
    assert(run->tap.kind != NULL);
    run->tap.tap = run->tap.kind->open(&options, err);
    return run->tap.tap != NULL;
}

static bool make_lane(struct file_run *run, struct err *err)
{
    run->batch = (struct tap_batch){
        .frames = pages_reserve(TAP_BATCH_FRAMES * sizeof *run->batch.frames),
        .capacity = TAP_BATCH_FRAMES,
        .memory = pages_reserve(TAP_BATCH_MEMORY),
        .memory_size = TAP_BATCH_MEMORY,
        .is_alone = true,
    };
    if (run->batch.frames == NULL || run->batch.memory == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    return lane_init(&run->lane, &run->engine->front, run->engine->workers[0], err);
}

static bool make_spread(struct file_run *run, struct err *err)
{
    run->front = front_new(&run->engine->front, err);
    if (run->front == NULL) {
        return false;
    }
    run->spread = file_spread_new(run->engine, &run->tap, run->front, err);
    return run->spread != NULL;
}

struct file_run *file_run_new(struct engine *engine, struct err *err)
{
    struct file_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    run->engine = engine;
    if (!open_tap(run, err) ||
        !(engine->worker_count > 1 ? make_spread(run, err) : make_lane(run, err))) {
        file_run_free(run);
        return NULL;
    }
    return run;
}

void file_run_free(struct file_run *run)
{
    if (run == NULL) {
        return;
    }
    file_spread_free(run->spread);
    front_free(run->front);
    lane_done(&run->lane);
    pages_release(run->batch.frames, TAP_BATCH_FRAMES * sizeof *run->batch.frames);
    pages_release(run->batch.memory, TAP_BATCH_MEMORY);
    if (run->tap.tap != NULL) {
        run->tap.kind->close(run->tap.tap);
    }
    free(run);
}

void file_run_stats(const struct file_run *run, struct tap_stats *ret)
{
    *ret = (struct tap_stats){0};
    run->tap.kind->stats(run->tap.tap, ret);
}

const struct front *file_run_front(const struct file_run *run)
{
    return run->spread != NULL ? run->front : run->lane.front;
}

const struct engine_tap *file_run_tap(const struct file_run *run)
{
    return &run->tap;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static enum engine_status read_batch(struct file_run *run, struct err *err)
{
    struct tap_batch *batch = &run->batch;
    enum tap_status status = run->tap.kind->next(run->tap.tap, batch, err);
    key_file_take_from(run->engine->keys, run->tap.kind, run->tap.tap);
    if (status != TAP_OK) {
        batch->count = 0;
    }
    run->lane.chunk.ahead = batch->ahead;
    bool written = pcapwrite_frames(run->engine->options.writer, batch->frames,
                                    batch->count, err);
    if (lane_frames(&run->lane, batch->frames, batch->count)) {
        office_round(run->engine, false);
    }
    if (!written || status == TAP_ERROR) {
        return ENGINE_FAILED;
    }
    return status == TAP_END ? ENGINE_DONE : ENGINE_MORE;
}

enum engine_status file_run_read(struct file_run *run, struct err *err)
{
    if (run->spread != NULL) {
        return file_spread_wait(run->spread, err);
    }
    for (unsigned i = 0; i < BATCHES_A_READ; i++) {
        enum engine_status status = read_batch(run, err);
        if (status != ENGINE_MORE) {
            return status;
        }
        if (output_failure(run->engine->output, err)) {
            return ENGINE_FAILED;
        }
    }
    return ENGINE_MORE;
}

void file_run_end(struct file_run *run)
{
    if (run->spread != NULL) {
        file_spread_end(run->spread);
    } else {
        lane_end(&run->lane);
    }
}
