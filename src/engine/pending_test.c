// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/pending.h"
#include "proto/proto.h"

static struct slab *slab;

static int set_up(void **state)
{
    (void)state;
    slab = slab_new(16 << 20);
    return slab == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    slab_free(slab);
    return 0;
}

static void keep(struct pending *pending, const char *text, uint64_t time_ns)
{
    assert_true(pending_keep(pending, slab, span_str(text), time_ns));
}

static void assert_mark(const struct pending *pending, uint32_t number, uint64_t time_ns, uint32_t end)
{
    const struct pending_mark *mark = pending_mark(pending, number);
    assert_non_null(mark);
    assert_int_equal(mark->time_ns, time_ns);
    assert_int_equal(mark->end, end);
}

static void has_no_marks_unless_it_waits(void **state)
{
    (void)state;
    struct pending pending = {0};
    keep(&pending, "abc", 10);
    keep(&pending, "def", 20);
    assert_false(pending_waits(&pending));
    assert_null(pending_mark(&pending, 0));
    assert_int_equal(pending_since(&pending), 10);
    pending_drop(&pending, slab);
}

static void marks_what_comes_while_it_waits(void **state)
{
    (void)state;
    struct pending pending = {0};
    keep(&pending, "abc", 10);
    pending_await(&pending, slab, 11);
    pending_await(&pending, slab, 12); /* has its mark already */
    keep(&pending, "defg", 20);
    keep(&pending, "h", 30);
    assert_int_equal(pending_marks(&pending), 3);
    assert_mark(&pending, 0, 11, 3);
    assert_mark(&pending, 1, 20, 7);
    assert_mark(&pending, 2, 30, 8);
    pending_consume(&pending, slab, 5);
    assert_int_equal(pending_marks(&pending), 2);
    assert_mark(&pending, 0, 20, 2);
    assert_mark(&pending, 1, 30, 3);
    pending_settle(&pending, slab);
    assert_false(pending_waits(&pending));
    assert_int_equal(pending_size(&pending), 3);
    pending_consume(&pending, slab, 3);
    assert_int_equal(pending_size(&pending), 0);
}

static void beyond_the_last_mark_all_is_of_the_latest(void **state)
{
    (void)state;
    struct pending pending = {0};
    keep(&pending, "a", 0);
    pending_await(&pending, slab, 0);
    for (uint64_t i = 1; i < 2 * PENDING_MARKS_MAX; i++) {
        keep(&pending, "a", i);
    }
    assert_int_equal(pending_marks(&pending), PENDING_MARKS_MAX);
    assert_mark(&pending, PENDING_MARKS_MAX - 2, PENDING_MARKS_MAX - 2, PENDING_MARKS_MAX - 1);
    assert_mark(&pending, PENDING_MARKS_MAX - 1, 2 * PENDING_MARKS_MAX - 1, 2 * PENDING_MARKS_MAX);
    pending_drop(&pending, slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_no_marks_unless_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(marks_what_comes_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_the_last_mark_all_is_of_the_latest, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
