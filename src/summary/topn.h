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
 * Items stand one behind the other, each as long as its key, behind an index that is as large as it
 * has to be: memory is touched as items come, and a table with little in it takes a page.
 *
 * Keys are chosen by strangers: they are hashed with a seed (base/hash.h). One thread at a time. */
#pragma once

#include "base/hash.h"
#include "base/span.h"

struct json;

/* Keys have up to TOPN_KEY_MAX bytes, names of strangers, in tables that are declared so, up to
 * TOPN_WIDE_MAX. Where they may be longer than TOPN_WIDE_WHOLE, there is room for as many as the table
 * has items while they have TOPN_WIDE_MEAN bytes in the mean; when they have more, fewer fit. */
enum {
    TOPN_KEY_MAX = 40,
    TOPN_WIDE_MAX = 256,
    TOPN_WIDE_WHOLE = 160,
    TOPN_WIDE_MEAN = 40,
    TOPN_EXTRAS = 3,
    TOPN_SLOTS_MAX = 65536,
    TOPN_WIDE_SLOTS_MAX = 2048,
};

/* The key stands behind, as do, in tables that have them, the extras: see topn_key() and
 * topn_extras(). */
struct topn_item {
    uint64_t weight; /* seen since it was taken in: a lower bound of the true weight */
    uint64_t error;  /* what it may lack: weight + error is an upper bound */
};

/* Behind it in an item of a wide table. */
struct topn_wide {
    uint32_t hash; /* the high half of the key's */
    uint32_t size; /* of the key, without zeros at its end */
};

/* `struct topn` is followed in memory by its index, the items, `count` of `capacity` or as many as fit
 * into `room`, in the order of their coming, and the cells; declare one with TOPN_DECLARE. (No
 * flexible array: such a struct could not stand in the middle of a block.) */
struct topn {
    uint32_t capacity; /* items that fit before a purge; slots times 3/4 */
    uint32_t slots;    /* power of two; of the index twice as many at most, that misses end soon */
    uint32_t count;
    uint32_t key_size;
    uint32_t index_size; /* power of two, grows as items come; 0: nothing came yet */
    uint32_t has_extras;
    uint32_t key_at; /* where in an item its key begins */
    uint32_t unit;   /* bytes in which the index counts: an item, or a word where they differ */
    uint32_t room; /* bytes of items */
    uint32_t used; /* of these */
    uint32_t slack; /* the heaviest cell */
    uint32_t wait;  /* what a cell may hold before an item of it is taken in: the last purge's cut */
    uint64_t purged; /* what purges took off every counter */
    uint64_t error; /* purged + slack: the most that any item, here or not, may lack */
    uint64_t total; /* all weight ever added */
    uint64_t seed;  /* of the index's hash */
};

/* Bytes of an item of a table with keys of fixed size, and those there are of an item in a wide one. */
#define TOPN_NARROW_BYTES                                                                          \
    (sizeof(struct topn_item) + TOPN_EXTRAS * sizeof(uint64_t) + TOPN_KEY_MAX)
#define TOPN_WIDE_BYTES(key_size_)                                                                 \
    (sizeof(struct topn_item) + sizeof(struct topn_wide) +                                         \
     ((key_size_) > 0u + TOPN_WIDE_WHOLE ? 0u + TOPN_WIDE_MEAN : ((key_size_) + 7u) / 8 * 8))
/* Bytes for the items of a wide table: four of the longest fit into the smallest. */
#define TOPN_WIDE_LEAST (4 * (TOPN_WIDE_BYTES(0u) + TOPN_WIDE_MAX))
#define TOPN_WIDE_ROOM(slots_, key_size_)                                                          \
    ((slots_) / 4 * 3 * TOPN_WIDE_BYTES(key_size_) > TOPN_WIDE_LEAST                               \
         ? (slots_) / 4 * 3 * TOPN_WIDE_BYTES(key_size_)                                           \
         : TOPN_WIDE_LEAST)

/* A member that holds a top-N of `slots` slots (a power of two, 4 to TOPN_SLOTS_MAX). */
#define TOPN_DECLARE(name, slots_) TOPN_DECLARE_ROOM(name, slots_, (slots_) / 4 * 3 * TOPN_NARROW_BYTES)

/* The same for keys of up to `key_size_` bytes, from TOPN_KEY_MAX to TOPN_WIDE_MAX, of which most are
 * shorter; up to TOPN_WIDE_SLOTS_MAX slots. */
#define TOPN_DECLARE_WIDE(name, slots_, key_size_)                                                 \
    TOPN_DECLARE_ROOM(name, slots_,                                                                \
                      (key_size_) > 0u + TOPN_KEY_MAX ? TOPN_WIDE_ROOM(slots_, key_size_)          \
                                                 : (slots_) / 4 * 3 * TOPN_NARROW_BYTES)

