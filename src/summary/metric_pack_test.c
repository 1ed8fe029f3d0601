// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/json.h"
#include "summary/cardinality.h"
#include "summary/metric.h"
#include "summary/metric_pack.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

#define BEGIN UINT64_C(1700000040)
#define SECOND UINT64_C(1000000000)

enum { SLOTS = 256, LABELS = 3 };

struct block {
    uint64_t packets, most, labelled[LABELS];
    struct cardinality hosts;
    _Alignas(8) struct quantiles times;
    struct rate rate;
    TOPN_DECLARE(ports, SLOTS);
    TOPN_DECLARE_WIDE(names, SLOTS, TOPN_WIDE_MAX);
};

static void block_init(void *block)
{
    topn_init_extras(&((struct block *)block)->ports, SLOTS, sizeof(uint32_t));
    topn_init(&((struct block *)block)->names, SLOTS, TOPN_WIDE_MAX);
}

static const char *label(unsigned i)
{
    static const char *const names[LABELS] = {"a", "b", "c"};
    return names[i];
}

#define ROW(name_, kind_, member)                                                                  \
    .name = name_, .kind = kind_, .offset = offsetof(struct block, member), .unit = "", .help = "h", \
    .group = "g"

static const char *const extras[] = {"x", "y", NULL};

static const struct metric metrics[] = {
    {ROW("packets", METRIC_COUNTER, packets)},
    {ROW("most", METRIC_PEAK, most)},
    {ROW("labelled", METRIC_LABELLED, labelled), .label = "l", .label_value = label,
     .label_count = LABELS},
    {ROW("hosts", METRIC_CARDINALITY, hosts)},
    {ROW("times", METRIC_QUANTILES, times)},
    {ROW("view", METRIC_VIEW, times), .last_power = 8},
    {ROW("rate", METRIC_RATE, rate)},
    {ROW("ports", METRIC_TOPN, ports), .key = METRIC_KEY_PORT, .extras = extras},
    {ROW("names", METRIC_TOPN, names), .key = METRIC_KEY_TEXT},
    {0},
};

static const struct metric_set set = {
    .name = "test", .help = "h", .metrics = metrics, .size = sizeof(struct block), .init = block_init};

/* So many events, of items that are other ones with another seed; names of `length` bytes. */
static void fill(struct block *b, uint32_t events, uint32_t seed, unsigned length)
{
    metric_block_reset(&set, b);
    for (uint32_t i = 0; i < events; i++) {
        char name[TOPN_WIDE_MAX + 1];
        uint32_t number = (i * i + seed) % (1 + events / 2);
        b->packets++;
        b->most = number > b->most ? number : b->most;
        b->labelled[i % LABELS] += number;
        cardinality_add(&b->hosts, (number + seed) * UINT64_C(0x9e3779b97f4a7c15));
        quantiles_add(&b->times, (double)number * (i % 7 == 0 ? -1.5 : 0.5));
        rate_add(&b->rate, (BEGIN + i % 60) * SECOND, 1 + i % 3);
        topn_add(&b->ports, &number, 1 + i % 4, (uint64_t[]){i, 1, 0});
        int size = snprintf(name, sizeof name, "%u.%0*u", number, (int)length, seed);
        topn_add_text(&b->names, span_of(name, (size_t)size), 1 + i % 5);
    }
}

static struct span pack(const struct block *b, uint8_t **ret)
{
    size_t room = metric_pack_room(&set);
    *ret = malloc(room);
    assert_non_null(*ret);
    size_t size = metric_pack(&set, b, *ret);
    assert_in_range(size, 1, room);
    return span_of(*ret, size);
}

static void assert_alike(const struct block *a, const struct block *b)
{
    struct json x, y;
    json_init(&x);
    json_init(&y);
    metric_block_json(&set, a, SLOTS, &x);
    metric_block_json(&set, b, SLOTS, &y);
    for (const struct metric *m = metrics; m->name != NULL; m++) {
        if (m->kind == METRIC_CARDINALITY) {
            continue; /* coupons may stand in another order */
        }
        (void)metric_sketch(m, a, &x);
        (void)metric_sketch(m, b, &y);
    }
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    json_done(&x);
    json_done(&y);
}

static void what_was_packed_is_the_same(void **state)
{
    static const uint32_t sizes[] = {0, 1, 9, 100, 1000, 20000}; /* sketches of all modes, purges */
    static struct block from, to;
    (void)state;
    assert_true(metric_pack_can(&set));
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *memory;
        fill(&from, sizes[i], i, 6);
        struct span packed = pack(&from, &memory);
        assert_in_range(packed.size, 1, 40 + sizes[i] * 100);
        metric_block_reset(&set, &to);
        metric_pack_merge(&set, &to, packed);
        assert_alike(&from, &to);
        free(memory);
    }
}

static void it_is_added_as_a_block_would_be(void **state)
{
    static struct block from, one, other;
    (void)state;
    fill(&one, 5000, 1, 6);
    fill(&other, 5000, 1, 6);
    for (uint32_t seed = 2; seed < 6; seed++) {
        uint8_t *memory;
        fill(&from, 3000 * seed, seed, 6);
        metric_pack_merge(&set, &one, pack(&from, &memory));
        metric_block_merge(&set, &other, &from);
        assert_alike(&one, &other);
        free(memory);
    }
}

/* Of names that are too long for the room the heaviest stay, and bounds hold. */
static void floods_of_long_names_are_cut(void **state)
{
    enum { NAMES = 110, LENGTH = 240 };
    static struct block from, to;
    const struct topn_item *top[SLOTS];
    uint8_t *memory;
    (void)state;
    metric_block_reset(&set, &from);
    for (unsigned i = 0; i < NAMES; i++) {
        char name[LENGTH + 1];
        snprintf(name, sizeof name, "%0*u", LENGTH, i);
        topn_add_text(&from.names, span_str(name), 1 + i);
    }
    uint64_t lost = from.names.error; /* purged: fewer fit */
    struct span packed = pack(&from, &memory);
    assert_true(packed.size < METRIC_PACK_NAMES + 1024);
    metric_block_reset(&set, &to);
    metric_pack_merge(&set, &to, packed);
    assert_int_equal(to.names.total, from.names.total);
    uint32_t count = topn_top(&to.names, top, SLOTS);
    assert_in_range(count, 1, METRIC_PACK_NAMES / LENGTH);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t want = NAMES - i;
        assert_int_equal(strtoul((const char *)topn_key(&to.names, top[i]).data, NULL, 10), want - 1);
        assert_in_range(want, top[i]->weight, top[i]->weight + top[i]->error);
    }
    assert_true(to.names.error >= NAMES - count && to.names.error >= lost);
    free(memory);
}

static void blocks_with_parts_are_not_packed(void **state)
{
    (void)state;
    struct metric_set other = set;
    other.merge = (void (*)(void *, const void *))(uintptr_t)1;
    assert_false(metric_pack_can(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_the_same),
        cmocka_unit_test(it_is_added_as_a_block_would_be),
        cmocka_unit_test(floods_of_long_names_are_cut),
        cmocka_unit_test(blocks_with_parts_are_not_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
