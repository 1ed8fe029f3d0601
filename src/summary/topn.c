// SPDX-License-Identifier: Apache-2.0
#include "summary/topn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "summary/sketch.h"

/* An entry of the index: 0 when free, else 16 bits of the hash above the item's number plus one.
 * The bits spare the look at almost every item with another key. */
enum { TOPN_TAG_SHIFT = 16, TOPN_SAMPLE = 256 };
#define TOPN_NUMBER_MASK 0xffffu

static inline uint32_t *topn_index(const struct topn *t)
{
    return (uint32_t *)(void *)topn_at(t, t->capacity);
}

static inline uint32_t topn_index_size(const struct topn *t)
{
    return 2 * t->slots;
}

/* What light items of each cell weighed so far. */
static inline uint32_t *topn_cells(const struct topn *t)
{
    return topn_index(t) + topn_index_size(t);
}

static inline uint32_t *topn_cell(const struct topn *t, uint64_t hash)
{
    return &topn_cells(t)[(uint32_t)(hash >> 24) & (t->slots - 1)];
}

void topn_init(struct topn *t, uint32_t slots, uint32_t key_size)
{
    assert(slots >= 4 && slots <= TOPN_SLOTS_MAX && (slots & (slots - 1)) == 0);
    assert(key_size > 0 && key_size <= TOPN_WIDE_MAX && t->count == 0);
    t->slots = slots;
    t->capacity = slots / 4 * 3;
    t->key_size = key_size;
    t->seed = hash_seed();
}

void topn_reset(struct topn *t)
{
    if (t->count > 0) {
        memset(topn_index(t), 0, (topn_index_size(t) + t->slots) * sizeof(uint32_t)); /* and cells */
    }
    t->count = t->slack = t->wait = 0;
    t->purged = t->error = t->total = 0;
}

static inline bool topn_is_wide(const struct topn *t)
{
    return t->key_size > TOPN_KEY_MAX;
}

/* The hash of a key of which the first `size` bytes are given and the rest are zeros. Of wide keys,
 * zeros at the end are left out, so that names cost what they are long. */
static inline uint64_t topn_hash(const struct topn *t, const uint8_t *key, uint32_t size)
{
    if (topn_is_wide(t)) {
        while (size >= 8 && load_le64(key + size - 8) == 0) {
            size -= 8;
        }
        while (size > 0 && key[size - 1] == 0) {
            size--;
        }
    }
    return hash64(key, size, t->seed);
}

/* The hash of an item's key. */
static inline uint64_t topn_hash_item(const struct topn *t, const struct topn_item *item)
{
    return topn_is_wide(t) ? item->hash : hash64(item->key, t->key_size, t->seed);
}

/* Whether an item has this key, `size` bytes of it; when that is less than all, keys are texts, and
 * the one here ends where a zero is. */
static inline bool topn_is(const struct topn *t, const struct topn_item *item, const uint8_t *key,
                           uint32_t size)
{
    return memcmp(item->key, key, size) == 0 && (size == t->key_size || item->key[size] == 0);
}

/* The index entry of the item with this key, or the free one where it would go. */
static inline uint32_t *topn_find(const struct topn *t, const uint8_t *key, uint32_t size,
                                  uint64_t hash)
{
    uint32_t *index = topn_index(t);
    uint32_t mask = topn_index_size(t) - 1;
    uint32_t tag = (uint32_t)(hash >> 48);
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t entry = index[at];
        if (entry == 0 ||
            (entry >> TOPN_TAG_SHIFT == tag &&
             topn_is(t, topn_at(t, (entry & TOPN_NUMBER_MASK) - 1), key, size))) {
            return &index[at];
        }
    }
}

static inline uint32_t topn_entry(uint64_t hash, uint32_t number)
{
    return (uint32_t)(hash >> 48) << TOPN_TAG_SHIFT | (number + 1);
}

/* Enters an item into the index in which it is not yet. */
static inline void topn_enter(struct topn *t, uint64_t hash, uint32_t number)
{
    uint32_t *index = topn_index(t);
    uint32_t mask = topn_index_size(t) - 1, at = (uint32_t)hash & mask;
    while (index[at] != 0) {
        at = (at + 1) & mask;
    }
    index[at] = topn_entry(hash, number);
}

/* The paper's counter of an item: what it may have above all that purges took. Nothing is left of one that
 * came from a summary with heavier cells than it weighs. */
static inline uint64_t topn_counter(const struct topn *t, const struct topn_item *item)
{
    uint64_t most = item->weight + item->error;
    return most > t->purged ? most - t->purged : 0;
}

