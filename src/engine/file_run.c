// SPDX-License-Identifier: Apache-2.0
/* Reading files. With one worker all happens on the calling thread, 64 packets at a time, so that a
 * packet is still in the first cache when its flow is counted. With several, the calling thread reads
 * and decodes whole batches and spreads them by the flow's hash; the workers' threads follow. */
#include "engine/engine_core.h"

#include "base/pages.h"
#include "tap/pcapwrite.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    CHUNK_UNITS = 128,
    CHUNK_MARKS = 64,
    CHUNK_ARENA = 16 * DEFRAG_DATAGRAM_MAX,
    SHARED_BATCHES = 6,
    SHARED_UNITS = 2 * TAP_BATCH_FRAMES,
    BATCHES_A_READ = 32, /* between two looks at the caller's progress and signals */
    IDLE_NS = 200000,
};

/* A batch of frames with the chunk made of it, on its way through all workers. */
struct shared_batch {
    struct tap_batch frames;
    struct chunk chunk;
    uint32_t *which[CONFIG_WORKERS_MAX];
    uint32_t which_count[CONFIG_WORKERS_MAX];
    uint64_t last_step;
    bool is_last;
    _Atomic uint32_t pending; /* workers that are not through with it */
};

struct file_worker {
    struct file_run *run;
    uint32_t index;
    pthread_t thread;
    sem_t work;
};

