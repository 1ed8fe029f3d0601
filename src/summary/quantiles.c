// SPDX-License-Identifier: Apache-2.0
#include "summary/quantiles.h"

#include <assert.h>
#include <float.h>
#include <math.h>

/* ---- Which bucket ---------------------------------------------------------------------------- */

enum { STEPS = 1 << QUANTILES_SCALE_MAX, FRACTION_BITS = 52, CELL_SHIFT = FRACTION_BITS - 8 };

#define FRACTION_MASK ((UINT64_C(1) << FRACTION_BITS) - 1)
#define SIGN_BIT (UINT64_C(1) << 63)
#define INFINITY_BITS (UINT64_C(0x7ff) << FRACTION_BITS)
#define NORMAL_BITS (UINT64_C(1) << FRACTION_BITS)

/* The bounds within an octave: fraction bits of the greatest double below 2^(j / 128), j from 1 to
 * 127, which is never a double itself; the last stands for the octave's end. */
static const uint64_t bounds[STEPS] = {
    0x0163da9fb3335, 0x02c9a3e778060, 0x04315e86e7f84, 0x059b0d3158574, 0x0706b29ddf6dd,
    0x0874518759bc8, 0x09e3ecac6f383, 0x0b5586cf9890f, 0x0cc922b7247f7, 0x0e3ec32d3d1a2,
    0x0fb66affed31a, 0x11301d0125b50, 0x12abdc06c31cb, 0x1429aaea92ddf, 0x15a98c8a58e51,
    0x172b83c7d517a, 0x18af9388c8de9, 0x1a35beb6fcb75, 0x1bbe084045cd3, 0x1d4873168b9aa,
    0x1ed5022fcd91c, 0x2063b88628cd6, 0x21f49917ddc96, 0x2387a6e756238, 0x251ce4fb2a63f,
    0x26b4565e27cdd, 0x284dfe1f56380, 0x29e9df51fdee1, 0x2b87fd0dad98f, 0x2d285a6e4030b,
    0x2ecafa93e2f56, 0x306fe0a31b715, 0x32170fc4cd831, 0x33c08b26416ff, 0x356c55f929ff0,
    0x371a7373aa9ca, 0x38cae6d05d865, 0x3a7db34e59ff6, 0x3c32dc313a8e4, 0x3dea64c123422,
    0x3fa4504ac801b, 0x4160a21f72e29, 0x431f5d950a896, 0x44e086061892d, 0x46a41ed1d0057,
    0x486a2b5c13cd0, 0x4a32af0d7d3de, 0x4bfdad5362a27, 0x4dcb299fddd0d, 0x4f9b2769d2ca6,
    0x516daa2cf6641, 0x5342b569d4f81, 0x551a4ca5d920e, 0x56f4736b527da, 0x58d12d497c7fd,
    0x5ab07dd485429, 0x5c9268a5946b7, 0x5e76f15ad2148, 0x605e1b976dc08, 0x6247eb03a5584,
    0x6434634ccc31f, 0x6623882552224, 0x68155d44ca973, 0x6a09e667f3bcc, 0x6c012750bdabe,
    0x6dfb23c651a2e, 0x6ff7df9519483, 0x71f75e8ec5f73, 0x73f9a48a58173, 0x75feb564267c8,
    0x780694fde5d3f, 0x7a11473eb0186, 0x7c1ed0130c132, 0x7e2f336cf4e62, 0x80427543e1a11,
    0x82589994cce12, 0x8471a4623c7ac, 0x868d99b4492ec, 0x88ac7d98a6699, 0x8ace5422aa0db,
    0x8cf3216b5448b, 0x8f1ae99157736, 0x9145b0b91ffc5, 0x93737b0cdc5e4, 0x95a44cbc8520e,
    0x97d829fde4e4f, 0x9a0f170ca07b9, 0x9c49182a3f090, 0x9e86319e32323, 0xa0c667b5de564,
    0xa309bec4a2d33, 0xa5503b23e255c, 0xa799e1330b358, 0xa9e6b5579fdbf, 0xac36bbfd3f379,
    0xae89f995ad3ad, 0xb0e07298db665, 0xb33a2b84f15fa, 0xb59728de55939, 0xb7f76f2fb5e46,
    0xba5b030a10649, 0xbcc1e904bc1d2, 0xbf2c25bd71e08, 0xc199bdd85529c, 0xc40ab5fffd07a,
    0xc67f12e57d14b, 0xc8f6d9406e7b5, 0xcb720dcef9069, 0xcdf0b555dc3f9, 0xd072d4a07897b,
    0xd2f87080d89f1, 0xd5818dcfba487, 0xd80e316c98397, 0xda9e603db3285, 0xdd321f301b460,
    0xdfc97337b9b5e, 0xe264614f5a128, 0xe502ee78b3ff6, 0xe7a51fbc74c83, 0xea4afa2a490d9,
    0xecf482d8e67f0, 0xefa1bee615a27, 0xf252b376bba97, 0xf50765b6e4540, 0xf7bfdad9cbe13,
    0xfa7c1819e90d8, 0xfd3c22b8f71f1, UINT64_MAX,
};

