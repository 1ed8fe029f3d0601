// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_check.h"
#include "summary/cardinality.h"
#include "summary/metric.h"
#include "summary/topn.h"

enum { SLOTS = 64, ADDRESS = 17 };

struct block {
    uint64_t packets;
    uint64_t wire;
    uint64_t active;
    uint64_t rcodes[4];
    struct cardinality clients;
    TOPN_DECLARE(hosts, SLOTS);
    TOPN_DECLARE(names, SLOTS);
};

static void block_init(void *block)
{
    struct block *b = block;
    topn_init_extras(&b->hosts, SLOTS, ADDRESS);
    topn_init(&b->names, SLOTS, TOPN_KEY_MAX);
}

static const char *rcode(unsigned i)
{
    static const char *const names[] = {"noerror", "a\"b\\c\nd", NULL, "x\xff"};
    return names[i];
}

static const char *const extras[] = {"packets", "flows", NULL};

static const struct metric metrics[] = {
    {.name = "packets",
     .kind = METRIC_COUNTER,
     .offset = offsetof(struct block, packets),
     .unit = "packets",
     .help = "Frames seen",
     .group = "counters"},
    {.name = "wire",
     .kind = METRIC_COUNTER,
     .offset = offsetof(struct block, wire),
     .unit = "bytes",
     .help = "Back\\slash and\nnewline",
     .group = "counters"},
    {.name = "active",
     .kind = METRIC_GAUGE,
     .offset = offsetof(struct block, active),
     .unit = "flows",
     .help = "Flows now",
     .group = "counters"},
    {.name = "rcode_packets",
     .kind = METRIC_LABELLED,
     .offset = offsetof(struct block, rcodes),
     .unit = "packets",
     .help = "By answer",
     .group = "counters",
     .label = "rcode",
     .label_value = rcode,
     .label_count = 4},
    {.name = "clients",
     .kind = METRIC_CARDINALITY,
     .offset = offsetof(struct block, clients),
     .unit = "",
     .help = "Distinct clients",
     .group = "cardinality"},
    {.name = "top_hosts",
     .kind = METRIC_TOPN,
     .offset = offsetof(struct block, hosts),
     .unit = "bytes",
     .help = "Heaviest hosts",
     .group = "top",
     .key = METRIC_KEY_ADDRESS,
     .extras = extras},
    {.name = "top_names",
     .kind = METRIC_TOPN,
     .offset = offsetof(struct block, names),
     .unit = "",
     .help = "Names",
     .group = "top",
     .key = METRIC_KEY_TEXT,
     .label = "qname"},
    {0},
};

static const struct metric_set set = {.name = "test",
                                      .help = "For the test",
                                      .metrics = metrics,
                                      .size = sizeof(struct block),
                                      .init = block_init};

static struct block *block_new(void)
{
    struct block *b = calloc(1, sizeof *b);
    assert_non_null(b);
    metric_block_reset(&set, b);
    return b;
}

static void add_host(struct block *b, uint8_t last, uint64_t weight)
{
    uint8_t key[ADDRESS] = {4, 192, 0, 2, last};
    topn_add(&b->hosts, key, weight, (uint64_t[]){1, 2, 3});
    cardinality_add(&b->clients, last * 0x9e3779b97f4a7c15u);
}

static void add_name(struct block *b, const char *name, size_t size)
{
    char key[TOPN_KEY_MAX] = {0};
    memcpy(key, name, size);
    topn_add(&b->names, key, 1 + size, NULL);
}

static void fill(struct block *b)
{
    b->packets += 10;
    b->wire += 1500;
    b->active += 3;
    b->rcodes[0] += 7;
    b->rcodes[1] += 2;
    b->rcodes[3] += 1;
    add_host(b, 1, 900);
    add_host(b, 2, 600);
    add_name(b, "www.example", 11);
    add_name(b, "bad\xff\x01\"\\", 7);
}

static void assert_json(const struct block *b, unsigned limit, const char *expected)
{
    struct json j;
    json_init(&j);
    metric_block_json(&set, b, limit, &j);
    assert_true(json_check(j.data, j.size));
    json_append(&j, "", 1);
    assert_string_equal(j.data, expected);
    json_done(&j);
}

