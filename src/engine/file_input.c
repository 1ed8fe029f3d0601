// SPDX-License-Identifier: Apache-2.0
#include "engine/file_input.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/pages.h"
#include "engine/front.h"

enum {
    FRAMES = 64, /* walked at a time */
    EXTRAS = 64,
    MARKS = 64,
    REST_NS = 50000000, /* between two looks when the capture has ended */
    POLL_MS = 100,
    MEMORY_SHARE = 8, /* part of the agent's memory that flows of a capture may take, too */
};

struct reader {
    struct reader *next;
    uint64_t serial; /* of the policies' input */
    struct front_options options;
    struct flood flood; /* of this capture's front */
    struct front *front;
    struct chunk chunk;
    struct worker *worker;
    const struct tap_kind *kind;
    struct tap *tap;
    struct tap_batch batch;
    pthread_t thread;
    bool is_running;
    _Atomic bool stop;
};

struct file_inputs {
    const struct engine *engine;
    struct reader *readers;
    bool has_begun;
};

/* ---- Reading -------------------------------------------------------------------------------- */

static void walk(struct reader *self)
{
    const struct tap_batch *batch = &self->batch;
    for (uint32_t from = 0; from < batch->count && !atomic_load(&self->stop); from += FRAMES) {
        uint32_t count = batch->count - from < FRAMES ? batch->count - from : FRAMES;
        front_decode(&self->options, batch->frames + from, count, &self->chunk, NULL);
        for (uint32_t at = 0; at < count;) {
            chunk_clear(&self->chunk);
            at = front_stitch(self->front, batch->frames + from, at, &self->chunk);
            worker_run(self->worker, &self->chunk);
        }
        worker_answer(self->worker);
    }
}

/* The next frames; false when there are no more. */
static bool read_on(struct reader *self)
{
    struct err err = {0};
    switch (self->kind->next(self->tap, &self->batch, &err)) {
    case TAP_OK:
        walk(self);
        return true;
    case TAP_IDLE:
        return true;
    case TAP_ERROR:
        log_warning("%s", err.text);
        return false;
    case TAP_END:
        break;
    }
    return false;
}

static void *work(void *argument)
{
    struct reader *self = argument;
    bool is_open = true;
    while (!atomic_load(&self->stop)) {
        worker_answer(self->worker);
        if (is_open && !read_on(self)) {
            is_open = false;
            worker_conclude(self->worker);
        }
        worker_settle(self->worker);
        if (!is_open) {
            nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
        }
    }
    worker_end(self->worker);
    return NULL;
}

/* ---- Life ----------------------------------------------------------------------------------- */

static void reader_end(struct reader *self)
{
    atomic_store(&self->stop, true);
    if (self->is_running) {
        pthread_join(self->thread, NULL);
        self->is_running = false;
    }
}

static void reader_free(struct reader *self)
{
    reader_end(self);
    if (self->tap != NULL) {
        self->kind->close(self->tap);
    }
    worker_free(self->worker);
    front_free(self->front);
    chunk_done(&self->chunk);
    pages_release(self->batch.frames, TAP_BATCH_FRAMES * sizeof *self->batch.frames);
    pages_release(self->batch.memory, TAP_BATCH_MEMORY);
    free(self);
}

static struct worker *worker_of(const struct engine *engine, uint32_t slot, struct err *err)
{
    struct config config = *engine->config;
    config.limits.memory /= MEMORY_SHARE;
    config.limits.flows = 0;
    config.flows.health = true;
    struct worker_options options = {
        .flows = &engine->config->flows,
        .layout = &engine->layout,
        .listeners = &engine->listeners,
        .policies = engine->options.policies,
        .only_policies = true,
        .number = slot,
        .memory = memory_plan(&config, 1),
        .seed = engine->seed,
    };
    return worker_new(&options, err);
}

static bool reader_open(struct reader *self, const struct engine *engine,
                        const struct policies_capture *wanted, struct err *err)
{
    const char *sources[] = {wanted->source};
    struct tap_options tap = {.sources = sources, .source_count = 1, .workers = 1,
                              .poll_ms = POLL_MS};
    self->kind = tap_kind_find("pcapfile");
    self->tap = self->kind->open(&tap, err);
    if (self->tap == NULL) {
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
    self->front = front_new(&self->options, err);
    self->worker = worker_of(engine, wanted->slot, err);
    return self->front != NULL && self->worker != NULL;
}

static struct reader *reader_new(const struct engine *engine, const struct policies_capture *wanted,
                                 struct err *err)
{
    struct reader *self = calloc(1, sizeof *self);
    if (self == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    self->serial = wanted->serial;
    self->options = engine->front;
    self->options.flood = &self->flood;
    chunk_init(&self->chunk, &(struct chunk_options){.frames = FRAMES, .extras = EXTRAS,
                                                     .marks = MARKS, .workers = 1,
                                                     .arena = 16 * DEFRAG_DATAGRAM_MAX});
    if (!reader_open(self, engine, wanted, err)) {
        reader_free(self);
        return NULL;
    }
    return self;
}

static bool reader_start(struct reader *self, struct err *err)
{
    if (!self->is_running) {
        worker_answer(self->worker);
        self->is_running = pthread_create(&self->thread, NULL, work, self) == 0;
    }
    return self->is_running || err_set(err, ERR_FAILED, "no thread for a capture of policies");
}

/* ---- All of them ---------------------------------------------------------------------------- */

struct file_inputs *file_inputs_new(const struct engine *engine)
{
    struct file_inputs *inputs = calloc(1, sizeof *inputs);
    if (inputs != NULL) {
        inputs->engine = engine;
    }
    return inputs;
}

void file_inputs_free(struct file_inputs *inputs)
{
    while (inputs != NULL && inputs->readers != NULL) {
        struct reader *reader = inputs->readers;
        inputs->readers = reader->next;
        reader_free(reader);
    }
    free(inputs);
}

static bool is_listed(const struct policies_capture *wanted, size_t count, uint64_t serial)
{
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].is_file && wanted[i].serial == serial) {
            return true;
        }
    }
    return false;
}

static bool is_open(const struct file_inputs *inputs, uint64_t serial)
{
    for (const struct reader *reader = inputs->readers; reader != NULL; reader = reader->next) {
        if (reader->serial == serial) {
            return true;
        }
    }
    return false;
}

bool file_inputs_follow(struct file_inputs *inputs, const struct policies_capture *wanted, size_t count,
                        struct err *err)
{
    for (struct reader **at = &inputs->readers; *at != NULL;) {
        struct reader *reader = *at;
        if (is_listed(wanted, count, reader->serial)) {
            at = &reader->next;
        } else {
            *at = reader->next;
            reader_free(reader);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!wanted[i].is_file || is_open(inputs, wanted[i].serial)) {
            continue;
        }
        struct reader *reader = reader_new(inputs->engine, &wanted[i], err);
        if (reader == NULL) {
            return false;
        }
        reader->next = inputs->readers;
        inputs->readers = reader;
        if (inputs->has_begun && !reader_start(reader, err)) {
            return false;
        }
    }
    return true;
}

bool file_inputs_start(struct file_inputs *inputs, struct err *err)
{
    inputs->has_begun = true;
    for (struct reader *reader = inputs->readers; reader != NULL; reader = reader->next) {
        if (!reader_start(reader, err)) {
            return false;
        }
    }
    return true;
}

void file_inputs_stop(struct file_inputs *inputs)
{
    for (struct reader *reader = inputs->readers; reader != NULL; reader = reader->next) {
        reader_end(reader);
    }
}
