// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "handler/breakdown.h"

struct item {
    uint64_t count;
};

static const struct metric item_metrics[] = {
    {.name = "count", .kind = METRIC_COUNTER, .offset = offsetof(struct item, count),
     .help = "how many"},
    {0},
};

static const struct metric_set item_set = {
    .name = "item", .help = "an item", .metrics = item_metrics, .size = sizeof(struct item)};

struct block {
    struct breakdown names;
    struct item items[BREAKDOWN_ITEMS];
};

static const char *const labels[] = {"host", "route", NULL};

static struct breakdown_of of(struct block *block)
{
    return (struct breakdown_of){&block->names, block->items, &item_set, labels};
}

static void add(struct block *block, const char *host, const char *route, unsigned times)
{
    struct breakdown_of to = of(block);
    struct breakdown_name name = {0};
    breakdown_put(&name, span_str(host), 20);
    breakdown_put(&name, span_str(route), 20);
    for (unsigned i = 0; i < times; i++) {
        ((struct item *)breakdown_add(&to, &name))->count++;
    }
}

/* What a name has counted; 0: it is not there. */
static uint64_t count_of(struct block *block, const char *name)
{
    struct breakdown_of from = of(block);
    struct handler_part part = {0};
    for (uint32_t i = 0; breakdown_part(&from, i, &part); i++) {
        if (strcmp(part.name, name) == 0 && part.block != NULL) {
            return ((const struct item *)part.block)->count;
        }
    }
    return 0;
}

static uint64_t sum_of(struct block *block)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < block->names.count; i++) {
        sum += block->items[i].count;
    }
    return sum;
}

static struct block *block_new(void)
{
    struct block *block = calloc(1, sizeof *block);
    assert_non_null(block);
    return block;
}

static void names_count_apart(void **state)
{
    (void)state;
    struct block *block = block_new();
    add(block, "a", "/x", 3);
    add(block, "a", "/y", 2);
    add(block, "", "/x", 1);
    assert_int_equal(count_of(block, "host=a,route=/x"), 3);
    assert_int_equal(count_of(block, "host=a,route=/y"), 2);
    assert_int_equal(count_of(block, "route=/x"), 1);
    assert_int_equal(count_of(block, "(others)"), 0);
    free(block);
}

static void a_flood_of_names_leaves_the_heavy_ones(void **state)
{
    (void)state;
    struct block *block = block_new();
    add(block, "heavy", "/", 100);
    for (unsigned i = 0; i < 1000; i++) {
        char host[16];
        snprintf(host, sizeof host, "h%u", i);
        add(block, host, "/", 1);
    }
    assert_int_equal(block->names.count, BREAKDOWN_ITEMS);
    assert_int_equal(count_of(block, "host=heavy,route=/"), 100);
    assert_int_equal(count_of(block, "(others)"), 1000 - (BREAKDOWN_ITEMS - 2));
    assert_int_equal(block->names.folded, 1000 - (BREAKDOWN_ITEMS - 2));
    assert_int_equal(sum_of(block), 1100);
    free(block);
}

static void merging_loses_nothing(void **state)
{
    (void)state;
    struct block *a = block_new(), *b = block_new();
    struct breakdown_of into = of(a), from = of(b);
    for (unsigned i = 0; i < 2 * BREAKDOWN_ITEMS; i++) {
        char host[16];
        snprintf(host, sizeof host, "h%u", i);
        add(i % 2 ? a : b, host, "/", i);
        add(i % 2 ? b : a, "both", "/", 1);
    }
    uint64_t sum = sum_of(a) + sum_of(b);
    breakdown_merge(&into, &from);
    assert_int_equal(sum_of(a), sum);
    assert_int_equal(count_of(a, "host=both,route=/"), 2 * BREAKDOWN_ITEMS);
    breakdown_reset(&into);
    assert_int_equal(a->names.count, 0);
    add(a, "h", "/", 1);
    assert_int_equal(sum_of(a), 1);
    breakdown_reset(&into);
    breakdown_merge(&into, &from);
    assert_int_equal(sum_of(a), sum_of(b));
    free(a);
    free(b);
}

static void dirt_is_replaced(void **state)
{
    (void)state;
    struct block *block = block_new();
    add(block, "a\nb\x01\xff", "\xc3\xa4", 1);
    assert_int_equal(count_of(block, "host=a?b??,route=\xc3\xa4"), 1);
    add(block, "1234567890123456789\xc3\xa4", "/", 1); /* no half of a character */
    assert_int_equal(count_of(block, "host=1234567890123456789,route=/"), 1);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_count_apart),
        cmocka_unit_test(a_flood_of_names_leaves_the_heavy_ones),
        cmocka_unit_test(merging_loses_nothing),
        cmocka_unit_test(dirt_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