#define EMPTY                                                                                      \
    "{\"packets\":0,\"wire\":0,\"active\":0,\"rcode_packets\":{\"noerror\":0,"                     \
    "\"a\\\"b\\\\c\\nd\":0,\"x\xef\xbf\xbd\":0},\"clients\":0,\"top_hosts\":[],\"top_names\":[]}"

static void renders_json(void **state)
{
    struct block *b = block_new();
    assert_json(b, 10, EMPTY);
    fill(b);
    assert_json(b, 10,
                "{\"packets\":10,\"wire\":1500,\"active\":3,\"rcode_packets\":{\"noerror\":7,"
                "\"a\\\"b\\\\c\\nd\":2,\"x\xef\xbf\xbd\":1},\"clients\":2,\"top_hosts\":["
                "{\"key\":\"192.0.2.1\",\"weight\":900,\"packets\":1,\"flows\":2},"
                "{\"key\":\"192.0.2.2\",\"weight\":600,\"packets\":1,\"flows\":2}],\"top_names\":["
                "{\"key\":\"www.example\",\"weight\":12},"
                "{\"key\":\"bad\\\\xff\\\\x01\\\"\\\\\\\\\",\"weight\":8}]}");
    free(b);
}

static void limits_and_resets(void **state)
{
    struct block *b = block_new();
    fill(b);
    struct json j;
    json_init(&j);
    metric_block_json(&set, b, 1, &j);
    json_append(&j, "", 1);
    assert_non_null(strstr(j.data, "192.0.2.1"));
    assert_null(strstr(j.data, "192.0.2.2"));
    json_done(&j);
    metric_block_reset(&set, b);
    assert_json(b, 10, EMPTY);
    free(b);
}

static void merges_as_one(void **state)
{
    struct block *a = block_new();
    struct block *b = block_new();
    struct block *both = block_new();
    fill(a);
    add_host(b, 2, 1000);
    fill(b);
    fill(both);
    add_host(both, 2, 1000);
    fill(both);
    metric_block_merge(&set, a, b);
    struct json x, y;
    json_init(&x);
    json_init(&y);
    metric_block_json(&set, a, 10, &x);
    metric_block_json(&set, both, 10, &y);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    json_done(&x);
    json_done(&y);
    free(a);
    free(b);
    free(both);
}

static void renders_prometheus(void **state)
{
    struct block *b = block_new();
    fill(b);
    struct json j;
    json_init(&j);
    metric_block_prometheus(&set, b, 1, "vantage", &j);
    json_append(&j, "", 1);
    assert_string_equal(j.data, "# HELP vantage_test_packets_total Frames seen\n"
                                "# TYPE vantage_test_packets_total counter\n"
                                "vantage_test_packets_total 10\n"
                                "# HELP vantage_test_wire_bytes_total Back\\\\slash and\\nnewline\n"
                                "# TYPE vantage_test_wire_bytes_total counter\n"
                                "vantage_test_wire_bytes_total 1500\n"
                                "# HELP vantage_test_active_flows Flows now\n"
                                "# TYPE vantage_test_active_flows gauge\n"
                                "vantage_test_active_flows 3\n"
                                "# HELP vantage_test_rcode_packets_total By answer\n"
                                "# TYPE vantage_test_rcode_packets_total counter\n"
                                "vantage_test_rcode_packets_total{rcode=\"noerror\"} 7\n"
                                "vantage_test_rcode_packets_total{rcode=\"a\\\"b\\\\c\\nd\"} 2\n"
                                "vantage_test_rcode_packets_total{rcode=\"x\xef\xbf\xbd\"} 1\n"
                                "# HELP vantage_test_clients Distinct clients\n"
                                "# TYPE vantage_test_clients gauge\n"
                                "vantage_test_clients 2\n"
                                "# HELP vantage_test_top_hosts_bytes Heaviest hosts\n"
                                "# TYPE vantage_test_top_hosts_bytes gauge\n"
                                "vantage_test_top_hosts_bytes{address=\"192.0.2.1\"} 900\n"
                                "# HELP vantage_test_top_hosts_packets Heaviest hosts\n"
                                "# TYPE vantage_test_top_hosts_packets gauge\n"
                                "vantage_test_top_hosts_packets{address=\"192.0.2.1\"} 1\n"
                                "# HELP vantage_test_top_hosts_flows Heaviest hosts\n"
                                "# TYPE vantage_test_top_hosts_flows gauge\n"
                                "vantage_test_top_hosts_flows{address=\"192.0.2.1\"} 2\n"
                                "# HELP vantage_test_top_names Names\n"
                                "# TYPE vantage_test_top_names gauge\n"
                                "vantage_test_top_names{qname=\"www.example\"} 12\n");
    json_done(&j);
    free(b);
}

