// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/json.h"
#include "summary/point.h"
#include "summary/quantiles.h"

struct block {
    uint64_t packets;
    uint64_t by_kind[2];
    struct quantiles latency;
    struct quantiles size;
};

static const char *kind_name(unsigned i)
{
    return i == 0 ? "query" : "reply";
}

#define ROW(member, kind_, unit_)                                                                  \
    .name = #member, .kind = kind_, .offset = offsetof(struct block, member), .unit = unit_,       \
    .help = "Of " #member, .group = "all"

static const struct metric metrics[] = {
    {ROW(packets, METRIC_COUNTER, "packets")},
    {ROW(by_kind, METRIC_LABELLED, "packets"), .label = "kind", .label_value = kind_name,
     .label_count = 2},
    {ROW(latency, METRIC_QUANTILES, "us")},
    {ROW(size, METRIC_HISTOGRAM, "bytes"), .first_power = 0, .last_power = 2},
    {0},
};

static const struct metric_set set = {
    .name = "test", .help = "For the test", .metrics = metrics, .size = sizeof(struct block)};

static void write_point(void *context, const struct point *p)
{
    struct json *to = context;
    json_printf(to, "%s", p->name);
    for (uint32_t i = 0; i < p->label_count; i++) {
        json_printf(to, ",%s=%.*s", p->labels[i].name, (int)p->labels[i].value.size,
                    (const char *)p->labels[i].value.data);
    }
    json_printf(to, " %d %g", (int)p->kind, p->value);
    for (uint32_t i = 0; i < p->count; i++) {
        json_printf(to, " %g:%g", p->at[i], p->values[i]);
    }
    json_printf(to, " %g/%llu %s\n", p->sum, (unsigned long long)p->total,
                p->quantiles != NULL ? "whole" : "-");
}

static void walk(const struct block *block, const char *expected)
{
    struct json to;
    json_init(&to);
    struct point base = {.scope = "vantage"};
    struct point_walk walk = {.visit = write_point, .context = &to, .limit = 10};
    point_label(&base, "tap", span_str("eth0"));
    point_block(&walk, &base, &set, block, "vantage");
    json_append(&to, "", 1);
    assert_string_equal(to.data, expected);
    json_done(&to);
}

static void every_row_gives_its_points(void **state)
{
    static struct block block = {.packets = 7, .by_kind = {3, 4}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        quantiles_add(&block.latency, 1);
        quantiles_add(&block.size, 2);
    }
    walk(&block, "vantage_test_packets_total,tap=eth0 0 7 0/0 -\n"
                 "vantage_test_by_kind_packets_total,kind=query,tap=eth0 0 3 0/0 -\n"
                 "vantage_test_by_kind_packets_total,kind=reply,tap=eth0 0 4 0/0 -\n"
                 "vantage_test_latency_us,tap=eth0 2 0 0.5:1 0.9:1 0.95:1 0.99:1 4/4 whole\n"
                 "vantage_test_size_bytes,tap=eth0 3 0 1:0 2:4 4:4 8/4 whole\n");
}

static void nothing_seen_is_no_distribution(void **state)
{
    static const struct block block = {0};
    (void)state;
    walk(&block, "vantage_test_packets_total,tap=eth0 0 0 0/0 -\n"
                 "vantage_test_by_kind_packets_total,kind=query,tap=eth0 0 0 0/0 -\n"
                 "vantage_test_by_kind_packets_total,kind=reply,tap=eth0 0 0 0/0 -\n");
}

static void labels_stand_by_name(void **state)
{
    struct point p = {0};
    (void)state;
    point_label(&p, "b", span_str("1"));
    point_label(&p, "a", span_str("2"));
    point_label(&p, "c", span_str(""));
    assert_int_equal(p.label_count, 2);
    assert_string_equal(p.labels[0].name, "a");
    for (int i = 0; i < 2 * POINT_LABELS; i++) {
        point_label(&p, "z", span_str("3"));
    }
    assert_int_equal(p.label_count, POINT_LABELS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_gives_its_points),
        cmocka_unit_test(nothing_seen_is_no_distribution),
        cmocka_unit_test(labels_stand_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
