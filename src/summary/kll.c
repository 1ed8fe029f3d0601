// SPDX-License-Identifier: Apache-2.0
#include "summary/kll.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "summary/quantiles.h"
#include "summary/sketch.h"

enum {
    LEVEL_MIN = 8, /* "m": places that each level has at least */
    THIRDS_MAX = 30, /* 3^30 is the greatest power that the rounding below is exact for */
};

/* ---- Places ---------------------------------------------------------------------------------- */

/* k * (2/3)^depth, rounded. */
static uint64_t shrunk(uint64_t k, uint32_t depth)
{
    uint64_t power = 1;
    for (uint32_t i = 0; i < depth; i++) {
        power *= 3;
    }
    return ((k << (depth + 1)) / power + 1) >> 1;
}

/* Places of level h, of so many levels: k at the top and a third less with each step down. All that
 * make these bytes must round alike, since the offsets in them count from the sum. */
static uint32_t level_places(uint32_t k, uint32_t levels, uint32_t h)
{
    uint32_t depth = levels - 1 - h;
    uint64_t places = depth <= THIRDS_MAX ? shrunk(k, depth)
                                          : shrunk(shrunk(k, depth / 2), depth - depth / 2);
    return places > LEVEL_MIN ? (uint32_t)places : LEVEL_MIN;
}

static uint32_t all_places(uint32_t k, uint32_t levels)
{
    uint32_t places = 0;
    for (uint32_t h = 0; h < levels; h++) {
        places += level_places(k, levels, h);
    }
    return places;
}

static uint32_t population(const struct kll *s, uint32_t h)
{
    return s->begins[h + 1] - s->begins[h];
}

void kll_init(struct kll *s, uint32_t k)
{
    assert(k >= KLL_K_MIN && k <= KLL_K_MAX);
    memset(s, 0, offsetof(struct kll, items));
    s->k = (uint16_t)k;
    s->k_min = (uint16_t)k;
    s->levels = 1;
    s->begins[0] = k;
    s->begins[1] = k;
}

/* ---- Compaction ------------------------------------------------------------------------------ */

