// SPDX-License-Identifier: Apache-2.0
/* Quantiles of values of any sign and spread by their ranks: the KLL sketch (Karnin, Lang, Liberty,
 * "Optimal Quantile Approximation in Streams", 2016), of 32-bit floats, in the form of Apache
 * DataSketches, whose bytes it reads and writes. A quantile's rank is off by at most 1.33 % of all
 * values with a chance of 99 % (k 200); merging keeps that.
 *
 * For latencies and sizes take quantiles.h, which errs by the value, costs a tenth and depends on
 * nothing but the values; kll_of_quantiles() makes a sketch of it when others want its bytes.
 *
 * Items stand on levels; one of level h stands for 2^h values. When all places are taken, the
 * lowest full level is sorted and every second of its items goes up, by the toss of a coin. The
 * coins come from a generator that starts the same everywhere: the same values in the same order
 * give the same sketch. Flat memory, 14 KiB; an add costs some 50 ns. One thread at a time. */
#pragma once

#include "base/span.h"

struct json;
struct quantiles;

enum {
    KLL_K = 200,
    KLL_K_MIN = 8,
    KLL_K_MAX = 1000,
    KLL_LEVELS_MAX = 61,
    KLL_ITEMS_MAX = 3376, /* places of KLL_K_MAX at KLL_LEVELS_MAX */
};

struct kll {
    uint64_t count; /* values */
    uint64_t coins; /* state of the generator */
    float min;      /* of no meaning when there are none */
    float max;
    uint16_t k;     /* the size; more is better */
    uint16_t k_min; /* the least k of all that was merged, which says how good it is */
    uint32_t levels;
    uint32_t begins[KLL_LEVELS_MAX + 1]; /* level h: items[begins[h]] up to items[begins[h + 1]] */
    float items[KLL_ITEMS_MAX]; /* level 0 in no order, the others ascending */
};

/* An empty sketch in any memory; k from KLL_K_MIN to KLL_K_MAX, KLL_K if in doubt. */
void kll_init(struct kll *s, uint32_t k);

/* Adds a value; one that is not a number is not counted. */
void kll_add(struct kll *s, float value);

/* Adds all of `from`. */
void kll_merge(struct kll *into, const struct kll *from);

/* The least value at or below which at least the part `rank` (0 to 1) of all lies, as far as the
 * sketch knows; NaN when there are none. Costs a sort of what is held. */
float kll_at(const struct kll *s, double rank);

/* A sketch of what the histogram counted: each bucket's count, in binary, gives one item on the
 * level of each bit, which is the middle of the bucket. `k` grows from KLL_K as far as they need
 * and no item is lost to chance but beyond KLL_K_MAX. */
void kll_of_quantiles(struct kll *s, const struct quantiles *q);

/* Appends the bytes of DataSketches' kll_floats_sketch. */
void kll_write(const struct kll *s, struct json *to);

/* Reads such bytes with k up to KLL_K_MAX; false, and empty, when they are something else. */
bool kll_read(struct kll *s, struct span image);
