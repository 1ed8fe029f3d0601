// SPDX-License-Identifier: Apache-2.0
#include "handler/flow_block.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/pages.h"
#include "handler/flow_names.h"

static struct flow_block *make(void)
{
    struct flow_block *table = pages_reserve(sizeof *table);
    assert_non_null(table);
    metric_block_reset(&flow_block_set, table);
    return table;
}

static void count(struct flow_block *table, uint8_t device, uint32_t number, uint64_t bytes)
{
    struct flow_address address = {.version = 4, .bytes = {10, 0, 0, device}};
    struct flow_device *d = flow_block_device(table, &address);
    struct flow_interface *i = d != NULL ? flow_block_interface(table, d, number) : NULL;
    if (i == NULL) {
        table->lost++;
        return;
    }
    d->flows++;
    i->sides[FLOW_IN][FLOW_BYTES].total += bytes;
    handler_add_name(&i->sides[FLOW_IN][FLOW_BYTES].src_ips, span_str("192.0.2.1"), bytes);
}

static void has_sound_tables(void **state)
{
    struct err err = {0};
    (void)state;
    assert_true(metric_set_check(&flow_block_set, &err));
    assert_true(metric_set_check(&flow_block_device_set, &err));
    assert_true(metric_set_check(&flow_block_interface_set, &err));
}

static void merges_by_device_and_interface(void **state)
{
    struct flow_block *a = make(), *b = make();
    (void)state;
    count(a, 1, 7, 100);
    count(b, 2, 7, 10);
    count(b, 1, 7, 1);
    metric_block_merge(&flow_block_set, a, b);
    assert_int_equal(a->device_count, 2);
    assert_int_equal(a->interface_count, 2);
    assert_int_equal(a->devices[0].flows, 2);
    assert_int_equal(a->interfaces[0].sides[FLOW_IN][FLOW_BYTES].total, 101);
    assert_int_equal(a->interfaces[0].sides[FLOW_IN][FLOW_BYTES].src_ips.total, 101);
    metric_block_reset(&flow_block_set, a);
    assert_int_equal(a->device_count, 0);
    count(a, 3, 1, 5);
    assert_int_equal(a->interfaces[0].sides[FLOW_IN][FLOW_BYTES].total, 5);
    pages_release(a, sizeof *a);
    pages_release(b, sizeof *b);
}

static void counts_what_finds_no_place(void **state)
{
    struct flow_block *table = make();
    (void)state;
    for (uint32_t i = 0; i < FLOW_INTERFACES + 3; i++) {
        count(table, (uint8_t)(i % 4), i, 1);
    }
    assert_int_equal(table->interface_count, FLOW_INTERFACES);
    assert_int_equal(table->lost, 3);
    pages_release(table, sizeof *table);
}

static void names_what_packets_ask_for(void **state)
{
    char text[16];
    (void)state;
    flow_names_dscp(0, text, sizeof text);
    assert_string_equal(text, "CS0");
    flow_names_dscp(46 << 2, text, sizeof text);
    assert_string_equal(text, "EF");
    flow_names_dscp(26 << 2, text, sizeof text);
    assert_string_equal(text, "AF31");
    flow_names_dscp(44 << 2, text, sizeof text);
    assert_string_equal(text, "VOICE-ADMIT");
    flow_names_dscp(3 << 2, text, sizeof text);
    assert_string_equal(text, "3");
    assert_string_equal(flow_names_ecn(1), "ECT(1)");
    assert_string_equal(flow_names_ecn(3), "CE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(merges_by_device_and_interface),
        cmocka_unit_test(counts_what_finds_no_place),
        cmocka_unit_test(names_what_packets_ask_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
