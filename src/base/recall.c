// SPDX-License-Identifier: Apache-2.0
#include "base/recall.h"

#include "base/hash.h"

struct recall_slot *recall_find(void *table, const struct recall_shape *shape, uint32_t turn,
                                uint32_t salt, struct span key)
{
    if (table == NULL || key.size == 0 || key.size > shape->key_room) {
        return NULL;
    }
    uint64_t hash = hash64(key.data, key.size, hash_seed() + salt);
    size_t step = sizeof(struct recall_slot) + shape->key_room + shape->value_room;
    struct recall_slot *slot =
        (void *)((uint8_t *)table + (hash & (shape->slots - 1)) * step);
    bool is_it = slot->hash == hash && slot->salt == salt && slot->key_size == key.size &&
                 memcmp(slot + 1, key.data, key.size) == 0;
    if (!is_it && slot->turn == turn) {
        return NULL;
    }
    if (!is_it) {
        *slot = (struct recall_slot){
            .hash = hash, .salt = salt, .key_size = (uint32_t)key.size};
        memcpy(slot + 1, key.data, key.size);
    }
    slot->turn = turn;
    return slot;
}
