// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_search.h"

#include "engine/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEED = 3, FLOWS = 500, ROOM = 20 };

static struct event_address network_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct event_address){.version = 4, .bytes = {a, b, c, d}};
}

/* 10.20.30.1:5000 to 192.168.7.200:443 over TCP. */
static const struct flow_key web = {
    .address = {{10, 20, 30, 1}, {192, 168, 7, 200}}, .port = {5000, 443}, .protocol = 6,
    .version = 4,
};

/* ---- Conditions ----------------------------------------------------------------------------- */

static bool matches(struct flow_query query)
{
    return flow_search_match(&query, &web);
}

static void every_condition_must_hold(void **state)
{
    (void)state;
    assert_true(matches((struct flow_query){0}));
    assert_true(matches((struct flow_query){.protocol = 6}));
    assert_false(matches((struct flow_query){.protocol = 17}));
    assert_true(matches((struct flow_query){.version = 4}));
    assert_false(matches((struct flow_query){.version = 6}));
    assert_true(matches((struct flow_query){.port = 443}));
    assert_true(matches((struct flow_query){.port = 5000}));
    assert_false(matches((struct flow_query){.port = 80}));
    assert_true(matches((struct flow_query){.protocol = 6, .version = 4, .port = 443}));
    assert_false(matches((struct flow_query){.protocol = 17, .version = 4, .port = 443}));
}

static void a_talk_of_mac_addresses_has_no_protocol(void **state)
{
    (void)state;
    struct flow_key arp = {.port = {0x0806}};
    assert_true(flow_search_match(&(struct flow_query){0}, &arp));
    assert_false(flow_search_match(&(struct flow_query){.protocol = 6}, &arp));
    struct flow_query anywhere = {.network = network_v4(0, 0, 0, 0)};
    assert_false(flow_search_match(&anywhere, &arp));
}

static bool within(struct event_address network, uint8_t prefix)
{
    return matches((struct flow_query){.network = network, .prefix = prefix});
}

static void a_network_may_end_within_a_byte(void **state)
{
    (void)state;
    assert_true(within(network_v4(10, 20, 30, 1), 32));
    assert_false(within(network_v4(10, 20, 30, 0), 32));
    assert_true(within(network_v4(10, 20, 30, 0), 31));
    assert_false(within(network_v4(10, 20, 30, 2), 31));
    assert_true(within(network_v4(192, 168, 7, 192), 26)); /* the other end */
    assert_false(within(network_v4(192, 168, 7, 128), 26));
    assert_true(within(network_v4(192, 168, 7, 128), 25));
    assert_true(within(network_v4(192, 160, 0, 0), 12));
    assert_false(within(network_v4(192, 176, 0, 0), 12));
    assert_true(within(network_v4(8, 0, 0, 0), 5));
    assert_false(within(network_v4(64, 0, 0, 0), 2)); /* 10 is below, 192 above */
    assert_true(within(network_v4(128, 0, 0, 0), 1));
    assert_true(within(network_v4(77, 77, 77, 77), 0));
    assert_true(within(network_v4(10, 20, 30, 77), 24)); /* bits behind the prefix are no matter */
    struct event_address v6 = {.version = 6, .bytes = {10, 20, 30, 1}};
    assert_false(within(v6, 0));
}

static void a_network_of_ipv6_may_be_a_single_address(void **state)
{
    (void)state;
    struct flow_key key = {.address = {{0x20, 1, [15] = 7}, {0x20, 2, [15] = 9}}, .version = 6};
    struct flow_query query = {.network = {.version = 6, .bytes = {0x20, 2, [15] = 9}},
                               .prefix = 128};
    assert_true(flow_search_match(&query, &key));
    query.network.bytes[15] = 8;
    assert_false(flow_search_match(&query, &key));
    query.prefix = 127;
    assert_true(flow_search_match(&query, &key));
}

