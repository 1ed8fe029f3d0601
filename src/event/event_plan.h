// SPDX-License-Identifier: Apache-2.0
/* What is worked out once for a type of event: which fields borrow what they show; each field's way, that
 * is what is written before its value; and how to tell the event's shape. A shape says which fields an
 * event has and which texts those have that are mostly the same (EVENT_FIXED); all that events of one
 * shape do not share is the other values, so event_template.h makes one template for all of them. A shape
 * is told by one load and one mask a field, four fields at a time, without a branch. Plans never change. */
#pragma once

#include "base/json.h"
#include "event/event.h"

enum {
    EVENT_SHAPE_WORDS = 4,
    EVENT_FIELDS_MAX = EVENT_SHAPE_WORDS * 64, /* of a type */
    EVENT_FIXED_MAX = 12,                      /* texts of a shape; what is more is written each time */
};

/* Where a step looks in the shape. */
enum event_sign {
    EVENT_SIGN_ALWAYS, /* nowhere: it is in all of them */
    EVENT_SIGN_BIT,
    EVENT_SIGN_FIXED,
};

/* One field. `way` is all that leads to its value from outside the event's object, for source.ip:
 * "source":{"ip": ; from inside `d` objects only the part from way + skip[d] on. */
struct event_step {
    const char *way;
    uint16_t way_size;
    uint16_t skip[EVENT_DEPTH_MAX];
    uint16_t offset;
    uint8_t depth;  /* objects around the value, the event's own not counted */
    uint8_t shared; /* of these, around the field before it in the table, too */
    uint8_t kind;
    uint8_t flags;
    uint8_t sign; /* enum event_sign */
    uint8_t place; /* of the bit or the fixed text */
    bool is_again; /* a field before it shows what lies at the same offset */
    const struct event_plan *item; /* EVENT_ITEMS: owned */
};

/* There is something where the eight bytes at `offset` have any bit of `mask`. */
struct event_test {
    uint64_t mask; /* 0: one has to look closer, by the kind, at the field at `offset` */
    uint16_t offset;
    uint8_t kind;
};

typedef uint64_t event_two __attribute__((vector_size(16)));

/* Four tests that are made at once; what is left over has no mask. */
struct event_four {
    event_two mask[2];
    uint32_t offset[4];
};

/* A field whose value refers to memory outside the event, which event_pack() copies. */
struct event_loan {
    const struct event_plan *item; /* EVENT_ITEMS */
    uint16_t offset;
    uint8_t kind;
};

struct event_plan {
    const struct event_type *type;
    char *ways;
    struct event_test *tests;
    struct event_four *fours; /* the same */
    struct event_loan *loans; /* those of plain texts (EVENT_SPAN) first */
    unsigned text_count;      /* of these */
    unsigned loan_count;
    uint16_t fixed[EVENT_FIXED_MAX]; /* offsets of the pointers */
    unsigned test_count;
    unsigned close_count;
    uint8_t close[EVENT_FIELDS_MAX]; /* tests of which one has to look closer */
    unsigned fixed_count;
    bool has_ends; /* there are fields with EVENT_ENDS, so that it is of a transaction */
    unsigned count;
    struct event_step steps[];
};

/* What the plan has nothing for is the same in all shapes, so that those of one plan are compared whole. */
struct event_shape {
    uint64_t bits[EVENT_SHAPE_WORDS]; /* a bit for each test that found nothing, at event_shape_place() */
    const char *fixed[EVENT_FIXED_MAX]; /* NULL: none */
};

/* Where the bit of a test is: four accumulate side by side, each its own 32 bits. */
static inline uint8_t event_shape_place(unsigned test)
{
    return (uint8_t)(test / 128 * 128 + test % 4 * 32 + test % 128 / 4);
}

/* Whether the test whose bit is at a place has found something. */
static inline bool event_shape_has(const struct event_shape *shape, unsigned place)
{
    return (shape->bits[place / 64] >> place % 64 & 1) == 0;
}

/* The plan of a type, made if this is its first event and kept; NULL without memory. Any thread. */
const struct event_plan *event_plan_of(const struct event_type *type);

/* The shape of an event, or of an item of a list; returns a hash of it and of the plan. */
uint64_t event_plan_shape(const struct event_plan *plan, const void *event, struct event_shape *ret);
bool event_shape_same(const struct event_shape *a, const struct event_shape *b);