/* The value that would stand at `rank` if `values` were sorted: Hoare's FIND. It reorders them. */
static uint64_t topn_select(uint64_t *values, uint32_t size, uint32_t rank)
{
    int64_t low = 0;
    int64_t high = (int64_t)size - 1;
    while (low < high) {
        uint64_t pivot = values[(low + high) / 2];
        int64_t left = low;
        int64_t right = high;
        while (left <= right) {
            while (values[left] < pivot) {
                left++;
            }
            while (values[right] > pivot) {
                right--;
            }
            if (left <= right) {
                uint64_t value = values[left];
                values[left++] = values[right];
                values[right--] = value;
            }
        }
        low = rank > right ? left : low;
        high = rank < left ? right : high;
    }
    return values[rank];
}

/* The median counter of a sample. Items stand in the order of their coming, so the sample is
 * spread over all of them. */
static uint64_t topn_median(const struct topn *t)
{
    uint64_t sample[TOPN_SAMPLE];
    uint32_t size = t->count < TOPN_SAMPLE ? t->count : TOPN_SAMPLE;
    for (uint32_t i = 0; i < size; i++) {
        sample[i] = topn_counter(t, topn_at(t, (uint32_t)((uint64_t)i * t->count / size)));
    }
    return topn_select(sample, size, size / 2);
}

/* What all counters lose, cells need not hold any more. */
static void topn_purge_cells(struct topn *t, uint64_t cut)
{
    uint32_t *cells = topn_cells(t);
    uint32_t less = cut < UINT32_MAX ? (uint32_t)cut : UINT32_MAX;
    uint32_t slack = 0;
    for (uint32_t i = 0; i < t->slots; i++) {
        cells[i] -= cells[i] < less ? cells[i] : less;
        slack = cells[i] > slack ? cells[i] : slack;
    }
    t->slack = slack;
    t->wait = less;
    t->purged += cut;
    t->error = t->purged + slack;
}

/* Takes the median off every counter and drops those with nothing left: at least half of the
 * sample, so the cost, shared by the adds that filled the place again, is a constant each. */
static void topn_purge(struct topn *t)
{
    uint64_t cut = topn_median(t);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (topn_counter(t, topn_at(t, i)) > cut) {
            memmove(topn_at(t, kept++), topn_at(t, i), topn_stride(t));
        }
    }
    t->count = kept;
    topn_purge_cells(t, cut);
    memset(topn_index(t), 0, topn_index_size(t) * sizeof(uint32_t));
    for (uint32_t i = 0; i < kept; i++) {
        topn_enter(t, topn_hash_item(t, topn_at(t, i)), i);
    }
}

/* Takes an item in that is not there; `entry` is where topn_find() would have it. */
static struct topn_item *topn_admit(struct topn *t, struct span key, uint64_t hash,
                                    uint32_t *entry)
{
    if (t->count == t->capacity) {
        topn_purge(t);
        topn_enter(t, hash, t->count);
    } else {
        *entry = topn_entry(hash, t->count);
    }
    struct topn_item *item = topn_at(t, t->count++);
    memset(item, 0, topn_stride(t));
    item->error = t->purged + *topn_cell(t, hash);
    memcpy(item->key, key.data, key.size);
    if (topn_is_wide(t)) {
        item->hash = hash;
    }
    return item;
}

/* The item with this key, made if need be. */
static inline struct topn_item *topn_item(struct topn *t, struct span key, uint64_t hash)
{
    uint32_t *entry = topn_find(t, key.data, (uint32_t)key.size, hash);
    return *entry != 0 ? topn_at(t, (*entry & TOPN_NUMBER_MASK) - 1)
                       : topn_admit(t, key, hash, entry);
}

/* Whether an item that is not there has to wait on: then its weight is in its cell. */
static inline bool topn_waits(struct topn *t, uint64_t hash, uint64_t weight)
{
    uint32_t *cell = topn_cell(t, hash);
    if (weight > t->wait || weight + *cell > t->wait) {
        return false;
    }
    *cell += (uint32_t)weight;
    if (*cell > t->slack) {
        t->slack = *cell;
        t->error = t->purged + t->slack;
    }
    return true;
}

