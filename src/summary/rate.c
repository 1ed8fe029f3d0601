// SPDX-License-Identifier: Apache-2.0
#include "summary/rate.h"

#include "base/seconds.h"

#include <math.h>
#include <stdlib.h>

static uint64_t *place_of(struct rate *r, uint64_t second)
{
    return &r->sums[second % RATE_SECONDS];
}

/* Moves the oldest second kept up to `first`, which is not before it. */
static void forget_before(struct rate *r, uint64_t first)
{
    for (; r->used > 0 && r->first < first; r->first++, r->used--) {
        uint64_t *sum = place_of(r, r->first);
        r->earlier += *sum;
        *sum = 0;
    }
}

static void add_second(struct rate *r, uint64_t second, uint64_t weight)
{
    if (second - r->first >= r->used) { /* outside, before (it wraps) or behind */
        uint64_t last = r->used > 0 ? r->first + r->used - 1 : second;
        uint64_t first = r->used > 0 && r->first < second ? r->first : second;
        last = last > second ? last : second;
        if (last - first >= RATE_SECONDS) {
            first = last - RATE_SECONDS + 1;
        }
        forget_before(r, first);
        r->first = first;
        r->used = (uint32_t)(last - first) + 1;
        if (second < first) {
            r->earlier += weight;
            return;
        }
    }
    *place_of(r, second) += weight;
}

void rate_add(struct rate *r, uint64_t time_ns, uint64_t weight)
{
    add_second(r, time_ns / SECOND_NS, weight);
}

void rate_reset(struct rate *r)
{
    forget_before(r, r->first + r->used);
    r->first = 0;
    r->earlier = 0;
}

void rate_merge(struct rate *into, const struct rate *from)
{
    into->earlier += from->earlier;
    for (uint32_t i = 0; i < from->used; i++) {
        add_second(into, from->first + i, rate_second(from, i));
    }
}

uint64_t rate_total(const struct rate *r)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < r->used; i++) {
        total += rate_second(r, i);
    }
    return total;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void rate_at(const struct rate *r, const double *ranks, uint64_t *values, uint32_t count)
{
    uint64_t sums[RATE_SECONDS] = {0};
    for (uint32_t i = 0; i < r->used; i++) {
        sums[i] = rate_second(r, i);
    }
    qsort(sums, r->used, sizeof *sums, by_size);
    for (uint32_t i = 0; i < count; i++) {
        double at = ceil(ranks[i] * r->used);
        values[i] = sums[at > 0 ? (uint32_t)at - 1 : 0];
    }
}

uint64_t rate_last(const struct rate *r)
{
    return r->used == 0 ? 0 : rate_second(r, r->used > 1 ? r->used - 2 : 0);
}
