// SPDX-License-Identifier: Apache-2.0
/* How many values lie up to each of some bounds that are chosen beforehand: the classic histogram
 * of Prometheus. The bounds stand in a constant table, which whoever adds, reads or describes it
 * hands in; the block has the counts. Where no bounds suggest themselves, quantiles.h has them
 * adapt.
 *
 * Flat memory; zeroed memory is an empty one; merging adds. One thread at a time; an add costs one
 * comparison for each bound below the value. */
#pragma once

#include "base/span.h"

/* Upper bounds, ascending and finite; what is above the last counts as well. */
struct histogram_bounds {
    const double *at;
    uint32_t count;
};

/* Followed in memory by bounds.count + 1 counts; declare one with HISTOGRAM_DECLARE. */
struct histogram {
    uint64_t count; /* all values */
    double sum;     /* exact while values are whole and it stays below 2^53 */
};

/* A member that holds a histogram with this many bounds. */
#define HISTOGRAM_DECLARE(name, bounds_)                                                           \
    union {                                                                                        \
        struct histogram name;                                                                     \
        uint64_t name##_memory[sizeof(struct histogram) / sizeof(uint64_t) + (bounds_) + 1];       \
    }

/* The bytes of one with these bounds. */
static inline size_t histogram_size(struct histogram_bounds bounds)
{
    return sizeof(struct histogram) + (bounds.count + 1) * sizeof(uint64_t);
}

/* The counts: of values up to the first bound, from there up to the second ... above the last. */
static inline uint64_t *histogram_counts(const struct histogram *h)
{
    return (uint64_t *)(uintptr_t)(h + 1);
}

/* Adds a value; one that is not a number is not counted. */
void histogram_add(struct histogram *h, struct histogram_bounds bounds, double value);

/* Adds all of `from`, which has the same bounds. */
void histogram_merge(struct histogram *into, const struct histogram *from,
                     struct histogram_bounds bounds);