static inline void topn_put(struct topn *t, struct span key, uint64_t hash, uint64_t weight,
                            const uint64_t extra[TOPN_EXTRAS])
{
    if (weight == 0) {
        return; /* a counter of 0 would outlive a purge that takes 0 */
    }
    t->total += weight;
    uint32_t *entry = topn_find(t, key.data, (uint32_t)key.size, hash);
    if (*entry == 0 && t->wait > 0 && topn_waits(t, hash, weight)) {
        return;
    }
    struct topn_item *item = *entry != 0 ? topn_at(t, (*entry & TOPN_NUMBER_MASK) - 1)
                                         : topn_admit(t, key, hash, entry);
    item->weight += weight;
    for (unsigned i = 0; extra != NULL && i < TOPN_EXTRAS; i++) {
        item->extra[i] += extra[i];
    }
}

void topn_add(struct topn *t, const void *key, uint64_t weight, const uint64_t extra[TOPN_EXTRAS])
{
    assert(extra == NULL || !topn_is_wide(t));
    topn_put(t, span_of(key, t->key_size), topn_hash(t, key, t->key_size), weight, extra);
}

void topn_add_hashed(struct topn *t, struct span text, uint64_t hash, uint64_t weight)
{
    topn_put(t, text, hash, weight, NULL);
}

void topn_add_text(struct topn *t, struct span text, uint64_t weight)
{
    uint8_t key[TOPN_KEY_MAX] = {0};
    size_t size = text.size < t->key_size ? text.size : t->key_size;
    size = size > 0 ? strnlen((const char *)text.data, size) : 0;
    if (topn_is_wide(t)) {
        topn_add_hashed(t, span_of(text.data, size), hash64(text.data, size, t->seed), weight);
    } else {
        memcpy(key, text.data, size);
        topn_add(t, key, weight, NULL);
    }
}

/* Each item, here or not, may lack so much more. */
static void topn_add_error(struct topn *t, uint64_t error)
{
    for (uint32_t i = 0; i < t->count; i++) {
        topn_at(t, i)->error += error;
    }
    t->purged += error;
    t->error += error;
}

void topn_merge(struct topn *into, const struct topn *from)
{
    assert(from->count == 0 || into->key_size == from->key_size);
    topn_add_error(into, from->error); /* whatever is not in `from` may have been purged there */
    into->total += from->total;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct topn_item *other = topn_at(from, i);
        uint64_t hash = into->seed == from->seed ? topn_hash_item(from, other)
                                                 : topn_hash(into, other->key, into->key_size);
        struct topn_item *item = topn_item(into, span_of(other->key, into->key_size), hash);
        item->weight += other->weight;
        item->error -= from->error - other->error; /* but this one is: the counters add up */
        for (unsigned k = 0; k < TOPN_EXTRAS && !topn_is_wide(into); k++) {
            item->extra[k] += other->extra[k];
        }
    }
}

/* Whether `a` stands before `b` in the list: -1 or 1; no two items are equal. */
static int topn_order(const struct topn_item *a, const struct topn_item *b, uint32_t key_size)
{
    if (a->weight != b->weight) {
        return a->weight > b->weight ? -1 : 1;
    }
    return memcmp(a->key, b->key, key_size);
}

static int topn_compare(const void *a, const void *b, void *key_size)
{
    return topn_order(*(const struct topn_item *const *)a, *(const struct topn_item *const *)b,
                      *(const uint32_t *)key_size);
}

/* Restores the heap (last in the list at the root) below the position `at`. */
static void topn_sift(const struct topn_item **heap, uint32_t size, uint32_t at, uint32_t key_size)
{
    for (;;) {
        uint32_t last = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < size; child++) {
            if (topn_order(heap[child], heap[last], key_size) > 0) {
                last = child;
            }
        }
        if (last == at) {
            return;
        }
        const struct topn_item *item = heap[at];
        heap[at] = heap[last];
        heap[last] = item;
        at = last;
    }
}

uint32_t topn_top(const struct topn *t, const struct topn_item **ret, uint32_t max)
{
    uint32_t size = max < t->count ? max : t->count;
    if (size == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < size; i++) {
        ret[i] = topn_at(t, i);
    }
    for (uint32_t i = size / 2; i-- > 0;) {
        topn_sift(ret, size, i, t->key_size);
    }
    for (uint32_t i = size; i < t->count; i++) {
        if (topn_order(topn_at(t, i), ret[0], t->key_size) < 0) {
            ret[0] = topn_at(t, i);
            topn_sift(ret, size, 0, t->key_size);
        }
    }
    uint32_t key_size = t->key_size;
    qsort_r(ret, size, sizeof *ret, topn_compare, &key_size);
    return size;
}

/* ---- The bytes of DataSketches' frequent items ----------------------------------------------- */

