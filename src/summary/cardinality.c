// SPDX-License-Identifier: Apache-2.0
#include "summary/cardinality.h"

#include <math.h>

#include "summary/sketch.h"

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

uint32_t cardinality_coupon(struct murmur3 hash)
{
    uint32_t value = hash.high == 0 ? VALUE_MAX : (uint32_t)__builtin_clzll(hash.high) + 1;
    value = value < VALUE_MAX ? value : VALUE_MAX;
    return value << COUPON_SLOT_BITS | ((uint32_t)hash.low & COUPON_SLOT_MASK);
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

/* How many registers have each value. */
static void cardinality_histogram(const struct cardinality *c, uint32_t ret[VALUE_MAX + 1])
{
    memset(ret, 0, (VALUE_MAX + 1) * sizeof *ret);
    for (uint32_t i = 0; i < CARDINALITY_REGISTERS; i++) {
        ret[c->registers[i] & VALUE_MAX]++;
    }
}

double cardinality_estimate(const struct cardinality *c)
{
    if (c->mode != CARDINALITY_DENSE) {
        return c->count; /* two of n items share a coupon with a chance of n^2 / 2^28 */
    }
    uint32_t histogram[VALUE_MAX + 1];
    cardinality_histogram(c, histogram);
    const double m = CARDINALITY_REGISTERS;
    double z = m * cardinality_tau(1 - histogram[VALUE_MAX] / m);
    for (int value = VALUE_MAX - 1; value >= 1; value--) {
        z = 0.5 * (z + histogram[value]);
    }
    z += m * cardinality_sigma(histogram[0] / m); /* not all can be 0: some coupon came */
    return m * m / (2 * M_LN2 * z);
}

/* ---- The bytes of DataSketches' HLL sketch --------------------------------------------------- */

enum {
    HLL_VERSION = 1,
    HLL_LG_MAX = 21,
    HLL_PREAMBLE_LIST = 2, /* in words of four bytes */
    HLL_PREAMBLE_SET = 3,
    HLL_PREAMBLE_DENSE = 10,
    HLL_EMPTY = 4, /* flags */
    HLL_COMPACT = 8,
    HLL_OUT_OF_ORDER = 16,
    HLL_LIST = 0, /* the low half of the byte of modes */
    HLL_SET = 1,
    HLL_DENSE = 2,
    HLL_4 = 0, /* its high half: how registers are packed */
    HLL_6 = 1 << 2,
    HLL_8 = 2 << 2,
    HLL_MODE_MASK = 3,
    HLL_TARGET_MASK = 3 << 2,
    HLL_NIBBLE_ELSEWHERE = 15,
    HLL_SUM_SPLIT = 32, /* values below are summed apart: each sum is exact in a double */
};

static void cardinality_write_head(struct json *to, uint8_t preamble, uint8_t lg_cells,
                                   uint8_t flags, uint8_t count, uint8_t mode)
{
    const uint8_t head[SKETCH_HEAD] = {preamble,      HLL_VERSION,
                                       SKETCH_HLL,    CARDINALITY_LG,
                                       lg_cells,      flags | HLL_COMPACT,
                                       count,         mode | HLL_8};
    json_append(to, head, sizeof head);
}

static void cardinality_write_sparse(const struct cardinality *c, struct json *to)
{
    if (c->mode == CARDINALITY_SET) {
        cardinality_write_head(to, HLL_PREAMBLE_SET, c->lg_cells, 0, 0, HLL_SET);
        sketch_put_u32(to, c->count);
    } else {
        uint8_t flags = c->count == 0 ? HLL_EMPTY : 0;
        cardinality_write_head(to, HLL_PREAMBLE_LIST, LIST_LG, flags, (uint8_t)c->count, HLL_LIST);
    }
    for (uint32_t i = 0; c->count > 0 && i < cardinality_cells(c); i++) {
        if (c->cells[i] != 0) {
            sketch_put_u32(to, c->cells[i]);
        }
    }
}

static void cardinality_write_dense(const struct cardinality *c, struct json *to)
{
    uint32_t histogram[VALUE_MAX + 1];
    cardinality_histogram(c, histogram);
    double sums[2] = {0};
    for (int value = 0; value <= VALUE_MAX; value++) {
        sums[value >= HLL_SUM_SPLIT] += ldexp(histogram[value], -value);
    }
    cardinality_write_head(to, HLL_PREAMBLE_DENSE, 0, HLL_OUT_OF_ORDER, 0, HLL_DENSE);
    sketch_put_f64(to, 0); /* the HIP accumulator, which is not looked at out of order */
    sketch_put_f64(to, sums[0]);
    sketch_put_f64(to, sums[1]);
    sketch_put_u32(to, histogram[0]);
    sketch_put_u32(to, 0); /* registers that did not fit: in HLL_8 all do */
    json_append(to, c->registers, sizeof c->registers);
}

void cardinality_write(const struct cardinality *c, struct json *to)
{
    if (c->mode == CARDINALITY_DENSE) {
        cardinality_write_dense(c, to);
    } else {
        cardinality_write_sparse(c, to);
    }
}

/* All that is left: coupons, of which `count` are not 0. A list that is not compact ends in free
 * cells, a set has them everywhere. */
static bool cardinality_read_coupons(struct cardinality *c, struct cursor *at, uint32_t count)
{
    uint32_t held = 0;
    while (!at->bad && cursor_left(at) > 0) {
        uint32_t coupon = sketch_take_u32(at);
        if (coupon == 0) {
            continue;
        }
        if (coupon >> COUPON_SLOT_BITS == 0) {
            return false;
        }
        held++;
        cardinality_add_coupon(c, coupon);
    }
    return !at->bad && held == count;
}

/* Turns the empty sketch to registers. */
static void cardinality_begin_dense(struct cardinality *c)
{
    c->mode = CARDINALITY_DENSE;
    memset(c->registers, 0, sizeof c->registers);
}

/* The value of register i, as it is packed; HLL_6 has a byte more than it needs, so that two can
 * be read. */
static uint32_t cardinality_unpack(const uint8_t *packed, uint8_t target, uint32_t i)
{
    switch (target) {
    case HLL_4:
        return packed[i / 2] >> (i & 1) * 4 & 15;
    case HLL_6:
        return load_le16(packed + i * 6 / 8) >> i * 6 % 8 & VALUE_MAX;
    default:
        return packed[i];
    }
}

/* Behind the head: sums that follow from the registers, the registers, and in HLL_4, as coupons,
 * those that are too far above the least. */
static bool cardinality_read_dense(struct cardinality *c, struct cursor *at, const uint8_t *head)
{
    uint32_t count = 1u << head[3];
    uint8_t target = head[7] & HLL_TARGET_MASK;
    size_t size = target == HLL_4 ? count / 2 : target == HLL_6 ? count / 4 * 3 + 1 : count;
    cursor_skip(at, 3 * sizeof(double) + sizeof(uint32_t));
    uint32_t elsewhere = sketch_take_u32(at);
    struct span packed = cursor_take(at, size);
    if (at->bad || target > HLL_8 || (target != HLL_4 && head[6] != 0)) {
        return false;
    }
    cardinality_begin_dense(c);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = cardinality_unpack(packed.data, target, i);
        if (target == HLL_4 && value == HLL_NIBBLE_ELSEWHERE) {
            continue;
        }
        value += head[6];
        if (value > VALUE_MAX) {
            return false;
        }
        cardinality_raise(c, value << COUPON_SLOT_BITS | i);
    }
    return cardinality_read_coupons(c, at, elsewhere);
}

static bool cardinality_read_body(struct cardinality *c, struct span image)
{
    struct cursor at = cursor_of(image);
    const uint8_t *head = cursor_take(&at, SKETCH_HEAD).data;
    if (at.bad || head[1] != HLL_VERSION || head[2] != SKETCH_HLL || head[3] > HLL_LG_MAX) {
        return false;
    }
    switch (head[7] & HLL_MODE_MASK) {
    case HLL_LIST:
        return head[0] == HLL_PREAMBLE_LIST && cardinality_read_coupons(c, &at, head[6]);
    case HLL_SET: {
        uint32_t count = sketch_take_u32(&at);
        return head[0] == HLL_PREAMBLE_SET && cardinality_read_coupons(c, &at, count);
    }
    case HLL_DENSE:
        return head[0] == HLL_PREAMBLE_DENSE && head[3] >= CARDINALITY_LG &&
               cardinality_read_dense(c, &at, head);
    default:
        return false;
    }
}

bool cardinality_read(struct cardinality *c, struct span image)
{
    cardinality_reset(c);
    bool read = cardinality_read_body(c, image);
    if (!read) {
        cardinality_reset(c);
    }
    return read;
}
