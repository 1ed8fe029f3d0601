// SPDX-License-Identifier: Apache-2.0
/* A connection to MongoDB: commands that wait for their replies, which name them. The state is a
 * zeroed block of the engine's; what it holds in the slab is at most MONGODB_QUEUE_MAX commands of
 * MONGODB_QUEUE_BYTES and two texts of max_message_size, and a message of each side. */
#pragma once

#include "proto/mongodb/mongodb_record.h"
#include "proto/proto_gather.h"

enum {
    MONGODB_QUEUE_MAX = 256,
    MONGODB_QUEUE_BYTES = 1 << 20,
    MONGODB_KEPT_MAX = 64 << 10,    /* bytes of a message that are read in any case, */
    MONGODB_PACKED_MAX = 192 << 10, /* and of one that is compressed */
};

/* What a side is saying. */
struct mongodb_side {
    struct reading_side reading;
    struct mongodb_record *open; /* of a message of which more bytes come; NULL: not kept */
    struct gather *gather;       /* of a message that is not read yet */
};

struct mongodb_flow {
    struct mongodb_side side[2];
    struct waiting waiting; /* commands */
    int32_t stream_id;      /* of the last reply of which more come */
    bool is_stream;
    struct reading_trust trust;
};

_Static_assert(sizeof(struct mongodb_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

static inline struct mongodb_flow *mongodb_flow_of(const struct proto_context *c)
{
    return c->state;
}

static inline struct mongodb_stats *mongodb_stats_of(const struct proto_context *c)
{
    return c->block;
}

static inline size_t mongodb_most(const struct proto_context *c)
{
    return (size_t)mongodb_options_of(c)->max_message_size;
}

/* A message is whole; its record is the flow's from then on. */
void mongodb_take(struct proto_context *c, struct mongodb_record *r);
/* Whether `side` waits for the reply to its command of this number. */
bool mongodb_awaits(const struct proto_context *c, unsigned side, int32_t id);
/* Reports the commands that wait and why they have no reply; those that `side` sent, or all: 2. */
void mongodb_give_up(struct proto_context *c, unsigned side, const char *reason);
/* ... those that have waited for too long. */
void mongodb_age(struct proto_context *c, uint64_t now_ns);
