// SPDX-License-Identifier: Apache-2.0
/* The kinds of metrics that have more than one figure: merged, emptied, shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/json_check.h"
#include "summary/cardinality.h"
#include "summary/kll.h"
#include "summary/metric_view.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { TEXT = 16, SLOTS = 16 };

struct block {
    struct quantiles latency;
    struct quantiles sizes;
    struct rate rate;
    struct cardinality clients;
    HISTOGRAM_DECLARE(waits, 2);
    TOPN_DECLARE(names, SLOTS);
    char version[TEXT];
};

static const double wait_bounds[] = {0.25, 1};

static void block_init(void *block)
{
    topn_init(&((struct block *)block)->names, SLOTS, TOPN_KEY_MAX);
}

#define ROW(member, kind_, unit_)                                                                  \
    .name = #member, .kind = kind_, .offset = offsetof(struct block, member), .unit = unit_,       \
    .help = "Of " #member, .group = "all"

static const struct metric metrics[] = {
    {ROW(latency, METRIC_QUANTILES, "us")},
    {ROW(sizes, METRIC_HISTOGRAM, "bytes"), .first_power = 6, .last_power = 8},
    {ROW(waits, METRIC_HISTOGRAM, "seconds"), .bounds = {wait_bounds, 2}},
    {ROW(rate, METRIC_RATE, "packets")},
    {ROW(version, METRIC_INFO, ""), .label = "version", .text_size = TEXT},
    {0},
};

static const struct metric_set set = {
    .name = "test", .help = "For the test", .metrics = metrics, .size = sizeof(struct block)};

static const struct metric clients = {ROW(clients, METRIC_CARDINALITY, "")};
static const struct metric names = {ROW(names, METRIC_TOPN, ""), .key = METRIC_KEY_TEXT};

static struct block *block_new(void)
{
    struct block *b = calloc(1, sizeof *b);
    assert_non_null(b);
    metric_block_reset(&set, b);
    return b;
}

/* Whole numbers, so that sums are exact in any order. */
static void fill(struct block *b, int begin, int end)
{
    const struct histogram_bounds bounds = {wait_bounds, 2};
    for (int i = begin; i < end; i++) {
        quantiles_add(&b->latency, 1000);
        quantiles_add(&b->sizes, i);
        histogram_add(&b->waits, bounds, i / 256.0);
        rate_add(&b->rate, (uint64_t)(1700000000 + i / 50) * 1000000000, 1);
    }
    snprintf(b->version, sizeof b->version, "1.%03d", end);
}

#define ALL                                                                                        \
    "{\"latency\":{\"p50\":1000,\"p90\":1000,\"p95\":1000,\"p99\":1000,\"min\":1000,"              \
    "\"max\":1000,\"sum\":300000,\"count\":300},"                                                  \
    "\"sizes\":{\"buckets\":{\"64\":65,\"128\":129,\"256\":257,\"+Inf\":300},\"sum\":44850,"       \
    "\"count\":300},"                                                                              \
    "\"waits\":{\"buckets\":{\"0.25\":65,\"1\":257,\"+Inf\":300},\"sum\":175.1953125,"             \
    "\"count\":300},"                                                                              \
    "\"rate\":{\"p50\":50,\"p90\":50,\"p95\":50,\"p99\":50,\"live\":50,\"sum\":300,"               \
    "\"seconds\":6},"                                                                              \
    "\"version\":\"1.300\"}"

#define NONE                                                                                       \
    "{\"latency\":{\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null,\"min\":null,"              \
    "\"max\":null,\"sum\":0,\"count\":0},"                                                         \
    "\"sizes\":{\"buckets\":{\"64\":0,\"128\":0,\"256\":0,\"+Inf\":0},\"sum\":0,\"count\":0},"     \
    "\"waits\":{\"buckets\":{\"0.25\":0,\"1\":0,\"+Inf\":0},\"sum\":0,\"count\":0},"               \
    "\"rate\":{\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null,\"live\":0,\"sum\":0,"          \
    "\"seconds\":0},"                                                                              \
    "\"version\":\"\"}"

