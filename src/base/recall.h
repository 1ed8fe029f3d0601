// SPDX-License-Identifier: Apache-2.0
/* What was made of bytes that come again and again, such as what clients offer in TLS hellos: a table
 * of slots in memory of the caller's, zeroed at first. Each slot holds such bytes and behind them what
 * was made. A hash says which four slots may be theirs, the bytes themselves whether one is; others that
 * come take the place of those that were not found for longest, but not of what was found in the same
 * turn: that lasts until the caller begins the next one. So it is of one size, never wrong, and costs a
 * hash, a line of marks and a comparison. One thread. */
#pragma once

#include "base/span.h"

enum { RECALL_WAYS = 4 /* slots of a set, which their hash chooses */ };

struct recall_shape {
    uint32_t slots;      /* a power of two, RECALL_WAYS at least */
    uint32_t key_room;   /* longer keys are not remembered; both are multiples of 8 */
    uint32_t value_room;
};

/* What is asked of a slot before it is looked at; those of a set stand in a line. */
struct recall_mark {
    uint64_t hash;
    uint32_t turn; /* the last one in which it was found */
    uint32_t salt;
};

struct recall_slot {
    uint32_t key_size;
    bool is_made; /* set by the caller, when the value is whole */
};

/* Bytes of a table, aligned to 8, better to 64. */
#define RECALL_SIZE(slots, key_room, value_room)                                                   \
    ((size_t)(slots) *                                                                             \
     (sizeof(struct recall_mark) + sizeof(struct recall_slot) + (key_room) + (value_room)))

/* The slot of a key, which is different under each salt; `is_made` says whether its value is there, else it
 * is to be made now. NULL when there is no table, the key is too long or others have all that might be its
 * own in this turn; turns are not 0. */
struct recall_slot *recall_find(void *table, const struct recall_shape *shape, uint32_t turn,
                                uint32_t salt, struct span key);

/* The key of a slot, as long as its value is kept. */
static inline struct span recall_key(const struct recall_slot *slot)
{
    return span_of(slot + 1, slot->key_size);
}

/* Room for the value of a slot, value_room bytes, aligned to 8. */
static inline void *recall_value(struct recall_slot *slot, const struct recall_shape *shape)
{
    return (uint8_t *)(slot + 1) + shape->key_room;
}