#define TOPN_DECLARE_ROOM(name, slots_, room_)                                                     \
    union {                                                                                        \
        struct topn name;                                                                          \
        uint8_t name##_memory[sizeof(struct topn) + (slots_) * 3 * sizeof(uint32_t) + (room_)];    \
    }

/* Whether keys are as long as they are, not of one size. */
static inline bool topn_is_wide(const struct topn *t)
{
    return t->key_size > TOPN_KEY_MAX;
}

/* Bytes from this item to the next. */
static inline size_t topn_stride(const struct topn *t, const struct topn_item *item)
{
    if (!topn_is_wide(t)) {
        return t->unit;
    }
    return t->key_at + ((((const struct topn_wide *)(item + 1))->size + 7u) & ~7u);
}

/* All items, in the order of their coming: the first, and that behind `item`; NULL when there is none.
 * See topn_top(). */
static inline uint8_t *topn_items(const struct topn *t)
{
    return (uint8_t *)(uintptr_t)(t + 1) + t->index_size * sizeof(uint32_t);
}

static inline struct topn_item *topn_first(const struct topn *t)
{
    return t->count > 0 ? (struct topn_item *)(void *)topn_items(t) : NULL;
}

static inline struct topn_item *topn_after(const struct topn *t, const struct topn_item *item)
{
    uint8_t *next = (uint8_t *)(uintptr_t)item + topn_stride(t, item);
    return next < topn_items(t) + t->used ? (struct topn_item *)(void *)next : NULL;
}

/* The key: of a table with keys of one size all of it, of a wide one without zeros at its end. */
static inline struct span topn_key(const struct topn *t, const struct topn_item *item)
{
    const uint8_t *key = (const uint8_t *)item + t->key_at;
    return span_of(key, topn_is_wide(t) ? ((const struct topn_wide *)(item + 1))->size : t->key_size);
}

/* What was summed beside the weight, TOPN_EXTRAS numbers, lost with the item when purged; NULL in a
 * table that has none. */
static inline uint64_t *topn_extras(const struct topn *t, const struct topn_item *item)
{
    return t->has_extras ? (uint64_t *)(uintptr_t)(item + 1) : NULL;
}

/* Prepares empty memory (zeroed, or a top-N of the same shape behind topn_reset()) for `slots`
 * slots and keys of `key_size` bytes. */
void topn_init(struct topn *t, uint32_t slots, uint32_t key_size);
/* The same for items with extras; keys of up to TOPN_KEY_MAX bytes. */
void topn_init_extras(struct topn *t, uint32_t slots, uint32_t key_size);
/* Empties it, keeps its shape. Costs four to sixteen bytes an item, and the cells if it
 * was ever purged. */
void topn_reset(struct topn *t);
/* Adds weight and extras (NULL: none, as in tables without) to the item with this key (key_size bytes).
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
/* Adds all of `from`, of the same shape. */
void topn_merge(struct topn *into, const struct topn *from);
/* The same of one whose items come one by one: first all together, of which each may lack `error`,
 * then each with what it may lack itself. A key may lack zeros at its end; extras as in topn_add(). */
void topn_merge_head(struct topn *into, uint64_t total, uint64_t error);
void topn_merge_item(struct topn *into, struct span key, const struct topn_item *item,
                     uint64_t lacks_less, const uint64_t extra[TOPN_EXTRAS]);
/* Fills `ret` with pointers to at most `max` items, heaviest first, ties by key; returns how
 * many. */
uint32_t topn_top(const struct topn *t, const struct topn_item **ret, uint32_t max);

/* Appends the bytes of a frequent-items sketch of Apache DataSketches whose items are the keys as
 * topn_key() says: for agents to merge, and to be read again. They hold the paper's
 * counters and the one offset: what the paper does not know, extras and exactness behind a purge,
 * stays here. An item's estimate there is the upper bound here. */
void topn_write(const struct topn *t, struct json *to);

/* The same bytes up to the items, or only the 8 that say it is empty; the keys, in the order of
 * topn_first() and topn_after() and in a form that suits the reader, are for the caller to append by
 * topn_write_item(). For databases that show them to people. */
void topn_write_weights(const struct topn *t, struct json *to);
void topn_write_item(struct span key, struct json *to);

/* Reads such bytes, of any size, into a top-N that topn_init() has prepared and that may hold
 * anything; items beyond its capacity purge others, as ever. False, and empty, when they are
 * something else or a key is longer than key_size; shorter ones are padded with zeros. */
bool topn_read(struct topn *t, struct span image);
