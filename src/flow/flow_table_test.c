// SPDX-License-Identifier: Apache-2.0
/* The table against a model: whatever is added is found until it is dropped, through growth and
 * through the closing of gaps; timers come up once, in time; the victim is the flow of least worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "flow/flow.h"

enum { KEYS = 5000, STEPS = 60000, SEED = 7 };

static struct flow_table *make(uint32_t capacity)
{
    struct err err = {0};
    struct flow_table_options options = {.capacity = capacity, .seed = SEED};
    struct flow_table *table = flow_table_new(&options, &err);
    assert_non_null(table);
    return table;
}

static struct flow_key key_of(uint32_t n)
{
    struct flow_key key = {.version = 4, .protocol = 17, .port = {53, 1024}};
    memcpy(key.address[0], &n, sizeof n);
    key.address[1][0] = 192;
    return key;
}

static flow_index add(struct flow_table *table, uint32_t n)
{
    struct flow_key key = key_of(n);
    return flow_add(table, &key, flow_key_hash(&key, SEED));
}

static flow_index find(const struct flow_table *table, uint32_t n)
{
    struct flow_key key = key_of(n);
    return flow_find(table, &key, flow_key_hash(&key, SEED));
}

static void what_is_added_is_found_until_it_is_dropped(void **state)
{
    struct flow_table *table = make(KEYS);
    flow_index model[KEYS] = {0};
    uint32_t count = 0;
    srand(SEED);
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t n = (uint32_t)rand() % KEYS;
        assert_int_equal(find(table, n), model[n]);
        if (model[n] == 0) {
            model[n] = add(table, n);
            count++;
        } else if (rand() % 3 == 0) {
            flow_drop(table, model[n]);
            model[n] = 0;
            count--;
        }
        assert_int_equal(flow_table_count(table), count);
    }
    for (uint32_t n = 0; n < KEYS; n++) {
        assert_int_equal(find(table, n), model[n]);
    }
    assert_true(flow_table_bound(table) <= KEYS + 1);
    flow_table_free(table);
    (void)state;
}

static void a_full_table_says_so(void **state)
{
    struct flow_table *table = make(3);
    for (uint32_t n = 0; n < 3; n++) {
        assert_false(flow_table_is_full(table));
        add(table, n);
    }
    assert_true(flow_table_is_full(table));
    flow_drop(table, find(table, 1));
    assert_false(flow_table_is_full(table));
    assert_int_equal(find(table, 1), 0);
    assert_int_not_equal(find(table, 2), 0);
    flow_table_free(table);
    (void)state;
}

static void flows_come_zeroed(void **state)
{
    struct flow_table *table = make(1);
    flow_index index = add(table, 1);
    flow_at(table, index)->packets[0] = 9;
    flow_cold_at(table, index)->order = 9;
    flow_drop(table, index);
    index = add(table, 2);
    assert_int_equal(flow_at(table, index)->packets[0], 0);
    assert_int_equal(flow_cold_at(table, index)->order, 0);
    assert_int_equal(flow_at(table, index)->flags, FLOW_IN_USE);
    flow_table_free(table);
    (void)state;
}

static void the_victim_is_closed_then_one_sided_then_old(void **state)
{
    struct flow_table *table = make(3);
    for (uint32_t n = 0; n < 3; n++) {
        struct flow *flow = flow_at(table, add(table, n));
        flow->packets[0] = 1;
        flow->packets[1] = n == 1 ? 0 : 1;
        flow->last_ns = 10 - n;
    }
    assert_int_equal(flow_table_victim(table), find(table, 1));
    flow_at(table, find(table, 0))->flags |= FLOW_CLOSED;
    assert_int_equal(flow_table_victim(table), find(table, 0));
    flow_drop(table, find(table, 0));
    flow_drop(table, find(table, 1));
    assert_int_equal(flow_table_victim(table), find(table, 2));
    flow_table_free(table);
    (void)state;
}

static void touched_flows_are_spared(void **state)
{
    struct flow_table *table = make(2);
    flow_at(table, add(table, 0))->flags |= FLOW_CLOSED | FLOW_TOUCHED;
    add(table, 1);
    assert_int_equal(flow_table_victim(table), find(table, 1));
    flow_table_free(table);
    (void)state;
}

/* ---- VLANs --------------------------------------------------------------------------------- */

