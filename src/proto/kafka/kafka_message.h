// SPDX-License-Identifier: Apache-2.0
/* Requests and responses of Kafka as they lie in a span, which may end before the message does: what is
 * told early in them is read, all versions that are known of the APIs that carry topics, and the head of
 * all others. Pure; survives any bytes; lists are bounded, what is beyond is left out. Record batches are
 * counted by their headers and never unpacked. */
#pragma once

#include "base/cursor.h"

enum {
    KAFKA_APIS = 75,
    KAFKA_TOPICS_MAX = 16,
    KAFKA_MESSAGE_MAX = 128 << 20, /* what is longer is no message */
    KAFKA_HEAD_MAX = 32 << 10,     /* of a message, that is read */
};

enum kafka_key {
    KAFKA_PRODUCE = 0, KAFKA_FETCH = 1, KAFKA_LIST_OFFSETS = 2, KAFKA_METADATA = 3,
    KAFKA_API_VERSIONS = 18,
};

struct kafka_api {
    const char *name;
    int8_t flexible;  /* the first version with compact types and tags (KIP-482); -1: none */
    int8_t throttled; /* the first version whose response begins with throttle_time_ms; -1: none */
    bool tells;       /* then comes an error code */
    bool groups;      /* the request begins with the name of a group, or of what a coordinator is for */
};

/* NULL: unknown. */
const struct kafka_api *kafka_api_of(unsigned key);
/* NULL: unknown. */
const char *kafka_error_name(int code);
const char *kafka_compression_name(unsigned code);

/* What a request says, or for a Fetch its response adds. Spans are borrowed. */
struct kafka_records {
    uint64_t records;
    uint64_t batches;
    uint64_t bytes;
    uint8_t compression; /* of the first batch */
};

struct kafka_head {
    uint16_t key;
    uint16_t version;
    uint32_t correlation;
    struct span client;
    struct span group;
    struct span topics[KAFKA_TOPICS_MAX];
    uint32_t topic_count;
    uint32_t partitions;
    int16_t acks;     /* of Produce; 0: no response will come */
    struct kafka_records records;
    bool is_whole;    /* all that is to be known was there */
};

/* A request without its size; false when it is none. */
bool kafka_request_read(struct span bytes, struct kafka_head *ret);

struct kafka_answer {
    int error;        /* the first that is not 0 */
    uint32_t topics;
    struct kafka_records records;
    bool is_whole;
};

/* The response to a request of that key and version, behind its correlation id. */
void kafka_response_read(struct span bytes, unsigned key, unsigned version, struct kafka_answer *ret);

/* Whether bytes begin with a request, its size included: 1 yes, 0 no, -1 cannot be told. */
int kafka_looks_like(struct span data);