struct file_run {
    struct engine *engine;
    struct engine_tap tap;
    struct front *front;
    struct shared_batch batches[SHARED_BATCHES]; /* only the first with one worker */
    uint32_t batch_count;
    uint64_t batch_next;
    sem_t free_batches;
    struct file_worker *workers; /* NULL with one worker */
    pthread_t office;
    _Atomic bool office_ends;
    bool threads_run;
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

static bool make_batch(struct shared_batch *batch, uint32_t workers)
{
    bool shared = workers > 1;
    batch->frames.capacity = TAP_BATCH_FRAMES;
    batch->frames.frames = pages_reserve(TAP_BATCH_FRAMES * sizeof *batch->frames.frames);
    batch->frames.memory = pages_reserve(TAP_BATCH_MEMORY);
    batch->frames.memory_size = TAP_BATCH_MEMORY;
    chunk_init(&batch->chunk, shared ? SHARED_UNITS : CHUNK_UNITS, CHUNK_MARKS, CHUNK_ARENA);
    for (uint32_t i = 0; i < workers && shared; i++) {
        batch->which[i] = pages_reserve(SHARED_UNITS * sizeof **batch->which);
        if (batch->which[i] == NULL) {
            return false;
        }
    }
    return batch->frames.frames != NULL && batch->frames.memory != NULL;
}

static void free_batch(struct shared_batch *batch, uint32_t workers)
{
    pages_release(batch->frames.frames, TAP_BATCH_FRAMES * sizeof *batch->frames.frames);
    pages_release(batch->frames.memory, TAP_BATCH_MEMORY);
    chunk_done(&batch->chunk);
    for (uint32_t i = 0; i < workers; i++) {
        pages_release(batch->which[i], SHARED_UNITS * sizeof **batch->which);
    }
}

static bool start_threads(struct file_run *run, struct err *err);

struct file_run *file_run_new(struct engine *engine, struct err *err)
{
    struct file_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    run->engine = engine;
    run->batch_count = engine->worker_count > 1 ? SHARED_BATCHES : 1;
    bool ok = open_tap(run, err) && (run->front = front_new(&engine->front, err)) != NULL;
    for (uint32_t i = 0; i < run->batch_count && ok; i++) {
        ok = make_batch(&run->batches[i], engine->worker_count) ||
             err_set(err, ERR_FAILED, "out of memory");
    }
    if (!ok || (engine->worker_count > 1 && !start_threads(run, err))) {
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
    for (uint32_t i = 0; i < run->batch_count; i++) {
        free_batch(&run->batches[i], run->engine->worker_count > 1 ? run->engine->worker_count : 0);
    }
    if (run->tap.tap != NULL) {
        run->tap.kind->close(run->tap.tap);
    }
    front_free(run->front);
    free(run->workers);
    free(run);
}

void file_run_stats(const struct file_run *run, struct tap_stats *ret)
{
    *ret = (struct tap_stats){0};
    run->tap.kind->stats(run->tap.tap, ret);
}

const struct front *file_run_front(const struct file_run *run)
{
    return run->front;
}

const struct engine_tap *file_run_tap(const struct file_run *run)
{
    return &run->tap;
}

/* ---- One worker, one thread ----------------------------------------------------------------- */

static void run_inline(struct file_run *run, const struct frame *frames, uint32_t count)
{
    struct chunk *chunk = &run->batches[0].chunk;
    struct worker *worker = run->engine->workers[0];
    for (uint32_t at = 0; at < count;) {
        chunk_reset(chunk);
        at += front_take(run->front, frames + at, count - at, chunk);
        worker_run(worker, chunk, NULL, 0);
        if (chunk->mark_count > 0) {
            office_round(run->engine, false);
        }
    }
}

static void end_inline(struct file_run *run)
{
    struct chunk *chunk = &run->batches[0].chunk;
    bool done;
    do {
        chunk_reset(chunk);
        done = front_end(run->front, chunk);
        worker_run(run->engine->workers[0], chunk, NULL, 0);
        office_round(run->engine, false);
    } while (!done);
    worker_end(run->engine->workers[0]);
}

/* ---- Several workers ------------------------------------------------------------------------ */

static void finish_batch(struct file_run *run, struct shared_batch *batch)
{
    if (atomic_fetch_sub_explicit(&batch->pending, 1, memory_order_acq_rel) == 1) {
        sem_post(&run->free_batches);
    }
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
        /* a signal: wait on */
    }
}

static void *work(void *argument)
{
    struct file_worker *self = argument;
    struct file_run *run = self->run;
    struct worker *worker = run->engine->workers[self->index];
    struct outbox *outbox = output_outbox(run->engine->output, self->index);
    for (uint64_t i = 0;; i++) {
        wait_for(&self->work);
        struct shared_batch *batch = &run->batches[i % SHARED_BATCHES];
        worker_run(worker, &batch->chunk, batch->which[self->index],
                   batch->which_count[self->index]);
        outbox_pass(outbox, batch->last_step + 1);
        bool is_last = batch->is_last;
        finish_batch(run, batch);
        if (is_last) {
            break;
        }
    }
    worker_end(worker);
    outbox_pass(outbox, UINT64_MAX);
    return NULL;
}

static void *run_office(void *argument)
{
    struct file_run *run = argument;
    while (!atomic_load_explicit(&run->office_ends, memory_order_acquire)) {
        if (office_round(run->engine, false) == 0) {
            nanosleep(&(struct timespec){.tv_nsec = IDLE_NS}, NULL);
        }
    }
    return NULL;
}

static bool start_threads(struct file_run *run, struct err *err)
{
    uint32_t count = run->engine->worker_count;
    run->workers = calloc(count, sizeof *run->workers);
    if (run->workers == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    sem_init(&run->free_batches, 0, SHARED_BATCHES);
    for (uint32_t i = 0; i < count; i++) {
        run->workers[i] = (struct file_worker){.run = run, .index = i};
        sem_init(&run->workers[i].work, 0, 0);
        int failed = pthread_create(&run->workers[i].thread, NULL, work, &run->workers[i]);
        assert(failed == 0);
    }
    int failed = pthread_create(&run->office, NULL, run_office, run);
    assert(failed == 0);
    run->threads_run = true;
    return true;
}

static struct shared_batch *take_batch(struct file_run *run)
{
    wait_for(&run->free_batches);
    struct shared_batch *batch = &run->batches[run->batch_next++ % SHARED_BATCHES];
    chunk_reset(&batch->chunk);
    batch->is_last = false;
    return batch;
}

/* Lists each worker's units and lets the workers have the batch. */
static void spread(struct file_run *run, struct shared_batch *batch)
{
    uint32_t workers = run->engine->worker_count;
    const struct chunk *chunk = &batch->chunk;
    for (uint32_t i = 0; i < workers; i++) {
        batch->which_count[i] = 0;
    }
    for (uint32_t i = 0; i < chunk->unit_count; i++) {
        uint32_t owner = (uint32_t)chunk->units[i].hash % workers;
        batch->which[owner][batch->which_count[owner]++] = i;
    }
    if (chunk->unit_count > 0) {
        batch->last_step = chunk->units[chunk->unit_count - 1].step;
    }
    if (chunk->mark_count > 0 && chunk->marks[chunk->mark_count - 1].step > batch->last_step) {
        batch->last_step = chunk->marks[chunk->mark_count - 1].step;
    }
    atomic_store_explicit(&batch->pending, workers, memory_order_release);
    for (uint32_t i = 0; i < workers; i++) {
        sem_post(&run->workers[i].work);
    }
}

/* When the chunk is full before the frames are, the rest follows in chunks of their own; the frames
 * lie in the first batch's memory, which must not be read into before those chunks are done. */
static void spread_rest(struct file_run *run, const struct tap_batch *frames, uint32_t taken)
{
    while (taken < frames->count) {
        struct shared_batch *batch = take_batch(run);
        taken += front_take(run->front, frames->frames + taken, frames->count - taken,
                            &batch->chunk);
        spread(run, batch);
    }
    for (uint32_t i = 0; i < SHARED_BATCHES; i++) {
        wait_for(&run->free_batches);
    }
    for (uint32_t i = 0; i < SHARED_BATCHES; i++) {
        sem_post(&run->free_batches);
    }
}

static void run_shared(struct file_run *run, struct shared_batch *batch)
{
    uint32_t taken =
        front_take(run->front, batch->frames.frames, batch->frames.count, &batch->chunk);
    spread(run, batch);
    if (taken < batch->frames.count) {
        spread_rest(run, &batch->frames, taken);
    }
}

static void end_shared(struct file_run *run)
{
    bool done;
    do {
        struct shared_batch *batch = take_batch(run);
        done = front_end(run->front, &batch->chunk);
        batch->is_last = done;
        spread(run, batch);
    } while (!done);
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        pthread_join(run->workers[i].thread, NULL);
        sem_destroy(&run->workers[i].work);
    }
    atomic_store_explicit(&run->office_ends, true, memory_order_release);
    pthread_join(run->office, NULL);
    sem_destroy(&run->free_batches);
    run->threads_run = false;
}

/* ---- Driving -------------------------------------------------------------------------------- */

static bool write_frames(struct file_run *run, const struct tap_batch *batch, struct err *err)
{
    struct pcapwrite *writer = run->engine->options.writer;
    for (uint32_t i = 0; i < batch->count && writer != NULL; i++) {
        if (!pcapwrite_frame(writer, &batch->frames[i], err)) {
            return false;
        }
    }
    return true;
}

static enum engine_status read_batch(struct file_run *run, struct err *err)
{
    struct shared_batch *batch = run->threads_run ? take_batch(run) : &run->batches[0];
    enum tap_status status = run->tap.kind->next(run->tap.tap, &batch->frames, err);
    if (status != TAP_OK) {
        batch->frames.count = 0;
    }
    bool written = write_frames(run, &batch->frames, err);
    if (run->threads_run) {
        run_shared(run, batch);
    } else {
        run_inline(run, batch->frames.frames, batch->frames.count);
    }
    if (!written || status == TAP_ERROR) {
        return ENGINE_FAILED;
    }
    return status == TAP_END ? ENGINE_DONE : ENGINE_MORE;
}

enum engine_status file_run_read(struct file_run *run, struct err *err)
{
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
    if (run->threads_run) {
        end_shared(run);
    } else {
        end_inline(run);
    }
}