static struct flow_key tagged(uint16_t vlan)
{
    struct flow_key key = key_of(1);
    key.vlan[0] = vlan;
    return key;
}

/* What a packet from `end` under this VLAN belongs to, as a worker finds it; counted. */
static flow_index carry(struct flow_table *table, uint16_t vlan, unsigned end)
{
    struct flow_key key = tagged(vlan);
    uint64_t hash = flow_key_hash(&key, SEED);
    flow_index index = flow_find(table, &key, hash);
    if (index == 0) {
        index = flow_find_across(table, &key, end, hash);
        if (index != 0) {
            flow_cross(table, index, &key, end);
        }
    }
    if (index == 0) {
        index = flow_add(table, &key, hash);
        flow_at(table, index)->initiator = (uint8_t)end;
    }
    flow_at(table, index)->packets[end ^ flow_at(table, index)->initiator]++;
    return index;
}

static void assert_vlans(const struct flow_table *table, flow_index index, unsigned there,
                         unsigned back)
{
    uint16_t vlan[2];
    flow_vlans(flow_at(table, index), flow_cold_at(table, index), 0, vlan);
    assert_int_equal(vlan[0], there);
    flow_vlans(flow_at(table, index), flow_cold_at(table, index), 1, vlan);
    assert_int_equal(vlan[0], back);
}

static void each_direction_may_have_a_vlan_of_its_own(void **state)
{
    struct flow_table *table = make(9);
    flow_index apart = carry(table, 10, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(carry(table, 20, 0), apart);
        assert_int_equal(carry(table, 10, 1), apart);
    }
    assert_vlans(table, apart, 10, 20);
    assert_int_not_equal(carry(table, 30, 1), apart); /* the same ends elsewhere */
    assert_int_not_equal(carry(table, 20, 1), apart);
    flow_drop(table, apart); /* finds its bucket again */
    assert_int_equal(flow_table_count(table), 2);
    flow_table_free(table);
    (void)state;
}

static void the_same_ends_in_two_vlans_are_two_flows(void **state)
{
    struct flow_table *table = make(9);
    flow_index red = carry(table, 10, 0), blue = carry(table, 20, 0), plain = carry(table, 0, 0);
    assert_true(red != blue && red != plain && blue != plain);
    assert_int_equal(carry(table, 20, 1), blue);
    assert_int_equal(carry(table, 0, 1), plain);
    assert_int_equal(carry(table, 10, 1), red);
    assert_vlans(table, red, 10, 10);
    assert_vlans(table, blue, 20, 20);
    flow_table_free(table);
    (void)state;
}

static void too_many_vlans_of_the_same_ends_are_not_searched(void **state)
{
    struct flow_table *table = make(4096);
    for (uint16_t vlan = 1; vlan < 4096; vlan++) {
        carry(table, vlan, 0);
        carry(table, vlan, 1);
    }
    assert_int_equal(flow_table_count(table), FLOW_VLANS_MOST);
    flow_table_free(table);
    (void)state;
}

/* Each by a hash of its own, so that there is nothing to search. */
static void assert_told_apart(uint8_t top, uint8_t tunnel)
{
    struct flow_table *table = make(4096);
    uint64_t before = 0;
    for (uint16_t vlan = 1; vlan < 4096; vlan++) {
        struct flow_key key = tagged(vlan);
        key.address[1][0] = top;
        key.tunnel = tunnel;
        uint64_t hash = flow_key_hash(&key, SEED);
        assert_true(hash != before);
        assert_int_equal(flow_find(table, &key, hash), 0);
        assert_int_equal(flow_find_across(table, &key, 0, hash), 0);
        flow_add(table, &key, hash);
        before = hash;
    }
    flow_table_free(table);
}

static void groups_and_tunnels_are_told_apart_in_all_vlans(void **state)
{
    assert_told_apart(224, TUNNEL_NONE);
    assert_told_apart(192, TUNNEL_VXLAN);
    (void)state;
}

/* ---- Timers -------------------------------------------------------------------------------- */

enum { START = 1700000000 };

static struct flow_table *make_clock(uint32_t capacity)
{
    struct flow_table *table = make(capacity);
    flow_index none[1];
    assert_int_equal(flow_due(table, START, none, 1), 0);
    return table;
}

