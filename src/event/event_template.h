// SPDX-License-Identifier: Apache-2.0
/* What is written for all events of one shape: literal pieces and, between them, places for values. A
 * place whose value was written before, with what stands around it, is a copy of what was written
 * there. Made by whoever writes, who owns it; costs a walk over the fields of the type. */
#pragma once

#include "event/event_plan.h"

/* Literals are copied in pieces of this size, so that something lies behind them. */
enum { EVENT_PIECE = 32 };

enum event_op_kind {
    /* below: enum event_kind */
    EVENT_OP_COPY = 64, /* what the ops `first` to `last` wrote, with the literals between them */
    EVENT_OP_END,
};

/* A literal, and the value behind it. */
struct event_op {
    uint32_t literal; /* offset */
    uint16_t literal_size;
    uint16_t offset; /* in the event */
    uint8_t kind;    /* enum event_kind or enum event_op_kind */
    uint8_t flags;
    bool is_large; /* the value may be of any size */
    uint8_t readable; /* EVENT_INLINE: bytes from the offset on that are within the struct */
    uint8_t first, last;
    const struct event_plan *item; /* EVENT_ITEMS */
};

struct event_template {
    const struct event_plan *plan; /* NULL: not made yet */
    struct event_shape shape;
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
void event_template_done(struct event_template *t);
