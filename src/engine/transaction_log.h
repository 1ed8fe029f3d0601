// SPDX-License-Identifier: Apache-2.0
/* Where the hooks of a worker put their transactions: a log in the outbox, which has each completed by
 * what the engine knows of the flow at hand. Shows them to policies, and sends them on their way: as
 * lines where only their JSON is wanted. The worker's thread. */
#pragma once

#include "engine/finish.h"
#include "engine/transaction_ends.h"
#include "event/event_log.h"

struct transaction_log_options {
    struct outbox *outbox; /* NULL: nobody but policies wants them */
    struct finish *finish; /* for policies; or NULL */
    size_t text_max;       /* bytes of a text in an event */
    struct slab *slab;     /* for events that are larger than the outbox's log; it outlives what is sent */
    bool wants_lines;      /* they are wanted as JSON only, but by policies */
};

/* The flow that hooks are called for. */
struct transaction_moment {
    struct transaction_flow of;
    flow_index index;
    uint64_t order; /* of the events: see struct event_head */
    uint64_t now_ns;
};

struct transaction_log {
    struct event_log events; /* what hooks get */
    struct transaction_log_options options;
    struct event_writer *writer; /* NULL: nobody wants lines */
    struct transaction_moment moment;
    struct transaction_ids ids;
};

/* False without memory; done is fine then, too. */
bool transaction_log_init(struct transaction_log *log, const struct transaction_log_options *options);
void transaction_log_done(struct transaction_log *log);

/* Before hooks are called: what they log is of that moment, and has somewhere to go. */
void transaction_log_open(struct transaction_log *log, const struct transaction_moment *moment);
/* Sends what a hook has logged on its way, and has room for what the next one will. */
void transaction_log_pass(struct transaction_log *log);