/* How many bounds lie below the fraction whose top 8 bits are this, and whose others are 0. These
 * 256 cells are narrower than any bucket, so that at most one bound lies within one. */
static const uint8_t guesses[256] = {
      0,   0,   1,   2,   2,   3,   4,   4,   5,   6,   7,   7,   8,   9,   9,  10,
     11,  11,  12,  13,  13,  14,  15,  15,  16,  17,  17,  18,  19,  19,  20,  21,
     21,  22,  23,  23,  24,  24,  25,  26,  26,  27,  28,  28,  29,  29,  30,  31,
     31,  32,  32,  33,  34,  34,  35,  35,  36,  37,  37,  38,  38,  39,  40,  40,
     41,  41,  42,  42,  43,  44,  44,  45,  45,  46,  46,  47,  48,  48,  49,  49,
     50,  50,  51,  51,  52,  52,  53,  54,  54,  55,  55,  56,  56,  57,  57,  58,
     58,  59,  59,  60,  60,  61,  61,  62,  62,  63,  63,  64,  64,  65,  66,  66,
     67,  67,  68,  68,  69,  69,  70,  70,  70,  71,  71,  72,  72,  73,  73,  74,
     74,  75,  75,  76,  76,  77,  77,  78,  78,  79,  79,  80,  80,  81,  81,  81,
     82,  82,  83,  83,  84,  84,  85,  85,  86,  86,  86,  87,  87,  88,  88,  89,
     89,  90,  90,  90,  91,  91,  92,  92,  93,  93,  94,  94,  94,  95,  95,  96,
     96,  97,  97,  97,  98,  98,  99,  99, 100, 100, 100, 101, 101, 102, 102, 102,
    103, 103, 104, 104, 104, 105, 105, 106, 106, 107, 107, 107, 108, 108, 109, 109,
    109, 110, 110, 111, 111, 111, 112, 112, 112, 113, 113, 114, 114, 114, 115, 115,
    116, 116, 116, 117, 117, 117, 118, 118, 119, 119, 119, 120, 120, 121, 121, 121,
    122, 122, 122, 123, 123, 123, 124, 124, 125, 125, 125, 126, 126, 126, 127, 127,
};

/* The number of the bucket, at the greatest scale, of the normal double with these bits. No
 * logarithm: it would be slow, and wrong beside the bounds, which belong to the bucket below. */
static inline int32_t bucket_number(uint64_t magnitude)
{
    uint64_t below = magnitude - 1; /* the double before: where it lies, lies all up to the bound */
    uint64_t fraction = below & FRACTION_MASK;
    uint32_t step = guesses[fraction >> CELL_SHIFT];
    step += fraction >= bounds[step];
    return ((int32_t)(below >> FRACTION_BITS) - (DBL_MAX_EXP - 1)) * STEPS + (int32_t)step;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

static inline uint64_t *side_place(struct quantiles_side *side, int32_t number)
{
    return &side->counts[(uint32_t)number % QUANTILES_BUCKETS];
}

/* Halves the scale of one side: buckets 2i and 2i + 1 become bucket i. */
static void side_fold(struct quantiles_side *side)
{
    uint64_t old[QUANTILES_BUCKETS];
    for (uint32_t i = 0; i < side->used; i++) {
        uint64_t *count = side_place(side, side->first + (int32_t)i);
        old[i] = *count;
        *count = 0;
    }
    int32_t last = (side->first + (int32_t)side->used - 1) >> 1;
    for (uint32_t i = 0; i < side->used; i++) {
        *side_place(side, (side->first + (int32_t)i) >> 1) += old[i];
    }
    side->first >>= 1;
    side->used = side->used > 0 ? (uint32_t)(last - side->first) + 1 : 0;
}

static void fold(struct quantiles *q)
{
    assert(quantiles_scale(q) > QUANTILES_SCALE_MIN);
    side_fold(&q->positive);
    side_fold(&q->negative);
    q->folds++;
}

/* Widens the side's range for the bucket with this number; returns its number at the scale that
 * it takes. Ends at the least scale, at which all numbers lie within a range. */
__attribute__((noinline)) static int32_t widen(struct quantiles *q, struct quantiles_side *side,
                                               int32_t number)
{
    if (side->used == 0) {
        side->first = number;
        side->used = 1;
        return number;
    }
    for (;;) {
        int32_t last = side->first + (int32_t)side->used - 1;
        int32_t low = number < side->first ? number : side->first;
        int32_t high = number > last ? number : last;
        if (high - low < QUANTILES_BUCKETS) {
            side->first = low;
            side->used = (uint32_t)(high - low) + 1;
            return number;
        }
        fold(q);
        number >>= 1;
    }
}

/* Counts `count` values in the bucket with this number at the scale of now. */
static inline void side_add(struct quantiles *q, struct quantiles_side *side, int32_t number,
                            uint64_t count)
{
    if ((uint32_t)(number - side->first) >= side->used) {
        number = widen(q, side, number);
    }
    *side_place(side, number) += count;
}

static inline void add(struct quantiles *q, double value, uint64_t times)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t magnitude = bits & ~SIGN_BIT;
    if (magnitude >= INFINITY_BITS) {
        return;
    }
    if (magnitude < NORMAL_BITS) {
        q->zero += times;
    } else {
        struct quantiles_side *side = bits == magnitude ? &q->positive : &q->negative;
        side_add(q, side, bucket_number(magnitude) >> q->folds, times);
    }
    q->min = q->count == 0 || value < q->min ? value : q->min;
    q->max = q->count == 0 || value > q->max ? value : q->max;
    q->sum += value * (double)times;
    q->count += times;
}

