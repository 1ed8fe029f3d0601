// SPDX-License-Identifier: Apache-2.0
/* Several workers on a file. There is no thread that only reads: whoever has nothing else to do takes
 * the next batch. Of a batch
 *
 *     filling     is bringing its bytes: of a plain file by several threads beside each other,
 *     reading     (finding its frames) is done by one thread at a time, in the order of the file,
 *     decoding    by the thread that read it, beside all others,
 *     stitching   (time, order, fragments) by the same thread, in the order of the file again,
 *     running     by every worker for its own flows, in the order of the file.
 *
 * Batches lie in a ring; one lock guards its few counters and is taken a handful of times a batch,
 * never a packet. The answer is that of one worker: stitching gives every packet and every tick the
 * same number whoever does it. */
#include "engine/engine_core.h"

#include "base/pages.h"
#include "tap/pcapwrite.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    BATCHES_A_WORKER = 2,
    EXTRAS = 1024,
    MARKS = 1024,
    ARENA = 64 * DEFRAG_DATAGRAM_MAX,
    SPINS = 4000,         /* looks at `version` before a thread goes to sleep: some 40 us */
    WAIT_MS = 50,         /* that the calling thread waits before it looks at signals */
    OFFICE_NS = 300000,
};

/* A batch of frames with the chunk made of it. */
struct spread_batch {
    struct tap_batch frames;
    struct chunk chunk;
    uint32_t pending; /* workers that have not run its chunk yet */
    bool is_busy;     /* from reading until all have run it for the last time */
    bool is_whole;    /* published for the last time */
};

struct spread_thread {
    struct file_spread *spread;
    uint32_t index;
    uint64_t runs; /* chunks it has run */
    pthread_t thread;
};

struct file_spread {
    struct engine *engine;
    const struct engine_tap *tap;
    struct front *front;
    struct spread_batch *batches;
    struct spread_batch **published; /* ring: chunks to run, in order */
    uint32_t batch_count;
    struct spread_thread *threads;
    pthread_t office;
    bool has_threads;
    _Atomic bool office_ends;
    _Atomic uint64_t version; /* of what the lock guards */
    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;   /* workers wait for it */
    pthread_cond_t finished;  /* the calling thread does */
    uint32_t sleepers;        /* workers that wait */
    uint64_t taken_count;     /* batches that somebody has taken to read, in this order */
    uint64_t read_count;      /* batches read */
    uint64_t stitched_count;  /* batches stitched to their end */
    uint64_t published_count; /* chunks that may be run */
    bool is_reading;          /* nobody else is to take a batch now */
    bool has_ended;           /* nothing more is to be read */
    bool is_finished;         /* and the front's last words are published */
    bool has_failed;
    struct err failure;
};

/* ---- Waiting -------------------------------------------------------------------------------- */

/* Something changed that others may wait for. With the lock held. */
static void tell(struct file_spread *s)
{
    atomic_fetch_add_explicit(&s->version, 1, memory_order_release);
    if (s->sleepers > 0) {
        pthread_cond_broadcast(&s->changed);
    }
}

/* Lets the core's other thread have it for a moment. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Waits for a change: what is waited for takes less time than falling asleep and being woken, most
 * of the time, so a while is spent looking. Called and returns with the lock held. */
static void wait_for_change(struct file_spread *s)
{
    uint64_t version = atomic_load_explicit(&s->version, memory_order_acquire);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&s->version, memory_order_acquire) != version) {
            break;
        }
        relax();
    }
    pthread_mutex_lock(&s->lock);
    while (atomic_load_explicit(&s->version, memory_order_acquire) == version) {
        s->sleepers++;
        pthread_cond_wait(&s->changed, &s->lock);
        s->sleepers--;
    }
}

/* ---- Running -------------------------------------------------------------------------------- */

/* Runs the next chunk that is published, if there is one. Called and returns with the lock held. */
static bool run_next(struct spread_thread *self)
{
    struct file_spread *s = self->spread;
    if (self->runs == s->published_count) {
        return false;
    }
    struct spread_batch *batch = s->published[self->runs % s->batch_count];
    pthread_mutex_unlock(&s->lock);
    worker_run(s->engine->workers[self->index], &batch->chunk);
    outbox_pass(output_outbox(s->engine->output, self->index), batch->chunk.last_step + 1);
    office_collect(s->engine, self->index); /* at once, so that it has a delta to fill again */
    pthread_mutex_lock(&s->lock);
    self->runs++;
    if (--batch->pending == 0) {
        tell(s);
    }
    return true;
}

/* Lets all workers have a chunk. With the lock held. */
static void publish(struct file_spread *s, struct spread_batch *batch)
{
    batch->pending = s->engine->worker_count;
    s->published[s->published_count++ % s->batch_count] = batch;
    tell(s);
}

/* Publishes a chunk and does its own share of what there is until everybody is through with it. */
static void publish_and_wait(struct spread_thread *self, struct spread_batch *batch)
{
    struct file_spread *s = self->spread;
    publish(s, batch);
    while (batch->pending > 0) {
        if (!run_next(self)) {
            wait_for_change(s);
        }
    }
}

