// SPDX-License-Identifier: Apache-2.0
/* Deltas are filled by hand, into the metrics of protocols that are made up here. */
#include "engine/collector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

enum { SLOTS = 64, START = 6000 /* a whole minute */ };

/* ---- Two protocols: one that counts, one with a top-N ------------------------------------------ */

struct plain_stats {
    uint64_t packets;
    uint64_t errors;
};

struct heavy_stats {
    TOPN_DECLARE(hosts, SLOTS);
};

static void heavy_init(void *block)
{
    topn_init(&((struct heavy_stats *)block)->hosts, SLOTS, sizeof(uint32_t));
}

static const struct metric plain_metrics[] = {
    {.name = "packets", .kind = METRIC_COUNTER, .offset = offsetof(struct plain_stats, packets)},
    {.name = "errors", .kind = METRIC_COUNTER, .offset = offsetof(struct plain_stats, errors)},
    {0},
};

static const struct metric heavy_metrics[] = {
    {.name = "hosts", .kind = METRIC_TOPN, .offset = offsetof(struct heavy_stats, hosts)},
    {0},
};

static const struct metric_set plain_set = {
    .name = "plain", .metrics = plain_metrics, .size = sizeof(struct plain_stats)};
static const struct metric_set heavy_set = {
    .name = "heavy", .metrics = heavy_metrics, .size = sizeof(struct heavy_stats),
    .init = heavy_init};

static const struct delta_layout layout = {
    .count = 2,
    .size = 64 + ((sizeof(struct heavy_stats) + 63) & ~(size_t)63),
    .sets = {&plain_set, &heavy_set},
    .offsets = {0, 64},
};

static struct collector *collector(bool keep_courses)
{
    struct err err = {0};
    struct collector *c = collector_new(&layout, keep_courses, &err);
    assert_non_null(c);
    return c;
}

/* A delta of one second from `second` on with so many packets of 100 bytes. */
static struct delta *delta_at(uint64_t second, uint64_t packets)
{
    struct delta *delta = delta_new(&layout);
    assert_non_null(delta);
    delta->from_ns = second * SECOND;
    delta->to_ns = second * SECOND + SECOND / 2;
    delta->frames = delta->packets[0] = packets;
    delta->frame_bytes = delta->bytes[0] = packets * 100;
    delta->flows_created = 1;
    ((struct plain_stats *)delta->blocks)->packets = packets;
    return delta;
}

static void add(struct collector *c, struct delta *delta)
{
    collector_add(c, delta);
    delta_free(delta);
}

static uint64_t packets_of(const void *block)
{
    return ((const struct plain_stats *)block)->packets;
}

static struct topn *hosts_of(struct delta *delta)
{
    return &((struct heavy_stats *)(delta->blocks + layout.offsets[1]))->hosts;
}

/* ---- Sums ----------------------------------------------------------------------------------- */

static void totals_are_the_sum_of_the_deltas(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 100; i++) {
        struct delta *delta = delta_at(START + i, i);
        uint32_t key = (uint32_t)(i % 3);
        topn_add(hosts_of(delta), &key, i, NULL);
        add(c, delta);
        sum += i;
    }
    const struct board *board = collector_lock(c);
    assert_int_equal(board->frames, sum);
    assert_int_equal(board->bytes, sum * 100);
    assert_int_equal(board->now_ns, (START + 99) * SECOND + SECOND / 2);
    assert_int_equal(board->set_count, 2);
    assert_ptr_equal(board->sets[0].set, &plain_set);
    assert_int_equal(packets_of(board->sets[0].total), sum);
    const struct heavy_stats *heavy = board->sets[1].total;
    assert_int_equal(heavy->hosts.total, sum);
    assert_int_equal(heavy->hosts.count, 3);
    collector_unlock(c);
    collector_free(c);
}