static void refuses(const struct flow_query *query, const char *parameter)
{
    struct err err = {0};
    assert_false(flow_search_check(query, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_memory_equal(err.text, parameter, strlen(parameter));
}

static void limits_are_refused_by_name(void **state)
{
    (void)state;
    struct err err = {0};
    const struct flow_query fine = {.limit = FLOW_PAGE_MAX, .offset = FLOW_OFFSET_MAX,
                                    .prefix = 32, .network = network_v4(10, 0, 0, 0)};
    assert_true(flow_search_check(&fine, &err));
    struct flow_query query = fine;
    query.limit++;
    refuses(&query, "limit: ");
    query = fine;
    query.offset++;
    refuses(&query, "offset: ");
    query = fine;
    query.prefix++;
    refuses(&query, "ip: ");
    query.network.version = 6;
    query.prefix = 128;
    assert_true(flow_search_check(&query, &err));
    query.prefix++;
    refuses(&query, "ip: ");
}

/* ---- Orders --------------------------------------------------------------------------------- */

static void rows_are_sorted_best_first(void **state)
{
    (void)state;
    /* Which row comes first, second and third in descending order. */
    static const uint8_t orders[][3] = {
        [FLOW_SORT_BYTES] = {2, 0, 1}, [FLOW_SORT_PACKETS] = {1, 2, 0},
        [FLOW_SORT_START] = {0, 2, 1}, [FLOW_SORT_LAST] = {0, 1, 2},
        [FLOW_SORT_DURATION] = {1, 0, 2},
    };
    const struct flow_event some[3] = {
        {.network_bytes = 20, .network_packets = 1, .start_ns = 9, .end_ns = 19,
         .duration_ns = 10, .protocol = 0},
        {.network_bytes = 10, .network_packets = 3, .start_ns = 5, .end_ns = 18,
         .duration_ns = 13, .protocol = 1},
        {.network_bytes = 30, .network_packets = 2, .start_ns = 8, .end_ns = 17,
         .duration_ns = 9, .protocol = 2},
    };
    for (unsigned sort = FLOW_SORT_BYTES; sort <= FLOW_SORT_DURATION; sort++) {
        for (unsigned ascending = 0; ascending < 2; ascending++) {
            struct flow_query query = {.sort = (enum flow_sort)sort, .ascending = ascending == 1};
            struct flow_event rows[3];
            memcpy(rows, some, sizeof rows);
            flow_search_sort(&query, rows, 3);
            for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(rows[i].protocol, orders[sort][ascending ? 2 - i : i]);
            }
        }
    }
}

static void equals_are_sorted_by_their_beginnings(void **state)
{
    (void)state;
    for (unsigned ascending = 0; ascending < 2; ascending++) {
        struct flow_query query = {.sort = FLOW_SORT_BYTES, .ascending = ascending == 1};
        struct flow_event rows[4] = {{.start_ns = 3}, {.start_ns = 1, .key = {.vlan = {2}}},
                                     {.start_ns = 1, .key = {.vlan = {1}}}, {.start_ns = 2}};
        flow_search_sort(&query, rows, 4);
        assert_int_equal(rows[0].key.vlan[0], 1);
        assert_int_equal(rows[1].key.vlan[0], 2);
        assert_int_equal(rows[2].start_ns, 2);
        assert_int_equal(rows[3].start_ns, 3);
    }
    flow_search_sort(&(struct flow_query){0}, NULL, 0);
}

/* ---- Searching a table ------------------------------------------------------------------------ */

/* FLOWS flows of distinct weights in no order; every tenth has ended again. */
static struct flow_table *busy_table(void)
{
    struct err err = {0};
    struct flow_table_options options = {.capacity = 1024, .seed = SEED};
    struct flow_table *table = flow_table_new(&options, &err);
    assert_non_null(table);
    for (uint32_t i = 0; i < FLOWS; i++) {
        struct flow_key key = web;
        key.port[0] = (uint16_t)(10000 + i);
        key.protocol = i % 2 == 0 ? 6 : 17;
        flow_index index = flow_add(table, &key, flow_key_hash(&key, SEED));
        struct flow *flow = flow_at(table, index);
        flow->bytes[0] = i * 7919 % 1009 + 1;
        flow->packets[1] = 1;
        flow->first_ns = flow->last_ns = 1000 + i;
        if (i % 10 == 9) {
            flow_drop(table, index);
        }
    }
    return table;
}

static int heavier_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* The weights of all flows that a query should find, the best first. */
static uint32_t expected(const struct flow_table *table, const struct flow_query *query,
                         uint64_t *ret)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i < flow_table_bound(table); i++) {
        const struct flow *flow = flow_at(table, i);
        if (flow->flags & FLOW_IN_USE && flow_search_match(query, &flow->key)) {
            ret[count++] = query->ascending ? ~flow->bytes[0] : flow->bytes[0];
        }
    }
    qsort(ret, count, sizeof *ret, heavier_first);
    return count;
}

static void assert_finds(const struct flow_table *table, const struct flow_query *query,
                         uint32_t room, uint32_t step)
{
    struct flow_event *rows = calloc(FLOWS, sizeof *rows);
    assert_non_null(rows);
    uint64_t best[FLOWS];
    uint32_t all = expected(table, query, best);
    struct flow_search q = {.query = query, .rows = rows, .room = room};
    while (q.at < flow_table_bound(table)) {
        flow_search_step(table, &q, step, 5000);
    }
    flow_search_sort(query, rows, q.count);
    assert_int_equal(q.matched, all);
    assert_int_equal(q.count, all < room ? all : room);
    for (uint32_t i = 0; i < q.count; i++) {
        uint64_t weight = rows[i].network_bytes;
        assert_true((query->ascending ? ~weight : weight) == best[i]);
        assert_false(rows[i].final);
    }
    free(rows);
}

static void the_heap_keeps_the_best(void **state)
{
    (void)state;
    struct flow_table *table = busy_table();
    for (unsigned ascending = 0; ascending < 2; ascending++) {
        struct flow_query query = {.sort = FLOW_SORT_BYTES, .ascending = ascending == 1};
        assert_finds(table, &query, ROOM, 64);
        assert_finds(table, &query, 1, 1);
        assert_finds(table, &query, 0, 1000);
        assert_finds(table, &query, FLOWS, 8192);
        query.protocol = 17;
        assert_finds(table, &query, ROOM, 100);
        query.port = 10001;
        assert_finds(table, &query, ROOM, 100);
        query.port = 1;
        assert_finds(table, &query, ROOM, 100);
    }
    flow_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_condition_must_hold),
        cmocka_unit_test(a_talk_of_mac_addresses_has_no_protocol),
        cmocka_unit_test(a_network_may_end_within_a_byte),
        cmocka_unit_test(a_network_of_ipv6_may_be_a_single_address),
        cmocka_unit_test(limits_are_refused_by_name),
        cmocka_unit_test(rows_are_sorted_best_first),
        cmocka_unit_test(equals_are_sorted_by_their_beginnings),
        cmocka_unit_test(the_heap_keeps_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
