// SPDX-License-Identifier: Apache-2.0
#include "base/recall.h"

#include "base/hash.h"

_Static_assert(sizeof(struct recall_slot) % 8 == 0, "keys and values are aligned");

static struct recall_slot *slot_at(void *table, const struct recall_shape *shape, size_t number)
{
    size_t step = sizeof(struct recall_slot) + shape->key_room + shape->value_room;
    uint8_t *slots = (uint8_t *)table + shape->slots * sizeof(struct recall_mark);
    return (void *)(slots + number * step);
}

/* Of the marks of a set the one that was not found for longest. */
static struct recall_mark *oldest_of(struct recall_mark *set, uint32_t turn)
{
    struct recall_mark *oldest = set;
    for (unsigned i = 1; i < RECALL_WAYS; i++) {
        if (turn - set[i].turn > turn - oldest->turn) { /* turns begin again at 1 some day */
            oldest = &set[i];
        }
    }
    return oldest;
}

struct recall_slot *recall_find(void *table, const struct recall_shape *shape, uint32_t turn,
                                uint32_t salt, struct span key)
{
    if (table == NULL || key.size == 0 || key.size > shape->key_room) {
        return NULL;
    }
    struct recall_mark *marks = table;
    uint64_t hash = hash64(key.data, key.size, hash_seed() + salt);
    size_t first = (hash & (shape->slots / RECALL_WAYS - 1)) * RECALL_WAYS;
    for (size_t i = first; i < first + RECALL_WAYS; i++) {
        if (marks[i].hash == hash && marks[i].salt == salt) {
            struct recall_slot *slot = slot_at(table, shape, i);
            if (span_equal(recall_key(slot), key)) {
                marks[i].turn = turn;
                return slot;
            }
        }
    }
    struct recall_mark *mark = oldest_of(marks + first, turn);
    if (mark->turn == turn) {
        return NULL;
    }
    *mark = (struct recall_mark){.hash = hash, .turn = turn, .salt = salt};
    struct recall_slot *slot = slot_at(table, shape, (size_t)(mark - marks));
    *slot = (struct recall_slot){.key_size = (uint32_t)key.size};
    memcpy(slot + 1, key.data, key.size);
    return slot;
}
