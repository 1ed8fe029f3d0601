// SPDX-License-Identifier: Apache-2.0
/* Conversations: which protocol a flow speaks, and what it says. Beside each flow that carries payload
 * a worker keeps a conversation: the TCP stream, the protocol once it is known, the bytes that the
 * protocol has not consumed yet, and the protocol's own state. All memory is the worker's slab and a
 * pool whose address space is taken at start; a flow that no protocol knows costs four bytes. */
#pragma once

#include "engine/output.h"
#include "engine/finish.h"
#include "engine/listeners.h"
#include "engine/unit.h"
#include "flow/tcp_stream.h"

struct conversations; /* opaque: all of one worker */

struct conversation_options {
    const struct listeners *listeners; /* at least one */
    struct outbox *outbox;
    struct finish *finish; /* for policies that want transactions; or NULL */
    uint32_t capacity;    /* conversations at a time */
    uint64_t memory;      /* bytes for what waits and states, at most */
    struct budget *budget; /* what conversations are paid from, NULL: nobody asks; */
    struct budget *blocks; /* what waits, and states */
    bool wants_events;
    bool wants_lines;     /* events are wanted as JSON only */
    size_t text_max;      /* bytes of a text in an event */
};

struct conversation_stats {
    uint64_t active;      /* flows with a protocol */
    uint64_t let_go;      /* flows that turned out to be something else, or overran the bound */
    uint64_t refused;     /* flows that were not followed for want of room */
    uint64_t memory_refused; /* blocks for what waits, and states, that could not be had */
    uint64_t events_cut;     /* events whose texts were cut for that */
    uint64_t proxy_headers;  /* of the PROXY protocol, passed over */
    struct tcp_stream_stats streams;
};

/* Address space for all; NULL and err when the system refuses. */
struct conversations *conversations_new(const struct conversation_options *options,
                                        struct err *err);
void conversations_free(struct conversations *all);

/* What a call may use of the worker at that moment. */
struct conversation_moment {
    uint8_t *blocks; /* of the worker's delta */
    uint64_t order;  /* of the events it makes: see struct event_head */
    uint64_t now_ns;
    const struct flow_cold *cold; /* the flow's, with their suborder; NULL: nobody knows */
};

/* A packet of a flow; call it before flow_count(), which moves the flow's sequence numbers on. */
void conversation_packet(struct conversations *all, const struct conversation_moment *moment,
                         flow_index index, struct flow *flow, const struct packet *packet,
                         unsigned side);

/* Fetches ahead what the calls below and above will need of flows that are in the cache already: of one its
 * conversation, of another, for which that was done some calls before, what its protocol keeps. */
void conversation_prefetch(const struct conversations *all, const struct flow *later,
                           const struct flow *soon);

/* Time goes on without packets of the flow: what has waited long enough is read. */
void conversation_age(struct conversations *all, const struct conversation_moment *moment,
                      flow_index index, struct flow *flow);

/* The flow ends. */
void conversation_close(struct conversations *all, const struct conversation_moment *moment,
                        flow_index index, struct flow *flow);

const struct conversation_stats *conversations_stats(struct conversations *all);
