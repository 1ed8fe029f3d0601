// SPDX-License-Identifier: Apache-2.0
#include "summary/topn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "summary/sketch.h"

/* An entry of the index: 0 when free, else 16 bits of the hash above the item's place plus one. The
 * bits spare the look at almost every item with another key. Places are counted in items where these
 * are of one size, else in words of eight bytes. Of a hash only the high half counts. */
enum { TOPN_TAG_SHIFT = 16, TOPN_CELL_SHIFT = 8, TOPN_SAMPLE = 256, TOPN_INDEX_MIN = 32, TOPN_WORD = 8 };
#define TOPN_PLACE_MASK 0xffffu

_Static_assert(TOPN_WIDE_ROOM((size_t)TOPN_WIDE_SLOTS_MAX, TOPN_WIDE_WHOLE) / TOPN_WORD <= TOPN_PLACE_MASK, "places fit");
_Static_assert(TOPN_SLOTS_MAX / 4 * 3 <= TOPN_PLACE_MASK, "places fit");
_Static_assert(sizeof(struct topn) % TOPN_WORD == 0, "items are aligned");

static inline uint32_t *topn_index(const struct topn *t)
{
    return (uint32_t *)(uintptr_t)(t + 1);
}

/* What light items of each cell weighed so far; behind the place of the largest index and all items. */
static inline uint32_t *topn_cells(const struct topn *t)
{
    return (uint32_t *)(void *)((uint8_t *)(topn_index(t) + 2 * t->slots) + t->room);
}

static inline uint32_t *topn_cell(const struct topn *t, uint32_t hash)
{
    return &topn_cells(t)[hash >> TOPN_CELL_SHIFT & (t->slots - 1)];
}

static inline uint32_t topn_index_min(const struct topn *t)
{
    return 2 * t->slots < TOPN_INDEX_MIN ? 2 * t->slots : TOPN_INDEX_MIN;
}

/* Bytes of an item with a key of this size; in wide tables, of this many bytes. */
static inline uint32_t topn_item_bytes(const struct topn *t, uint32_t size)
{
    return t->key_at + (size + TOPN_WORD - 1) / TOPN_WORD * TOPN_WORD;
}

static void topn_shape(struct topn *t, uint32_t slots, uint32_t key_size)
{
    assert(slots >= 4 && slots <= TOPN_SLOTS_MAX && (slots & (slots - 1)) == 0);
    assert(key_size > 0 && key_size <= TOPN_WIDE_MAX && t->count == 0);
    assert(key_size <= TOPN_KEY_MAX || slots <= TOPN_WIDE_SLOTS_MAX);
    t->slots = slots;
    t->capacity = slots / 4 * 3;
    t->key_size = key_size;
    t->seed = hash_seed();
    if (t->index_size == 0 || t->index_size > 2 * slots) {
        t->index_size = topn_index_min(t);
    }
    t->key_at = (uint32_t)sizeof(struct topn_item);
    t->key_at += topn_is_wide(t) ? (uint32_t)sizeof(struct topn_wide)
                                 : t->has_extras * TOPN_EXTRAS * (uint32_t)sizeof(uint64_t);
    t->unit = topn_is_wide(t) ? TOPN_WORD : topn_item_bytes(t, key_size);
    t->room = topn_is_wide(t) ? (uint32_t)TOPN_WIDE_ROOM(slots, key_size) : t->capacity * t->unit;
}

void topn_init(struct topn *t, uint32_t slots, uint32_t key_size)
{
    t->has_extras = false;
    topn_shape(t, slots, key_size);
}

void topn_init_extras(struct topn *t, uint32_t slots, uint32_t key_size)
{
    assert(key_size <= TOPN_KEY_MAX);
    t->has_extras = true;
    topn_shape(t, slots, key_size);
}

