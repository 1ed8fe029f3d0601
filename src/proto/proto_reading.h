// SPDX-License-Identifier: Apache-2.0
/* Reading a connection message by message, for protocols whose sides say one message after another, each
 * with a beginning that can be told (MongoDB, Thrift, Cassandra, AMQP, NFS, SIP): one step after another
 * takes what it can of the bytes at hand, until one waits for more or lets the connection go. Behind a
 * hole a side seeks the beginning of the next message. Pure but for what the steps do; no memory. */
#pragma once

#include "proto/proto.h"

enum reading_step { READING_GOES_ON, READING_WAITS, READING_LETS_GO };

/* How a side stands; a protocol's struct of a side begins with it. Zeroes are a beginning. */
struct reading_side {
    uint64_t start_ns; /* of the message's first byte */
    bool has_begun;    /* some of the message was there: start_ns is known */
    bool seeking;      /* for the beginning of a message, behind a hole */
    uint32_t left;     /* bytes of the message that are passed over */
};

/* How far a connection is trusted to be the protocol's. */
struct reading_trust {
    bool understood; /* a message was, */
    uint8_t broken;  /* and since, so many were not */
};

/* Messages that are none, one after another, before a connection is let go. */
enum { READING_BROKEN_MAX = 8 };

/* Bytes of a side, and where in them we are. */
struct reading {
    struct proto_context *c;
    struct reading_side *side;
    struct span rest;
    uint64_t time_ns;
    uint8_t number; /* of the side */
};

/* Bytes that end a message, or are of none: the next one begins behind them. */
static inline void reading_take(struct reading *r, size_t size)
{
    r->rest = span_skip(r->rest, size);
    r->side->has_begun = false;
}

/* The message begins here, if it has not before. */
static inline void reading_begin(struct reading *r)
{
    if (!r->side->has_begun) {
        r->side->has_begun = true;
        r->side->start_ns = r->time_ns;
    }
}

/* Passes over what is left of the message, as far as it is there; true: it ends here. */
static inline bool reading_pass_over(struct reading *r)
{
    size_t size = r->rest.size < r->side->left ? r->rest.size : r->side->left;
    r->side->left -= (uint32_t)size;
    reading_take(r, size);
    return r->side->left == 0;
}

/* A hole of `length` bytes: true if it is within what is passed over, which it then shortens. */
static inline bool reading_pass_hole(struct reading_side *side, uint32_t length)
{
    bool is_within = side->left >= length;
    side->left -= is_within ? length : 0;
    return is_within;
}

/* Moves to where `look` says yes; false: nowhere in the bytes at hand, those before which it may are
 * left to be looked at again when more come. */
static inline bool reading_seek(struct reading *r, enum proto_guess (*look)(const struct reading *r))
{
    enum proto_guess guess = PROTO_NO;
    while (r->rest.size > 0 && (guess = look(r)) == PROTO_NO) {
        reading_take(r, 1);
    }
    r->side->seeking = guess != PROTO_YES;
    return guess == PROTO_YES;
}

static inline void reading_understands(struct reading_trust *t)
{
    *t = (struct reading_trust){.understood = true};
}

/* A message is none: goes on with the next, unless that happens too often or never was otherwise. */
static inline enum reading_step reading_survives(struct reading_trust *t)
{
    t->broken++;
    return t->understood && t->broken < READING_BROKEN_MAX ? READING_GOES_ON : READING_LETS_GO;
}

/* Takes step after step over a chunk of the side whose state is `side`. */
static inline struct proto_taken reading_run(struct proto_context *c,
                                             const struct proto_chunk *chunk,
                                             struct reading_side *side,
                                             enum reading_step (*take)(struct reading *r))
{
    struct reading r = {.c = c,
                        .side = side,
                        .rest = chunk->data,
                        .time_ns = chunk->time_ns,
                        .number = chunk->side};
    enum reading_step step = READING_GOES_ON;
    while (step == READING_GOES_ON && r.rest.size > 0) {
        step = take(&r);
    }
    return (struct proto_taken){
        .consumed = chunk->data.size - r.rest.size,
        .verdict = step == READING_LETS_GO ? PROTO_NOT_MINE : PROTO_GOES_ON,
    };
}
