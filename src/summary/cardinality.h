// SPDX-License-Identifier: Apache-2.0
/* How many distinct items were there: HyperLogLog with 2^12 registers in 4 KiB of flat memory
 * (Flajolet et al., 2007; estimator of Ertl, "New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017). Up to some 384 items it keeps their coupons (26 bits of the hash
 * and a leading-zero count) and is as good as exact; beyond, the standard error is 1.63 %.
 *
 * The three modes, their sizes and the order of their cells are those of the HLL sketch of Apache
 * DataSketches at lg_k 12 and 8 bits a register, so that its bytes are made from this struct; only
 * the HIP accumulator is missing, because it depends on the order of the items and we want the same
 * answer for any number of workers. Merging is the union: it commutes, and repeats do not count.
 *
 * Bytes of two sketches can be merged when their items were hashed alike: what others are to merge
 * with theirs is added by cardinality_coupon(), what stays here may be by base/hash.h, which no
 * stranger can predict (base/murmur3.h says more).
 *
 * Zeroed memory is an empty one. One thread at a time; an add costs 2 to 3 ns when cached. */
#pragma once

#include "base/murmur3.h"
#include "base/span.h"

struct json;

enum {
    CARDINALITY_LG = 12,
    CARDINALITY_REGISTERS = 1 << CARDINALITY_LG,
    CARDINALITY_CELLS = 512,
};

enum cardinality_mode {
    CARDINALITY_EMPTY,
    CARDINALITY_LIST, /* 8 coupons in the order of their coming */
    CARDINALITY_SET,  /* coupons in a hash table of 2^lg_cells cells */
    CARDINALITY_DENSE,
};

struct cardinality {
    uint8_t mode;     /* enum cardinality_mode */
    uint8_t lg_cells; /* LIST and SET */
    uint16_t count;   /* LIST and SET: coupons held */
    union {
        uint32_t cells[CARDINALITY_CELLS]; /* 0: free; those beyond 2^lg_cells are not kept up */
        uint8_t registers[CARDINALITY_REGISTERS];
    };
};

/* Adds an item by a good 64-bit hash of it (base/hash.h). */
void cardinality_add(struct cardinality *c, uint64_t hash);

/* The coupon by which DataSketches knows an item with this hash (by MURMUR3_SEED). */
uint32_t cardinality_coupon(struct murmur3 hash);

/* Adds an item by its coupon: the register's value (1 to 63) << 26 | 26 bits that are the slot. */
void cardinality_add_coupon(struct cardinality *c, uint32_t coupon);

/* Empties it; touches only the memory that was in use. */
void cardinality_reset(struct cardinality *c);

/* The union. */
void cardinality_merge(struct cardinality *into, const struct cardinality *from);

/* The number of distinct items added; standard error as said above. */
double cardinality_estimate(const struct cardinality *c);

/* Appends the compact bytes of DataSketches' HLL sketch, lg_k 12, HLL_8: 8 bytes of head, then the
 * coupons, or 32 bytes of sums and 4096 registers, out of order (that is: without HIP). */
void cardinality_write(const struct cardinality *c, struct json *to);

/* Reads such bytes, compact or not, of HLL_4, HLL_6 and HLL_8, with lg_k 12 or more (more is folded
 * to 12); false, and empty, when they are something else. The estimate of what cardinality_write()
 * wrote is the same again. `c` may hold anything before. */
bool cardinality_read(struct cardinality *c, struct span image);
