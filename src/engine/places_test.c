// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/places.h"

static struct places *places_of(const char **zones, size_t count, struct err *err)
{
    struct text_list list = {.items = zones, .count = count};
    return places_new(&(struct places_options){.zones = &list}, err);
}

static const char *zone_of(const struct places *places, unsigned version, const uint8_t *address)
{
    struct place place;
    places_find(places, version, address, &place);
    return place.zone != NULL ? place.zone : "";
}

static void the_smallest_network_counts(void **state)
{
    (void)state;
    const char *zones[] = {"all=0.0.0.0/0", "paris=10.1.0.0/16", "rack=10.1.2.128/25",
                           "host=10.1.2.200", "six=2001:db8::/33"};
    struct err err = {0};
    struct places *places = places_of(zones, 5, &err);
    assert_non_null(places);
    assert_string_equal(zone_of(places, 4, (uint8_t[]){8, 8, 8, 8}), "all");
    assert_string_equal(zone_of(places, 4, (uint8_t[]){10, 1, 9, 9}), "paris");
    assert_string_equal(zone_of(places, 4, (uint8_t[]){10, 1, 2, 127}), "paris");
    assert_string_equal(zone_of(places, 4, (uint8_t[]){10, 1, 2, 129}), "rack");
    assert_string_equal(zone_of(places, 4, (uint8_t[]){10, 1, 2, 200}), "host");
    assert_string_equal(zone_of(places, 6, (uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0x7f}), "six");
    assert_string_equal(zone_of(places, 6, (uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0x80}), "");
    assert_string_equal(zone_of(places, 0, (uint8_t[16]){0}), "");
    places_free(places);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",         "paris",         "=10.0.0.0/8",  "a=10.0.0.0/33",
                                        "a=10.0/8", "a=2001:db8::/", "a=::1/129",    "a=10.0.0.0/-1",
                                        "a=x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = {0};
        assert_false(places_zone_check(wrong[i], &err));
        assert_non_null(strstr(err.text, "is not NAME=NETWORK"));
    }
    struct err err = {0};
    struct text_list none = {0};
    assert_null(places_new(&(struct places_options){.zones = &none, .city = "/nowhere.mmdb"}, &err));
    assert_non_null(strstr(err.text, "/nowhere.mmdb"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_network_counts),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