static void assert_json(const struct block *b, const char *expected)
{
    struct json j;
    json_init(&j);
    metric_block_json(&set, b, 10, &j);
    assert_true(json_check(j.data, j.size));
    json_append(&j, "", 1);
    assert_string_equal(j.data, expected);
    json_done(&j);
}

static void renders_json(void **state)
{
    struct block *b = block_new();
    assert_json(b, NONE);
    fill(b, 0, 300);
    assert_json(b, ALL);
    metric_block_reset(&set, b);
    assert_json(b, NONE);
    free(b);
}

static void merges_in_any_order(void **state)
{
    static const int cuts[] = {0, 70, 120, 300};
    struct block *one = block_new();
    struct block *other = block_new();
    for (int i = 0; i < 3; i++) {
        struct block *part = block_new();
        fill(part, cuts[i], cuts[i + 1]);
        metric_block_merge(&set, one, part);
        metric_block_reset(&set, part);
        fill(part, cuts[2 - i], cuts[3 - i]);
        metric_block_merge(&set, other, part);
        free(part);
    }
    assert_json(one, ALL);
    assert_json(other, ALL);
    free(one);
    free(other);
}

static const char exposition[] =
    "# HELP vantage_test_latency_us Of latency\n"
    "# TYPE vantage_test_latency_us summary\n"
    "vantage_test_latency_us{quantile=\"0.5\"} 1000\n"
    "vantage_test_latency_us{quantile=\"0.9\"} 1000\n"
    "vantage_test_latency_us{quantile=\"0.95\"} 1000\n"
    "vantage_test_latency_us{quantile=\"0.99\"} 1000\n"
    "vantage_test_latency_us_sum 300000\n"
    "vantage_test_latency_us_count 300\n"
    "# HELP vantage_test_sizes_bytes Of sizes\n"
    "# TYPE vantage_test_sizes_bytes histogram\n"
    "vantage_test_sizes_bytes_bucket{le=\"64\"} 65\n"
    "vantage_test_sizes_bytes_bucket{le=\"128\"} 129\n"
    "vantage_test_sizes_bytes_bucket{le=\"256\"} 257\n"
    "vantage_test_sizes_bytes_bucket{le=\"+Inf\"} 300\n"
    "vantage_test_sizes_bytes_sum 44850\n"
    "vantage_test_sizes_bytes_count 300\n"
    "# HELP vantage_test_waits_seconds Of waits\n"
    "# TYPE vantage_test_waits_seconds histogram\n"
    "vantage_test_waits_seconds_bucket{le=\"0.25\"} 65\n"
    "vantage_test_waits_seconds_bucket{le=\"1\"} 257\n"
    "vantage_test_waits_seconds_bucket{le=\"+Inf\"} 300\n"
    "vantage_test_waits_seconds_sum 175.1953125\n"
    "vantage_test_waits_seconds_count 300\n"
    "# HELP vantage_test_rate_packets Of rate\n"
    "# TYPE vantage_test_rate_packets summary\n"
    "vantage_test_rate_packets{quantile=\"0.5\"} 50\n"
    "vantage_test_rate_packets{quantile=\"0.9\"} 50\n"
    "vantage_test_rate_packets{quantile=\"0.95\"} 50\n"
    "vantage_test_rate_packets{quantile=\"0.99\"} 50\n"
    "vantage_test_rate_packets_sum 300\n"
    "vantage_test_rate_packets_count 6\n"
    "# HELP vantage_test_version_info Of version\n"
    "# TYPE vantage_test_version_info gauge\n"
    "vantage_test_version_info{version=\"1.300\"} 1\n";

static void renders_prometheus(void **state)
{
    struct block *b = block_new();
    fill(b, 0, 300);
    struct json j;
    json_init(&j);
    metric_block_prometheus(&set, b, 10, "vantage", &j);
    json_append(&j, "", 1);
    assert_string_equal(j.data, exposition);
    json_done(&j);
    free(b);
}

