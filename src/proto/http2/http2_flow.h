// SPDX-License-Identifier: Apache-2.0
/* A connection that speaks HTTP/2 (RFC 9113): frames of both sides, their header blocks unpacked, and a
 * stream's request and response as one transaction, by the stream's id. What waits lies in slab blocks
 * and is bounded: HTTP2_STREAMS_MAX streams, HTTP2_FIELDS_MAX bytes of header fields of a message,
 * HTTP2_BLOCK_MAX bytes of a header block. Beyond these things are counted and left out. */
#pragma once

#include "proto/http2/http2_frame.h"
#include "proto/http2/http2_hpack.h"
#include "proto/http2/http2_options.h"
#include "proto/http2/http2_stream.h"
#include "proto/proto.h"

enum {
    HTTP2_METHOD_CLASSES = 10, HTTP2_STATUS_CLASSES = 6,
    HTTP2_BLOCK_MAX = 256 << 10, /* as it is sent */
    HTTP2_RESTARTS_MAX = 64,     /* of a side's header fields; then they are not read any more */
};

enum { HTTP2_REQUEST = 0, HTTP2_RESPONSE = 1 };

struct http2_stats {
    uint64_t requests[HTTP2_METHOD_CLASSES];
    uint64_t responses[HTTP2_STATUS_CLASSES]; /* by the first digit; 0: beyond 5xx, or not known */
    uint64_t frames[HTTP2_TYPES + 1];
    uint64_t transactions;
    uint64_t errors;
    uint64_t unmatched_requests;
    uint64_t unmatched_responses;
    uint64_t request_bytes;
    uint64_t response_bytes;
    uint64_t grpc_calls;
    uint64_t grpc_errors;
    uint64_t grpc_messages;
    uint64_t pushed;
    uint64_t resets;
    uint64_t goaways;
    uint64_t malformed;
    uint64_t skipped_bytes;
    uint64_t gaps;
    uint64_t gap_bytes;
    uint64_t blocks_partial; /* header blocks of which not all could be read */
    uint64_t headers_lost;   /* times that a side's table of header fields was lost */
    uint64_t headers_cut;    /* header blocks with more than is kept */
    uint64_t not_kept;       /* streams for which there was no room */
    uint64_t late;           /* frames of streams that are over, or were not kept */
};

/* The header block at hand of a side, until its last frame has come. */
struct http2_block {
    struct http2_fields fields;
    uint64_t start_ns;
    uint32_t stream;
    uint32_t promised; /* PUSH_PROMISE's, 0: none */
    uint32_t bytes;    /* of its frames */
    bool ends_stream;
    bool is_partial;
    bool is_open;
};

struct http2_side {
    struct http2_parser parser;
    struct http2_hpack *hpack; /* of what this side sends; NULL: none needed yet, or lost */
    struct http2_block block;
    uint64_t frame_ns;         /* when the frame at hand began to come; 0: now */
    uint32_t table_size;       /* that this side allows the other one; 0: the usual */
    uint8_t setting[6];
    uint8_t setting_size;
    uint8_t restarts;
    bool is_midway;            /* header blocks were missed */
    bool has_begun;            /* its preface was seen */
    bool has_spoken;           /* ... or a frame */
};

struct http2_flow {
    struct http2_side side[2];
    struct http2_streams streams;
    uint64_t expires_ns;  /* when to look for streams whose end may be lost; 0: never */
    uint32_t opened_from : 31; /* ids that clients' requests were seen of; 0: none */
    uint32_t is_known : 1;     /* which side is the client: */
    uint32_t opened_to : 31;
    uint32_t client : 1;
};

/* What an idle connection holds, beside its tables: a block of 256 bytes. */
_Static_assert(sizeof(struct http2_flow) <= 256 - 16, "more than a block of 256");

struct proto_taken http2_flow_chunk(struct proto_context *c, const struct proto_chunk *chunk);
void http2_flow_gap(struct proto_context *c, unsigned side, uint32_t length);
void http2_flow_fin(struct proto_context *c, unsigned side);
void http2_flow_close(struct proto_context *c, enum proto_close why);
