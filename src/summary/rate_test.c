// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "summary/rate.h"

#define SECOND UINT64_C(1000000000)

static const uint64_t begin = 1700000000;

static uint64_t at(const struct rate *r, double rank)
{
    uint64_t value;
    rate_at(r, &rank, &value, 1);
    return value;
}

static void counts_seconds(void **state)
{
    struct rate r = {0};
    assert_int_equal(at(&r, 0.5) + rate_last(&r) + rate_total(&r), 0);
    for (uint64_t i = 0; i < 100; i++) {
        rate_add(&r, (begin + i) * SECOND, i);
        rate_add(&r, (begin + i) * SECOND + SECOND - 1, 1);
    }
    assert_int_equal(r.used, 100);
    assert_int_equal(at(&r, 0), 1);
    assert_int_equal(at(&r, 0.5), 50);
    assert_int_equal(at(&r, 0.99), 99);
    assert_int_equal(at(&r, 1), 100);
    assert_int_equal(rate_last(&r), 99);
    assert_int_equal(rate_total(&r), 5050);
}

static void quiet_seconds_count(void **state)
{
    struct rate r = {0};
    rate_add(&r, begin * SECOND, 7);
    assert_int_equal(rate_last(&r), 7);
    rate_add(&r, (begin + 3) * SECOND, 0);
    assert_int_equal(r.used, 4);
    assert_int_equal(at(&r, 0.5), 0);
    assert_int_equal(at(&r, 0.9), 7);
}

static void keeps_the_newest(void **state)
{
    struct rate r = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        rate_add(&r, (begin + i) * SECOND, 1);
    }
    rate_add(&r, begin * SECOND, 5); /* too late */
    assert_int_equal(r.used, RATE_SECONDS);
    assert_int_equal(rate_total(&r), RATE_SECONDS);
    assert_int_equal(r.earlier, 1005 - RATE_SECONDS);
    rate_add(&r, (begin + 1000000) * SECOND, 3);
    assert_int_equal(rate_total(&r), 3);
    assert_int_equal(r.earlier, 1005);
    assert_int_equal(r.used, RATE_SECONDS); /* nearly all of them quiet */
    rate_reset(&r);
    const struct rate empty = {0};
    assert_memory_equal(&r, &empty, sizeof r);
}

/* Seconds in any order, and in any parts: the same. */
static void order_does_not_matter(void **state)
{
    enum { ADDS = 3000 };
    struct rate all = {0}, parts[3] = {0}, one = {0}, other = {0};
    for (uint64_t i = 0; i < ADDS; i++) {
        uint64_t time = (begin + i * 7919 % 900) * SECOND;
        rate_add(&all, time, i);
        rate_add(&parts[i % 3], time, i);
    }
    for (int i = 0; i < 3; i++) {
        rate_merge(&one, &parts[i]);
        rate_merge(&other, &parts[2 - i]);
    }
    assert_memory_equal(&all, &one, sizeof all);
    assert_memory_equal(&all, &other, sizeof all);
    assert_int_equal(rate_total(&all) + all.earlier, ADDS * (ADDS - 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_seconds),
        cmocka_unit_test(quiet_seconds_count),
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
