// SPDX-License-Identifier: Apache-2.0
#include "summary/theta.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "summary/sketch.h"

/* ---- The table ------------------------------------------------------------------------------- */

void theta_init(struct theta *t)
{
    memset(t, 0, sizeof *t);
    t->theta = THETA_WHOLE;
    t->seed = hash_seed() | 1;
}

/* The place of this hash, or the free one where it would go. The hash is known to strangers and the
 * seed is not: an odd factor mixes all that is below into the top bits. */
static uint64_t *place_of(const struct theta *t, uint64_t hash)
{
    uint32_t at = (uint32_t)((hash * t->seed) >> (64 - THETA_LG - 1));
    while (t->slots[at] != 0 && t->slots[at] != hash) {
        at = (at + 1) % THETA_SLOTS;
    }
    return (uint64_t *)&t->slots[at];
}

static bool holds(const struct theta *t, uint64_t hash)
{
    return *place_of(t, hash) != 0;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The hashes held, ascending. */
static void sorted_hashes(const struct theta *t, uint64_t ret[THETA_HELD_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < THETA_SLOTS; i++) {
        if (t->slots[i] != 0) {
            ret[count++] = t->slots[i];
        }
    }
    qsort(ret, count, sizeof *ret, by_size);
}

/* Holds these hashes and no others. */
static void refill(struct theta *t, const uint64_t *hashes, uint32_t count)
{
    memset(t->slots, 0, sizeof t->slots);
    t->count = count;
    for (uint32_t i = 0; i < count; i++) {
        *place_of(t, hashes[i]) = hashes[i];
    }
}

/* Lowers theta to the least at which the 4096 least hashes are held, if there are more. */
static void trim(struct theta *t)
{
    if (t->count > THETA_NOMINAL) {
        uint64_t hashes[THETA_HELD_MAX];
        sorted_hashes(t, hashes);
        t->theta = hashes[THETA_NOMINAL];
        refill(t, hashes, THETA_NOMINAL);
    }
}

static void add_hash(struct theta *t, uint64_t hash)
{
    if (hash >= t->theta || hash == 0) {
        return;
    }
    uint64_t *place = place_of(t, hash);
    if (*place == 0) {
        *place = hash;
        t->count++;
        if (t->count == THETA_HELD_MAX) {
            trim(t);
        }
    }
}

void theta_add(struct theta *t, struct murmur3 hash)
{
    add_hash(t, hash.low >> 1);
}

/* ---- Sets ------------------------------------------------------------------------------------ */

/* Forgets what is not below the bound, and what `other` holds (`held`), or does not. */
static void filter(struct theta *t, uint64_t theta, const struct theta *other, bool held)
{
    uint64_t kept[THETA_HELD_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < THETA_SLOTS; i++) {
        uint64_t hash = t->slots[i];
        if (hash != 0 && hash < theta && (other == NULL || holds(other, hash) == held)) {
            kept[count++] = hash;
        }
    }
    t->theta = theta;
    refill(t, kept, count);
}

/* Theta as trim() would leave it: the bound that depends on the items only. */
static uint64_t trimmed_theta(const struct theta *t)
{
    if (t->count <= THETA_NOMINAL) {
        return t->theta;
    }
    uint64_t hashes[THETA_HELD_MAX];
    sorted_hashes(t, hashes);
    return hashes[THETA_NOMINAL];
}

static uint64_t common_theta(const struct theta *a, const struct theta *b)
{
    uint64_t x = trimmed_theta(a);
    uint64_t y = trimmed_theta(b);
    return x < y ? x : y;
}

void theta_unite(struct theta *into, const struct theta *other)
{
    if (other->theta < into->theta) {
        filter(into, other->theta, NULL, false);
    }
    for (uint32_t i = 0; i < THETA_SLOTS; i++) {
        add_hash(into, other->slots[i]);
    }
}

void theta_intersect(struct theta *into, const struct theta *other)
{
    filter(into, common_theta(into, other), other, true);
}

void theta_subtract(struct theta *from, const struct theta *other)
{
    filter(from, common_theta(from, other), other, false);
}

/* ---- Estimates ------------------------------------------------------------------------------- */

static double sampled_part(uint64_t theta)
{
    return (double)theta / (double)THETA_WHOLE;
}

double theta_estimate(const struct theta *t)
{
    uint32_t count = t->count < THETA_NOMINAL ? t->count : THETA_NOMINAL;
    return count / sampled_part(trimmed_theta(t));
}

double theta_error(const struct theta *t)
{
    /* Each of n items is in the sample with the same chance p: the count has a variance of
     * n p (1 - p). */
    uint32_t count = t->count < THETA_NOMINAL ? t->count : THETA_NOMINAL;
    double part = sampled_part(trimmed_theta(t));
    return part == 1 ? 0 : count == 0 ? INFINITY : sqrt((1 - part) / count);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

enum {
    IMAGE_VERSION = 3,
    IMAGE_VERSION_PACKED = 4,
    IMAGE_PREAMBLE_MASK = 63,
    IMAGE_PREAMBLE_SHORT = 1, /* in words of eight bytes: none or one hash */
    IMAGE_PREAMBLE_EXACT = 2,
    IMAGE_PREAMBLE = 3,
    IMAGE_READ_ONLY = 2, /* flags */
    IMAGE_EMPTY = 4,
    IMAGE_COMPACT = 8,
    IMAGE_ORDERED = 16,
    IMAGE_SEED_HASH = 0x93cc, /* 16 bits of the hash, by seed 0, of MURMUR3_SEED */
};

void theta_write(const struct theta *t, struct json *to)
{
    uint64_t hashes[THETA_HELD_MAX];
    uint64_t theta = trimmed_theta(t);
    uint32_t count = t->count < THETA_NOMINAL ? t->count : THETA_NOMINAL;
    bool whole = theta == THETA_WHOLE;
    bool empty = whole && count == 0;
    uint8_t preamble = !whole     ? IMAGE_PREAMBLE
                       : count > 1 ? IMAGE_PREAMBLE_EXACT
                                   : IMAGE_PREAMBLE_SHORT;
    const uint8_t head[SKETCH_HEAD] = {
        preamble, IMAGE_VERSION, SKETCH_THETA, 0, 0,
        IMAGE_READ_ONLY | IMAGE_COMPACT | IMAGE_ORDERED | (empty ? IMAGE_EMPTY : 0),
        IMAGE_SEED_HASH & 0xff, IMAGE_SEED_HASH >> 8,
    };
    json_append(to, head, sizeof head);
    if (preamble >= IMAGE_PREAMBLE_EXACT) {
        sketch_put_u32(to, count);
        sketch_put_u32(to, 0);
    }
    if (preamble == IMAGE_PREAMBLE) {
        sketch_put_u64(to, theta);
    }
    sorted_hashes(t, hashes);
    for (uint32_t i = 0; i < count; i++) {
        sketch_put_u64(to, hashes[i]);
    }
}

/* Takes a hash in; false when it is none, or not below the image's theta. */
static bool read_hash(struct theta *t, uint64_t hash, uint64_t theta)
{
    add_hash(t, hash);
    return hash != 0 && hash < theta;
}

/* Behind the head: count, theta, hashes. */
static bool read_plain(struct theta *t, struct cursor *at, uint8_t preamble)
{
    uint32_t count = 1;
    if (preamble >= IMAGE_PREAMBLE_EXACT) {
        count = sketch_take_u32(at);
        cursor_skip(at, sizeof(uint32_t));
    }
    t->theta = preamble == IMAGE_PREAMBLE ? sketch_take_u64(at) : THETA_WHOLE;
    uint64_t theta = t->theta;
    if (at->bad || theta == 0 || theta > THETA_WHOLE ||
        cursor_left(at) != (uint64_t)count * sizeof(uint64_t)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_hash(t, sketch_take_u64(at), theta)) {
            return false;
        }
    }
    return true;
}

/* The number in the `bits` bits, at most 64, from the bit with this number on; the first bit of a
 * byte is its highest. */
static uint64_t bits_at(const uint8_t *bytes, uint64_t from, unsigned bits)
{
    uint64_t value = 0;
    for (uint64_t i = from; i < from + bits; i++) {
        value = value << 1 | (bytes[i / 8] >> (7 - i % 8) & 1);
    }
    return value;
}

/* Behind the head: theta, the count in so many bytes, and each hash's difference to the one before
 * in so many bits. */
static bool read_packed(struct theta *t, struct cursor *at, const uint8_t *head, uint8_t preamble)
{
    unsigned bits = head[3];
    unsigned count_size = head[4];
    t->theta = preamble >= IMAGE_PREAMBLE_EXACT ? sketch_take_u64(at) : THETA_WHOLE;
    uint64_t theta = t->theta;
    if (bits == 0 || bits > 63 || count_size == 0 || count_size > 4 || theta == 0 ||
        theta > THETA_WHOLE) {
        return false;
    }
    uint64_t count = 0;
    for (unsigned i = 0; i < count_size; i++) {
        count |= (uint64_t)cursor_u8(at) << 8 * i;
    }
    struct span packed = cursor_take(at, (count * bits + 7) / 8);
    if (at->bad || cursor_left(at) > 0) {
        return false;
    }
    uint64_t hash = 0;
    for (uint64_t i = 0; i < count; i++) {
        hash += bits_at(packed.data, i * bits, bits); /* from below 2^63: no overflow */
        if (!read_hash(t, hash, theta)) {
            return false;
        }
    }
    return true;
}

static bool read_body(struct theta *t, struct span image)
{
    struct cursor at = cursor_of(image);
    const uint8_t *head = cursor_take(&at, SKETCH_HEAD).data;
    if (at.bad || head[2] != SKETCH_THETA || (head[5] & IMAGE_COMPACT) == 0) {
        return false;
    }
    uint8_t preamble = head[0] & IMAGE_PREAMBLE_MASK;
    if (preamble < IMAGE_PREAMBLE_SHORT || preamble > IMAGE_PREAMBLE) {
        return false;
    }
    if ((head[5] & IMAGE_EMPTY) != 0) { /* has, or has not, the seed's hash */
        return cursor_left(&at) == 0;
    }
    if (load_le16(head + 6) != IMAGE_SEED_HASH) {
        return false;
    }
    switch (head[1]) {
    case IMAGE_VERSION:
        return read_plain(t, &at, preamble);
    case IMAGE_VERSION_PACKED:
        return read_packed(t, &at, head, preamble);
    default:
        return false;
    }
}

bool theta_read(struct theta *t, struct span image)
{
    theta_init(t);
    bool read = read_body(t, image);
    if (!read) {
        theta_init(t);
    }
    return read;
}
