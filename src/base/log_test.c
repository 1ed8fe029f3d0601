// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct heard {
    unsigned count;
    enum log_level level;
    char line[LOG_LINE_MAX];
};

static void hear(void *context, enum log_level level, const char *line)
{
    struct heard *heard = context;
    heard->count++;
    heard->level = level;
    snprintf(heard->line, sizeof heard->line, "%s", line);
}

static void lines_reach_the_sink(void **state)
{
    struct heard heard = {0};
    log_set_sink(hear, &heard);
    log_warning("disk %s is %d %% full", "sda", 91);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.level, LOG_LEVEL_WARNING);
    assert_string_equal(heard.line, "disk sda is 91 % full");
    log_debug("not asked for");
    assert_int_equal(heard.count, 1);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("asked for");
    assert_int_equal(heard.count, 2);
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(NULL, NULL);
}

static void a_flood_is_cut_and_counted(void **state)
{
    struct heard heard = {0};
    log_set_sink(hear, &heard);
    for (int i = 0; i < 10 * LOG_BURST; i++) {
        log_error("again %d", i);
    }
    assert_in_range(heard.count, LOG_BURST / 2, 2 * LOG_BURST);
    unsigned before = heard.count;
    usleep(1000000 / LOG_PER_SECOND + 50000);
    log_error("after");
    assert_int_equal(heard.count, before + 2); /* the note on what was left out, and the line */
    assert_string_equal(heard.line, "after");
    log_set_sink(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_reach_the_sink),
        cmocka_unit_test(a_flood_is_cut_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
