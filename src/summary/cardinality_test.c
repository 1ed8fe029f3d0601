// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/hash.h"
#include "summary/cardinality.h"

/* Items first .. first + count of the universe `seed`. */
static void add_range(struct cardinality *c, uint64_t first, uint64_t count, uint64_t seed)
{
    for (uint64_t i = first; i < first + count; i++) {
        cardinality_add(c, hash64(&i, sizeof i, seed));
    }
}

static void assert_same_estimate(const struct cardinality *a, const struct cardinality *b)
{
    assert_true(cardinality_estimate(a) == cardinality_estimate(b));
    assert_int_equal(a->mode, b->mode);
}

static void exact_while_few(void **state)
{
    struct cardinality c = {0};
    assert_true(cardinality_estimate(&c) == 0);
    for (uint64_t n = 1; n <= 384; n++) {
        add_range(&c, n - 1, 1, 5);
        add_range(&c, n / 2, 1, 5); /* a repeat */
        assert_true(cardinality_estimate(&c) == (double)n);
    }
    assert_int_equal(c.mode, CARDINALITY_SET);
    add_range(&c, 384, 1, 5);
    assert_int_equal(c.mode, CARDINALITY_DENSE);
    assert_true(fabs(cardinality_estimate(&c) - 385) < 385 * 0.05);
}

/* The root mean square of the relative error over many universes is the stated 1.63 %. */
static void errs_as_stated(void **state)
{
    static const uint64_t sizes[] = {1000, 4096, 12000, 60000};
    enum { TRIALS = 40 };
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        double square = 0;
        double bias = 0;
        for (uint64_t seed = 0; seed < TRIALS; seed++) {
            struct cardinality c = {0};
            add_range(&c, 0, sizes[s], seed * 0x9e3779b97f4a7c15u);
            double off = cardinality_estimate(&c) / (double)sizes[s] - 1;
            assert_true(fabs(off) < 5 * 0.0163);
            square += off * off / TRIALS;
            bias += off / TRIALS;
        }
        assert_true(sqrt(square) < 1.35 * 0.0163);
        assert_true(fabs(bias) < 4 * 0.0163 / sqrt(TRIALS));
    }
}

static void merge_is_union(void **state)
{
    static const uint64_t sizes[] = {0, 1, 7, 8, 20, 100, 384, 385, 5000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (unsigned i = 0; i < SIZES; i++) {
        for (unsigned k = 0; k < SIZES; k++) {
            struct cardinality a = {0}, b = {0}, both = {0}, ab, ba;
            add_range(&a, 0, sizes[i], 9);
            add_range(&b, sizes[i] / 2, sizes[k], 9);
            add_range(&both, 0, sizes[i], 9);
            add_range(&both, sizes[i] / 2, sizes[k], 9);
            ab = a;
            ba = b;
            cardinality_merge(&ab, &b);
            cardinality_merge(&ba, &a);
            assert_same_estimate(&ab, &both);
            assert_same_estimate(&ba, &both);
            cardinality_merge(&ab, &both); /* again: the same */
            assert_same_estimate(&ab, &both);
        }
    }
}

static void reset_forgets(void **state)
{
    static const uint64_t sizes[] = {0, 5, 300, 5000, 40, 400, 3};
    struct cardinality c = {0};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct cardinality fresh = {0};
        cardinality_reset(&c);
        assert_true(cardinality_estimate(&c) == 0);
        add_range(&c, 0, sizes[i], 77);
        add_range(&fresh, 0, sizes[i], 77);
        assert_same_estimate(&c, &fresh);
    }
}

/* MurmurHash3's coupons of the integers 0 to 7 in the order of their coming, and the cells of the
 * set that Apache DataSketches makes of them: its bytes behind the head. */
static void cells_stand_as_in_datasketches(void **state)
{
    static const uint32_t in[] = {0x4c2d7cb, 0x6fbf22b, 0xdf92f86, 0x7668175,
                                  0x65dbc81, 0x8e6657b, 0xa422dfc, 0x517e9c1};
    static const uint32_t out[] = {0x65dbc81, 0xdf92f86, 0x4c2d7cb, 0x517e9c1,
                                   0x7668175, 0xa422dfc, 0x8e6657b, 0x6fbf22b};
    struct cardinality c = {0};
    for (unsigned i = 0; i < 8; i++) {
        assert_memory_equal(c.cells, in, i * sizeof *in);
        cardinality_add_coupon(&c, in[i]);
        assert_int_equal(c.mode, i < 7 ? CARDINALITY_LIST : CARDINALITY_SET);
    }
    assert_int_equal(c.lg_cells, 5);
    unsigned held = 0;
    for (unsigned i = 0; i < 32; i++) {
        if (c.cells[i] != 0) {
            assert_int_equal(c.cells[i], out[held]);
            held++;
        }
    }
    assert_int_equal(held, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_while_few),
        cmocka_unit_test(errs_as_stated),
        cmocka_unit_test(merge_is_union),
        cmocka_unit_test(reset_forgets),
        cmocka_unit_test(cells_stand_as_in_datasketches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
