// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: the TCP connections whose messages a handler wants, of one input in one
 * worker. Segments go in, whole messages come out, framed by the reader. At most so many connections
 * are followed as the input says; one more closes that which was silent longest, and what such a one
 * still says is ignored, as long as it is remembered: as many as are followed, 65536 at least.
 *
 * Messages in one segment are lent from the packet; only those that are cut are copied, into slab
 * blocks, up to a message's 64 KiB. All memory is taken at start and touched as it is needed. One
 * thread. */
#pragma once

#include "flow/flow.h"
#include "flow/tcp_stream.h"
#include "handler/handler.h"

struct streams; /* opaque */

enum { STREAMS_MAX = 1 << 18, STREAMS_MESSAGE = 65535 + 2 };

/* `slab` is shared by all of a worker. NULL when the system refuses. */
struct streams *streams_new(uint32_t connections, struct slab *slab);
void streams_free(struct streams *streams);

/* What is done with a message; `side` is the end of the flow's key that sent it. */
typedef void streams_message(void *context, struct span message, unsigned side);

/* Who frames messages, and who takes them. */
struct streams_taker {
    const struct handler_reader *reader;
    streams_message *to;
    void *context;
};

/* Takes a segment of the connection with this key. */
void streams_push(struct streams *streams, const struct streams_taker *taker,
                  const struct packet *packet, const struct flow_key *key, uint64_t hash,
                  unsigned side);
/* Forgets connections that have been silent for half a minute. */
void streams_age(struct streams *streams, uint64_t now_ns);
