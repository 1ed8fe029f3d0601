// SPDX-License-Identifier: Apache-2.0
/* The heaviest items of a stream in bounded memory: a frequent-items sketch with reverse purge
 * (Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in Data Streams",
 * 2017). Flat memory, no pointers, no allocation; an add costs a few cache lines. When more than
 * capacity items come, light ones are purged and `error` bounds what any item may have lost.
 *
 * Behind the first purge, light items have to wait: their weights are summed in cells, chosen by the
 * key's hash, and an item is taken in when its cell says that it might matter (Homem and Carvalho, "Finding
 * top-k elements in data streams", 2010). Floods of items that come once cost an addition each.
 *
 * Unlike the papers, a purge does not lower the weights of those that stay: each item says how much
 * it may lack, so that one that was there from the start is exact, and so are its extras. The
 * paper's counter of an item is weight - (topn.purged - item.error).
 *
 * Keys are chosen by strangers: they are hashed with a seed (base/hash.h). One thread at a time. */
#pragma once

#include "base/hash.h"
#include "base/span.h"

struct json;

/* Keys have up to TOPN_KEY_MAX bytes, names of strangers, in tables that are declared so, up to
 * TOPN_WIDE_MAX. */
enum { TOPN_KEY_MAX = 40, TOPN_WIDE_MAX = 256, TOPN_EXTRAS = 3, TOPN_SLOTS_MAX = 65536 };

struct topn_item {
    uint64_t weight; /* seen since it was taken in: a lower bound of the true weight */
    uint64_t error;  /* what it may lack: weight + error is an upper bound */
    union {
        uint64_t extra[TOPN_EXTRAS]; /* summed beside the weight; lost with the item when purged */
        uint64_t hash; /* of a wide key: such tables have no extras */
    };
    uint8_t key[]; /* padded with zeros: TOPN_KEY_MAX bytes, or as many as the table's keys have */
};

/* `struct topn` is followed in memory by room for `capacity` items, of which the first `count` are
 * in use, in no order, and by their index and the cells; declare one with TOPN_DECLARE. (No flexible array: such
 * a struct could not stand in the middle of a block.) */
struct topn {
    uint32_t capacity; /* items that fit before a purge; slots times 3/4 */
    uint32_t slots;    /* power of two; of the index twice as many, that misses end soon */
    uint32_t count;
    uint32_t key_size;
    uint32_t slack; /* the heaviest cell */
    uint32_t wait;  /* what a cell may hold before an item of it is taken in: the last purge's cut */
    uint64_t purged; /* what purges took off every counter */
    uint64_t error; /* purged + slack: the most that any item, here or not, may lack */
    uint64_t total; /* all weight ever added */
    uint64_t seed;  /* of the index's hash */
};

/* A member that holds a top-N of `slots` slots (a power of two, 4 to TOPN_SLOTS_MAX). */
#define TOPN_DECLARE(name, slots_)                                                                 \
    TOPN_DECLARE_WIDE(name, slots_, TOPN_KEY_MAX)

/* The same for keys of up to `key_size_` bytes, a multiple of 8 from TOPN_KEY_MAX to
 * TOPN_WIDE_MAX. */
#define TOPN_DECLARE_WIDE(name, slots_, key_size_)                                                 \
    union {                                                                                        \
        struct topn name;                                                                          \
        uint8_t name##_memory[sizeof(struct topn) +                                                \
                              (slots_) / 4 * 3 * (sizeof(struct topn_item) + (key_size_)) +        \
                              (slots_) * 3 * sizeof(uint32_t)];                                    \
    }

/* Bytes from item to item. */
static inline size_t topn_stride(const struct topn *t)
{
    size_t key = t->key_size > TOPN_KEY_MAX ? (t->key_size + 7u) & ~7u : TOPN_KEY_MAX;
    return sizeof(struct topn_item) + key;
}

/* The item of this number, for those who want all of them in no order; see topn_top(). */
static inline struct topn_item *topn_at(const struct topn *t, uint32_t i)
{
    return (struct topn_item *)((uintptr_t)(t + 1) + i * topn_stride(t));
}

/* Prepares empty memory (zeroed, or a top-N of the same shape behind topn_reset()) for `slots`
 * slots and keys of `key_size` bytes. */
void topn_init(struct topn *t, uint32_t slots, uint32_t key_size);
/* Empties it, keeps its shape. Costs nothing when it held nothing, else twelve bytes a slot. */
void topn_reset(struct topn *t);
/* Adds weight and extras (NULL: none, as in wide tables) to the item with this key (key_size bytes).
 * Weight 0 is no sign of life: it adds nothing at all. */
void topn_add(struct topn *t, const void *key, uint64_t weight, const uint64_t extra[TOPN_EXTRAS]);
/* Adds weight to the item whose key is this text, up to a zero byte, cut to key_size and padded. In
 * wide tables that costs what the text is long; all keys of such a table must be texts. */
void topn_add_text(struct topn *t, struct span text, uint64_t weight);
/* The same in a wide table for a text that has no zero byte and is not longer than its keys. What is
 * added to several tables is hashed once, for their seed is the process's. */
void topn_add_hashed(struct topn *t, struct span text, uint64_t hash, uint64_t weight);
static inline uint64_t topn_hash_of(struct span text, uint64_t seed)
{
    return hash64(text.data, text.size, seed);
}
/* Adds all of `from`, whose keys have the same size. */
void topn_merge(struct topn *into, const struct topn *from);
/* Fills `ret` with pointers to at most `max` items, heaviest first, ties by key; returns how
 * many. */
uint32_t topn_top(const struct topn *t, const struct topn_item **ret, uint32_t max);

/* Appends the bytes of a frequent-items sketch of Apache DataSketches whose items are the keys as
 * they are, key_size bytes each: for agents to merge, and to be read again. They hold the paper's
 * counters and the one offset: what the paper does not know, extras and exactness behind a purge,
 * stays here. An item's estimate there is the upper bound here. */
void topn_write(const struct topn *t, struct json *to);

/* The same bytes up to the items, or only the 8 that say it is empty; the keys, in the order of
 * topn_at() and in a form that suits the reader, are for the caller to append by
 * topn_write_item(). For databases that show them to people. */
void topn_write_weights(const struct topn *t, struct json *to);
void topn_write_item(struct span key, struct json *to);

/* Reads such bytes, of any size, into a top-N that topn_init() has prepared and that may hold
 * anything; items beyond its capacity purge others, as ever. False, and empty, when they are
 * something else or a key is longer than key_size; shorter ones are padded with zeros. */
bool topn_read(struct topn *t, struct span image);