void quantiles_add(struct quantiles *q, double value)
{
    add(q, value, 1);
}

void quantiles_add_many(struct quantiles *q, double value, uint64_t times)
{
    if (times > 0) {
        add(q, value, times);
    }
}

static void side_reset(struct quantiles_side *side)
{
    for (uint32_t i = 0; i < side->used; i++) {
        *side_place(side, side->first + (int32_t)i) = 0;
    }
    side->first = 0;
    side->used = 0;
}

void quantiles_reset(struct quantiles *q)
{
    side_reset(&q->positive);
    side_reset(&q->negative);
    memset(q, 0, offsetof(struct quantiles, positive));
}

static void side_merge(struct quantiles *q, struct quantiles_side *into,
                       const struct quantiles_side *from, uint32_t folds)
{
    for (uint32_t i = 0; i < from->used; i++) {
        uint64_t count = quantiles_count(from, i);
        if (count > 0) { /* an add may fold once more */
            side_add(q, into, (from->first + (int32_t)i) >> (q->folds - folds), count);
        }
    }
}

void quantiles_merge(struct quantiles *into, const struct quantiles *from)
{
    if (from->count == 0) {
        return;
    }
    while (into->folds < from->folds) {
        fold(into);
    }
    side_merge(into, &into->positive, &from->positive, from->folds);
    side_merge(into, &into->negative, &from->negative, from->folds);
    into->min = into->count == 0 || from->min < into->min ? from->min : into->min;
    into->max = into->count == 0 || from->max > into->max ? from->max : into->max;
    into->zero += from->zero;
    into->sum += from->sum;
    into->count += from->count;
}

/* ---- Reading --------------------------------------------------------------------------------- */

double quantiles_middle(const struct quantiles *q, const struct quantiles_side *side, uint32_t i)
{
    /* Both ends are off by (growth - 1) / (growth + 1) of themselves (Masson et al., "DDSketch",
     * 2019, lemma 2). */
    double width = ldexp(1, -quantiles_scale(q));
    double growth = exp2(width);
    double middle = exp2((side->first + (double)i) * width) * (2 / (1 + 1 / growth));
    middle = side == &q->negative ? -middle : middle;
    return fmin(fmax(middle, q->min), q->max);
}

double quantiles_at(const struct quantiles *q, double rank)
{
    if (q->count == 0) {
        return NAN;
    }
    if (rank <= 0) {
        return q->min;
    }
    double wanted = ceil(rank * (double)q->count);
    double seen = 0;
    for (uint32_t i = q->negative.used; i-- > 0;) {
        seen += (double)quantiles_count(&q->negative, i);
        if (seen >= wanted) {
            return quantiles_middle(q, &q->negative, i);
        }
    }
    seen += (double)q->zero;
    if (seen >= wanted) {
        return fmin(fmax(0, q->min), q->max); /* a value that counts as zero may not be */
    }
    for (uint32_t i = 0; i < q->positive.used && rank < 1; i++) {
        seen += (double)quantiles_count(&q->positive, i);
        if (seen >= wanted) {
            return quantiles_middle(q, &q->positive, i);
        }
    }
    return q->max;
}

uint64_t quantiles_up_to(const struct quantiles *q, int power)
{
    uint64_t seen = q->zero;
    for (uint32_t i = 0; i < q->negative.used; i++) {
        seen += quantiles_count(&q->negative, i);
    }
    double end = ldexp(power, quantiles_scale(q)); /* the number of the bucket behind the bound */
    for (uint32_t i = 0; i < q->positive.used && q->positive.first + (double)i + 1 <= end; i++) {
        seen += quantiles_count(&q->positive, i);
    }
    return seen;
}