/* ---- Reading and stitching ------------------------------------------------------------------ */

/* A free batch of the thread's own: its memory is likely to be in this core's cache still, where a
 * read costs a fraction of one into memory that another core has used last. */
static struct spread_batch *free_batch(struct spread_thread *self)
{
    struct spread_batch *own = &self->spread->batches[self->index * BATCHES_A_WORKER];
    for (uint32_t i = 0; i < BATCHES_A_WORKER; i++) {
        if (!own[i].is_busy) {
            return &own[i];
        }
    }
    return NULL;
}

/* Frees batches that all have run for the last time. */
static void release_batches(struct file_spread *s)
{
    uint64_t first = s->published_count > s->batch_count ? s->published_count - s->batch_count : 0;
    for (uint64_t i = first; i < s->published_count; i++) {
        struct spread_batch *batch = s->published[i % s->batch_count];
        if (batch != NULL && batch->is_whole && batch->pending == 0) {
            batch->is_busy = false;
            s->published[i % s->batch_count] = NULL;
        }
    }
}

static void note_failure(struct file_spread *s, const struct err *err)
{
    s->has_failed = true;
    s->has_ended = true;
    if (s->failure.code == ERR_NONE) {
        s->failure = *err;
    }
}

/* Stitches a batch in its turn, publishing its chunk, more than once if the chunk is full before the
 * frames are. Called and returns with the lock held. */
static void stitch(struct spread_thread *self, struct spread_batch *batch, uint64_t turn)
{
    struct file_spread *s = self->spread;
    while (s->stitched_count != turn) {
        if (!run_next(self)) {
            wait_for_change(s);
        }
    }
    uint32_t at = 0;
    do {
        pthread_mutex_unlock(&s->lock);
        chunk_clear(&batch->chunk);
        at = front_stitch(s->front, batch->frames.frames, at, &batch->chunk);
        pthread_mutex_lock(&s->lock);
        if (at < batch->chunk.frame_count) {
            publish_and_wait(self, batch);
        }
    } while (at < batch->chunk.frame_count);
    batch->is_whole = true;
    publish(s, batch);
    s->stitched_count++;
}

/* The last words of the front, once all batches are stitched. */
static void finish(struct spread_thread *self, struct spread_batch *batch)
{
    struct file_spread *s = self->spread;
    bool done = false;
    batch->chunk.frame_count = 0;
    while (!done) {
        pthread_mutex_unlock(&s->lock);
        chunk_clear(&batch->chunk);
        done = front_end(s->front, &batch->chunk);
        pthread_mutex_lock(&s->lock);
        publish_and_wait(self, batch);
    }
    s->is_finished = true;
    tell(s);
    pthread_cond_signal(&s->finished);
}

/* Brings the bytes of a batch, if the tap has pieces, and waits for the batch's turn to be read. Called and
 * returns with the lock held. */
static void fill(struct spread_thread *self, struct spread_batch *batch, uint64_t turn)
{
    struct file_spread *s = self->spread;
    const struct tap_kind *kind = s->tap->kind;
    if (kind->claim != NULL && kind->claim(s->tap->tap, &batch->frames)) {
        pthread_mutex_unlock(&s->lock);
        kind->fill(s->tap->tap, &batch->frames);
        pthread_mutex_lock(&s->lock);
    } else {
        s->is_reading = true;
    }
    while (s->read_count != turn) {
        if (!run_next(self)) {
            wait_for_change(s);
        }
    }
}

/* Reads the next batch and sees it through to its publication. With the lock held. */
static void read_next(struct spread_thread *self, struct spread_batch *batch)
{
    struct file_spread *s = self->spread;
    struct err err = {0};
    batch->is_busy = true;
    batch->is_whole = false;
    uint64_t turn = s->taken_count++;
    fill(self, batch, turn);
    pthread_mutex_unlock(&s->lock);
    enum tap_status status = s->tap->kind->next(s->tap->tap, &batch->frames, &err);
    key_file_take_from(s->engine->keys, s->tap->kind, s->tap->tap);
    if (status != TAP_OK) {
        batch->frames.count = 0;
    }
    bool written = pcapwrite_frames(s->engine->options.writer, batch->frames.frames,
                                    batch->frames.count, &err);
    pthread_mutex_lock(&s->lock);
    s->is_reading = false;
    s->read_count++;
    s->has_ended = s->has_ended || status == TAP_END;
    if (status == TAP_ERROR || !written) {
        note_failure(s, &err);
    }
    tell(s);
    pthread_mutex_unlock(&s->lock);
    front_decode(&s->engine->front, batch->frames.frames, batch->frames.count, &batch->chunk,
                 NULL);
    pthread_mutex_lock(&s->lock);
    stitch(self, batch, turn);
}

/* One thing to do, if there is any: first what others wait for. With the lock held. */
static bool do_something(struct spread_thread *self)
{
    struct file_spread *s = self->spread;
    if (run_next(self)) {
        return true;
    }
    release_batches(s);
    struct spread_batch *batch = s->is_reading ? NULL : free_batch(self);
    if (batch == NULL) {
        return false;
    }
    if (!s->has_ended) {
        read_next(self, batch);
        return true;
    }
    if (s->stitched_count == s->taken_count && !s->is_finished) {
        s->is_reading = true; /* nobody else is to finish */
        batch->is_busy = true;
        batch->is_whole = false;
        finish(self, batch);
        return true;
    }
    return false;
}