static void promtool_finds_nothing(void **state)
{
    if (system("command -v promtool >/dev/null") != 0) {
        skip();
    }
    struct block *b = block_new();
    fill(b);
    for (unsigned c = 1; c < 256; c++) {
        add_name(b, (char[]){(char)c, 'x'}, 2); /* each byte, and more than fit */
    }
    struct json j;
    json_init(&j);
    metric_block_prometheus(&set, b, 1000, "vantage", &j);
    /* Its remarks go to the test's output, where they are welcome. */
    FILE *tool = popen("promtool check metrics 2>&1", "w");
    assert_non_null(tool);
    assert_int_equal(fwrite(j.data, 1, j.size, tool), j.size);
    assert_int_equal(pclose(tool), 0);
    json_done(&j);
    free(b);
}

static void assert_key(enum metric_key kind, const void *key, size_t size, const char *expected)
{
    char text[METRIC_KEY_ROOM];
    metric_key_text(kind, span_of(key, size), text, sizeof text);
    assert_string_equal(text, expected);
    metric_key_text(kind, span_of(key, size), text, 4); /* cut, terminated */
    assert_true(strncmp(text, expected, 3) == 0 && strlen(text) <= 3);
}

static void writes_keys(void **state)
{
    uint8_t pair[34] = {4, 10, 0, 0, 1, [17] = 6, [18] = 0xfe, [19] = 0x80, [33] = 1};
    assert_key(METRIC_KEY_ADDRESS, pair, 17, "10.0.0.1");
    assert_key(METRIC_KEY_PAIR, pair, 34, "10.0.0.1 > fe80::1");
    assert_key(METRIC_KEY_ADDRESS, pair, 5, "none"); /* too short */
    struct {
        uint8_t protocol;
        uint16_t port;
    } __attribute__((packed)) port = {6, 443};
    assert_key(METRIC_KEY_PORT, &port, sizeof port, "443/tcp");
    port.protocol = 47;
    assert_key(METRIC_KEY_PORT, &port, sizeof port, "443/47");
    assert_key(METRIC_KEY_TEXT, "a\0b\0\0", 5, "a\\x00b");
    assert_key(METRIC_KEY_TEXT, "gr\xc3\xbc\xc3", 5, "gr\xc3\xbc\\xc3");
    assert_key(METRIC_KEY_TEXT, "\x1b[0m\x7f", 5, "\\x1b[0m\\x7f");
    char long_key[TOPN_WIDE_MAX + 5];
    char want[4 * TOPN_WIDE_MAX + 1];
    memset(long_key, 0xfe, sizeof long_key);
    for (unsigned i = 0; i < TOPN_WIDE_MAX; i++) {
        memcpy(want + 4 * i, "\\xfe", 5);
    }
    assert_key(METRIC_KEY_TEXT, long_key, sizeof long_key, want);
}

static void assert_refused(struct metric bad, const char *reason)
{
    const struct metric table[] = {metrics[0], bad, {0}};
    struct metric_set s = set;
    s.metrics = table;
    struct err err = {0};
    assert_false(metric_set_check(&s, &err));
    assert_non_null(strstr(err.text, reason));
}

static void checks_tables(void **state)
{
    assert_true(metric_set_check(&set, NULL));
    struct metric bad = metrics[1];
    bad.help = "";
    assert_refused(bad, "help");
    assert_refused(metrics[0], "twice");
    bad = metrics[1];
    bad.name = "Big-Name";
    assert_refused(bad, "name");
    bad.name = "x";
    bad.offset = sizeof(struct block);
    assert_refused(bad, "beyond");
    bad.offset = 4;
    assert_refused(bad, "aligned");
    bad = metrics[3];
    bad.label = NULL;
    assert_refused(bad, "label");
    bad = metrics[5];
    bad.key = METRIC_KEY_NONE;
    assert_refused(bad, "keys");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_json),           cmocka_unit_test(limits_and_resets),
        cmocka_unit_test(merges_as_one),          cmocka_unit_test(renders_prometheus),
        cmocka_unit_test(promtool_finds_nothing), cmocka_unit_test(writes_keys),
        cmocka_unit_test(checks_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
