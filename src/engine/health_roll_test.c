// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/health_roll.h"

#include <stdio.h>

enum { ROOM = 8 };

static struct health_event event_of(unsigned number, double badness)
{
    struct health_event event = {.badness = badness};
    event.flow.head.suborder = number;
    event.flow.end_ns = number;
    snprintf(event.flow.flow_id, sizeof event.flow.flow_id, "flow%u", number);
    return event;
}

static void add(struct health_roll *roll, unsigned number, double badness)
{
    struct health_event event = event_of(number, badness);
    health_roll_add(roll, &event);
}

static void the_worst_come_first(void **state)
{
    (void)state;
    struct health_roll *roll = health_roll_new(ROOM);
    struct health_event rows[ROOM];
    uint64_t total;
    add(roll, 1, 0);
    add(roll, 2, 50);
    add(roll, 3, 10);
    assert_int_equal(health_roll_worst(roll, rows, 2, &total), 2);
    assert_int_equal(total, 3);
    assert_string_equal(rows[0].flow.flow_id, "flow2");
    assert_string_equal(rows[1].flow.flow_id, "flow3");
    health_roll_free(roll);
}

static void a_later_report_takes_the_place(void **state)
{
    (void)state;
    struct health_roll *roll = health_roll_new(ROOM);
    struct health_event rows[ROOM];
    uint64_t total;
    add(roll, 1, 0);
    add(roll, 1, 40);
    assert_int_equal(health_roll_worst(roll, rows, ROOM, &total), 1);
    assert_int_equal(total, 1);
    assert_true(rows[0].badness > 39);
    health_roll_free(roll);
}

static void keeps_the_bad_and_the_recent(void **state)
{
    (void)state;
    struct health_roll *roll = health_roll_new(ROOM);
    struct health_event row;
    add(roll, 1, 90);
    for (unsigned i = 2; i < 100; i++) {
        add(roll, i, 0);
    }
    assert_true(health_roll_find(roll, "flow1", &row));
    assert_true(health_roll_find(roll, "flow99", &row));
    assert_true(health_roll_find(roll, "flow98", &row));
    assert_false(health_roll_find(roll, "flow2", &row));
    health_roll_free(roll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_come_first),
        cmocka_unit_test(a_later_report_takes_the_place),
        cmocka_unit_test(keeps_the_bad_and_the_recent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