static void timers_come_up_once_in_their_second(void **state)
{
    struct flow_table *table = make_clock(10);
    flow_index a = add(table, 1), b = add(table, 2), due[4];
    flow_arm(table, a, START + 5);
    flow_arm(table, b, START + 5);
    flow_arm(table, b, START + 7); /* armed anew */
    assert_int_equal(flow_due(table, START + 4, due, 4), 0);
    assert_int_equal(flow_due(table, START + 5, due, 4), 1);
    assert_int_equal(due[0], a);
    assert_int_equal(flow_due(table, START + 9, due, 4), 1);
    assert_int_equal(due[0], b);
    assert_int_equal(flow_due(table, START + 100, due, 4), 0);
    flow_table_free(table);
    (void)state;
}

static void timers_in_the_past_come_up_next(void **state)
{
    struct flow_table *table = make_clock(10);
    flow_index a = add(table, 1), due[4];
    flow_arm(table, a, START - 50);
    assert_int_equal(flow_due(table, START + 1, due, 4), 1);
    flow_table_free(table);
    (void)state;
}

static void timers_beyond_the_horizon_come_up_early(void **state)
{
    struct flow_table *table = make_clock(10);
    flow_index a = add(table, 1), due[4];
    flow_arm(table, a, START + 86400);
    assert_int_equal(flow_due(table, START + 86399, due, 4), 1); /* to be armed again */
    flow_table_free(table);
    (void)state;
}

static void a_long_silence_brings_all(void **state)
{
    struct flow_table *table = make_clock(300);
    flow_index due[300];
    for (uint32_t n = 0; n < 300; n++) {
        flow_arm(table, add(table, n), START + 1 + n);
    }
    assert_int_equal(flow_due(table, START + 1000000, due, 100), 100);
    assert_int_equal(flow_due(table, START + 1000000, due, 300), 200);
    flow_table_free(table);
    (void)state;
}

static void a_dropped_flow_does_not_come_up(void **state)
{
    struct flow_table *table = make_clock(10);
    flow_index a = add(table, 1), b = add(table, 2), c = add(table, 3), due[4];
    flow_arm(table, a, START + 3);
    flow_arm(table, b, START + 3);
    flow_arm(table, c, START + 3);
    flow_drop(table, b);
    assert_int_equal(flow_due(table, START + 3, due, 4), 2);
    flow_table_free(table);
    (void)state;
}

/* Its own part holds 64 flows, what is behind another 64; what was dropped makes room for free. */
static void a_spent_budget_fills_it(void **state)
{
    struct err err = {0};
    struct budget shared = {.left = 64 * 200 + 100};
    struct budget own = {.left = 64 * 200, .behind = &shared};
    struct flow_table_options options = {
        .capacity = 1000, .seed = SEED, .budget = &own, .bytes_each = 200};
    struct flow_table *table = flow_table_new(&options, &err);
    assert_non_null(table);
    flow_index last = 0;
    for (uint32_t i = 0; i < 128; i++) {
        assert_false(flow_table_is_full(table));
        last = add(table, i);
    }
    assert_true(flow_table_is_full(table));
    assert_int_equal(shared.left, 100);
    flow_drop(table, last);
    assert_false(flow_table_is_full(table));
    add(table, 1000);
    assert_true(flow_table_is_full(table));
    flow_table_free(table);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_found_until_it_is_dropped),
        cmocka_unit_test(a_full_table_says_so),
        cmocka_unit_test(flows_come_zeroed),
        cmocka_unit_test(the_victim_is_closed_then_one_sided_then_old),
        cmocka_unit_test(touched_flows_are_spared),
        cmocka_unit_test(each_direction_may_have_a_vlan_of_its_own),
        cmocka_unit_test(the_same_ends_in_two_vlans_are_two_flows),
        cmocka_unit_test(too_many_vlans_of_the_same_ends_are_not_searched),
        cmocka_unit_test(groups_and_tunnels_are_told_apart_in_all_vlans),
        cmocka_unit_test(timers_come_up_once_in_their_second),
        cmocka_unit_test(timers_in_the_past_come_up_next),
        cmocka_unit_test(timers_beyond_the_horizon_come_up_early),
        cmocka_unit_test(a_long_silence_brings_all),
        cmocka_unit_test(a_dropped_flow_does_not_come_up),
        cmocka_unit_test(a_spent_budget_fills_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