/* xorshift64 (Marsaglia, 2003), from a state that is not 0. */
static uint32_t coin(struct kll *s)
{
    uint64_t x = s->coins == 0 ? UINT64_C(0x9e3779b97f4a7c15) : s->coins;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    s->coins = x;
    return (uint32_t)(x >> 63);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static void sort_items(float *items, uint32_t count)
{
    if (count > 0) {
        qsort(items, count, sizeof *items, by_value);
    }
}

/* Puts an empty level on top: all items move up by the places that it brings. */
static void raise_roof(struct kll *s)
{
    assert(s->levels < KLL_LEVELS_MAX);
    uint32_t places = all_places(s->k, s->levels + 1);
    uint32_t more = places - s->begins[s->levels];
    assert(places <= KLL_ITEMS_MAX);
    uint32_t held = s->begins[s->levels] - s->begins[0];
    memmove(s->items + s->begins[0] + more, s->items + s->begins[0], held * sizeof *s->items);
    for (uint32_t h = 0; h <= s->levels; h++) {
        s->begins[h] += more;
    }
    s->begins[++s->levels] = places;
}

/* Keeps every second of the `count` ascending items at `at`, an even number, as a coin says; they
 * end where the items ended. */
static void keep_half_above(float *at, uint32_t count, uint32_t offset)
{
    for (uint32_t i = count / 2; i-- > 0;) {
        at[count / 2 + i] = at[2 * i + offset];
    }
}

/* Merges ascending runs, the first in memory of its own; the second ends where the result will, so
 * that nothing is overwritten before it is read. */
static void merge_runs(const float *one, uint32_t one_count, const float *other,
                       uint32_t other_count, float *to)
{
    for (uint32_t i = 0, k = 0; i < one_count || k < other_count;) {
        bool first = k == other_count || (i < one_count && one[i] < other[k]);
        *to++ = first ? one[i++] : other[k++];
    }
}

/* Halves level h into the level above, which leaves half as many places free below all. An odd item
 * stays where it is. */
static void compact_level(struct kll *s, uint32_t h)
{
    uint32_t begin = s->begins[h];
    uint32_t odd = population(s, h) & 1;
    uint32_t half = population(s, h) / 2;
    float *at = s->items + begin + odd;
    if (h == 0) {
        sort_items(at, 2 * half);
    }
    if (population(s, h + 1) == 0) {
        keep_half_above(at, 2 * half, 1 - coin(s));
    } else {
        float kept[KLL_ITEMS_MAX / 2];
        uint32_t offset = coin(s);
        for (uint32_t i = 0; i < half; i++) {
            kept[i] = at[2 * i + offset];
        }
        merge_runs(kept, half, at + 2 * half, population(s, h + 1), at + half);
    }
    s->begins[h + 1] -= half;
    /* What is below moves up to it, the odd item last of all. */
    uint32_t below = begin + odd - s->begins[0];
    memmove(s->items + s->begins[0] + half, s->items + s->begins[0], below * sizeof *s->items);
    for (uint32_t i = 0; i <= h; i++) {
        s->begins[i] += half;
    }
}

/* Frees places when none is left: then some level has all that are its own, and the lowest of
 * these goes. */
static void compact(struct kll *s)
{
    uint32_t h = 0;
    while (population(s, h) < level_places(s->k, s->levels, h)) {
        h++;
    }
    if (h == s->levels - 1) {
        raise_roof(s);
    }
    compact_level(s, h);
}

/* ---- Adding ---------------------------------------------------------------------------------- */

static void widen(struct kll *s, float min, float max)
{
    s->min = s->count == 0 || min < s->min ? min : s->min;
    s->max = s->count == 0 || max > s->max ? max : s->max;
}

static void push(struct kll *s, float value)
{
    if (s->begins[0] == 0) {
        compact(s);
    }
    s->items[--s->begins[0]] = value;
}

void kll_add(struct kll *s, float value)
{
    if (isnan(value)) {
        return;
    }
    widen(s, value, value);
    s->count++;
    push(s, value);
}

/* Adds ascending items to level h > 0, as many at a time as there are free places. */
static void push_run(struct kll *s, uint32_t h, const float *run, uint32_t count)
{
    while (count > 0) {
        if (s->begins[0] == 0) {
            compact(s);
        }
        uint32_t now = count < s->begins[0] ? count : s->begins[0];
        uint32_t below = s->begins[h] - s->begins[0];
        memmove(s->items + s->begins[0] - now, s->items + s->begins[0], below * sizeof *s->items);
        merge_runs(run, now, s->items + s->begins[h], population(s, h),
                   s->items + s->begins[h] - now);
        for (uint32_t i = 0; i <= h; i++) {
            s->begins[i] -= now;
        }
        run += now;
        count -= now;
    }
}

void kll_merge(struct kll *into, const struct kll *from)
{
    if (from->count == 0) {
        return;
    }
    while (into->levels < from->levels) {
        raise_roof(into);
    }
    for (uint32_t h = from->levels; h-- > 1;) {
        push_run(into, h, from->items + from->begins[h], population(from, h));
    }
    for (uint32_t i = from->begins[1]; i-- > from->begins[0];) {
        push(into, from->items[i]); /* the oldest first */
    }
    if (from->levels > 1 && from->k_min < into->k_min) {
        into->k_min = from->k_min;
    }
    widen(into, from->min, from->max);
    into->count += from->count;
}

/* ---- Quantiles ------------------------------------------------------------------------------- */

/* The level whose run begins with the least item, among runs of which one at least has some. */
static uint32_t least_run(const float *const *runs, const uint32_t *left, uint32_t levels)
{
    uint32_t least = 0;
    for (uint32_t h = 1; h < levels; h++) {
        if (left[h] > 0 && (left[least] == 0 || *runs[h] < *runs[least])) {
            least = h;
        }
    }
    return least;
}

float kll_at(const struct kll *s, double rank)
{
    if (s->count == 0) {
        return NAN;
    }
    if (rank <= 0 || rank >= 1) {
        return rank <= 0 ? s->min : s->max;
    }
    float bottom[KLL_ITEMS_MAX];
    const float *runs[KLL_LEVELS_MAX] = {bottom};
    uint32_t left[KLL_LEVELS_MAX] = {population(s, 0)};
    memcpy(bottom, s->items + s->begins[0], left[0] * sizeof *bottom);
    sort_items(bottom, left[0]);
    for (uint32_t h = 1; h < s->levels; h++) {
        runs[h] = s->items + s->begins[h];
        left[h] = population(s, h);
    }
    /* All levels together in ascending order, until their weight is reached. */
    double wanted = ceil(rank * (double)s->count);
    for (double seen = 0;;) {
        uint32_t h = least_run(runs, left, s->levels);
        assert(left[h] > 0); /* the weights of all items sum up to the count */
        seen += ldexp(1, (int)h);
        if (seen >= wanted) {
            return *runs[h];
        }
        runs[h]++;
        left[h]--;
    }
}

/* ---- From a histogram ------------------------------------------------------------------------ */

enum { RUN_MAX = 2 * QUANTILES_BUCKETS + 1 };

/* A histogram's buckets in ascending order, empty ones left out. */
struct middles {
    uint32_t used;
    double values[RUN_MAX];
    uint64_t counts[RUN_MAX];
};

static void middles_add(struct middles *m, double value, uint64_t count)
{
    if (count > 0) {
        m->values[m->used] = value;
        m->counts[m->used++] = count;
    }
}

static void middles_of(struct middles *m, const struct quantiles *q)
{
    m->used = 0;
    for (uint32_t i = q->negative.used; i-- > 0;) {
        middles_add(m, quantiles_middle(q, &q->negative, i), quantiles_count(&q->negative, i));
    }
    middles_add(m, fmin(fmax(0, q->min), q->max), q->zero);
    for (uint32_t i = 0; i < q->positive.used; i++) {
        middles_add(m, quantiles_middle(q, &q->positive, i), quantiles_count(&q->positive, i));
    }
}

static float nearest_float(double value)
{
    return (float)fmin(fmax(value, -FLT_MAX), FLT_MAX);
}

/* The items of level h. */
static uint32_t middles_run(const struct middles *m, uint32_t h, float run[RUN_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->used; i++) {
        if (m->counts[i] >> h & 1) {
            run[count++] = nearest_float(m->values[i]);
        }
    }
    return count;
}

void kll_of_quantiles(struct kll *s, const struct quantiles *q)
{
    struct middles m;
    middles_of(&m, q);
    uint32_t items = 0;
    uint64_t bits = 1; /* of all counts; there is one level even without */
    for (uint32_t i = 0; i < m.used; i++) {
        items += (uint32_t)__builtin_popcountll(m.counts[i]);
        bits |= m.counts[i];
    }
    uint32_t levels = 64 - (uint32_t)__builtin_clzll(bits);
    uint32_t k = KLL_K;
    while (k < KLL_K_MAX && all_places(k, levels) < items) {
        k++;
    }
    kll_init(s, k);
    while (s->levels < levels) {
        raise_roof(s);
    }
    float run[RUN_MAX];
    for (uint32_t h = levels; h-- > 1;) {
        push_run(s, h, run, middles_run(&m, h, run));
    }
    for (uint32_t i = middles_run(&m, 0, run); i-- > 0;) {
        push(s, run[i]);
    }
    if (q->count > 0) {
        widen(s, nearest_float(q->min), nearest_float(q->max));
    }
    s->count = q->count;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

enum {
    IMAGE_VERSION = 1,
    IMAGE_VERSION_SINGLE = 2,
    IMAGE_PREAMBLE_SHORT = 2, /* in words of four bytes */
    IMAGE_PREAMBLE = 5,
    IMAGE_EMPTY = 1, /* flags */
    IMAGE_SINGLE = 4,
    /* 10^14 values. Strangers would have to send two million such images before a merge needs more
     * levels than there are. */
    IMAGE_LEVELS_MAX = 40,
};

static void write_head(const struct kll *s, uint8_t preamble, uint8_t version, uint8_t flags,
                       struct json *to)
{
    const uint8_t head[SKETCH_HEAD] = {
        preamble, version, SKETCH_KLL, flags, (uint8_t)s->k, (uint8_t)(s->k >> 8), LEVEL_MIN,
    };
    json_append(to, head, sizeof head);
}

void kll_write(const struct kll *s, struct json *to)
{
    if (s->count <= 1) {
        bool one = s->count == 1;
        write_head(s, IMAGE_PREAMBLE_SHORT, one ? IMAGE_VERSION_SINGLE : IMAGE_VERSION,
                   one ? IMAGE_SINGLE : IMAGE_EMPTY, to);
        if (one) {
            sketch_put_f32(to, s->min);
        }
        return;
    }
    write_head(s, IMAGE_PREAMBLE, IMAGE_VERSION, 0, to);
    sketch_put_u64(to, s->count);
    sketch_put(to, s->k_min, 2);
    sketch_put(to, s->levels, 2);
    for (uint32_t h = 0; h < s->levels; h++) {
        sketch_put_u32(to, s->begins[h]);
    }
    sketch_put_f32(to, s->min);
    sketch_put_f32(to, s->max);
    for (uint32_t i = s->begins[0]; i < s->begins[s->levels]; i++) {
        sketch_put_f32(to, s->items[i]);
    }
}

/* Where the levels begin: ascending, and all within the places that there are. */
static bool read_levels(struct kll *s, struct cursor *at)
{
    s->begins[s->levels] = all_places(s->k, s->levels);
    for (uint32_t h = 0; h < s->levels; h++) {
        s->begins[h] = sketch_take_u32(at);
    }
    uint64_t weight = 0;
    for (uint32_t h = 0; h < s->levels; h++) {
        if (s->begins[h] > s->begins[h + 1]) {
            return false;
        }
        weight += (uint64_t)population(s, h) << h;
    }
    return weight == s->count && weight > 0;
}

/* The items, each within the bounds, and ascending on all levels but the lowest. */
static bool read_items(struct kll *s, struct cursor *at)
{
    s->min = sketch_take_f32(at);
    s->max = sketch_take_f32(at);
    uint32_t h = 0;
    for (uint32_t i = s->begins[0]; i < s->begins[s->levels]; i++) {
        float value = sketch_take_f32(at);
        while (i >= s->begins[h + 1]) {
            h++;
        }
        bool sorted = h == 0 || i == s->begins[h] || s->items[i - 1] <= value;
        if (!sorted || !(value >= s->min && value <= s->max)) {
            return false; /* NaN, too, is in no order */
        }
        s->items[i] = value;
    }
    return true;
}

static bool read_body(struct kll *s, struct span image)
{
    struct cursor at = cursor_of(image);
    const uint8_t *head = cursor_take(&at, SKETCH_HEAD).data;
    uint32_t k = at.bad ? 0 : load_le16(head + 4);
    if (k < KLL_K_MIN || k > KLL_K_MAX || head[2] != SKETCH_KLL || head[6] != LEVEL_MIN) {
        return false;
    }
    kll_init(s, k);
    if ((head[3] & (IMAGE_EMPTY | IMAGE_SINGLE)) != 0) {
        if ((head[3] & IMAGE_EMPTY) == 0) {
            kll_add(s, sketch_take_f32(&at));
        }
        return head[0] == IMAGE_PREAMBLE_SHORT && !at.bad && cursor_left(&at) == 0;
    }
    s->count = sketch_take_u64(&at);
    s->k_min = sketch_take_u16(&at);
    s->levels = cursor_u8(&at);
    cursor_skip(&at, 1);
    if (head[0] != IMAGE_PREAMBLE || head[1] != IMAGE_VERSION || s->levels == 0 ||
        s->levels > IMAGE_LEVELS_MAX || !read_levels(s, &at)) {
        return false;
    }
    return read_items(s, &at) && !at.bad && cursor_left(&at) == 0;
}

bool kll_read(struct kll *s, struct span image)
{
    bool read = read_body(s, image);
    if (!read) {
        kll_init(s, KLL_K);
    }
    return read;
}
