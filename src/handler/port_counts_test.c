// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/port_counts.h"

struct heard {
    uint32_t calls;
    uint64_t sums[PORT_COUNTS_PORTS];
};

static struct port_counts ports;
static struct heard heard;

static int begin(void **state)
{
    (void)state;
    ports = (struct port_counts){0};
    heard = (struct heard){0};
    return 0;
}

static void hear(void *context, unsigned port, uint32_t count)
{
    struct heard *to = context;
    to->calls++;
    to->sums[port] += count;
}

static void each_port_is_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * PORT_COUNTS_PORTS; i++) {
        port_counts_add(&ports, (uint16_t)i, hear, &heard);
    }
    assert_int_equal(heard.calls, 0);
    port_counts_fold(&ports, hear, &heard);
    assert_int_equal(heard.calls, PORT_COUNTS_PORTS);
    for (unsigned i = 0; i < PORT_COUNTS_PORTS; i++) {
        assert_int_equal(heard.sums[i], 3);
    }
}

static void a_fold_empties(void **state)
{
    (void)state;
    port_counts_add(&ports, 53, hear, &heard);
    port_counts_add(&ports, 65535, hear, &heard);
    port_counts_fold(&ports, hear, &heard);
    port_counts_fold(&ports, hear, &heard);
    assert_int_equal(heard.calls, 2);
    assert_int_equal(heard.sums[53], 1);
    assert_int_equal(heard.sums[65535], 1);
}

static void many_of_one_port_are_not_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        port_counts_add(&ports, 53, hear, &heard);
    }
    port_counts_fold(&ports, hear, &heard);
    assert_int_equal(heard.sums[53], 200000);
}

/* What left last, and before it. */
static void note_order(void *context, unsigned port, uint32_t count)
{
    unsigned *last = context;
    assert_true(count > 0);
    last[0] = last[1];
    last[1] = port;
}

static void the_heaviest_leave_last(void **state)
{
    (void)state;
    unsigned last[2] = {0};
    for (unsigned i = 0; i < PORT_COUNTS_PORTS; i++) {
        port_counts_add(&ports, (uint16_t)i, note_order, last);
    }
    for (unsigned i = 0; i < 1000; i++) {
        port_counts_add(&ports, 7, note_order, last);
        port_counts_add(&ports, 9, note_order, last);
    }
    port_counts_fold(&ports, note_order, last);
    assert_int_equal(last[0], 7);
    assert_int_equal(last[1], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_port_is_counted, begin),
        cmocka_unit_test_setup(a_fold_empties, begin),
        cmocka_unit_test_setup(the_heaviest_leave_last, begin),
        cmocka_unit_test_setup(many_of_one_port_are_not_lost, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
