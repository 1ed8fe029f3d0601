// SPDX-License-Identifier: Apache-2.0
/* How much came in each second: sums by second of packet time, of which the quantiles are exact. It
 * keeps the last 640 seconds that it was told of, ten minutes and some, so that the seconds of
 * several workers add up before anyone asks for the median of them; what came before is one number.
 *
 * Any order, any split among workers and any merge give the same. Flat memory, 5 KiB; zeroed memory
 * is an empty one. One thread at a time; an add costs some 2 ns. */
#pragma once

#include "base/span.h"

enum { RATE_SECONDS = 640 };

struct rate {
    uint64_t first;   /* second since 1970, the oldest kept */
    uint64_t earlier; /* what seconds before had */
    uint32_t used;    /* seconds from the oldest to the newest; 0: none yet */
    uint64_t sums[RATE_SECONDS]; /* a second's place is its number modulo 640; others are 0 */
};

/* Adds `weight` to the second of a time in ns since 1970. Weight 0 says that the second was there,
 * for quiet ones count, too. */
void rate_add(struct rate *r, uint64_t time_ns, uint64_t weight);

/* Empties it; touches only what was in use. */
void rate_reset(struct rate *r);

/* Adds all of `from`. */
void rate_merge(struct rate *into, const struct rate *from);

/* The sum of a second, `i` of them after the oldest kept. */
static inline uint64_t rate_second(const struct rate *r, uint32_t i)
{
    return r->sums[(r->first + i) % RATE_SECONDS];
}

/* All weight of the seconds kept. */
uint64_t rate_total(const struct rate *r);

/* Sets values[i] to the sum that at least the part ranks[i] (0 to 1) of the seconds kept does not
 * exceed; 0 when there are none. Costs a sort. */
void rate_at(const struct rate *r, const double *ranks, uint64_t *values, uint32_t count);

/* The sum of the last second that is over, as far as is known: the one before the newest. */
uint64_t rate_last(const struct rate *r);
