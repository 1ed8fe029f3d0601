// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "summary/series.h"

enum { MS = 1000000 };

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void assert_same(const struct series *a, const struct series *b)
{
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->shift, b->shift);
    assert_int_equal(a->used, b->used);
    assert_memory_equal(a->buckets, b->buckets, sizeof a->buckets);
}

static void widens_as_time_goes_on(void **state)
{
    struct series s = {0};
    const uint64_t start = 1000 * (uint64_t)MS;
    for (uint64_t i = 0; i < 64; i++) {
        series_add(&s, start + i * MS + i, 1 + i);
    }
    assert_int_equal(series_width_ns(&s), MS);
    assert_int_equal(series_start_ns(&s), start);
    assert_int_equal(s.used, 64);
    assert_int_equal(s.buckets[63], 64);
    series_add(&s, start + 64 * MS, 7);
    assert_int_equal(series_width_ns(&s), 2 * MS);
    assert_int_equal(s.used, 33);
    assert_int_equal(s.buckets[0], 1 + 2);
    assert_int_equal(s.buckets[31], 63 + 64);
    assert_int_equal(s.buckets[32], 7);
    assert_int_equal(s.buckets[33], 0);
}

static void folds_by_number_not_by_place(void **state)
{
    struct series s = {0};
    series_add(&s, 3 * MS, 1); /* an odd bucket: alone in its pair */
    series_add(&s, 4 * MS, 2);
    series_add(&s, 5 * MS, 4);
    series_add(&s, 3 * MS + 64 * (uint64_t)MS, 8);
    assert_int_equal(series_start_ns(&s), 2 * MS);
    assert_int_equal(s.buckets[0], 1);
    assert_int_equal(s.buckets[1], 6);
    assert_int_equal(s.used, 33);
    assert_int_equal(s.buckets[32], 8);
}

static void tolerates_earlier_times(void **state)
{
    struct series s = {0};
    series_add(&s, 100 * (uint64_t)MS, 1);
    series_add(&s, 90 * (uint64_t)MS, 2);
    assert_int_equal(series_start_ns(&s), 90 * (uint64_t)MS);
    assert_int_equal(s.used, 11);
    assert_int_equal(s.buckets[0], 2);
    assert_int_equal(s.buckets[10], 1);
    series_add(&s, 37 * (uint64_t)MS, 4); /* 64 buckets: they just fit */
    assert_int_equal(series_width_ns(&s), MS);
    series_add(&s, 36 * (uint64_t)MS, 8);
    assert_int_equal(series_width_ns(&s), 2 * MS);
    assert_int_equal(s.buckets[0], 12);
}

static void holds_all_of_time(void **state)
{
    struct series s = {0};
    series_add(&s, UINT64_MAX, 1);
    series_add(&s, 0, 2);
    series_add(&s, 1794782329123456789u, 0); /* nothing */
    assert_int_equal(s.buckets[0], 2);
    assert_int_equal(s.buckets[s.used - 1], 1);
    uint64_t total = 0;
    for (unsigned i = 0; i < SERIES_BUCKETS; i++) {
        total += s.buckets[i];
    }
    assert_int_equal(total, 3);
}

/* Any order and any split give the same series, and merging commutes. */
static void depends_on_nothing_but_what_came(void **state)
{
    enum { ADDS = 500 };
    static uint64_t times[ADDS];
    for (unsigned spread = 18; spread < 64; spread += 3) {
        struct series forth = {0}, back = {0}, parts[3] = {0}, ab = {0}, ba = {0};
        uint64_t base = random_next() >> 2;
        for (unsigned i = 0; i < ADDS; i++) {
            times[i] = base + (random_next() >> (64 - spread)) / 2;
        }
        for (unsigned i = 0; i < ADDS; i++) {
            series_add(&forth, times[i], i + 1);
            series_add(&back, times[ADDS - 1 - i], ADDS - i);
            series_add(&parts[i * 3 / ADDS], times[i], i + 1);
        }
        assert_same(&forth, &back);
        for (unsigned i = 0; i < 3; i++) {
            series_merge(&ab, &parts[i]);
            series_merge(&ba, &parts[2 - i]);
        }
        assert_same(&ab, &forth);
        assert_same(&ba, &forth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widens_as_time_goes_on),
        cmocka_unit_test(folds_by_number_not_by_place),
        cmocka_unit_test(tolerates_earlier_times),
        cmocka_unit_test(holds_all_of_time),
        cmocka_unit_test(depends_on_nothing_but_what_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
