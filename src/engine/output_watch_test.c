// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/log.h"
#include "engine/output_watch.h"

/* The line at hand and how many there were. */
struct told {
    unsigned count;
    char line[LOG_LINE_MAX];
};

static void take_line(void *context, enum log_level level, const char *line)
{
    struct told *told = context;
    assert_int_equal(level, LOG_LEVEL_WARNING);
    told->count++;
    snprintf(told->line, sizeof told->line, "%s", line);
}

static void losses_are_told_once_a_minute(void **state)
{
    (void)state;
    struct told told = {0};
    struct output_watch watch = {0};
    struct sink_status status = {.waiting = 7};
    log_set_sink(take_line, &told);
    output_watch_look(&watch, "x", &status, 100);
    assert_int_equal(told.count, 0);
    for (int64_t now = 101; now < 101 + 2 * OUTPUT_WATCH_SECONDS; now++) {
        status.lost++;
        output_watch_look(&watch, "x", &status, now);
    }
    assert_int_equal(told.count, 2);
    assert_string_equal(told.line, "output x: 61 events are lost so far, 7 wait for it");
    output_watch_look(&watch, "x", &status, 300); /* they wait still */
    assert_int_equal(told.count, 2);
    status.waiting = 0;
    output_watch_look(&watch, "x", &status, 301);
    assert_string_equal(told.line, "output x: it delivers again; 120 events were lost");
    output_watch_look(&watch, "x", &status, 302);
    assert_int_equal(told.count, 3);
    status.lost++; /* it begins anew, and so is told at once */
    output_watch_look(&watch, "x", &status, 303);
    assert_int_equal(told.count, 4);
    log_set_sink(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_told_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
