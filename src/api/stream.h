// SPDX-License-Identifier: Apache-2.0
/* Server-sent events (WHATWG HTML, section 9.2). One thread waits for the engine's board, renders
 * it once a second while anybody listens, and lends the same bytes to all connections: a listener
 * costs a pointer and a position. A connection between two events sleeps in the server. One that is
 * still busy with an event misses those that come meanwhile; after STREAM_MISSES of them it is
 * ended, and a silent one by the server's own time-out. */
#pragma once

#include <microhttpd.h>

#include "base/err.h"
#include "engine/engine.h"

enum {
    STREAM_MISSES = 10,
    STREAM_TOP = 10,             /* items of each top-N in an event */
    STREAM_SECONDS = 5,          /* latest seconds in an event, so that a missed one leaves no hole */
    STREAM_HEARTBEAT_SECONDS = 5 /* without an event, a comment is sent */
};

struct stream; /* opaque */

/* NULL and err when no thread can be had. */
struct stream *stream_new(struct engine *engine, unsigned listeners_max, struct err *err);

/* Ends all listeners and takes no new ones; to be called before the server stops. */
void stream_close(struct stream *stream);
/* After the server has stopped. NULL is fine. */
void stream_free(struct stream *stream);

/* A response that goes on until the client leaves; NULL when there are listeners_max already. */
struct MHD_Response *stream_open(struct stream *stream, struct MHD_Connection *connection);

/* Milliseconds since the board last changed. */
uint64_t stream_age_ms(const struct stream *stream);
/* How many listen now. */
unsigned stream_listeners(struct stream *stream);
