// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/tcp_marks.h"

enum { ROOM = 1000, MANY = 100000 };

static struct tcp_marks new_marks(void)
{
    struct tcp_marks marks;
    struct err err = {0};
    assert_true(tcp_marks_init(&marks, ROOM, &err));
    return marks;
}

static void add(struct tcp_marks *marks, uint64_t time_ns, unsigned kind, int64_t from, int64_t to)
{
    struct tcp_mark mark = {.time_ns = time_ns, .from = from, .to = to, .kind = (uint8_t)kind};
    tcp_marks_add(marks, &mark);
}

static void keeps_all_that_fits(void **state)
{
    (void)state;
    struct tcp_marks marks = new_marks();
    for (unsigned i = 0; i < ROOM; i++) {
        add(&marks, i, TCP_MARK_DATA, i, i + 1);
    }
    assert_int_equal(marks.count, ROOM);
    assert_int_equal(marks.columns, 0);
    assert_int_equal(marks.marks[7].from, 7);
    tcp_marks_done(&marks);
}

static uint64_t total(const struct tcp_marks *marks, unsigned kind)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < marks->count; i++) {
        sum += marks->marks[i].kind == kind ? marks->marks[i].count : 0;
    }
    return sum;
}

/* A stream of many segments: its first and last bytes stay, no segment is far from a mark, and none
 * is forgotten in the counts. */
static void stays_true_when_it_is_thinned(void **state)
{
    (void)state;
    struct tcp_marks marks = new_marks();
    for (unsigned i = 0; i < MANY; i++) {
        add(&marks, i * 1000, TCP_MARK_DATA, i * 100, i * 100 + 100);
    }
    assert_in_range(marks.count, ROOM / 8, ROOM);
    assert_int_equal(marks.seen, MANY);
    assert_int_equal(total(&marks, TCP_MARK_DATA), MANY);
    assert_int_equal(marks.marks[0].from, 0);
    assert_int_equal(marks.marks[marks.count - 1].to, MANY * 100);
    int64_t covered = 0;
    for (uint32_t i = 0; i < marks.count; i++) {
        assert_int_equal(marks.marks[i].from, covered); /* merged bars have no gap */
        covered = marks.marks[i].to;
    }
    tcp_marks_done(&marks);
}

/* One loss among very many segments is still to be seen. */
static void what_is_rare_is_kept(void **state)
{
    (void)state;
    struct tcp_marks marks = new_marks();
    for (unsigned i = 0; i < MANY; i++) {
        add(&marks, i * 1000, TCP_MARK_DATA, i * 100, i * 100 + 100);
        if (i == 777) {
            add(&marks, i * 1000, TCP_MARK_FILL, 5000, 5100);
        }
    }
    assert_int_equal(total(&marks, TCP_MARK_FILL), 1);
    tcp_marks_done(&marks);
}

static void noise_does_not_fill_it(void **state)
{
    (void)state;
    struct tcp_marks marks = new_marks();
    uint64_t random = 1;
    for (unsigned i = 0; i < MANY; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t from = (int64_t)random;
        struct tcp_mark mark = {.time_ns = random >> 3, .from = from, .to = from,
                                .kind = (uint8_t)(random >> 40) % TCP_MARK_KINDS,
                                .way = (uint8_t)(random >> 63)};
        tcp_marks_add(&marks, &mark);
    }
    assert_true(marks.count <= ROOM);
    for (uint32_t i = 1; i < marks.count; i++) {
        assert_true(marks.marks[i].time_ns >= marks.marks[i - 1].time_ns);
    }
    tcp_marks_done(&marks);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < TCP_MARK_KINDS; kind++) {
        assert_non_null(tcp_mark_name((enum tcp_mark_kind)kind));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_all_that_fits),
        cmocka_unit_test(stays_true_when_it_is_thinned),
        cmocka_unit_test(what_is_rare_is_kept),
        cmocka_unit_test(noise_does_not_fill_it),
        cmocka_unit_test(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
