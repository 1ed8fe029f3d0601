// SPDX-License-Identifier: Apache-2.0
/* A connection that speaks HTTP/1.x: the messages of both sides matched to transactions. Requests wait
 * in the order in which they came, as responses come in that order, too (RFC 9112 §9.3.2). A message
 * is kept in a slab block from its head on, until it is reported; a connection without one at hand
 * costs its state only. At most HTTP_WAITING_MAX requests wait: those beyond are counted, and so are
 * their responses. */
#pragma once

#include "proto/http/http_message.h"
#include "proto/http/http_options.h"
#include "proto/proto.h"

enum { HTTP_WAITING_MAX = 1024, HTTP_METHOD_CLASSES = 10, HTTP_STATUS_CLASSES = 6 };

struct http_stats {
    uint64_t requests[HTTP_METHOD_CLASSES];
    uint64_t responses[HTTP_STATUS_CLASSES]; /* by the first digit; 0: beyond 5xx */
    uint64_t transactions;
    uint64_t errors;             /* events with status Error */
    uint64_t unmatched_requests;
    uint64_t unmatched_responses;
    uint64_t request_bytes;
    uint64_t response_bytes;
    uint64_t malformed;          /* places where HTTP was expected, and was not */
    uint64_t skipped_bytes;      /* read past to find HTTP again */
    uint64_t gaps;
    uint64_t gap_bytes;
    uint64_t not_kept;           /* messages for which there was no room */
    uint64_t switched;           /* connections that went on with something else */
};

/* A message that is kept. */
struct http_message {
    struct http_message *next;
    struct http_message *answer; /* of a request that is not over: a response that is */
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;      /* the head, the framing and the body as it was sent */
    uint64_t body_bytes;
    uint8_t *body;       /* a slab block, perhaps a large one, or NULL */
    uint32_t body_kept;
    uint32_t text_size;
    struct http_head head;
    uint8_t side;
    bool lost;           /* packets with bytes of it were not captured */
    bool is_over;
    bool keeps_body;
    bool is_cut;         /* some of the body was not kept */
    bool is_short;       /* that for want of memory */
    bool is_alone;       /* a request that was asked out of step, behind a hole: no response is its own */
    uint8_t text[];      /* the head, as it was sent */
};

static inline struct span http_text_of(const struct http_message *m, struct http_part part)
{
    return http_part_of(m->text, part);
}

struct http_side {
    struct http_parser parser;
    uint64_t start_ns;         /* of the message whose head is not whole yet */
    struct http_message *open; /* the message at hand; of a request, it waits as well */
};

struct http_talk {
    struct http_side side[2];
    struct http_message *first; /* requests that wait for responses */
    struct http_message *last;
    struct turns turns;
    uint32_t waiting;
    uint32_t beyond;    /* requests behind `last` that were not kept */
    bool is_known;      /* which side asks: */
    uint8_t asker;
    bool has_switched;  /* with the response at hand, the connection becomes something else */
};

_Static_assert(sizeof(struct http_talk) <= 128 - 16, "an idle connection takes a block of 128 bytes");

struct proto_taken http_talk_chunk(struct proto_context *c, const struct proto_chunk *chunk,
                                   const struct http_options *options);
void http_talk_gap(struct proto_context *c, unsigned side, uint32_t length,
                   const struct http_options *options);
void http_talk_fin(struct proto_context *c, unsigned side, const struct http_options *options);
void http_talk_close(struct proto_context *c, enum proto_close why,
                     const struct http_options *options);

/* The class that a method is counted in, and its name. */
unsigned http_method_class(struct span method);
const char *http_method_class_name(unsigned i);
