// SPDX-License-Identifier: Apache-2.0
/* A connection to Cassandra: requests that wait for the response of their stream. The state is a
 * zeroed block of the engine's; what it holds in the slab is at most CASSANDRA_QUEUE_MAX requests
 * of CASSANDRA_QUEUE_BYTES and max_message_size, and what each side has said of an envelope. */
#pragma once

#include "proto/cassandra/cassandra_record.h"
#include "proto/proto_gather.h"

enum {
    CASSANDRA_QUEUE_MAX = 256,
    CASSANDRA_QUEUE_BYTES = 1 << 20,
    CASSANDRA_KEPT_MAX = 64 << 10, /* bytes of a body that are read in any case */
};

/* What a side is saying. */
struct cassandra_side {
    struct reading_side reading;
    struct cassandra_record *open; /* of an envelope of which more bytes come; NULL: not kept */
    struct gather *gather;         /* of an envelope that is not read yet */
    struct gather *kept;           /* version 5: the beginning of an envelope, as far as it came */
};

struct cassandra_flow {
    struct cassandra_side side[2];
    struct waiting waiting; /* requests */
    uint8_t packing;        /* enum cassandra_packing */
    bool is_framed[2];      /* by side: says frames of version 5 */
    struct reading_trust trust;
};

_Static_assert(sizeof(struct cassandra_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

static inline struct cassandra_flow *cassandra_flow_of(const struct proto_context *c)
{
    return c->state;
}

static inline struct cassandra_stats *cassandra_stats_of(const struct proto_context *c)
{
    return c->block;
}

/* A message is whole; its record is the flow's from then on. */
void cassandra_take(struct proto_context *c, struct cassandra_record *r);
/* Reports the requests that wait and why they have no response; those that `side` sent, or all: 2. */
void cassandra_give_up(struct proto_context *c, unsigned side, const char *reason);
/* Of `side` bytes are missing: the responses to the other's requests may have been there, which is not
 * known before their streams are used anew; and so may requests that used streams anew. */
void cassandra_lose(struct proto_context *c, unsigned side);
/* ... those that have waited for too long. */
void cassandra_age(struct proto_context *c, uint64_t now_ns);
