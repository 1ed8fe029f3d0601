// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "summary/histogram.h"

static const double at[] = {0.1, 1, 10};
static const struct histogram_bounds bounds = {at, 3};

struct block {
    HISTOGRAM_DECLARE(latency, 3);
    uint64_t behind;
};

static void counts_up_to_bounds(void **state)
{
    static const double values[] = {-5, 0, 0.1, 0.11, 1, 2, 10, 11, INFINITY, NAN};
    static const uint64_t wanted[] = {3, 2, 2, 2};
    struct block b = {.behind = 7};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        histogram_add(&b.latency, bounds, values[i]);
    }
    assert_memory_equal(histogram_counts(&b.latency), wanted, sizeof wanted);
    assert_int_equal(b.latency.count, 9);
    assert_int_equal(b.behind, 7);
    assert_int_equal(histogram_size(bounds), offsetof(struct block, behind));
}

static void merge_adds(void **state)
{
    struct block a = {0}, b = {0}, both = {0};
    for (int i = 0; i < 60; i++) {
        histogram_add(i % 3 == 0 ? &a.latency : &b.latency, bounds, i / 4.0);
        histogram_add(&both.latency, bounds, i / 4.0);
    }
    histogram_merge(&a.latency, &b.latency, bounds);
    assert_memory_equal(&a, &both, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_up_to_bounds),
        cmocka_unit_test(merge_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
