// SPDX-License-Identifier: Apache-2.0
/* Live capture: one thread a worker, each with its own handle on every tap, its own front and its
 * own flows; the kernel spreads the packets (tap/fanout.h). A worker never waits for anybody: it
 * reads, works, and between two batches looks at its timers and at readers' questions. */
#include "engine/engine_core.h"

#include "base/pages.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
/* An idle tap's time runs this much behind the clock: packets that the kernel has not handed over
 * yet must not come from the past. */
#define IDLE_LAG_NS UINT64_C(200000000)

enum {
    POLL_MS = 100,
    POLL_SEVERAL_MS = 5, /* with several taps, which are polled in turn */
    TAPS_MAX = 16,
    OFFICE_NS = 5000000,
};

struct live_worker {
    struct live_run *run;
    uint32_t index;
    struct worker *worker;
    struct lane lane;
    struct tap_batch batch;
    struct engine_tap taps[TAPS_MAX];
    uint32_t tap_count;
    pthread_t thread;
    struct err failure;
    _Atomic bool failed;
    /* the front's counters, for other threads */
    _Atomic uint64_t fragments_held, fragments_evicted, fragments_timed_out;
};

struct live_run {
    struct engine *engine;
    struct live_worker *workers;
    pthread_t office;
    _Atomic bool stop;
    _Atomic bool office_ends;
    bool threads_run;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* ---- Building ------------------------------------------------------------------------------- */

/* Groups must differ between the agents of a machine, and a tap takes one for each of its sources. */
static uint16_t first_group(const struct engine *engine)
{
    return engine->worker_count > 1 ? (uint16_t)((unsigned)getpid() * 16 + 1) : 0;
}

static bool open_taps(struct live_worker *self, struct err *err)
{
    const struct engine *engine = self->run->engine;
    const struct config *config = engine->config;
    uint16_t group = first_group(engine);
    for (size_t i = 0; i < config->tap_count && i < TAPS_MAX; i++) {
        const struct config_tap *wanted = &config->taps[i];
        const struct tap_kind *kind = tap_kind_find(wanted->kind);
        assert(kind != NULL);
        const struct text_list *sources =
            wanted->interfaces.count > 0 ? &wanted->interfaces : &wanted->files;
        struct tap_options options = {
            .sources = sources->items,
            .source_count = (uint32_t)sources->count,
            .filter = wanted->filter != NULL && wanted->filter[0] != '\0' ? wanted->filter : NULL,
            .snap_len = (uint32_t)wanted->snap_len,
            .ring_bytes = (uint64_t)wanted->ring_size,
            .worker = self->index,
            .workers = engine->worker_count,
            .fanout_group = group,
            .promiscuous = wanted->promiscuous,
            .ignore_outgoing = wanted->ignore_outgoing,
            .poll_ms = config->tap_count > 1 ? POLL_SEVERAL_MS : POLL_MS,
        };
        struct tap *tap = kind->open(&options, err);
        if (tap == NULL) {
            return false;
        }
        group = (uint16_t)(group + (group > 0 ? sources->count : 0));
        self->taps[self->tap_count++] =
            (struct engine_tap){.config = wanted, .kind = kind, .tap = tap};
    }
    return true;
}

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
    return open_taps(self, err);
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
        for (uint32_t k = 0; k < w->tap_count; k++) {
            w->taps[k].kind->close(w->taps[k].tap);
        }
        lane_done(&w->lane);
        pages_release(w->batch.frames, TAP_BATCH_FRAMES * sizeof *w->batch.frames);
        pages_release(w->batch.memory, TAP_BATCH_MEMORY);
    }
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
static void pass_notices(struct live_worker *self, const struct engine_tap *tap)
{
    char text[LOG_LINE_MAX];
    while (tap->kind->notice != NULL && tap->kind->notice(tap->tap, text, sizeof text)) {
        office_note(self->run->engine, text);
    }
}

/* How much of each second went into work: time is read twice a batch, not a packet. */
struct meter {
    uint64_t second_began;
    uint64_t busy;
};

