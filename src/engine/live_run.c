// SPDX-License-Identifier: Apache-2.0
/* Live capture: one thread a worker, each with its own handle on every tap, its own front and its
 * own flows; the kernel spreads the packets (tap/fanout.h). A worker never waits for anybody: it
 * reads, works, and between two batches looks at its timers, at readers' questions, and whether taps
 * have come or gone (live_taps.h). */
#include "engine/engine_core.h"

#include "base/pages.h"
#include "base/seconds.h"
#include "engine/file_input.h"
#include "engine/live_taps.h"
#include "tap/pcapwrite.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* An idle tap's time runs this much behind the clock: packets that the kernel has not handed over
 * yet must not come from the past. */
#define IDLE_LAG_NS UINT64_C(200000000)

enum {
    REST_NS = 20000000, /* of a worker without taps */
    CAPTURES_MAX = 256,
};

struct live_worker {
    struct live_run *run;
    uint32_t index;
    struct worker *worker;
    struct lane lane;
    struct tap_batch batch;
    pthread_t thread;
    struct err failure;
    _Atomic bool failed;
    /* the front's counters, for other threads */
    _Atomic uint64_t fragments_held, fragments_evicted, fragments_timed_out;
};

struct live_run {
    struct engine *engine;
    struct live_worker *workers;
    struct live_taps *taps;
    struct file_inputs *files; /* of policies */
    pthread_mutex_t following;
    _Atomic bool stop;
    bool threads_run;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* ---- Building ------------------------------------------------------------------------------- */

static bool init_worker(struct live_worker *self, struct live_run *run, uint32_t index,
                        struct err *err)
{
    self->run = run;
    self->index = index;
    self->worker = run->engine->workers[index];
    if (!lane_init(&self->lane, &run->engine->front, self->worker, err)) {
        return false;
    }
    self->batch = (struct tap_batch){
        .frames = pages_reserve(TAP_BATCH_FRAMES * sizeof *self->batch.frames),
        .capacity = TAP_BATCH_FRAMES,
        .memory = pages_reserve(TAP_BATCH_MEMORY),
        .memory_size = TAP_BATCH_MEMORY,
    };
    if (self->batch.frames == NULL || self->batch.memory == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    return true;
}

struct live_run *live_run_new(struct engine *engine, struct err *err)
{
    struct live_run *run = calloc(1, sizeof *run);
    struct live_worker *workers = calloc(engine->worker_count, sizeof *workers);
    if (run == NULL || workers == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        free(run);
        free(workers);
        return NULL;
    }
    run->engine = engine;
    run->workers = workers;
    pthread_mutex_init(&run->following, NULL);
    run->files = file_inputs_new(engine);
    run->taps = run->files != NULL ? live_taps_new(engine, err) : NULL;
    if (run->taps == NULL) {
        live_run_free(run);
        return NULL;
    }
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        if (!init_worker(&workers[i], run, i, err)) {
            live_run_free(run);
            return NULL;
        }
    }
    return run;
}

void live_run_free(struct live_run *run)
{
    if (run == NULL) {
        return;
    }
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        struct live_worker *w = &run->workers[i];
        lane_done(&w->lane);
        pages_release(w->batch.frames, TAP_BATCH_FRAMES * sizeof *w->batch.frames);
        pages_release(w->batch.memory, TAP_BATCH_MEMORY);
    }
    file_inputs_free(run->files);
    live_taps_free(run->taps);
    pthread_mutex_destroy(&run->following);
    free(run->workers);
    free(run);
}

/* ---- The worker's thread -------------------------------------------------------------------- */

static void publish_fragments(struct live_worker *self)
{
    const struct defrag_stats *s = front_fragments(self->lane.front);
    atomic_store_explicit(&self->fragments_held, s->held, memory_order_relaxed);
    atomic_store_explicit(&self->fragments_evicted, s->evicted, memory_order_relaxed);
    atomic_store_explicit(&self->fragments_timed_out, s->timed_out, memory_order_relaxed);
}

/* What a tap has to tell goes to the log and to the board. */
static void pass_notices(struct live_worker *self, const struct live_plan *plan)
{
    char text[LOG_LINE_MAX];
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct live_tap *tap = plan->taps[i];
        while (tap->kind->notice != NULL &&
               tap->kind->notice(tap->handles[self->index], text, sizeof text)) {
            office_note(self->run->engine, text);
        }
    }
}

/* How much of each second went into work: time is read twice a batch, not a packet. */
struct meter {
    uint64_t second_began;
    uint64_t busy;
};

static void meter_add(struct meter *meter, struct live_worker *self, const struct live_plan *plan,
                      uint64_t from, uint64_t to)
{
    meter->busy += to - from;
    uint64_t elapsed = to - meter->second_began;
    if (elapsed >= SECOND_NS) {
        worker_set_load(self->worker, meter->busy * 1000000 / elapsed);
        publish_fragments(self);
        pass_notices(self, plan);
        *meter = (struct meter){.second_began = to};
    }
}

/* A tap failed for good: the agent ends, unless only policies asked for it. False when it ends. */
static bool bear_failure(struct live_worker *self, struct live_tap *tap)
{
    if (!tap->is_lent) {
        atomic_store_explicit(&self->failed, true, memory_order_release);
        return false;
    }
    if (!atomic_exchange(&tap->has_failed, true)) {
        office_note(self->run->engine, self->failure.text);
    }
    self->failure = (struct err){0};
    return true;
}

