// SPDX-License-Identifier: Apache-2.0
#include "summary/cardinality.h"

#include <math.h>

enum {
    COUPON_SLOT_BITS = 26,
    LIST_LG = 3,
    SET_LG_FIRST = 5,
    SET_LG_LAST = 9,
    VALUE_MAX = 63,
};
#define COUPON_SLOT_MASK ((1u << COUPON_SLOT_BITS) - 1)

/* Cells that hold something when the table is as full as it may be, one more than 3/4. */
enum { COUPONS_MAX = CARDINALITY_CELLS * 3 / 4 + 1 };

_Static_assert(SET_LG_LAST == CARDINALITY_LG - 3, "where DataSketches goes over to registers");
_Static_assert(CARDINALITY_CELLS == 1 << SET_LG_LAST, "the last table fills the cells");

static inline uint32_t cardinality_cells(const struct cardinality *c)
{
    return 1u << c->lg_cells;
}

/* The cell of this coupon, or the free one where it would go; the table is never full. */
static uint32_t *cardinality_cell(struct cardinality *c, uint32_t coupon)
{
    if (c->mode == CARDINALITY_LIST) {
        uint32_t *cell = c->cells;
        while (*cell != 0 && *cell != coupon) {
            cell++;
        }
        return cell;
    }
    uint32_t mask = cardinality_cells(c) - 1;
    uint32_t stride = (coupon & COUPON_SLOT_MASK) >> c->lg_cells | 1;
    uint32_t at = coupon & mask;
    while (c->cells[at] != 0 && c->cells[at] != coupon) {
        at = (at + stride) & mask;
    }
    return &c->cells[at];
}

static inline void cardinality_raise(struct cardinality *c, uint32_t coupon)
{
    uint8_t *reg = &c->registers[coupon & (CARDINALITY_REGISTERS - 1)];
    uint8_t value = (uint8_t)(coupon >> COUPON_SLOT_BITS);
    if (value > *reg) {
        *reg = value;
    }
}

/* Moves the coupons, in the order of the cells, into a table of 2^lg cells; or, if `lg` is beyond
 * the last, into registers. */
static void cardinality_grow(struct cardinality *c, uint8_t lg)
{
    uint32_t coupons[COUPONS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < cardinality_cells(c); i++) {
        if (c->cells[i] != 0) {
            coupons[count++] = c->cells[i];
        }
    }
    bool dense = lg > SET_LG_LAST;
    c->mode = dense ? CARDINALITY_DENSE : CARDINALITY_SET;
    c->lg_cells = dense ? 0 : lg;
    c->count = dense ? 0 : c->count;
    memset(c->cells, 0, dense ? sizeof c->registers : sizeof *c->cells << lg);
    for (uint32_t i = 0; i < count; i++) {
        if (dense) {
            cardinality_raise(c, coupons[i]);
        } else {
            *cardinality_cell(c, coupons[i]) = coupons[i];
        }
    }
}

static void cardinality_add_sparse(struct cardinality *c, uint32_t coupon)
{
    if (c->mode == CARDINALITY_EMPTY) {
        memset(c->cells, 0, sizeof *c->cells << LIST_LG);
        c->mode = CARDINALITY_LIST;
        c->lg_cells = LIST_LG;
    }
    uint32_t *cell = cardinality_cell(c, coupon);
    if (*cell != 0) {
        return;
    }
    *cell = coupon;
    c->count++;
    if (c->mode == CARDINALITY_LIST && c->count == 1 << LIST_LG) {
        cardinality_grow(c, SET_LG_FIRST);
    } else if (c->mode == CARDINALITY_SET && 4u * c->count > 3 * cardinality_cells(c)) {
        cardinality_grow(c, (uint8_t)(c->lg_cells + 1));
    }
}

void cardinality_add_coupon(struct cardinality *c, uint32_t coupon)
{
    if (c->mode == CARDINALITY_DENSE) {
        cardinality_raise(c, coupon);
    } else {
        cardinality_add_sparse(c, coupon);
    }
}

void cardinality_add(struct cardinality *c, uint64_t hash)
{
    /* The leading zeros end where the register's number begins: the two must not depend on each
     * other. Values up to 53 are enough for 10^16 items. */
    uint32_t value = (uint32_t)__builtin_clzll(hash | (CARDINALITY_REGISTERS - 1)) + 1;
    cardinality_add_coupon(c, value << COUPON_SLOT_BITS | ((uint32_t)hash & COUPON_SLOT_MASK));
}

void cardinality_reset(struct cardinality *c)
{
    /* Each mode clears what it takes over; 0 coupons are in EMPTY's cells by definition. */
    c->mode = CARDINALITY_EMPTY;
    c->lg_cells = 0;
    c->count = 0;
}

void cardinality_merge(struct cardinality *into, const struct cardinality *from)
{
    if (from->mode == CARDINALITY_EMPTY) {
        return;
    }
    if (from->mode != CARDINALITY_DENSE) {
        for (uint32_t i = 0; i < cardinality_cells(from); i++) {
            if (from->cells[i] != 0) {
                cardinality_add_coupon(into, from->cells[i]);
            }
        }
        return;
    }
    if (into->mode == CARDINALITY_EMPTY) {
        *into = *from;
        return;
    }
    if (into->mode != CARDINALITY_DENSE) {
        cardinality_grow(into, SET_LG_LAST + 1);
    }
    for (uint32_t i = 0; i < CARDINALITY_REGISTERS; i++) {
        uint8_t value = from->registers[i];
        into->registers[i] = value > into->registers[i] ? value : into->registers[i];
    }
}

/* Ertl 2017, algorithm 6: x + sum over k of x^(2^k) * 2^(k-1). */
static double cardinality_sigma(double x)
{
    double y = 1;
    double z = x;
    for (double before = -1; z != before;) {
        before = z;
        x *= x;
        z += x * y;
        y += y;
    }
    return z;
}

/* The same, (1 - x - sum over k of (1 - x^(2^-k))^2 * 2^-k) / 3. */
static double cardinality_tau(double x)
{
    if (x == 0 || x == 1) {
        return 0;
    }
    double y = 1;
    double z = 1 - x;
    for (double before = -1; z != before;) {
        before = z;
        x = sqrt(x);
        y /= 2;
        z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
}

double cardinality_estimate(const struct cardinality *c)
{
    if (c->mode != CARDINALITY_DENSE) {
        return c->count; /* two of n items share a coupon with a chance of n^2 / 2^28 */
    }
    uint32_t histogram[VALUE_MAX + 1] = {0};
    for (uint32_t i = 0; i < CARDINALITY_REGISTERS; i++) {
        histogram[c->registers[i] & VALUE_MAX]++;
    }
    const double m = CARDINALITY_REGISTERS;
    double z = m * cardinality_tau(1 - histogram[VALUE_MAX] / m);
    for (int value = VALUE_MAX - 1; value >= 1; value--) {
        z = 0.5 * (z + histogram[value]);
    }
    z += m * cardinality_sigma(histogram[0] / m); /* not all can be 0: some coupon came */
    return m * m / (2 * M_LN2 * z);
}