enum {
    FREQUENT_VERSION = 1,
    FREQUENT_PREAMBLE_EMPTY = 1, /* in words of eight bytes */
    FREQUENT_PREAMBLE = 4,
    FREQUENT_PREAMBLE_MASK = 63,
    FREQUENT_EMPTY = 1 | 4, /* two flags for one thing: implementations differ in which they ask */
    FREQUENT_LG_MIN = 3,
};

/* The least table, as a power of two, of which `count` items fill no more than 3/4. */
static uint8_t topn_lg(uint32_t count)
{
    uint8_t lg = FREQUENT_LG_MIN;
    while (4ull * count > 3ull << lg) {
        lg++;
    }
    return lg;
}

void topn_write_weights(const struct topn *t, struct json *to)
{
    bool empty = t->count == 0;
    const uint8_t head[SKETCH_HEAD] = {empty ? FREQUENT_PREAMBLE_EMPTY : FREQUENT_PREAMBLE,
                                       FREQUENT_VERSION,
                                       SKETCH_FREQUENT,
                                       topn_lg(t->capacity),
                                       topn_lg(t->count),
                                       empty ? FREQUENT_EMPTY : 0};
    json_append(to, head, sizeof head);
    if (empty) {
        return;
    }
    sketch_put_u32(to, t->count);
    sketch_put_u32(to, 0);
    sketch_put_u64(to, t->total);
    /* More than all it cannot be; purges beside what a stranger's bytes claim may say so. */
    sketch_put_u64(to, t->error < t->total ? t->error : t->total);
    /* Counters above the one offset of all. Whoever is here weighs something: a counter of 1 at least. */
    for (uint32_t i = 0; i < t->count; i++) {
        const struct topn_item *item = topn_at(t, i);
        uint64_t most = item->weight + item->error;
        sketch_put_u64(to, most > t->error ? most - t->error : 1);
    }
}

void topn_write_item(struct span key, struct json *to)
{
    sketch_put_u32(to, (uint32_t)key.size);
    json_append(to, key.data, key.size);
}

void topn_write(const struct topn *t, struct json *to)
{
    topn_write_weights(t, to);
    for (uint32_t i = 0; i < t->count; i++) {
        topn_write_item(span_of(topn_at(t, i)->key, t->key_size), to);
    }
}

/* Items by their weights and, behind all of these, their keys; false when there is something wrong
 * or the weights exceed `total`. */
static bool topn_read_items(struct topn *t, struct cursor weights, uint64_t count, uint64_t total)
{
    struct cursor keys = weights;
    cursor_skip(&keys, count * sizeof(uint64_t)); /* a count of 32 bits */
    for (uint64_t i = 0; i < count && !keys.bad; i++) {
        uint64_t weight = sketch_take_u64(&weights);
        struct span item = cursor_take(&keys, sketch_take_u32(&keys));
        if (keys.bad || item.size > t->key_size || weight == 0 || weight > total - t->total) {
            return false;
        }
        uint8_t key[TOPN_WIDE_MAX] = {0};
        memcpy(key, item.data, item.size);
        topn_add(t, key, weight, NULL);
    }
    return !keys.bad && cursor_left(&keys) == 0;
}

static bool topn_read_body(struct topn *t, struct span image)
{
    struct cursor at = cursor_of(image);
    const uint8_t *head = cursor_take(&at, SKETCH_HEAD).data;
    if (at.bad || head[1] != FREQUENT_VERSION || head[2] != SKETCH_FREQUENT) {
        return false;
    }
    uint8_t preamble = head[0] & FREQUENT_PREAMBLE_MASK;
    if ((head[5] & FREQUENT_EMPTY) != 0) {
        return preamble == FREQUENT_PREAMBLE_EMPTY && cursor_left(&at) == 0;
    }
    uint32_t count = sketch_take_u32(&at);
    cursor_skip(&at, sizeof(uint32_t));
    uint64_t total = sketch_take_u64(&at);
    uint64_t error = sketch_take_u64(&at);
    /* What was taken off came from the total. Half of all numbers leave room for sums of both. */
    if (preamble != FREQUENT_PREAMBLE || total > INT64_MAX || error > total ||
        !topn_read_items(t, at, count, total)) {
        return false;
    }
    topn_add_error(t, error);
    t->total = total;
    return true;
}

bool topn_read(struct topn *t, struct span image)
{
    topn_reset(t);
    bool read = topn_read_body(t, image);
    if (!read) {
        topn_reset(t);
    }
    return read;
}
