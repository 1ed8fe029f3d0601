// SPDX-License-Identifier: Apache-2.0
/* A connection of AMQP: methods that wait for their answers, channel by channel, and messages of
 * which more comes. The state is a zeroed block of the engine's; what it holds in the slab is at
 * most AMQP_OPEN_MAX records, AMQP_OPEN_BYTES and one more; of a body, PROTO_TEXT_SURE bytes count among
 * these, what is beyond that of all bodies is max_body_length together. */
#pragma once

#include "proto/amqp/amqp_record.h"
#include "proto/proto_cut.h"
#include "proto/proto_reading.h"

enum {
    AMQP_OPEN_MAX = 256,
    AMQP_OPEN_BYTES = 1 << 20,
    AMQP_KEPT_MAX = 64 << 10, /* bytes of a frame that are read */
};

/* What a side is saying. */
struct amqp_side {
    struct reading_side reading;
    uint16_t channel;
    bool is_cut;  /* the method or header at hand is longer than what is read of it */
    bool is_body; /* what is passed over belongs to a message of the channel */
};

struct amqp_flow {
    struct amqp_side side[2];
    struct waiting open; /* what waits for an answer, and messages of which more comes */
    struct reading_trust trust;
};

_Static_assert(sizeof(struct amqp_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

static inline struct amqp_flow *amqp_flow_of(const struct proto_context *c)
{
    return c->state;
}

static inline struct amqp_stats *amqp_stats_of(const struct proto_context *c)
{
    return c->block;
}

/* A method is whole; its record is the flow's from then on. */
void amqp_take(struct proto_context *c, struct amqp_record *r);
/* A content header of a side's channel, behind its class and weight. */
void amqp_take_header(struct proto_context *c, const struct amqp_side *s, unsigned side,
                      struct span header, uint64_t time_ns);
/* Bytes of a body; `data` NULL: they were not captured. */
void amqp_take_body(struct proto_context *c, unsigned side, struct span bytes, uint64_t time_ns);
/* Reports what waits for the answers of a side's peer, and why there is none: of `side`, or all: 2. */
void amqp_give_up(struct proto_context *c, unsigned side, const char *reason);
/* Reports the messages of a side, or all (2), of which more should come, as far as they came. */
void amqp_end_messages(struct proto_context *c, unsigned side);
/* ... those that have waited for too long. */
void amqp_age(struct proto_context *c, uint64_t now_ns);
