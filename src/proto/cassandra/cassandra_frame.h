// SPDX-License-Identifier: Apache-2.0
/* Frames of Cassandra's native protocol (doc/native_protocol_v3.spec to v5): envelopes, which carry
 * a message, and the frames around them that version 5 has, with their checksums. Pure functions
 * over spans. */
#pragma once

#include "base/span.h"
#include "proto/proto_guess.h"

enum {
    CASSANDRA_HEADER = 9,      /* of an envelope */
    CASSANDRA_BODY_MAX = 256 << 20,
    CASSANDRA_OUTER_PLAIN = 6, /* header of a frame around envelopes, */
    CASSANDRA_OUTER_PACKED = 8, /* ... of one that may be compressed */
    CASSANDRA_TRAILER = 4,
    CASSANDRA_OUTER_MAX = (1 << 17) - 1,
    CASSANDRA_EVENT_STREAM = -1,
};

enum cassandra_op {
    CASSANDRA_ERROR = 0,
    CASSANDRA_STARTUP = 1,
    CASSANDRA_READY = 2,
    CASSANDRA_AUTHENTICATE = 3,
    CASSANDRA_OPTIONS = 5,
    CASSANDRA_SUPPORTED = 6,
    CASSANDRA_QUERY = 7,
    CASSANDRA_RESULT = 8,
    CASSANDRA_PREPARE = 9,
    CASSANDRA_EXECUTE = 10,
    CASSANDRA_REGISTER = 11,
    CASSANDRA_EVENT = 12,
    CASSANDRA_BATCH = 13,
    CASSANDRA_AUTH_CHALLENGE = 14,
    CASSANDRA_AUTH_RESPONSE = 15,
    CASSANDRA_AUTH_SUCCESS = 16,
    CASSANDRA_OPS = 17,
};

enum cassandra_flag {
    CASSANDRA_COMPRESSED = 1,
    CASSANDRA_TRACING = 2,
    CASSANDRA_PAYLOAD = 4,
    CASSANDRA_WARNING = 8,
    CASSANDRA_BETA = 16,
};

struct cassandra_header {
    uint8_t version;
    bool is_response;
    uint8_t flags;
    uint8_t op;
    int16_t stream;
    uint32_t size; /* of the body */
};


/* Whether an envelope begins here; if so, its header. */
enum proto_guess cassandra_look(struct span bytes, struct cassandra_header *ret);

/* A frame of version 5. */
struct cassandra_outer {
    uint32_t size;     /* of the payload as it is sent */
    uint32_t unpacked; /* of the payload; 0: it is not compressed */
    uint8_t header;    /* bytes before the payload */
    bool is_whole;     /* it carries whole envelopes */
};

/* Whether a frame of version 5 begins here: its header's checksum says so. */
enum proto_guess cassandra_look_outer(struct span bytes, struct cassandra_outer *ret);

/* "QUERY"; NULL when there is none. */
const char *cassandra_op_name(unsigned op);

enum cassandra_packing { CASSANDRA_UNKNOWN, CASSANDRA_SNAPPY, CASSANDRA_LZ4 };

/* The compression that a STARTUP's body asks for. */
enum cassandra_packing cassandra_packing_of(struct span body);