static void meter_add(struct meter *meter, struct live_worker *self, uint64_t from, uint64_t to)
{
    meter->busy += to - from;
    uint64_t elapsed = to - meter->second_began;
    if (elapsed >= SECOND_NS) {
        worker_set_load(self->worker, meter->busy * 1000000 / elapsed);
        publish_fragments(self);
        for (uint32_t i = 0; i < self->tap_count; i++) {
            pass_notices(self, &self->taps[i]);
        }
        *meter = (struct meter){.second_began = to};
    }
}

/* One turn over all taps. False when a tap failed for good or all have ended. */
static bool turn(struct live_worker *self, struct meter *meter)
{
    bool idle = true;
    uint32_t ended = 0;
    for (uint32_t i = 0; i < self->tap_count; i++) {
        struct engine_tap *tap = &self->taps[i];
        enum tap_status status = tap->kind->next(tap->tap, &self->batch, &self->failure);
        uint64_t began = clock_ns(CLOCK_MONOTONIC);
        if (status == TAP_ERROR) {
            atomic_store_explicit(&self->failed, true, memory_order_release);
            return false;
        }
        ended += status == TAP_END;
        if (status == TAP_OK) {
            idle = false;
            worker_select_tap(self->worker, tap->config->name);
            lane_frames(&self->lane, self->batch.frames, self->batch.count);
            meter_add(meter, self, began, clock_ns(CLOCK_MONOTONIC));
        }
    }
    uint64_t began = clock_ns(CLOCK_MONOTONIC);
    if (idle) {
        lane_advance(&self->lane, clock_ns(CLOCK_REALTIME) - IDLE_LAG_NS);
    }
    worker_step(self->worker);
    worker_answer(self->worker);
    meter_add(meter, self, began, clock_ns(CLOCK_MONOTONIC));
    return ended < self->tap_count;
}

static void *work(void *argument)
{
    struct live_worker *self = argument;
    struct meter meter = {.second_began = clock_ns(CLOCK_MONOTONIC)};
    for (uint32_t i = 0; i < self->tap_count; i++) {
        pass_notices(self, &self->taps[i]);
    }
    while (!atomic_load_explicit(&self->run->stop, memory_order_relaxed) && turn(self, &meter)) {
    }
    lane_end(&self->lane);
    return NULL;
}

static void *run_office(void *argument)
{
    struct live_run *run = argument;
    uint64_t published = 0;
    while (!atomic_load_explicit(&run->office_ends, memory_order_acquire)) {
        uint32_t moved = office_round(run->engine, false);
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (now - published >= SECOND_NS) {
            office_publish(run->engine);
            published = now;
        }
        if (moved == 0) {
            nanosleep(&(struct timespec){.tv_nsec = OFFICE_NS}, NULL);
        }
    }
    return NULL;
}

/* ---- Driving -------------------------------------------------------------------------------- */

bool live_run_start(struct live_run *run, struct err *err)
{
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        int failed = pthread_create(&run->workers[i].thread, NULL, work, &run->workers[i]);
        assert(failed == 0);
    }
    int failed = pthread_create(&run->office, NULL, run_office, run);
    assert(failed == 0);
    run->threads_run = true;
    (void)err;
    return true;
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
    atomic_store_explicit(&run->office_ends, true, memory_order_release);
    pthread_join(run->office, NULL);
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

bool live_run_stats(const struct live_run *run, uint32_t tap, struct tap_stats *ret,
                    const struct config_tap **ret_config)
{
    *ret = (struct tap_stats){0};
    if (tap >= run->workers[0].tap_count) {
        return false;
    }
    *ret_config = run->workers[0].taps[tap].config;
    for (uint32_t i = 0; i < run->engine->worker_count; i++) {
        const struct engine_tap *t = &run->workers[i].taps[tap];
        struct tap_stats stats = {0};
        t->kind->stats(t->tap, &stats);
        ret->received += stats.received;
        ret->dropped += stats.dropped;
        ret->freezes += stats.freezes;
        ret->interface_drops += stats.interface_drops;
    }
    return true;
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
