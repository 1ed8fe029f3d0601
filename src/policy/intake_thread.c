// SPDX-License-Identifier: Apache-2.0
#include "policy/intake_thread.h"

#include <stdlib.h>
#include <time.h>

#include "base/seconds.h"
#include "policy/dnstap_file.h"
#include "policy/dnstap_server.h"
#include "policy/flow_server.h"
#include "policy/intake.h"
#include "policy/policy_set.h"
#include "policy/probe_server.h"

struct intake_thread {
    pthread_t thread;
    struct intake_seat seat;
    const struct intake_source *kind;
    void *source;
    bool is_running;
    _Atomic bool stop;
    uint64_t second;
};

uint64_t intake_source_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static void *work(void *argument)
{
    struct intake_thread *self = argument;
    while (!atomic_load_explicit(&self->stop, memory_order_relaxed)) {
        intake_poll(self->seat.intake);
        self->kind->turn(self->source);
        uint64_t now = intake_source_now();
        if (now / SECOND_NS != self->second && !self->kind->is_past) {
            self->second = now / SECOND_NS;
            intake_flush(self->seat.intake, now);
        }
    }
    intake_end(self->seat.intake);
    return NULL;
}

static void thread_free(struct intake_thread *self)
{
    if (self->source != NULL) {
        self->kind->close(self->source);
    }
    intake_free(self->seat.intake);
    free(self);
}

static bool open_source(struct policies *set, struct intake_thread *self, struct err *err)
{
    self->seat.intake = intake_new(set, self->seat.input->slot, err);
    self->source = self->seat.intake != NULL ? self->kind->open(&self->seat, err) : NULL;
    return self->source != NULL;
}

bool intake_thread_begin(struct intake_thread *self, struct err *err)
{
    if (self == NULL || self->is_running) {
        return true;
    }
    intake_poll(self->seat.intake);
    self->is_running = pthread_create(&self->thread, NULL, work, self) == 0;
    if (!self->is_running) {
        intake_end(self->seat.intake);
    }
    return self->is_running ||
           err_set(err, ERR_FAILED, "no thread for the input %s", self->seat.input->name);
}

/* What events of an input come from; NULL: packets that the engine brings. */
static const struct intake_source *source_of(const struct policy_input *input)
{
    switch (input->kind) {
    case HANDLER_DNSTAP:
        return input->file == NULL ? &dnstap_server : &dnstap_file;
    case HANDLER_FLOW:
        return input->file == NULL ? &flow_server : NULL;
    case HANDLER_NETPROBE:
        return &probe_server;
    default:
        return NULL;
    }
}

bool intake_thread_is_apart(const struct policies *set, const struct policy_input *input)
{
    return !set->options.is_recorded && (input->file != NULL || source_of(input) != NULL);
}

bool intake_thread_start(struct policies *set, struct policy_input *input, struct err *err)
{
    const struct intake_source *kind = source_of(input);
    if (kind == NULL || input->thread != NULL || set->options.is_recorded || set->options.is_dry) {
        return true;
    }
    struct intake_thread *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    self->seat.input = input;
    self->kind = kind;
    bool done = open_source(set, self, err) &&
                (!set->has_begun || intake_thread_begin(self, err));
    if (!done) {
        thread_free(self);
        return false;
    }
    input->thread = self;
    return true;
}

void intake_thread_stop(struct intake_thread *self)
{
    if (self != NULL) {
        atomic_store_explicit(&self->stop, true, memory_order_relaxed);
        if (self->is_running) {
            pthread_join(self->thread, NULL);
        }
        thread_free(self);
    }
}
