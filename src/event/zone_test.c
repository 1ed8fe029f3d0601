// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "event/zone.h"

enum { HOUR = 3600 };

/* A file of version 2 without changes, and a rule. */
static const struct zone *ruled(struct nodes *tree, const char *rule)
{
    uint8_t file[512] = {0};
    static const uint8_t head[] = {'T', 'Z', 'i', 'f', '2'};
    size_t at = 0;
    for (unsigned block = 0; block < 2; block++) {
        memcpy(file + at, head, sizeof head);
        file[at + 39] = 1; /* types */
        file[at + 43] = 4; /* letters */
        at += 44 + 6 + 4;
    }
    int size = snprintf((char *)file + at, sizeof file - at, "\n%s\n", rule);
    assert_true(size > 0 && at + (size_t)size < sizeof file);
    return zone_of(span_of(file, at + (size_t)size), tree);
}

static void a_rule_goes_on(void **state)
{
    (void)state;
    struct nodes tree = {0};
    const struct zone *zone = ruled(&tree, "CET-1CEST,M3.5.0,M10.5.0/3");
    assert_non_null(zone);
    assert_int_equal(zone_offset(zone, 1774745999), 2 * HOUR - HOUR); /* 2026-03-29 00:59:59 UTC */
    assert_int_equal(zone_offset(zone, 1774746000), 2 * HOUR);
    assert_int_equal(zone_offset(zone, 1792889999), 2 * HOUR); /* 2026-10-25 00:59:59 UTC */
    assert_int_equal(zone_offset(zone, 1792890000), HOUR);
    assert_int_equal(zone_local_offset(zone, 1792890000 + 12 * HOUR), HOUR);
    node_done(&tree);
}

static void south_of_the_equator(void **state)
{
    (void)state;
    struct nodes tree = {0};
    const struct zone *zone = ruled(&tree, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
    assert_non_null(zone);
    assert_int_equal(zone_offset(zone, 1767225600), 11 * HOUR); /* 1 January 2026 */
    assert_int_equal(zone_offset(zone, 1782864000), 10 * HOUR + HOUR / 2); /* 1 July */
    node_done(&tree);
}

static void what_is_none(void **state)
{
    (void)state;
    struct nodes tree = {0};
    assert_null(zone_of(span_str(""), &tree));
    assert_null(zone_of(span_str("TZif2"), &tree));
    assert_null(zone_named(span_str("../../etc/passwd"), &tree));
    assert_null(zone_named(span_str("/etc/localtime"), &tree));
    assert_null(zone_named(span_str("Mars"), &tree));
    node_done(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_goes_on),
        cmocka_unit_test(south_of_the_equator),
        cmocka_unit_test(what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
