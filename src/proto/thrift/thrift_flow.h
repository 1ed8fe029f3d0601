// SPDX-License-Identifier: Apache-2.0
/* A connection that speaks Thrift: calls that wait for their replies, which name the method and the
 * number of the call. A reply shows that calls before it with the same number (most clients number
 * all alike) want none: one-way methods of old clients look like others. The state is a zeroed
 * block of the engine's; in the slab are at most THRIFT_QUEUE_MAX calls of THRIFT_QUEUE_BYTES and
 * max_message_size, and a message of each side. */
#pragma once

#include "proto/proto_gather.h"
#include "proto/proto_waiting.h"
#include "proto/thrift/thrift_event.h"
#include "proto/thrift/thrift_options.h"
#include "proto/thrift/thrift_wire.h"

enum {
    THRIFT_QUEUE_MAX = 256,
    THRIFT_QUEUE_BYTES = 1 << 20,
    THRIFT_KEPT_MAX = 64 << 10, /* bytes of a message that are shown in any case */
};

enum thrift_text { THRIFT_SERVICE, THRIFT_METHOD, THRIFT_VALUE, THRIFT_THROWN, THRIFT_TEXTS };

/* What is kept of a message, in a slab block of just its size. */
struct thrift_record {
    struct waiter link;
    uint64_t bytes;
    int32_t sequence;
    uint32_t size; /* of the texts */
    uint8_t kind;  /* enum thrift_kind */
    bool is_oneway;
    bool has_failed;
    bool is_dropped;
    bool holed;
    uint8_t cut; /* enum proto_cut: why a text of it is not whole */
    struct {
        uint32_t at;
        uint32_t size;
    } text[THRIFT_TEXTS]; /* the value (parameters) stands right behind the method */
    uint8_t bytes_of_texts[];
};

/* In the struct of a message without a frame; a slab block. */
struct thrift_walk {
    struct thrift_skipper skipper;
    uint64_t passed;  /* bytes of a large message that are gone */
    uint32_t scanned; /* bytes that the skipper is past */
    bool is_large;
};

/* What a side is saying. */
struct thrift_side {
    struct reading_side reading;
    struct thrift_record *open; /* of a large message of which more bytes come */
    struct thrift_walk *walk;   /* NULL: not in a struct, or there are frames */
    struct gather *gather;      /* of a large message that is not read yet */
};

struct thrift_flow {
    struct thrift_side side[2];
    struct waiting waiting;     /* calls */
    struct reading_trust trust; /* once a message was whole, all are like it: */
    bool is_framed;
    bool is_compact;
    bool shares_numbers; /* a call was made while another of its number waited */
};

_Static_assert(sizeof(struct thrift_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

static inline struct thrift_flow *thrift_flow_of(const struct proto_context *c)
{
    return c->state;
}

static inline struct thrift_stats *thrift_stats_of(const struct proto_context *c)
{
    return c->block;
}

static inline struct span thrift_text_of(const struct thrift_record *r, enum thrift_text which)
{
    return span_of(r->bytes_of_texts + r->text[which].at, r->text[which].size);
}

/* The record of a message, of which `body` is what is there behind the head, and `cut` says why no
 * more; NULL without memory. */
struct thrift_record *thrift_record_new(const struct proto_context *c,
                                        const struct thrift_head *head, struct span body,
                                        enum proto_cut cut);
/* A message is whole; its record is the flow's from then on. */
void thrift_take(struct proto_context *c, struct thrift_record *r);
/* Reports the calls that wait and why they have no reply; those that `side` sent, or all: 2. */
void thrift_give_up(struct proto_context *c, unsigned side, const char *reason);
/* Of `side` bytes are missing: replies to the other's calls may have been there, or calls that use numbers
 * anew. Where numbers tell calls apart, those that are replied to later were not lost. */
void thrift_lose(struct proto_context *c, unsigned side);
/* ... those that have waited for too long. */
void thrift_age(struct proto_context *c, uint64_t now_ns);
