// SPDX-License-Identifier: Apache-2.0
/* What is written for all events of one shape: literal pieces and, between them, places for values. A
 * place whose value was written before, with what stands around it, is a copy of what was written
 * there. Made by whoever writes, who owns it; costs a walk over the fields of the type. */
#pragma once

#include "event/event_plan.h"

/* Literals are copied in pieces of this size, so that something lies behind them. */
enum { EVENT_PIECE = 32 };

/* What is done behind a literal. Kinds of values that are met all the time have an op of their own. */
enum event_op_kind {
    EVENT_OP_END,
    EVENT_OP_COPY, /* what the ops `first` to `last` wrote, with the literals between them */
    EVENT_OP_BOOL,
    EVENT_OP_U8,
    EVENT_OP_U32,
    EVENT_OP_U64,
    EVENT_OP_TIME,
    EVENT_OP_ADDRESS,
    EVENT_OP_MAC,
    EVENT_OP_SPAN,
    EVENT_OP_INLINE,
    EVENT_OP_TEXT,
    EVENT_OP_JSON,
    EVENT_OP_VALUE,
    EVENT_OP_ADDRESSES,
    EVENT_OP_BOUNDED, /* any other value of bounded size */
    EVENT_OP_ANY,     /* of any size */
};

/* A literal, and the value behind it. */
struct event_op {
    const char *literal; /* an offset while the template is made */
    uint16_t literal_size;
    uint16_t offset; /* in the event */
    uint8_t op;      /* enum event_op_kind */
    uint8_t kind;    /* enum event_kind of the value */
    uint8_t flags;
    bool is_large; /* the value may be of any size */
    uint8_t readable; /* EVENT_OP_INLINE: bytes from the offset on that are within the struct */
    uint8_t first, last;
    const struct event_plan *item; /* EVENT_ITEMS */
};

struct event_template {
    const struct event_plan *plan; /* NULL: not made yet */
    struct event_shape shape;
    uint64_t hash; /* of it, for whoever keeps many */
    struct json literals;
    struct event_op *ops;
    unsigned op_count;
    unsigned op_room;
    size_t room; /* bytes of all literals and all values of bounded size, and two pieces */
};

/* Makes a template, zeroed or made before, one of this shape, without fields that have any flag of
 * `without`. False without memory; then it is none. */
bool event_template_make(struct event_template *t, const struct event_plan *plan,
                         const struct event_shape *shape, unsigned without);
/* The same with what an event of this shape shows in fields that have EVENT_ENDS written already. */
bool event_template_make_of(struct event_template *t, const struct event_plan *plan,
                            const struct event_shape *shape, unsigned without,
                            const struct event_head *event);
void event_template_done(struct event_template *t);
