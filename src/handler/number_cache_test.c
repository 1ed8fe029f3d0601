// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/number_cache.h"

static void add_up(void *context, const struct number_cache_entry *entry)
{
    ((uint64_t *)context)[entry->number % 8] += entry->count;
}

static void nothing_is_lost(void **state)
{
    (void)state;
    struct number_cache cache = {0};
    uint64_t sums[8] = {0};
    for (uint32_t i = 0; i < 8000; i++) {
        number_cache_add(&cache, i % 8 + i % 5 * NUMBER_CACHE_SLOTS, add_up, sums);
    }
    number_cache_fold(&cache, add_up, sums);
    number_cache_fold(&cache, add_up, sums); /* of nothing */
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(sums[i], 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