static void *work(void *argument)
{
    struct spread_thread *self = argument;
    struct file_spread *s = self->spread;
    struct worker *worker = s->engine->workers[self->index];
    pthread_mutex_lock(&s->lock);
    while (!s->is_finished || self->runs < s->published_count) {
        if (!do_something(self) && !s->is_finished) {
            wait_for_change(s);
        }
    }
    pthread_mutex_unlock(&s->lock);
    worker_end(worker);
    outbox_pass(output_outbox(s->engine->output, self->index), UINT64_MAX);
    return NULL;
}

static void *run_office(void *argument)
{
    struct file_spread *s = argument;
    while (!atomic_load_explicit(&s->office_ends, memory_order_acquire)) {
        if (output_drain(s->engine->output, false) == 0) {
            nanosleep(&(struct timespec){.tv_nsec = OFFICE_NS}, NULL);
        }
    }
    return NULL;
}

/* ---- Building ------------------------------------------------------------------------------- */

static bool make_batch(struct spread_batch *batch, uint32_t workers)
{
    struct chunk_options chunk = {
        .frames = TAP_BATCH_FRAMES,
        .extras = EXTRAS,
        .marks = MARKS,
        .workers = workers,
        .arena = ARENA,
    };
    chunk_init(&batch->chunk, &chunk);
    batch->frames = (struct tap_batch){
        .frames = pages_reserve(TAP_BATCH_FRAMES * sizeof *batch->frames.frames),
        .capacity = TAP_BATCH_FRAMES,
        .memory = pages_reserve(TAP_BATCH_MEMORY),
        .memory_size = TAP_BATCH_MEMORY,
    };
    return batch->frames.frames != NULL && batch->frames.memory != NULL;
}

static void start_threads(struct file_spread *s)
{
    for (uint32_t i = 0; i < s->engine->worker_count; i++) {
        s->threads[i] = (struct spread_thread){.spread = s, .index = i};
        int failed = pthread_create(&s->threads[i].thread, NULL, work, &s->threads[i]);
        assert(failed == 0);
    }
    int failed = pthread_create(&s->office, NULL, run_office, s);
    assert(failed == 0);
    s->has_threads = true;
}

struct file_spread *file_spread_new(struct engine *engine, const struct engine_tap *tap,
                                    struct front *front, struct err *err)
{
    struct file_spread *s = calloc(1, sizeof *s);
    uint32_t batches = BATCHES_A_WORKER * engine->worker_count;
    if (s == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    s->engine = engine;
    s->tap = tap;
    s->front = front;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    pthread_cond_init(&s->finished, NULL);
    s->threads = calloc(engine->worker_count, sizeof *s->threads);
    s->batches = calloc(batches, sizeof *s->batches);
    s->published = calloc(batches, sizeof(struct spread_batch *));
    bool ok = s->threads != NULL && s->batches != NULL && s->published != NULL;
    for (; ok && s->batch_count < batches; s->batch_count++) {
        ok = make_batch(&s->batches[s->batch_count], engine->worker_count);
    }
    return ok ? s : (err_set(err, ERR_FAILED, "out of memory"), file_spread_free(s), NULL);
}

void file_spread_free(struct file_spread *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; s->batches != NULL && i < s->batch_count; i++) {
        struct spread_batch *batch = &s->batches[i];
        pages_release(batch->frames.frames, TAP_BATCH_FRAMES * sizeof *batch->frames.frames);
        pages_release(batch->frames.memory, TAP_BATCH_MEMORY);
        chunk_done(&batch->chunk);
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    pthread_cond_destroy(&s->finished);
    free(s->batches);
    free(s->published);
    free(s->threads);
    free(s);
}

/* ---- The calling thread --------------------------------------------------------------------- */

enum engine_status file_spread_wait(struct file_spread *s, struct err *err)
{
    if (!s->has_threads) {
        start_threads(s);
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&s->lock);
    if (!s->is_finished) {
        pthread_cond_timedwait(&s->finished, &s->lock, &until);
    }
    enum engine_status status = s->is_finished ? ENGINE_DONE : ENGINE_MORE;
    if (s->is_finished && s->has_failed) {
        *err = s->failure;
        status = ENGINE_FAILED;
    }
    pthread_mutex_unlock(&s->lock);
    return output_failure(s->engine->output, err) ? ENGINE_FAILED : status;
}

void file_spread_end(struct file_spread *s)
{
    if (!s->has_threads) {
        start_threads(s); /* flows there are none, but the workers are to end as always */
    }
    pthread_mutex_lock(&s->lock);
    s->has_ended = true;
    tell(s);
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < s->engine->worker_count; i++) {
        pthread_join(s->threads[i].thread, NULL);
    }
    atomic_store_explicit(&s->office_ends, true, memory_order_release);
    pthread_join(s->office, NULL);
    s->has_threads = false;
}
