// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "geo/geo_cache.h"

static struct geo_key key_of(uint32_t number)
{
    struct geo_key key = {.version = 4};
    memcpy(key.address, &number, sizeof number);
    return key;
}

static void keep(struct geo_cache *cache, uint32_t number)
{
    struct geo_key key = key_of(number);
    struct geo_place place = {.found = true};
    snprintf(place.name, sizeof place.name, "%u", number);
    geo_cache_keep(cache, &key, &place);
}

static bool has(struct geo_cache *cache, uint32_t number)
{
    struct geo_key key = key_of(number);
    struct geo_place place = {0};
    char name[16];
    snprintf(name, sizeof name, "%u", number);
    return geo_cache_find(cache, &key, &place) && strcmp(place.name, name) == 0;
}

static void finds_what_it_keeps(void **state)
{
    (void)state;
    struct geo_cache *cache = geo_cache_new(1000);
    keep(cache, 7);
    assert_true(has(cache, 7));
    assert_false(has(cache, 8));
    geo_cache_free(cache);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    struct geo_cache *cache = geo_cache_new(8); /* one set */
    for (uint32_t i = 1; i <= 8; i++) {
        keep(cache, i);
    }
    assert_true(has(cache, 1)); /* used again: 2 is the oldest now */
    keep(cache, 9);
    assert_true(has(cache, 1));
    assert_false(has(cache, 2));
    assert_true(has(cache, 9));
    geo_cache_free(cache);
}

static void another_database_has_other_places(void **state)
{
    (void)state;
    struct geo_cache *cache = geo_cache_new(8);
    struct geo_key key = key_of(1);
    struct geo_place place;
    keep(cache, 1);
    key.generation = 1;
    assert_false(geo_cache_find(cache, &key, &place));
    geo_cache_free(cache);
}

static void none_finds_nothing(void **state)
{
    (void)state;
    assert_null(geo_cache_new(0));
    keep(NULL, 1);
    assert_false(has(NULL, 1));
    geo_cache_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_it_keeps),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(another_database_has_other_places),
        cmocka_unit_test(none_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
