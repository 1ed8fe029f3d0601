// SPDX-License-Identifier: Apache-2.0
#include "summary/windows.h"

#include <assert.h>
#include <stdlib.h>

#include "base/pages.h"
#include "summary/metric.h"

enum { BLOCK_ALIGN = 64 };
#define SECOND_NS UINT64_C(1000000000)

struct windows {
    const struct metric_set *set;
    uint64_t length_ns;
    uint32_t periods;
    uint32_t count; /* buckets up to now; 0: no time was told */
    uint64_t live;  /* number of the live bucket: its time divided by the length */
    uint64_t late;
    size_t stride;   /* bytes from block to block */
    uint8_t *blocks; /* bucket number i in place i modulo periods, then that of all together */
};

static void *block_at(const struct windows *w, uint64_t place)
{
    return w->blocks + place * w->stride;
}

static void *bucket_at(const struct windows *w, uint64_t number)
{
    return block_at(w, number % w->periods);
}

struct windows *windows_new(const struct metric_set *set, uint32_t seconds, uint32_t periods)
{
    assert(seconds > 0 && periods > 0 && periods <= WINDOWS_PERIODS_MAX);
    struct windows *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->set = set;
    w->length_ns = seconds * SECOND_NS;
    w->periods = periods;
    w->stride = (set->size + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    w->blocks = pages_reserve((periods + 1) * w->stride);
    if (w->blocks == NULL) {
        free(w);
        return NULL;
    }
    for (uint32_t i = 0; i <= periods; i++) {
        metric_block_reset(set, block_at(w, i));
    }
    return w;
}

void windows_free(struct windows *w)
{
    if (w != NULL) {
        pages_release(w->blocks, (w->periods + 1) * w->stride);
        free(w);
    }
}

static void advance(struct windows *w, uint64_t number)
{
    if (w->count == 0) {
        w->live = number;
        w->count = 1;
    }
    /* A clock that jumps by years turns all of them over, and once is enough. */
    for (uint32_t i = 0; i < w->periods && w->live + i < number; i++) {
        metric_block_reset(w->set, bucket_at(w, number - i));
    }
    if (number > w->live) {
        uint64_t count = w->count + (number - w->live);
        w->count = count < w->periods ? (uint32_t)count : w->periods;
        w->live = number;
    }
}

void windows_advance(struct windows *w, uint64_t time_ns)
{
    advance(w, time_ns / w->length_ns);
}

bool windows_add(struct windows *w, const void *delta, uint64_t time_ns)
{
    uint64_t number = time_ns / w->length_ns;
    advance(w, number);
    uint64_t age = w->live - number;
    if (age >= w->periods) {
        w->late++;
        return false;
    }
    /* It may be before the first time that was told: that was only the first to come. */
    w->count = age >= w->count ? (uint32_t)age + 1 : w->count;
    metric_block_merge(w->set, bucket_at(w, number), delta);
    return true;
}

uint32_t windows_count(const struct windows *w)
{
    return w->count;
}

uint64_t windows_late(const struct windows *w)
{
    return w->late;
}

const void *windows_bucket(const struct windows *w, uint32_t i)
{
    return i < w->count ? bucket_at(w, w->live - i) : NULL;
}

const void *windows_live(const struct windows *w)
{
    return windows_bucket(w, 0);
}

uint64_t windows_start_ns(const struct windows *w, uint32_t i)
{
    return (w->live - i) * w->length_ns;
}

const void *windows_merge_last(struct windows *w, uint32_t count)
{
    void *all = block_at(w, w->periods);
    metric_block_reset(w->set, all);
    for (uint32_t i = count < w->count ? count : w->count; i-- > 0;) {
        metric_block_merge(w->set, all, bucket_at(w, w->live - i));
    }
    return all;
}

const void *windows_merge_all(struct windows *w)
{
    return windows_merge_last(w, w->periods);
}
