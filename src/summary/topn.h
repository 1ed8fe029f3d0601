// SPDX-License-Identifier: Apache-2.0
/* The heaviest items of a stream in bounded memory: a frequent-items sketch with reverse purge
 * (Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in Data Streams",
 * 2017). Flat memory, no pointers, no allocation; an add costs a few cache lines. When more than
 * capacity items come, light ones are purged and `error` bounds what any item may have lost. */
#pragma once

#include "base/span.h"

enum { TOPN_KEY_MAX = 40, TOPN_EXTRAS = 3 };

struct topn_item {
    uint64_t weight;
    uint64_t extra[TOPN_EXTRAS]; /* summed beside the weight; lost with the item when purged */
    uint8_t key[TOPN_KEY_MAX];   /* padded with zeros */
};

/* `struct topn` is followed in memory by its slots; declare one with TOPN_DECLARE. */
struct topn {
    uint32_t capacity; /* items that fit before a purge; a power of two times 3/4 */
    uint32_t slots;    /* power of two */
    uint32_t count;
    uint32_t key_size;
    uint64_t error;  /* upper bound of the weight an item may lack */
    uint64_t total;  /* all weight ever added */
    struct topn_item items[]; /* weight 0: free */
};

/* A member that holds a top-N of `slots` slots (a power of two). */
#define TOPN_DECLARE(name, slots_)                                                                 \
    union {                                                                                        \
        struct topn name;                                                                          \
        uint8_t name##_memory[sizeof(struct topn) + (slots_) * sizeof(struct topn_item)];          \
    }

/* Prepares zeroed memory for `slots` slots and keys of `key_size` bytes. */
void topn_init(struct topn *t, uint32_t slots, uint32_t key_size);
/* Empties it, keeps its shape. Cost is proportional to the items it held. */
void topn_reset(struct topn *t);
/* Adds weight (> 0) and extras (NULL: none) to the item with this key (key_size bytes). */
void topn_add(struct topn *t, const void *key, uint64_t weight, const uint64_t extra[TOPN_EXTRAS]);
/* Adds all of `from`, whose keys have the same size. */
void topn_merge(struct topn *into, const struct topn *from);
/* Fills `ret` with pointers to at most `max` items, heaviest first (ties by key); returns how many. */
uint32_t topn_top(const struct topn *t, const struct topn_item **ret, uint32_t max);
