// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/watch.h"

#include <string.h>

enum { DRAWERS = 3 };

static struct health_book *new_book(void)
{
    struct err err = {0};
    return health_book_new(&(struct health_options){.flows = 1000, .details = 10}, &err);
}

static struct watch *new_watch(bool only, uint64_t order)
{
    struct err err = {0};
    struct watch_options options = {.drawers = DRAWERS, .room = 100, .only = only, .order = order};
    return watch_new(&options, &err);
}

static struct watch_id tcp_id(uint64_t order)
{
    struct watch_id id = {.order = order};
    id.key.version = 4;
    id.key.protocol = 6;
    return id;
}

static bool is_drawn(const struct watch *watch, uint64_t order)
{
    struct watch_id id = tcp_id(order);
    bool whole;
    return watch_find(watch, &id, &whole) != NULL;
}

static void start(struct watch *watch, const struct health_book *book, flow_index flow, bool wanted)
{
    struct watch_id id = tcp_id(flow);
    watch_begin(watch, book, flow, &id, wanted);
}

static void draws_as_long_as_there_is_a_drawer(void **state)
{
    (void)state;
    struct health_book *book = new_book();
    struct watch *watch = new_watch(false, 0);
    for (flow_index flow = 1; flow <= DRAWERS + 1; flow++) {
        start(watch, book, flow, false);
    }
    assert_true(is_drawn(watch, 1) && is_drawn(watch, DRAWERS));
    assert_false(is_drawn(watch, DRAWERS + 1));
    watch_free(watch);
    health_book_free(book);
}

static void the_worst_are_kept(void **state)
{
    (void)state;
    struct health_book *book = new_book();
    struct watch *watch = new_watch(false, 0);
    for (flow_index flow = 1; flow <= DRAWERS; flow++) {
        start(watch, book, flow, false);
        watch_end(watch, flow, flow == 2 ? 50 : 0);
    }
    start(watch, book, 10, false);
    start(watch, book, 11, false);
    assert_true(is_drawn(watch, 2) && is_drawn(watch, 10) && is_drawn(watch, 11));
    assert_false(is_drawn(watch, 1) || is_drawn(watch, 3));
    watch_free(watch);
    health_book_free(book);
}

static void who_is_asked_for_gets_a_drawer(void **state)
{
    (void)state;
    struct health_book *book = new_book();
    struct watch *watch = new_watch(false, 0);
    for (flow_index flow = 1; flow <= DRAWERS; flow++) {
        start(watch, book, flow, false);
    }
    start(watch, book, 20, true);
    assert_true(is_drawn(watch, 20));
    assert_false(is_drawn(watch, 1)); /* the oldest */
    struct watch_id id = tcp_id(20);
    bool whole = true;
    watch_find(watch, &id, &whole);
    assert_false(whole);
    watch_free(watch);
    health_book_free(book);
}

static void draws_the_one_that_is_meant(void **state)
{
    (void)state;
    struct health_book *book = new_book();
    struct watch *watch = new_watch(true, 7);
    start(watch, book, 1, false);
    assert_null(watch_first(watch));
    start(watch, book, 7, false);
    assert_non_null(watch_first(watch));
    watch_free(watch);
    health_book_free(book);
}

static void passes_over_what_is_not_tcp(void **state)
{
    (void)state;
    struct health_book *book = new_book();
    struct watch *watch = new_watch(false, 0);
    struct watch_id id = tcp_id(1);
    id.key.protocol = 17;
    watch_begin(watch, book, 1, &id, false);
    bool whole;
    assert_null(watch_find(watch, &id, &whole));
    watch_free(watch);
    health_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_as_long_as_there_is_a_drawer),
        cmocka_unit_test(the_worst_are_kept),
        cmocka_unit_test(who_is_asked_for_gets_a_drawer),
        cmocka_unit_test(draws_the_one_that_is_meant),
        cmocka_unit_test(passes_over_what_is_not_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