static void assert_promtool_agrees(const struct block *b)
{
    struct json j;
    json_init(&j);
    metric_block_prometheus(&set, b, 10, "vantage", &j);
    FILE *tool = popen("promtool check metrics 2>&1", "w");
    assert_non_null(tool);
    assert_int_equal(fwrite(j.data, 1, j.size, tool), j.size);
    int status = pclose(tool);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1); /* 3: style, not syntax */
    json_done(&j);
}

static void promtool_agrees(void **state)
{
    if (system("command -v promtool >/dev/null") != 0) {
        skip();
    }
    struct block *b = block_new();
    assert_promtool_agrees(b); /* NaN is a number here */
    fill(b, 0, 300);
    memcpy(b->version, "\"\\\n\xff all sixteen", TEXT); /* not terminated */
    assert_promtool_agrees(b);
    free(b);
}

static void assert_refused(struct metric bad, const char *reason)
{
    const struct metric table[] = {bad, {0}};
    struct metric_set s = set;
    s.metrics = table;
    struct err err = {0};
    assert_false(metric_set_check(&s, &err));
    assert_non_null(strstr(err.text, reason));
}

static void checks_tables(void **state)
{
    static const double mixed[] = {1, 1};
    assert_true(metric_set_check(&set, NULL));
    struct metric bad = metrics[1];
    bad.last_power = bad.first_power;
    assert_refused(bad, "bounds");
    bad.bounds = (struct histogram_bounds){mixed, 2};
    assert_refused(bad, "ascend");
    bad = metrics[4];
    bad.text_size = 0;
    assert_refused(bad, "size");
    bad.text_size = sizeof(struct block);
    assert_refused(bad, "beyond");
}

static void writes_numbers(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.1, "0.1"},     {1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"}, {0, "0"},
                 {INFINITY, "+Inf"}, {-INFINITY, "-Inf"},           {NAN, "NaN"}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[METRIC_NUMBER_ROOM];
        metric_number_text(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void gives_sketches(void **state)
{
    struct block *b = block_new();
    struct json image;
    json_init(&image);
    block_init(b);
    fill(b, 0, 300);
    cardinality_add(&b->clients, 0x9e3779b97f4a7c15u);
    topn_add(&b->names, (uint8_t[TOPN_KEY_MAX]){'a', 0xff}, 3, NULL);
    assert_false(metric_sketch(&metrics[2], b, &image));
    assert_false(metric_sketch(&metrics[3], b, &image));
    assert_int_equal(image.size, 0);
    assert_true(metric_sketch(&clients, b, &image));
    struct cardinality c;
    assert_true(cardinality_read(&c, span_of(image.data, image.size)) && c.count == 1);
    json_reset(&image);
    assert_true(metric_sketch(&names, b, &image));
    assert_true(topn_read(&b->names, span_of(image.data, image.size)));
    assert_string_equal((const char *)topn_key(&b->names, topn_first(&b->names)).data, "a\\xff");
    for (int i = 0; i < 2; i++) {
        struct kll s;
        json_reset(&image);
        assert_true(metric_sketch(&metrics[i], b, &image));
        assert_true(kll_read(&s, span_of(image.data, image.size)) && s.count == 300);
    }
    json_done(&image);
    free(b);
}

static void absurd_counts_are_whole(void **state)
{
    struct cardinality c = {.mode = CARDINALITY_DENSE};
    memset(c.registers, 63, sizeof c.registers);
    assert_true(metric_distinct(&c) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_json),
        cmocka_unit_test(merges_in_any_order),
        cmocka_unit_test(renders_prometheus),
        cmocka_unit_test(promtool_agrees),
        cmocka_unit_test(checks_tables),
        cmocka_unit_test(writes_numbers),
        cmocka_unit_test(gives_sketches),
        cmocka_unit_test(absurd_counts_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
