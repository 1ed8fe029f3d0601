// SPDX-License-Identifier: Apache-2.0
/* Weight over time in 64 buckets, whatever the time: the buckets are 1 ms wide at first, and
 * whenever first and last lie too far apart, neighbours are folded and all are twice as wide. For
 * sparklines and overviews of captures whose length nobody knows before the end.
 *
 * Bucket boundaries are multiples of the width since 1970, so that the result depends on nothing
 * but what was added: any order, any split among workers and any merge give the same buckets.
 * Zeroed memory is an empty series. One thread at a time; an add costs a division. */
#pragma once

#include "base/span.h"

enum { SERIES_BUCKETS = 64 };

struct series {
    uint64_t first; /* number of the first bucket: its start divided by the width */
    uint32_t shift; /* a bucket is 2^shift ms wide */
    uint32_t used;  /* buckets from the first to the last with weight; 0: empty */
    uint64_t buckets[SERIES_BUCKETS];
};

/* Adds `weight` (0 adds nothing) at a time in ns since 1970, be it before all others or after. */
void series_add(struct series *s, uint64_t time_ns, uint64_t weight);

/* Adds all of `from`. Commutes, and is the series of all that was added to either. */
void series_merge(struct series *into, const struct series *from);

/* Start of the first bucket, and width of each, in ns. */
uint64_t series_start_ns(const struct series *s);
uint64_t series_width_ns(const struct series *s);
