// SPDX-License-Identifier: Apache-2.0
/* The streams of a connection that are open, found by their ids. Each is a slab block; the list of them
 * is another one, sorted by id: streams are opened with ever greater ids (RFC 9113 §5.1.1), so that one
 * that is new goes to the end. At most HTTP2_STREAMS_MAX; to find is ten steps, to remove at most a move
 * of 8 KB. */
#pragma once

#include "proto/http2/http2_fields.h"
#include "proto/http2/http2_grpc.h"

enum { HTTP2_STREAMS_MAX = 1024 };

/* A request or a response. */
struct http2_message {
    struct http2_fields fields; /* of headers and trailers */
    struct http2_grpc grpc;
    uint64_t start_ns;   /* 0: nothing of it was seen */
    uint64_t end_ns;
    uint64_t bytes;      /* of its frames, with their headers */
    uint64_t body_bytes;
    bool is_over;
    bool is_lost;        /* bytes of it may be missing */
    bool is_partial;     /* not all of its header fields could be read */
};

struct http2_stream {
    uint32_t id;
    uint32_t error;      /* of RST_STREAM */
    bool is_reset;
    bool is_refused;     /* GOAWAY said that it will not be answered */
    bool is_pushed;      /* the server promised it (§8.4) */
    bool is_upgrade;     /* its request was HTTP/1.1's, with Upgrade: h2c */
    bool is_grpc;
    uint16_t status;     /* of the response, 0: not known */
    uint64_t lost_ns[2]; /* when bytes were lost that may have ended request or response, 0: never */
    struct http2_message message[2]; /* request, response */
};

struct http2_streams {
    struct http2_stream **items; /* a slab block, NULL: none */
    uint32_t count;
};

/* NULL when there is none. */
struct http2_stream *http2_streams_find(const struct http2_streams *streams, uint32_t id);

/* A new one, which must not be there yet; NULL when there are as many as may be, or no memory. */
struct http2_stream *http2_streams_add(struct http2_streams *streams, struct slab *memory, uint32_t id);

/* Takes it out, and gives all of its memory back. */
void http2_streams_remove(struct http2_streams *streams, struct slab *memory,
                          struct http2_stream *stream);
