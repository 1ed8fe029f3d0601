// SPDX-License-Identifier: Apache-2.0
#include "policy/intake_thread.h"

#include <stdlib.h>
#include <time.h>

#include "policy/dnstap_server.h"
#include "policy/flow_server.h"
#include "policy/policy_core.h"
#include "policy/probe_server.h"

#define SECOND_NS UINT64_C(1000000000)

struct intake_thread {
    pthread_t thread;
    struct intake_seat seat;
    const struct intake_source *kind;
    void *source;
    uint32_t slot;
    _Atomic bool stop;
    uint64_t second;
};

uint32_t intake_thread_slot(const struct intake_thread *thread)
{
    return thread->slot;
}

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
        if (now / SECOND_NS != self->second) {
            self->second = now / SECOND_NS;
            intake_flush(self->seat.intake, now);
        }
    }
    intake_end(self->seat.intake);
    return NULL;
}

static uint32_t free_slot(const struct policies *set)
{
    for (uint32_t slot = set->options.slots; slot < POLICY_SLOTS; slot++) {
        bool is_taken = false;
        for (const struct policy_input *i = set->inputs; i != NULL; i = i->next) {
            is_taken |= i->thread != NULL && i->thread->slot == slot;
        }
        if (!is_taken) {
            return slot;
        }
    }
    return POLICY_SLOTS;
}

static void thread_free(struct intake_thread *self)
{
    if (self->source != NULL) {
        self->kind->close(self->source);
    }
    intake_free(self->seat.intake);
    free(self);
}

static bool begin(struct policies *set, struct intake_thread *self, struct err *err)
{
    self->slot = free_slot(set);
    self->seat.intake = intake_new(set, self->slot, err);
    self->source = self->seat.intake != NULL ? self->kind->open(&self->seat, err) : NULL;
    if (self->source == NULL) {
        return false;
    }
    intake_poll(self->seat.intake);
    return pthread_create(&self->thread, NULL, work, self) == 0 ||
           err_set(err, ERR_FAILED, "no thread for the input %s", self->seat.input->name);
}

/* What events of an input come from; NULL: from files, or packets. */
static const struct intake_source *source_of(const struct policy_input *input)
{
    switch (input->kind) {
    case HANDLER_DNSTAP:
        return tree_get(&input->config, "dnstap_file") == NULL ? &dnstap_server : NULL;
    case HANDLER_FLOW:
        return tree_get(&input->config, "pcap_file") == NULL ? &flow_server : NULL;
    case HANDLER_NETPROBE:
        return &probe_server;
    default:
        return NULL;
    }
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
    if (!begin(set, self, err)) {
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
        pthread_join(self->thread, NULL);
        thread_free(self);
    }
}
