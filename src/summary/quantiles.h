// SPDX-License-Identifier: Apache-2.0
/* How values are spread: counts in buckets that widen with the value, so that every quantile is
 * right within a few percent of itself, and merging loses nothing. It is the base-2 exponential
 * histogram of OpenTelemetry (metrics data model, "ExponentialHistogram") and Prometheus' native
 * histogram: at scale s, bucket i counts what is above 2^(i / 2^s) and not above
 * 2^((i + 1) / 2^s), and likewise for negative values.
 *
 * The scale is the greatest, from 7 down to -3, at which all values fit into 256 buckets on their
 * side of zero; when they no longer do, neighbours are folded. So the buckets depend on the values
 * only: any order, any split among workers and any merge give the same. Quantiles are off by at
 * most half a bucket: 0.3 % of the value at scale 7 (values within a factor of 4), 2.2 % at 4
 * (within 2^16), 4.4 % at 3 (within 2^32).
 *
 * Flat memory, no pointers; zeroed memory is an empty one. One thread at a time; an add costs 2 to
 * 5 ns. What is neither a number nor finite is not counted, as the specification says; what is
 * nearer to zero than the least normal double counts as zero. */
#pragma once

#include "base/span.h"

enum {
    QUANTILES_BUCKETS = 256,
    QUANTILES_SCALE_MAX = 7,
    QUANTILES_SCALE_MIN = -3, /* at which 256 buckets hold every double */
};

/* The buckets of one sign. Bucket number i stands in its place i modulo 256, so that the range can
 * grow at both ends and nothing moves; what is outside of the range is 0. */
struct quantiles_side {
    int32_t first; /* number of the first bucket, that nearest to zero */
    uint32_t used; /* buckets from the first to the last that has something; 0: none */
    uint64_t counts[QUANTILES_BUCKETS];
};

struct quantiles {
    uint64_t count; /* all values */
    uint64_t zero;  /* of them, those that are zero */
    double sum; /* exact while values are whole and it stays below 2^53 */
    double min; /* of no meaning when there are none */
    double max;
    uint32_t folds; /* the scale is QUANTILES_SCALE_MAX less this */
    struct quantiles_side positive;
    struct quantiles_side negative; /* by magnitude */
};

void quantiles_add(struct quantiles *q, double value);
/* The same value so many times. */
void quantiles_add_many(struct quantiles *q, double value, uint64_t times);

/* Empties it; touches only what was in use. */
void quantiles_reset(struct quantiles *q);

/* Adds all of `from`. */
void quantiles_merge(struct quantiles *into, const struct quantiles *from);

/* The value at or below which at least the part `rank` (0 to 1) of all values lies: 0 the least, 1
 * the greatest; NaN when there are none. */
double quantiles_at(const struct quantiles *q, double rank);

/* How many values are not above 2^power; exact at scales from 0 on, below it leaves out those in
 * the bucket that has the bound in its middle. */
uint64_t quantiles_up_to(const struct quantiles *q, int power);

/* The scale, and the count in a side's bucket `first + i`. For those who write the histogram. */
static inline int quantiles_scale(const struct quantiles *q)
{
    return QUANTILES_SCALE_MAX - (int)q->folds;
}

static inline uint64_t quantiles_count(const struct quantiles_side *side, uint32_t i)
{
    return side->counts[((uint32_t)side->first + i) % QUANTILES_BUCKETS];
}

/* The value that stands for those in a side's bucket `first + i`: the one with the least relative
 * error to both ends, within min and max. For the negative side, with its sign. */
double quantiles_middle(const struct quantiles *q, const struct quantiles_side *side, uint32_t i);
