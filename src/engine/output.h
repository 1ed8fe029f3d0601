// SPDX-License-Identifier: Apache-2.0
/* Events on their way out. Workers write event structs into their outboxes; one thread (the caller's
 * own with a single worker on a file) takes them in their one order, encodes each once as NDJSON
 * and gives the lines to every sink. The last flows that ended are kept for the API. */
#pragma once

#include "base/ring.h"
#include "engine/config.h"
#include "engine/flow_event.h"
#include "engine/flow_identity.h"
#include "engine/health_event.h"
#include "event/event_log.h"
#include "sink/sink.h"

#include <pthread.h>

struct output; /* opaque */

/* What happens when an outbox is full. */
enum outbox_mode {
    OUTBOX_DRAIN, /* the worker's thread is the output's thread: it empties the outbox itself */
    OUTBOX_WAIT,  /* a file can wait for its reader */
    OUTBOX_DROP,  /* the wire cannot: the event is lost and counted */
};

/* At the beginning of a block that comes back. */
struct outbox_returned {
    struct outbox_returned *next;
};

/* One worker's way out; the worker is the only producer. */
struct outbox {
    struct ring ring;
    struct output *output;
    struct flow_identities *identities; /* of the worker's flows; the output's thread */
    enum outbox_mode mode;
    struct slab *slab; /* the worker's, of which large events are; NULL: it has none */
    size_t large_bytes; /* of large events that are out, as the worker knows it */
    _Atomic(struct outbox_returned *) returned; /* blocks of those that have gone, for the worker */
    _Atomic uint64_t dropped;
    _Atomic uint64_t passed; /* no event with an order below this will come any more */
};

struct output_options {
    const struct config *config; /* outputs */
    uint32_t workers;
    enum outbox_mode mode;
    bool ordered;     /* merge the outboxes by (order, suborder); else as they come */
    uint32_t connections; /* worst TCP connections to keep for the end; 0: none */
    uint32_t roll;        /* TCP connections to keep for readers; 0: none */
    uint32_t recent;  /* ended flows to keep for output_recent(); 0: none */
};

struct output *output_new(const struct output_options *options, struct err *err);
void output_free(struct output *output);

struct outbox *output_outbox(struct output *output, uint32_t worker);

/* Worker: room for an event, or NULL when it was dropped. Then outbox_commit(). */
void *outbox_reserve(struct outbox *outbox, size_t size);
void outbox_commit(struct outbox *outbox);
/* Worker: the report of that flow comes next; where it is written soon, what it needs is fetched. */
static inline void outbox_expect(const struct outbox *outbox, uint32_t flow)
{
    if (outbox->mode == OUTBOX_DRAIN) {
        flow_identities_prefetch(outbox->identities, flow);
    }
}

/* Worker: has the log write its next events right into the outbox, as many as one call of a hook may
 * make; with drops it may hold fewer, or none. Undone by outbox_reserve(). */
void outbox_open(struct outbox *outbox, struct event_log *log);
/* Worker: the log's events go, and those that it had no room for are counted; then it is opened
 * anew. */
void outbox_pass_log(struct outbox *outbox, struct event_log *log);
/* Worker: gives the blocks of large events that have gone back to the slab; NULL is fine. */
void outbox_reclaim(struct outbox *outbox);
/* Worker: all its events below `order` are in the outbox. */
void outbox_pass(struct outbox *outbox, uint64_t order);

/* Output thread: moves what can be moved; `last`: the workers have ended, move everything and flush.
 * Returns how many events went. */
uint32_t output_drain(struct output *output, bool last);

/* Whether anything listens: without sinks and recent flows, events need not be made. */
bool output_is_wanted(const struct output *output);

/* Whether transactions may come as lines (event_log.h): nobody changes them on their way. */
bool output_takes_lines(const struct output *output);

/* What became of the events at sink `index`, and its kind; NULL behind the last. Output thread. */
const char *output_status(const struct output *output, uint32_t index, struct sink_status *ret);

/* Sink `index` and its kind; NULL behind the last. */
const struct sink_kind *output_sink(struct output *output, uint32_t index, struct sink **ret);

/* The first failure of a sink that ends the work (standard output closed, disk full); false: none. */
bool output_failure(const struct output *output, struct err *ret);

/* Copies ended flows, newest first, into `ret` (room for `max`); returns how many. Any thread. */
uint32_t output_recent(struct output *output, struct flow_event *ret, uint32_t max);

struct health_desk;
/* What is kept of TCP connections: see health_desk.h for who may read what. */
struct health_desk *output_health(struct output *output);
