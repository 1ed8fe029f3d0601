// SPDX-License-Identifier: Apache-2.0
/* A connection that speaks Kafka: requests that wait for their responses, which come in their order and
 * name them by correlation id. Of a message its first KAFKA_HEAD_MAX bytes are read, and the rest passes
 * by. A request that waits is a slab block; at most KAFKA_WAITING_MAX of them do. */
#pragma once

#include "proto/kafka/kafka_message.h"
#include "proto/proto.h"

enum { KAFKA_WAITING_MAX = 256, KAFKA_TEXT_MAX = 1024 };

struct kafka_stats {
    uint64_t requests[KAFKA_APIS];
    uint64_t transactions;
    uint64_t errors;
    uint64_t unmatched_requests;
    uint64_t unmatched_responses;
    uint64_t request_bytes;
    uint64_t response_bytes;
    uint64_t records_produced;
    uint64_t records_fetched;
    uint64_t malformed;
    uint64_t skipped_bytes;
    uint64_t gaps;
    uint64_t gap_bytes;
    uint64_t not_kept;
};

/* A request that waits. Its texts lie behind one another in `text`. */
struct kafka_request {
    struct kafka_request *next;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    struct kafka_head head; /* spans are of `text` */
    bool is_lost;           /* bytes of it are missing */
    uint8_t text[KAFKA_TEXT_MAX];
};

/* A response. */
struct kafka_response {
    struct kafka_answer answer;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    bool is_lost;
};

struct kafka_side {
    uint64_t start_ns;  /* when the message at hand began to come */
    uint32_t remaining; /* of the message at hand */
    bool is_open;       /* there is one, of which a part was read */
    bool is_lost;       /* it is not known where messages begin */
};

struct kafka_flow {
    struct kafka_side side[2];
    struct kafka_request *first;
    struct kafka_request *last;
    struct kafka_request *asking;  /* the request at hand; in the list, or to be given back */
    struct kafka_request *asked;   /* what the response at hand answers; not in the list */
    struct kafka_response *response; /* at hand, a slab block; NULL: none, or it is not kept */
    uint32_t waiting;
    uint32_t newest;    /* correlation id */
    bool is_known;      /* which side is the client: */
    uint8_t client;
};

_Static_assert(sizeof(struct kafka_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

struct proto_taken kafka_flow_chunk(struct proto_context *c, const struct proto_chunk *chunk);
void kafka_flow_gap(struct proto_context *c, unsigned side, uint32_t length);
void kafka_flow_fin(struct proto_context *c, unsigned side);
void kafka_flow_close(struct proto_context *c, enum proto_close why);
