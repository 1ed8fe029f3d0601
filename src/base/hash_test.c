// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/hash.h"

static void seed_comes_from_the_environment(void **state)
{
    setenv("VANTAGE_HASH_SEED", "0x2a", 1);
    assert_int_equal(hash_seed(), 42);
    setenv("VANTAGE_HASH_SEED", "43", 1);
    assert_int_equal(hash_seed(), 42); /* drawn once */
}

static void seed_changes_the_hash(void **state)
{
    assert_true(hash64("vantage", 7, 1) != hash64("vantage", 7, 2));
    assert_true(hash64("vantage", 7, 1) == hash64("vantage", 7, 1));
    assert_true(hash64("vantage", 7, 1) != hash64("vantagf", 7, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_comes_from_the_environment),
        cmocka_unit_test(seed_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
