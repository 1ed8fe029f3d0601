// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "summary/metric.h"
#include "summary/quantiles.h"
#include "summary/topn.h"
#include "summary/windows.h"

#define SECOND UINT64_C(1000000000)
#define BEGIN UINT64_C(1700000040) /* a multiple of 60 */

enum { SLOTS = 16 };

struct block {
    uint64_t packets;
    struct quantiles sizes;
    TOPN_DECLARE(names, SLOTS);
};

static void block_init(void *block)
{
    topn_init(&((struct block *)block)->names, SLOTS, sizeof(uint64_t));
}

static const struct metric metrics[] = {
    {.name = "packets", .kind = METRIC_COUNTER, .offset = offsetof(struct block, packets)},
    {.name = "sizes", .kind = METRIC_QUANTILES, .offset = offsetof(struct block, sizes)},
    {.name = "names", .kind = METRIC_TOPN, .offset = offsetof(struct block, names)},
    {0},
};

static const struct metric_set set = {
    .name = "test", .metrics = metrics, .size = sizeof(struct block), .init = block_init};

/* Adds a block with `packets`, all of that size, at BEGIN + `second`. */
static bool add(struct windows *w, int64_t second, uint64_t packets)
{
    static struct block delta;
    metric_block_reset(&set, &delta);
    for (uint64_t i = 0; i < packets; i++) {
        delta.packets++;
        quantiles_add(&delta.sizes, (double)packets);
        topn_add(&delta.names, &packets, 1, NULL);
    }
    return windows_add(w, &delta, (BEGIN + (uint64_t)second) * SECOND);
}

static uint64_t packets_of(const void *block)
{
    const struct block *b = block;
    assert_int_equal(b->packets, b->sizes.count);
    assert_int_equal(b->packets, b->names.total);
    return b->packets;
}

static struct windows *windows_made(uint32_t seconds, uint32_t periods)
{
    struct windows *w = windows_new(&set, seconds, periods);
    assert_non_null(w);
    return w;
}

static void turns_with_packet_time(void **state)
{
    struct windows *w = windows_made(WINDOWS_SECONDS, 3);
    assert_int_equal(windows_count(w), 0);
    assert_null(windows_live(w));
    assert_int_equal(packets_of(windows_merge_all(w)), 0);
    for (int minute = 0; minute < 5; minute++) {
        assert_true(add(w, minute * 60, 10));
        assert_true(add(w, minute * 60 + 59, (uint64_t)minute));
        assert_int_equal(packets_of(windows_live(w)), 10 + minute);
        assert_int_equal(windows_start_ns(w, 0), (BEGIN + (uint64_t)minute * 60) * SECOND);
    }
    assert_int_equal(windows_count(w), 3);
    assert_int_equal(packets_of(windows_bucket(w, 1)), 13);
    assert_int_equal(packets_of(windows_bucket(w, 2)), 12);
    assert_int_equal(windows_start_ns(w, 2), (BEGIN + 120) * SECOND);
    assert_null(windows_bucket(w, 3));
    assert_int_equal(packets_of(windows_merge_all(w)), 39);
    assert_int_equal(packets_of(windows_merge_all(w)), 39); /* and again */
    windows_free(w);
}

static void late_ones_find_their_bucket(void **state)
{
    struct windows *w = windows_made(60, 3);
    assert_true(add(w, 180, 1));
    assert_true(add(w, 60, 7)); /* before the first */
    assert_int_equal(windows_count(w), 3);
    assert_int_equal(packets_of(windows_bucket(w, 1)), 0);
    assert_int_equal(packets_of(windows_bucket(w, 2)), 7);
    assert_true(add(w, 150, 2));
    assert_int_equal(packets_of(windows_bucket(w, 1)), 2);
    assert_int_equal(packets_of(windows_live(w)), 1);
    assert_false(add(w, 59, 5));
    assert_false(add(w, -1000000, 5));
    assert_int_equal(windows_late(w), 2);
    assert_int_equal(packets_of(windows_merge_all(w)), 10);
    windows_free(w);
}

static void quiet_times_are_buckets(void **state)
{
    struct windows *w = windows_made(60, 4);
    add(w, 0, 1);
    windows_advance(w, (BEGIN + 130) * SECOND);
    windows_advance(w, BEGIN * SECOND); /* time does not go back */
    assert_int_equal(windows_count(w), 3);
    assert_int_equal(packets_of(windows_live(w)), 0);
    assert_int_equal(packets_of(windows_bucket(w, 1)), 0);
    assert_int_equal(packets_of(windows_bucket(w, 2)), 1);
    add(w, 1000000000, 6); /* far away */
    assert_int_equal(windows_count(w), 4);
    assert_int_equal(packets_of(windows_merge_all(w)), 6);
    windows_free(w);
}

static void one_period_will_do(void **state)
{
    struct windows *w = windows_made(1, 1);
    add(w, 0, 3);
    assert_int_equal(packets_of(windows_merge_all(w)), 3);
    add(w, 1, 4);
    assert_int_equal(packets_of(windows_merge_all(w)), 4);
    assert_false(add(w, 0, 3));
    windows_free(w);
    windows_free(NULL);
}

/* Whatever the order of the deltas, as long as none is late. */
static void order_does_not_matter(void **state)
{
    struct windows *one = windows_made(60, 10);
    struct windows *other = windows_made(60, 10);
    for (int i = 0; i < 600; i++) {
        add(one, i, (uint64_t)i % 5);
        add(other, 599 - i, (uint64_t)(599 - i) % 5);
    }
    assert_int_equal(windows_count(one), 10);
    assert_int_equal(windows_count(other), 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(packets_of(windows_bucket(one, i)), 120);
        assert_int_equal(packets_of(windows_bucket(other, i)), 120);
        assert_int_equal(windows_start_ns(one, i), windows_start_ns(other, i));
    }
    windows_free(one);
    windows_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_with_packet_time),
        cmocka_unit_test(late_ones_find_their_bucket),
        cmocka_unit_test(quiet_times_are_buckets),
        cmocka_unit_test(one_period_will_do),
        cmocka_unit_test(order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