static void paths_are_added_up(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    for (uint64_t i = 0; i < 3; i++) {
        struct delta *delta = delta_at(START + i, 1);
        delta_paths_add(&delta->paths, 0x41, 2, 200);
        delta_paths_add(&delta->paths, 0x42 + i, 1, 100);
        add(c, delta);
    }
    const struct board *board = collector_lock(c);
    assert_int_equal(board->path_count, 4);
    assert_int_equal(board->paths[0].layers, 0x41);
    assert_int_equal(board->paths[0].packets, 6);
    assert_int_equal(board->paths[0].bytes, 600);
    collector_unlock(c);
    collector_free(c);
}

static void too_many_paths_are_lost_and_counted(void **state)
{
    (void)state;
    struct delta *delta = delta_at(START, 1);
    for (uint64_t i = 0; i < BOARD_PATHS; i++) {
        assert_non_null(delta_paths_add(&delta->paths, i + 1, 1, 1));
    }
    assert_null(delta_paths_add(&delta->paths, BOARD_PATHS + 1, 3, 1));
    assert_non_null(delta_paths_add(&delta->paths, 1, 1, 1));
    assert_int_equal(delta->paths.lost, 3);
    delta_reset(delta);
    assert_int_equal(delta->paths.count, 0);
    assert_non_null(delta_paths_add(&delta->paths, BOARD_PATHS + 1, 1, 1));
    delta_free(delta);
}

static void packet_time_does_not_go_back(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    add(c, delta_at(START + 100, 1));
    add(c, delta_at(START, 1));
    assert_int_equal(collector_lock(c)->now_ns, (START + 100) * SECOND + SECOND / 2);
    collector_unlock(c);
    collector_free(c);
}

/* ---- History -------------------------------------------------------------------------------- */

static void deltas_of_one_second_share_its_place(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    add(c, delta_at(START, 1));
    add(c, delta_at(START + 2, 5));
    add(c, delta_at(START, 2)); /* another worker's */
    add(c, delta_at(START + 1, 7)); /* too late: its place was never made */
    const struct board *board = collector_lock(c);
    assert_int_equal(board->history_count, 2);
    assert_int_equal(board->history[0].second, START);
    assert_int_equal(board->history[0].packets[0], 3);
    assert_int_equal(board->history[0].bytes[0], 300);
    assert_int_equal(board->history[0].flows_new, 2);
    assert_int_equal(board->history[1].second, START + 2);
    assert_int_equal(board->history[1].packets[0], 5);
    assert_int_equal(board->frames, 15); /* in the totals it is */
    collector_unlock(c);
    collector_free(c);
}

static void the_history_moves_on(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    for (uint64_t i = 0; i < BOARD_HISTORY + 20; i++) {
        add(c, delta_at(START + i, i));
    }
    const struct board *board = collector_lock(c);
    assert_int_equal(board->history_count, BOARD_HISTORY);
    for (uint64_t i = 0; i < BOARD_HISTORY; i++) {
        assert_int_equal(board->history[i].second, START + 20 + i);
        assert_int_equal(board->history[i].packets[0], 20 + i);
    }
    collector_unlock(c);
    add(c, delta_at(START, 1)); /* older than all that is kept */
    board = collector_lock(c);
    assert_int_equal(board->history[0].second, START + 20);
    assert_int_equal(board->history[0].packets[0], 20);
    collector_unlock(c);
    collector_free(c);
}

/* ---- The window ------------------------------------------------------------------------------- */

static void assert_window(struct collector *c, uint64_t packets)
{
    assert_int_equal(packets_of(collector_lock(c)->sets[0].window), packets);
    collector_unlock(c);
}

static void the_window_is_the_last_whole_minute(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    add(c, delta_at(START, 1));
    add(c, delta_at(START + 59, 2));
    assert_window(c, 0);
    add(c, delta_at(START + 60, 10));
    assert_window(c, 3);
    add(c, delta_at(START + 119, 20));
    assert_window(c, 3);
    add(c, delta_at(START + 120, 100));
    assert_window(c, 30);
    assert_int_equal(packets_of(collector_lock(c)->sets[0].total), 133);
    collector_unlock(c);
    collector_free(c);
}

/* ---- Courses ---------------------------------------------------------------------------------- */

