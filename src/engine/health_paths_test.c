// SPDX-License-Identifier: Apache-2.0
/* The paths, and the flat record that they are measured by. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "engine/health_flat.h"
#include "engine/health_paths.h"

#define SECOND UINT64_C(1000000000)

/* A connection from a country to a port, with that round trip. */
static struct health_event connection(const char *country, uint32_t port, double rtt_ms)
{
    struct health_event e = {.flow = {.destination_port = port, .final = true,
                                      .timestamp_ns = 1000 * SECOND}};
    memcpy(e.client.country, country, 2);
    e.server.zone = "paris";
    e.record.ways[0].rtt_p50_ms = e.record.ways[0].rtt_p95_ms = 0.5;
    e.record.ways[1].rtt_p50_ms = e.record.ways[1].rtt_p95_ms = rtt_ms - 0.5;
    e.record.ways[1].data_pkts = 200;
    e.record.ways[1].retrans_pkts = 3;
    e.record.ways[1].nonidle_throughput_mbps = 12.5;
    e.record.main_way = 1;
    e.record.findings[HEALTH_LOSSY].truth = HEALTH_TRUE;
    return e;
}

static void add(struct health_paths *paths, const char *country, uint32_t port, double rtt_ms)
{
    struct health_event e = connection(country, port, rtt_ms);
    health_paths_add(paths, &e);
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 0.05 * b;
}

static void the_longest_round_trips_come_first(void **state)
{
    (void)state;
    struct health_paths *paths = health_paths_new(false);
    struct health_path got[4];
    uint32_t total;
    for (unsigned i = 0; i < 100; i++) {
        add(paths, "SE", 443, 20);
        add(paths, "NZ", 443, i < 90 ? 200 : 400);
    }
    add(paths, "SE", 80, 5);
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_ALL, got, 4, &total), 3);
    assert_int_equal(total, 3);
    assert_string_equal(got[0].country, "NZ");
    assert_string_equal(got[0].zone, "paris");
    assert_true(is_near(got[0].rtt_p50_ms, 200) && is_near(got[0].rtt_p95_ms, 400));
    assert_true(is_near(got[0].loss_p50_percent, 1.5) && is_near(got[0].throughput_p50_mbps, 12.5));
    assert_int_equal(got[0].connections, 100);
    assert_int_equal(got[0].verdicts[HEALTH_LOSSY], 100);
    assert_int_equal(got[1].port, 443);
    assert_int_equal(got[2].port, 80);
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_ALL, got, 1, &total), 1);
    assert_int_equal(total, 3);
    health_paths_free(paths);
}

static void keys_that_are_left_out_are_summed_up(void **state)
{
    (void)state;
    struct health_paths *paths = health_paths_new(false);
    struct health_path got[4];
    uint32_t total;
    for (unsigned i = 0; i < 50; i++) {
        add(paths, "SE", 443, 20);
        add(paths, "NZ", 443, 200);
        add(paths, "NZ", 80, 100);
    }
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_COUNTRY, got, 4, &total), 2);
    assert_string_equal(got[0].country, "NZ");
    assert_int_equal(got[0].connections, 100);
    assert_int_equal(got[0].port, 0);
    assert_string_equal(got[0].zone, "");
    assert_true(is_near(got[0].rtt_p95_ms, 200));
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_PORT, got, 4, &total), 2);
    assert_int_equal(got[0].port, 443);
    assert_string_equal(got[0].country, "");
    const unsigned places = HEALTH_PATHS_ASN | HEALTH_PATHS_ZONE;
    assert_int_equal(health_paths_worst(paths, places, got, 4, &total), 1);
    assert_int_equal(got[0].connections, 150);
    assert_int_equal(got[0].verdicts[HEALTH_LOSSY], 150);
    health_paths_free(paths);
}

static void keys_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "port,", ",port", "port,port", "ports", "por", "a"};
    unsigned keys;
    assert_true(health_paths_keys("port", &keys) && keys == HEALTH_PATHS_PORT);
    assert_true(health_paths_keys("zone,port,asn,country", &keys) && keys == HEALTH_PATHS_ALL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(health_paths_keys(wrong[i], &keys));
    }
}

static void paths_beyond_the_bound_are_one(void **state)
{
    (void)state;
    struct health_paths *paths = health_paths_new(true);
    struct health_path *got = calloc(HEALTH_PATHS_MAX + 1, sizeof *got);
    uint32_t total;
    for (uint32_t i = 0; i < HEALTH_PATHS_MAX + 50; i++) {
        add(paths, "SE", 1 + i, 10);
    }
    assert_int_equal(
        health_paths_worst(paths, HEALTH_PATHS_ALL, got, HEALTH_PATHS_MAX + 1, &total),
        HEALTH_PATHS_MAX + 1);
    uint64_t connections = 0;
    unsigned rests = 0;
    for (uint32_t i = 0; i < total; i++) {
        connections += got[i].connections;
        rests += got[i].is_rest;
    }
    assert_int_equal(connections, HEALTH_PATHS_MAX + 50);
    assert_int_equal(rests, 1);
    free(got);
    health_paths_free(paths);
}

static void live_ones_are_forgotten(void **state)
{
    (void)state;
    struct health_paths *paths = health_paths_new(true);
    struct health_path got[4];
    uint32_t total;
    struct health_event e = connection("SE", 1, 10);
    health_paths_add(paths, &e);
    e.flow.timestamp_ns += 700 * SECOND;
    e.flow.destination_port = 2;
    health_paths_add(paths, &e);
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_ALL, got, 4, &total), 2);
    e.flow.timestamp_ns += 700 * SECOND;
    e.flow.destination_port = 3;
    health_paths_add(paths, &e);
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_ALL, got, 4, &total), 2); /* 1 is gone */
    e.flow.timestamp_ns += 7000 * SECOND;
    health_paths_add(paths, &e);
    assert_int_equal(health_paths_worst(paths, HEALTH_PATHS_ALL, got, 4, &total), 1);
    health_paths_free(paths);
}

static void a_flat_row_has_what_is_known(void **state)
{
    (void)state;
    struct health_event e = connection("NZ", 443, 300);
    struct health_flat flat;
    struct json json;
    struct err err = {0};
    assert_true(event_type_check(&health_flat_type, &err));
    e.record.findings[HEALTH_BLACKHOLED].truth = HEALTH_FALSE;
    e.record.ttfb_ms = NAN;
    e.record.min_rtt_to_client_ms = NAN;
    e.record.handshake_rtt_to_client_ms = NAN;
    health_flat_of(&flat, &e);
    json_init(&json);
    event_json(&json, &flat.head);
    json_append(&json, "", 1);
    const char *text = (const char *)json.data;
    assert_non_null(strstr(text, "\"client_country\":\"NZ\""));
    assert_non_null(strstr(text, "\"server_zone\":\"paris\""));
    assert_non_null(strstr(text, "\"blackholed\":false"));
    assert_non_null(strstr(text, "\"non_idle_throughput_mbps\":12.5"));
    assert_non_null(strstr(text, "\"rtt_ms\":300"));
    assert_null(strstr(text, "bufferbloat")); /* not to be said from here */
    assert_null(strstr(text, "min_rtt_ms"));
    json_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_round_trips_come_first),
        cmocka_unit_test(keys_that_are_left_out_are_summed_up),
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(paths_beyond_the_bound_are_one),
        cmocka_unit_test(live_ones_are_forgotten),
        cmocka_unit_test(a_flat_row_has_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
