// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "summary/quantiles.h"

enum { VALUES = 20000 };

static uint64_t random_state;

/* In (0, 1). */
static double random_unit(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(random_state >> 12) + 0.5) / (double)(1ull << 52);
}

/* Log-normal, as latencies are. */
static double random_latency(void)
{
    double normal = sqrt(-2 * log(random_unit())) * cos(2 * M_PI * random_unit());
    return exp(1.5 * normal + 6);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Every quantile within half a bucket of the true one. */
static void assert_right(const struct quantiles *q, double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, by_value);
    double growth = exp2(ldexp(1, -quantiles_scale(q)));
    double bound = (growth - 1) / (growth + 1) + 1e-12;
    for (double rank = 0; rank <= 1; rank += 1.0 / 64) {
        double at = ceil(rank * count);
        double truth = values[at > 0 ? (uint32_t)at - 1 : 0];
        assert_true(fabs(quantiles_at(q, rank) - truth) <= bound * fabs(truth));
    }
    assert_true(quantiles_at(q, 0) == values[0]);
    assert_true(quantiles_at(q, 1) == values[count - 1]);
    assert_int_equal(q->count, count);
}

static void errs_as_stated(void **state)
{
    static double values[VALUES];
    struct quantiles q = {0};
    random_state = 1;
    for (uint32_t i = 0; i < VALUES; i++) {
        values[i] = random_latency();
        quantiles_add(&q, values[i]);
    }
    assert_in_range(quantiles_scale(&q), 3, 5);
    assert_right(&q, values, VALUES);
}

/* Both signs and zero; the scale is that of the side that needs the lesser one. */
static void has_two_sides(void **state)
{
    static double values[VALUES];
    struct quantiles q = {0};
    random_state = 2;
    for (uint32_t i = 0; i < VALUES; i++) {
        values[i] = i % 10 == 0 ? 0 : i % 3 == 0 ? -random_latency() : random_latency() / 1000;
        quantiles_add(&q, values[i]);
    }
    assert_right(&q, values, VALUES);
    assert_int_equal(q.zero, VALUES / 10);
}

/* What a value's bucket says of it at scale 7 is so, beside each bound most of all. */
static void bounds_are_exact(void **state)
{
    for (int power = -3; power <= 3; power++) {
        for (uint32_t j = 0; j < 128; j++) {
            long double bound = exp2l(power + j / 128.0L);
            double value = (double)bound;
            value = nextafter(nextafter(value, 0), 0);
            for (int i = 0; i < 5; i++, value = nextafter(value, DBL_MAX)) {
                struct quantiles q = {0};
                quantiles_add(&q, value);
                /* Above the bound: the bucket that begins with it; at it or below: that before. */
                int32_t number = power * 128 + (int32_t)j - ((long double)value <= bound);
                assert_int_equal(q.positive.first, number);
                assert_int_equal(q.folds, 0);
            }
        }
    }
}

/* Whatever comes fits, and the scale is as great as it can be. */
static void scale_adapts(void **state)
{
    struct quantiles q = {0};
    quantiles_add(&q, 1);
    quantiles_add(&q, 4); /* 256 buckets and one */
    assert_int_equal(quantiles_scale(&q), 6);
    quantiles_reset(&q);
    quantiles_add(&q, 1.0000001);
    quantiles_add(&q, 4);
    assert_int_equal(quantiles_scale(&q), 7);
    quantiles_add(&q, DBL_MIN);
    quantiles_add(&q, DBL_MAX);
    quantiles_add(&q, -DBL_MAX);
    assert_int_equal(quantiles_scale(&q), -3);
    assert_true(quantiles_at(&q, 0) == -DBL_MAX && quantiles_at(&q, 1) == DBL_MAX);
    assert_true(isfinite(quantiles_at(&q, 0.9)));
    assert_int_equal(q.count, 5);
}

static void takes_no_nonsense(void **state)
{
    struct quantiles q = {0};
    assert_true(isnan(quantiles_at(&q, 0.5)));
    quantiles_add(&q, NAN);
    quantiles_add(&q, INFINITY);
    quantiles_add(&q, -INFINITY);
    assert_int_equal(q.count, 0);
    quantiles_add(&q, 0);
    quantiles_add(&q, -0.0);
    quantiles_add(&q, DBL_MIN / 2);
    assert_int_equal(q.zero, 3);
    assert_true(quantiles_at(&q, 0.5) == 0);
}

static void add_some(struct quantiles *q, uint64_t seed, uint32_t count)
{
    random_state = seed;
    for (uint32_t i = 0; i < count; i++) {
        double value = floor(random_latency() * (double)seed);
        quantiles_add(q, i % 7 == 0 ? -value : value);
    }
}

static void assert_same(const struct quantiles *a, const struct quantiles *b)
{
    assert_memory_equal(a, b, sizeof *a);
}

static void merge_is_union_and_commutes(void **state)
{
    static const uint32_t sizes[] = {0, 1, 10, 3000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (uint32_t i = 0; i < SIZES * SIZES; i++) {
        struct quantiles a = {0}, b = {0}, both = {0}, ab, ba;
        add_some(&a, 3, sizes[i / SIZES]);
        add_some(&b, 50000, sizes[i % SIZES]);
        add_some(&both, 3, sizes[i / SIZES]);
        add_some(&both, 50000, sizes[i % SIZES]);
        ab = a;
        ba = b;
        quantiles_merge(&ab, &b);
        quantiles_merge(&ba, &a);
        if (both.count > 0) { /* of no meaning, but must not differ in the comparison */
            assert_same(&ab, &both);
            assert_same(&ba, &both);
        }
    }
}

static void reset_forgets(void **state)
{
    struct quantiles q = {0};
    const struct quantiles empty = {0};
    add_some(&q, 9, 1000);
    quantiles_reset(&q);
    assert_same(&q, &empty);
}

static void counts_up_to_powers(void **state)
{
    struct quantiles q = {0};
    for (int i = -10; i <= 1000; i++) {
        quantiles_add(&q, i);
    }
    for (int power = 0; power <= 10; power++) {
        uint64_t truth = (1u << power) < 1000 ? 11 + (1u << power) : 1011;
        assert_int_equal(quantiles_up_to(&q, power), truth);
    }
    assert_int_equal(quantiles_up_to(&q, -1), 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errs_as_stated),      cmocka_unit_test(has_two_sides),
        cmocka_unit_test(bounds_are_exact),    cmocka_unit_test(scale_adapts),
        cmocka_unit_test(takes_no_nonsense),   cmocka_unit_test(merge_is_union_and_commutes),
        cmocka_unit_test(reset_forgets),       cmocka_unit_test(counts_up_to_powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