static uint64_t sum_of(const struct series *series)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < series->used; i++) {
        sum += series->buckets[i];
    }
    return sum;
}

static void courses_are_kept_of_the_heaviest(void **state)
{
    (void)state;
    struct collector *c = collector(true);
    uint8_t key[TOPN_KEY_MAX] = {1};
    uint8_t unknown[TOPN_KEY_MAX] = {9};
    for (uint64_t i = 0; i < 10; i++) {
        struct delta *delta = delta_at(START + i, 1);
        topn_add(hosts_of(delta), key, 1001, NULL);
        add(c, delta);
    }
    const struct series *course = collector_course(c, &heavy_metrics[0], span_of(key, sizeof key));
    assert_non_null(course);
    assert_int_equal(sum_of(course), 10010);
    assert_true(series_start_ns(course) <= START * SECOND + SECOND / 2);
    assert_true(series_start_ns(course) + course->used * series_width_ns(course) >=
                (START + 9) * SECOND);
    assert_null(collector_course(c, &heavy_metrics[0], span_of(unknown, sizeof unknown)));
    assert_null(collector_course(c, &plain_metrics[0], span_of(key, sizeof key)));
    assert_int_equal(sum_of(collector_total_course(c)), 1000);
    collector_free(c);
}

static void there_are_no_more_courses_than_there_is_room_for(void **state)
{
    (void)state;
    enum { MANY = 5000, A_DELTA = 10 };
    struct collector *c = collector(true);
    struct delta *delta = delta_new(&layout);
    for (uint32_t i = 0; i < MANY; i += A_DELTA) {
        delta_reset(delta);
        delta->from_ns = delta->to_ns = START * SECOND; /* all in one moment */
        for (uint32_t k = i; k < i + A_DELTA; k++) {
            topn_add(hosts_of(delta), &k, 7, NULL);
        }
        collector_add(c, delta);
    }
    delta_free(delta);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t key[TOPN_KEY_MAX] = {0};
        memcpy(key, &i, sizeof i);
        const struct series *course = collector_course(c, &heavy_metrics[0], span_of(key, sizeof key));
        assert_true(course == NULL || sum_of(course) == 7);
        kept += course != NULL;
    }
    assert_int_equal(kept, 4096);
    collector_free(c);
}

static void without_courses_there_are_none(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    uint8_t key[TOPN_KEY_MAX] = {1};
    struct delta *delta = delta_at(START, 1);
    topn_add(hosts_of(delta), key, 1, NULL);
    add(c, delta);
    assert_null(collector_course(c, &heavy_metrics[0], span_of(key, sizeof key)));
    assert_int_equal(collector_total_course(c)->used, 0);
    collector_free(c);
}

/* ---- News ------------------------------------------------------------------------------------- */

static void *publish_one(void *c)
{
    collector_edit(c)->dropped = 42;
    collector_publish(c);
    return NULL;
}

static void who_waits_is_woken_by_news(void **state)
{
    (void)state;
    struct collector *c = collector(false);
    assert_int_equal(collector_wait(c, 0, 1), 0); /* none: it gives up */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, publish_one, c), 0);
    assert_int_equal(collector_wait(c, 0, 20000), 1);
    assert_int_equal(collector_lock(c)->dropped, 42);
    collector_unlock(c);
    pthread_join(thread, NULL);
    assert_int_equal(collector_wait(c, 0, 20000), 1); /* there already */
    collector_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_are_the_sum_of_the_deltas),
        cmocka_unit_test(paths_are_added_up),
        cmocka_unit_test(too_many_paths_are_lost_and_counted),
        cmocka_unit_test(packet_time_does_not_go_back),
        cmocka_unit_test(deltas_of_one_second_share_its_place),
        cmocka_unit_test(the_history_moves_on),
        cmocka_unit_test(the_window_is_the_last_whole_minute),
        cmocka_unit_test(courses_are_kept_of_the_heaviest),
        cmocka_unit_test(there_are_no_more_courses_than_there_is_room_for),
        cmocka_unit_test(without_courses_there_are_none),
        cmocka_unit_test(who_waits_is_woken_by_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