/* One turn over all taps. False when a tap failed for good or all have ended. */
static bool turn(struct live_worker *self, struct meter *meter)
{
    const struct live_plan *plan = live_taps_take(self->run->taps, self->index);
    bool idle = true;
    uint32_t ended = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        struct live_tap *tap = plan->taps[i];
        enum tap_status status = TAP_END;
        if (!atomic_load_explicit(&tap->has_failed, memory_order_relaxed)) {
            status = tap->kind->next(tap->handles[self->index], &self->batch, &self->failure);
        }
        uint64_t began = clock_ns(CLOCK_MONOTONIC);
        if (status == TAP_ERROR && !bear_failure(self, tap)) {
            return false;
        }
        ended += status == TAP_END && !tap->is_lent;
        if (status == TAP_OK) {
            idle = false;
            struct pcapwrite *writer = self->run->engine->options.writer;
            if (self->index == 0 && !pcapwrite_frames(writer, self->batch.frames, self->batch.count,
                                                      &self->failure)) {
                return false;
            }
            worker_select_tap(self->worker, tap->config->name);
            lane_frames(&self->lane, self->batch.frames, self->batch.count);
            meter_add(meter, self, plan, began, clock_ns(CLOCK_MONOTONIC));
        }
    }
    if (plan->count == 0) {
        nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    }
    uint64_t began = clock_ns(CLOCK_MONOTONIC);
    if (idle) {
        lane_advance(&self->lane, clock_ns(CLOCK_REALTIME) - IDLE_LAG_NS);
    }
    worker_step(self->worker);
    worker_answer(self->worker);
    meter_add(meter, self, plan, began, clock_ns(CLOCK_MONOTONIC));
    return plan->count == 0 || ended < plan->count;
}

static void *work(void *argument)
{
    struct live_worker *self = argument;
    struct meter meter = {.second_began = clock_ns(CLOCK_MONOTONIC)};
    pass_notices(self, live_taps_take(self->run->taps, self->index));
    while (!atomic_load_explicit(&self->run->stop, memory_order_relaxed) && turn(self, &meter)) {
    }
    lane_end(&self->lane);
    live_taps_leave(self->run->taps, self->index);
    return NULL;
}

/* ---- Driving -------------------------------------------------------------------------------- */

bool live_run_start(struct live_run *run, struct err *err)
{
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        int failed = pthread_create(&run->workers[i].thread, NULL, work, &run->workers[i]);
        assert(failed == 0);
    }
    run->threads_run = true;
    pthread_mutex_lock(&run->following);
    bool done = file_inputs_start(run->files, err);
    pthread_mutex_unlock(&run->following);
    return done;
}

void live_run_stop(struct live_run *run)
{
    if (!run->threads_run) {
        return;
    }
    atomic_store_explicit(&run->stop, true, memory_order_relaxed);
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        pthread_join(run->workers[i].thread, NULL);
    }
    pthread_mutex_lock(&run->following);
    file_inputs_stop(run->files);
    pthread_mutex_unlock(&run->following);
    run->threads_run = false;
}

bool live_run_is_well(struct live_run *run, struct err *err)
{
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        struct live_worker *w = &run->workers[i];
        if (atomic_load_explicit(&w->failed, memory_order_acquire)) {
            return err_set(err, w->failure.code, "%s", w->failure.text);
        }
    }
    return true;
}

bool live_run_follow(struct live_run *run, struct err *err)
{
    struct policies *policies = run->engine->options.policies;
    struct policies_capture *wanted = calloc(CAPTURES_MAX, sizeof *wanted);
    if (wanted == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    pthread_mutex_lock(&run->following);
    size_t count = policies_captures(policies, wanted, CAPTURES_MAX);
    bool done = count <= CAPTURES_MAX ||
                err_set(err, ERR_USAGE, "policies read from more than %d places", CAPTURES_MAX);
    done = done && live_taps_follow(run->taps, wanted, count, err) &&
           file_inputs_follow(run->files, wanted, count, err);
    pthread_mutex_unlock(&run->following);
    free(wanted);
    return done;
}

const struct live_plan *live_run_hold(struct live_run *run)
{
    return live_taps_hold(run->taps);
}

void live_run_release(struct live_run *run)
{
    live_taps_release(run->taps);
}

void live_run_stats(const struct live_run *run, const struct live_tap *tap, struct tap_stats *ret)
{
    *ret = (struct tap_stats){0};
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        struct tap_stats stats = {0};
        tap->kind->stats(tap->handles[i], &stats);
        ret->received += stats.received;
        ret->dropped += stats.dropped;
        ret->freezes += stats.freezes;
        ret->interface_drops += stats.interface_drops;
    }
}

void live_run_fragments(const struct live_run *run, struct defrag_stats *ret)
{
    *ret = (struct defrag_stats){0};
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        const struct live_worker *w = &run->workers[i];
        ret->held += atomic_load_explicit(&w->fragments_held, memory_order_relaxed);
        ret->evicted += atomic_load_explicit(&w->fragments_evicted, memory_order_relaxed);
        ret->timed_out += atomic_load_explicit(&w->fragments_timed_out, memory_order_relaxed);
    }
}
