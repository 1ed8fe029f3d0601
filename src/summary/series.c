// SPDX-License-Identifier: Apache-2.0
#include "summary/series.h"

enum { SERIES_WIDTH_NS = 1000000 };

uint64_t series_width_ns(const struct series *s)
{
    return (uint64_t)SERIES_WIDTH_NS << s->shift;
}

uint64_t series_start_ns(const struct series *s)
{
    return s->first * series_width_ns(s);
}

/* Doubles the width: buckets 2i and 2i + 1 (by number, not by place) become bucket i. */
static void series_fold(struct series *s)
{
    uint64_t first = s->first / 2;
    uint32_t used = 0;
    for (uint32_t i = 0; i < s->used; i++) {
        uint64_t weight = s->buckets[i];
        uint32_t to = (uint32_t)((s->first + i) / 2 - first);
        s->buckets[i] = 0; /* to <= i: what stands there was moved before */
        s->buckets[to] += weight;
        used = to + 1;
    }
    s->first = first;
    s->used = used;
    s->shift++;
}

/* Makes `number`, which lies before the first bucket, the first. */
static void series_shift(struct series *s, uint64_t number)
{
    uint32_t by = (uint32_t)(s->first - number);
    memmove(s->buckets + by, s->buckets, s->used * sizeof *s->buckets);
    memset(s->buckets, 0, by * sizeof *s->buckets);
    s->first = number;
    s->used += by;
}

/* Whether the bucket `number` and all in use are SERIES_BUCKETS or fewer. */
static bool series_fits(const struct series *s, uint64_t number)
{
    return number >= s->first ? number - s->first < SERIES_BUCKETS
                              : s->first - number + s->used <= SERIES_BUCKETS;
}

void series_add(struct series *s, uint64_t time_ns, uint64_t weight)
{
    if (weight == 0) {
        return;
    }
    uint64_t number = time_ns / series_width_ns(s);
    if (s->used == 0) {
        s->first = number;
        s->used = 1;
    }
    /* 2^39 ms hold all of time in 64 buckets, so this ends. */
    while (!series_fits(s, number)) {
        series_fold(s);
        number /= 2;
    }
    if (number < s->first) {
        series_shift(s, number);
    }
    uint32_t place = (uint32_t)(number - s->first);
    s->used = place < s->used ? s->used : place + 1;
    s->buckets[place] += weight;
}

void series_merge(struct series *into, const struct series *from)
{
    if (from->used == 0) {
        return;
    }
    while (into->shift < from->shift) {
        series_fold(into);
    }
    for (uint32_t i = 0; i < from->used; i++) {
        series_add(into, (from->first + i) * series_width_ns(from), from->buckets[i]);
    }
}