void topn_reset(struct topn *t)
{
    if (t->wait > 0) {
        memset(topn_cells(t), 0, t->slots * sizeof(uint32_t));
    }
    if (t->count > 0 || t->purged > 0) {
        /* As much comes again, mostly: then it need not grow again. */
        while (t->index_size > topn_index_min(t) && 4 * t->count <= t->index_size) {
            t->index_size /= 2;
        }
        memset(topn_index(t), 0, t->index_size * sizeof(uint32_t));
    }
    t->count = t->used = t->slack = t->wait = 0;
    t->purged = t->error = t->total = 0;
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* A key as it is looked for: in wide tables without zeros at its end. */
static inline struct span topn_trim(const struct topn *t, struct span key)
{
    if (topn_is_wide(t)) {
        while (key.size >= TOPN_WORD && load_le64(key.data + key.size - TOPN_WORD) == 0) {
            key.size -= TOPN_WORD;
        }
        while (key.size > 0 && key.data[key.size - 1] == 0) {
            key.size--;
        }
    }
    return key;
}

static inline uint32_t topn_half(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static inline uint32_t topn_hash(const struct topn *t, struct span key)
{
    return topn_half(hash64(key.data, key.size, t->seed));
}

/* The hash of an item's key. */
static inline uint32_t topn_hash_item(const struct topn *t, const struct topn_item *item)
{
    return topn_is_wide(t) ? ((const struct topn_wide *)(item + 1))->hash
                           : topn_hash(t, topn_key(t, item));
}

static inline struct topn_item *topn_at(const struct topn *t, uint32_t place)
{
    return (struct topn_item *)(void *)(topn_items(t) + (size_t)place * t->unit);
}

static inline struct topn_item *topn_entered(const struct topn *t, uint32_t entry)
{
    return topn_at(t, (entry & TOPN_PLACE_MASK) - 1);
}

static inline bool topn_is(const struct topn *t, const struct topn_item *item, struct span key)
{
    bool is_long = !topn_is_wide(t) || ((const struct topn_wide *)(item + 1))->size == key.size;
    return is_long && memcmp((const uint8_t *)item + t->key_at, key.data, key.size) == 0;
}

/* The index entry of the item with this key, or the free one where it would go. */
static inline uint32_t *topn_find(const struct topn *t, struct span key, uint32_t hash)
{
    uint32_t *index = topn_index(t);
    uint32_t mask = t->index_size - 1;
    uint32_t tag = hash >> TOPN_TAG_SHIFT;
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t entry = index[at];
        if (entry == 0 || (entry >> TOPN_TAG_SHIFT == tag && topn_is(t, topn_entered(t, entry), key))) {
            return &index[at];
        }
    }
}

/* Enters an item, which stands `offset` bytes behind the first, into the index in which it is not yet. */
static inline void topn_enter(struct topn *t, uint32_t hash, uint32_t offset)
{
    uint32_t *index = topn_index(t);
    uint32_t mask = t->index_size - 1, at = hash & mask;
    while (index[at] != 0) {
        at = (at + 1) & mask;
    }
    index[at] = hash >> TOPN_TAG_SHIFT << TOPN_TAG_SHIFT | (offset / t->unit + 1);
}

static void topn_enter_all(struct topn *t)
{
    memset(topn_index(t), 0, t->index_size * sizeof(uint32_t));
    for (struct topn_item *item = topn_first(t); item != NULL; item = topn_after(t, item)) {
        topn_enter(t, topn_hash_item(t, item), (uint32_t)((uint8_t *)item - topn_items(t)));
    }
}

/* Doubles the index; items move behind it. */
static void topn_grow(struct topn *t)
{
    uint8_t *items = topn_items(t);
    t->index_size *= 2;
    memmove(topn_items(t), items, t->used);
    topn_enter_all(t);
}

/* ---- Purging --------------------------------------------------------------------------------- */

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
    uint32_t taken = 0, number = 0;
    for (const struct topn_item *i = topn_first(t); i != NULL; i = topn_after(t, i), number++) {
        if (taken < size && number == (uint64_t)taken * t->count / size) {
            sample[taken++] = topn_counter(t, i);
        }
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
    uint8_t *end = topn_items(t) + t->used, *next;
    t->count = t->used = 0;
    for (uint8_t *at = topn_items(t); at < end; at = next) {
        struct topn_item *item = (struct topn_item *)(void *)at;
        size_t size = topn_stride(t, item);
        next = at + size;
        if (topn_counter(t, item) > cut) {
            memmove(topn_items(t) + t->used, at, size);
            t->used += (uint32_t)size;
            t->count++;
        }
    }
    topn_purge_cells(t, cut);
    topn_enter_all(t);
}

/* Takes an item in that is not there; `entry` is where topn_find() would have it. Where keys are long,
 * half of the items may be too many still. */
static struct topn_item *topn_admit(struct topn *t, struct span key, uint32_t hash, uint32_t *entry)
{
    uint32_t size = topn_is_wide(t) ? topn_item_bytes(t, (uint32_t)key.size) : t->unit;
    uint32_t tag = hash >> TOPN_TAG_SHIFT << TOPN_TAG_SHIFT;
    bool is_anew = t->count == t->capacity || t->used + size > t->room;
    while (t->count == t->capacity || t->used + size > t->room) {
        topn_purge(t);
    }
    if (2 * t->count >= t->index_size && t->index_size < 2 * t->slots) {
        topn_grow(t);
        is_anew = true;
    }
    struct topn_item *item = (struct topn_item *)(void *)(topn_items(t) + t->used);
    if (is_anew) {
        topn_enter(t, hash, t->used);
    } else {
        *entry = tag | (t->used / t->unit + 1);
    }
    memset(item, 0, size);
    item->error = t->purged + *topn_cell(t, hash);
    if (topn_is_wide(t)) {
        *(struct topn_wide *)(item + 1) = (struct topn_wide){hash, (uint32_t)key.size};
    }
    memcpy((uint8_t *)item + t->key_at, key.data, key.size);
    t->used += size;
    t->count++;
    return item;
}

/* The item with this key, made if need be. */
static inline struct topn_item *topn_item(struct topn *t, struct span key, uint32_t hash)
{
    uint32_t *entry = topn_find(t, key, hash);
    return *entry != 0 ? topn_entered(t, *entry) : topn_admit(t, key, hash, entry);
}

/* ---- Adding ---------------------------------------------------------------------------------- */

/* Whether an item that is not there has to wait on: then its weight is in its cell. */
static inline bool topn_waits(struct topn *t, uint32_t hash, uint64_t weight)
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

static void topn_add_extras(const struct topn *t, struct topn_item *item,
                            const uint64_t extra[TOPN_EXTRAS])
{
    uint64_t *sums = topn_extras(t, item);
    for (unsigned i = 0; extra != NULL && i < TOPN_EXTRAS; i++) {
        sums[i] += extra[i];
    }
}

static inline void topn_put(struct topn *t, struct span key, uint32_t hash, uint64_t weight,
                            const uint64_t extra[TOPN_EXTRAS])
{
    if (weight == 0) {
        return; /* a counter of 0 would outlive a purge that takes 0 */
    }
    t->total += weight;
    uint32_t *entry = topn_find(t, key, hash);
    if (*entry == 0 && t->wait > 0 && topn_waits(t, hash, weight)) {
        return;
    }
    struct topn_item *item = *entry != 0 ? topn_entered(t, *entry)
                                         : topn_admit(t, key, hash, entry);
    item->weight += weight;
    topn_add_extras(t, item, extra);
}

void topn_add(struct topn *t, const void *key, uint64_t weight, const uint64_t extra[TOPN_EXTRAS])
{
    assert(extra == NULL || t->has_extras);
    struct span whole = topn_trim(t, span_of(key, t->key_size));
    topn_put(t, whole, topn_hash(t, whole), weight, extra);
}

void topn_add_hashed(struct topn *t, struct span text, uint64_t hash, uint64_t weight)
{
    topn_put(t, text, topn_half(hash), weight, NULL);
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
    for (struct topn_item *i = topn_first(t); i != NULL && error > 0; i = topn_after(t, i)) {
        i->error += error;
    }
    t->purged += error;
    t->error += error;
}

void topn_merge_head(struct topn *into, uint64_t total, uint64_t error)
{
    topn_add_error(into, error); /* whatever does not come may have been purged there */
    into->total += total;
}

void topn_merge_item(struct topn *into, struct span key, const struct topn_item *item,
                     uint64_t lacks_less, const uint64_t extra[TOPN_EXTRAS])
{
    uint8_t whole[TOPN_KEY_MAX] = {0};
    if (!topn_is_wide(into) && key.size < into->key_size) {
        memcpy(whole, key.data, key.size);
        key = span_of(whole, into->key_size);
    }
    key = topn_trim(into, key);
    struct topn_item *own = topn_item(into, key, topn_hash(into, key));
    own->weight += item->weight;
    own->error -= lacks_less; /* the counters add up */
    topn_add_extras(into, own, extra);
}

void topn_merge(struct topn *into, const struct topn *from)
{
    assert(from->count == 0 || (into->key_size == from->key_size && into->has_extras == from->has_extras));
    topn_merge_head(into, from->total, from->error);
    for (const struct topn_item *i = topn_first(from); i != NULL; i = topn_after(from, i)) {
        struct span key = topn_key(from, i);
        uint32_t hash = into->seed == from->seed ? topn_hash_item(from, i) : topn_hash(into, key);
        struct topn_item *item = topn_item(into, key, hash);
        item->weight += i->weight;
        item->error -= from->error - i->error; /* but this one is: the counters add up */
        topn_add_extras(into, item, topn_extras(from, i));
    }
}

/* Whether `a` stands before `b` in the list: -1 or 1; no two items are equal. */
static int topn_order(const struct topn *t, const struct topn_item *a, const struct topn_item *b)
{
    if (a->weight != b->weight) {
        return a->weight > b->weight ? -1 : 1;
    }
    struct span x = topn_key(t, a), y = topn_key(t, b);
    int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
    return order != 0 ? order : (x.size > y.size) - (x.size < y.size);
}

static int topn_compare(const void *a, const void *b, void *t)
{
    return topn_order(t, *(const struct topn_item *const *)a, *(const struct topn_item *const *)b);
}

/* Restores the heap (last in the list at the root) below the position `at`. */
static void topn_sift(const struct topn *t, const struct topn_item **heap, uint32_t size, uint32_t at)
{
    for (;;) {
        uint32_t last = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < size; child++) {
            if (topn_order(t, heap[child], heap[last]) > 0) {
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
    const struct topn_item *item = topn_first(t);
    for (uint32_t i = 0; i < size; i++, item = topn_after(t, item)) {
        ret[i] = item;
    }
    for (uint32_t i = size / 2; i-- > 0;) {
        topn_sift(t, ret, size, i);
    }
    for (; item != NULL; item = topn_after(t, item)) {
        if (topn_order(t, item, ret[0]) < 0) {
            ret[0] = item;
            topn_sift(t, ret, size, 0);
        }
    }
    qsort_r(ret, size, sizeof *ret, topn_compare, (void *)(uintptr_t)t);
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
    for (const struct topn_item *i = topn_first(t); i != NULL; i = topn_after(t, i)) {
        uint64_t most = i->weight + i->error;
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
    for (const struct topn_item *i = topn_first(t); i != NULL; i = topn_after(t, i)) {
        topn_write_item(topn_key(t, i), to);
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
