// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "event/layout.h"

#define SECONDS(n) ((n) * INT64_C(1000000000))

/* 2026-11-20 23:58:49 UTC. */
#define THEN SECONDS(1795219129)

static struct nodes tree;

static void reads_in(const char *zone_name, const char *layout, const char *text, int64_t expected)
{
    struct layout_zone zone;
    int64_t time = -1;
    assert_true(layout_zone_read(span_str(zone_name), &tree, &zone));
    if (!layout_parse(span_str(layout), span_str(text), zone, &time) || time != expected) {
        fail_msg("%s by %s: %lld, not %lld", text, layout, (long long)time, (long long)expected);
    }
}

static void reads(const char *layout, const char *text, int64_t expected)
{
    reads_in("UTC", layout, text, expected);
}

static void refuses(const char *layout, const char *text)
{
    int64_t time;
    if (layout_parse(span_str(layout), span_str(text), (struct layout_zone){0}, &time)) {
        fail_msg("%s by %s is read", text, layout);
    }
}

static void dates_and_times(void **state)
{
    (void)state;
    reads("2006-01-02T15:04:05Z07:00", "2026-11-20T23:58:49Z", THEN);
    reads("2006-01-02T15:04:05Z07:00", "2026-11-21T01:58:49+02:00", THEN);
    reads("2006-01-02T15:04:05.000Z", "2026-11-20T23:58:49.250Z", THEN + 250000000);
    reads("2006-01-02T15:04:05.999999999Z07:00", "2026-11-20T23:58:49Z", THEN);
    reads("2006-01-02T15:04:05Z", "2026-11-20T23:58:49.5Z", THEN + 500000000);
    reads("02/Jan/2006:15:04:05 -0700", "20/Nov/2026:16:58:49 -0700", THEN);
    reads("Mon Jan _2 15:04:05 2006", "Fri Nov 20 23:58:49 2026", THEN);
    reads("Mon Jan _2 15:04:05 2006", "Sun Nov  1 00:00:00 2026", SECONDS(1793491200));
    reads("Monday, January 2, 2006 at 3:04:05 PM MST", "friday, november 20, 2026 at 11:58:49 pm UTC", THEN);
    reads("06-1-2 03:04:05pm", "26-11-20 12:00:00AM", SECONDS(1795132800));
    reads("2006002", "2026324", SECONDS(1795132800));
    reads("20060102_150405", "20261120_235849", THEN);
    reads("01/02/06", "11/20/26", SECONDS(1795132800));
    reads("2006-01-02", "2024-02-29", SECONDS(1709164800));
    int64_t time = 0; /* without a year it is this one */
    struct layout_zone utc = {0};
    assert_true(layout_parse(span_str("Jan _2 15:04:05"), span_str("Nov 20 23:58:49"), utc, &time));
    assert_true(time >= THEN - SECONDS(INT64_C(366) * 86400));
}

static void seconds_since_1970(void **state)
{
    (void)state;
    reads("UNIX", "1795219129", THEN);
    reads("UNIX", "1795219129.25", THEN + 250000000);
    reads("UNIX_MS", "1795219129250", THEN + 250000000);
    reads("UNIX", "-1.5", -1500000000);
    refuses("UNIX", "");
    refuses("UNIX", "x");
    refuses("UNIX", "12x");
    refuses("UNIX", "99999999999999999999");
    refuses("UNIX_MS", "9999999999999999");
}

static void zones(void **state)
{
    (void)state;
    struct layout_zone zone;
    reads_in("+02:00", "2006-01-02 15:04:05", "2026-11-21 01:58:49", THEN);
    reads_in("-0730", "2006-01-02 15:04:05", "2026-11-20 16:28:49", THEN);
    reads_in("+02:00", "2006-01-02 15:04:05 -07", "2026-11-20 16:58:49 -07", THEN);
    static const char *const bad[] = {"Mars", "+2", "+25:00", "+02:0", "+02:00x", "02:00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(layout_zone_read(span_str(bad[i]), &tree, &zone));
    }
    assert_true(layout_zone_read(span_str("Local"), &tree, &zone) && zone.is_local);
}

static void what_is_otherwise(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "2026", "2026-11-20", "2026-13-20 00:00:00", "2026-02-30 00:00:00", "2026-11-20 24:00:00",
        "2026-11-20 23:60:00", "2026-11-20 23:59:60", "2026-11-20 23:58:49x", "2026-11-20 23:58:4",
        "a026-11-20 23:58:49", "2026-11-00 00:00:00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses("2006-01-02 15:04:05", bad[i]);
    }
    refuses("2006-01-02", "0001-01-01"); /* nanoseconds since 1970 have no such number */
    refuses("3 PM", "13 PM");
    refuses("05.000", "01.00");
    refuses("Jan", "Jaa");
    refuses("-07:00", "+0200");
    refuses("MST", "XYZ"); /* nobody knows which zone that is */
}

/* Every layout against every cut of a text: nothing is read beyond its end. */
static void survives_cuts(void **state)
{
    (void)state;
    static const char *const layouts[] = {"2006-01-02T15:04:05.000Z07:00", "Mon Jan _2 3:04PM MST", "UNIX",
                                          "002 __2 -070000 January Monday"};
    static const char text[] = "2026-11-20T23:58:49.250+02:00";
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        for (size_t size = 0; size < sizeof text; size++) {
            int64_t time;
            struct span whole = span_str(layouts[i]);
            (void)layout_parse(whole, span_of(text, size), (struct layout_zone){0}, &time);
            (void)layout_parse(span_head(whole, size), span_str(text), (struct layout_zone){0}, &time);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_times), cmocka_unit_test(seconds_since_1970),
        cmocka_unit_test(zones),           cmocka_unit_test(what_is_otherwise),
        cmocka_unit_test(survives_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
