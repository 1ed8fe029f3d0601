// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/kafka/kafka_report.h"

extern const struct proto proto_kafka;

#define TEXT(text) span_of(text, sizeof(text) - 1)

/* Metadata version 1 with the number 7, of "me", for the topic "t". */
static const char metadata[] = "\0\0\0\x13\0\3\0\1\0\0\0\7\0\2me\0\0\0\1\0\1t";
/* One broker, no topic that is there: error 3. */
static const char described[] =
    "\0\0\0\x27\0\0\0\7\0\0\0\1\0\0\0\1\0\1h\0\0\x23\x84\xff\xff\0\0\0\1\0\0\0\1\0\3\0\1t\0\0\0\0\0";

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&kafka_event_type, &err));
    assert_true(metric_set_check(proto_kafka.metrics, &err));
}

static void knows_its_own(void **state)
{
    (void)state;
    struct span whole = TEXT(metadata);
    assert_int_equal(proto_kafka.probe(whole, 0), PROTO_YES);
    assert_int_equal(proto_kafka.probe(span_head(whole, 6), 0), PROTO_UNSURE);
    assert_int_equal(proto_kafka.probe(TEXT("GET / HTTP/1.1\r\n"), 0), PROTO_NO);
    assert_int_equal(proto_kafka.probe(TEXT("\0\0\0\x13\0\x99\0\1\0\0\0\7\0\2me"), 0), PROTO_NO);
}

/* A client without a name has little to be known by: what it says has to fit. */
static void knows_nameless_clients(void **state)
{
    (void)state;
    const struct {
        struct span data;
        int like;
    } cases[] = {
        /* Metadata of "logs"; whole, and as far as it came */
        {TEXT("\0\0\0\x14\0\3\0\1\0\0\0\1\xff\xff\0\0\0\1\0\4logs"), 1},
        {TEXT("\0\0\0\x14\0\3\0\1\0\0\0\1\xff\xff\0\0\0\1\0\4"), -1},
        {TEXT("\0\0\0\x10\0\x12\0\0\0\0\0\1\0\0\0\0\0\0\0\0"), 1}, /* ApiVersions */
        /* JoinGroup of an empty group: nothing is known until it ends where it should */
        {TEXT("\0\0\0\x0b\0\x0b\0\0\xff\xff\xff\xff\0\0\0"), 0},
        {TEXT("\0\0\0\x0b\0\x0b\0\0\xff\xff\xff\xff\0\0"), -1},
        /* SMPP: someone logs in; OpenFlow; DCE/RPC */
        {TEXT("\0\0\0\x28\0\0\0\2\0\0\0\0\0\0\0\1name\0password\0SMPP\0\1\0\0\0\0\0\0\0\0\x28\0\0\0\4"), 0},
        {TEXT("\6\0\0\x10\0\0\0\1\0\1\0\x08\0\0\0\x40"), 0},
        {TEXT("\5\0\x0b\3\0\0\0\0\x48\0\0\0\0\0\1\x10\xb8\x10\xb8\0\0\0\0\0\1"), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (kafka_looks_like(cases[i].data) != cases[i].like) {
            print_error("case %zu\n", i);
        }
        assert_int_equal(kafka_looks_like(cases[i].data), cases[i].like);
    }
}

static void reads_flexible_versions(void **state)
{
    (void)state;
    /* Produce version 9: no transaction, acks -1, topic "t", one partition with a batch of 3 records. */
    static const char produce[] =
        "\0\0\0\x09\0\0\0\1\0\2me\0\0\xff\xff\0\0\0\x64\2\2t\2\0\0\0\0\x3e"
        "\0\0\0\0\0\0\0\0\0\0\0\x31\0\0\0\0\2\0\0\0\0\0\4\0\0\0\2"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0";
    struct kafka_head head;
    assert_true(kafka_request_read(TEXT(produce), &head));
    assert_int_equal(head.acks, -1);
    assert_int_equal(head.topic_count, 1);
    assert_true(span_equal(head.topics[0], span_str("t")));
    assert_int_equal(head.records.batches, 1);
    assert_int_equal(head.records.compression, 4);
    for (size_t size = 0; size < sizeof produce - 1; size++) {
        (void)kafka_request_read(span_of(produce, size), &head);
    }
}

static void finds_errors(void **state)
{
    (void)state;
    struct kafka_answer answer;
    struct span body = span_skip(TEXT(described), 8);
    kafka_response_read(body, KAFKA_METADATA, 1, &answer);
    assert_true(answer.is_whole);
    assert_int_equal(answer.error, 3);
    assert_string_equal(kafka_error_name(3), "UNKNOWN_TOPIC_OR_PARTITION");
    for (unsigned key = 0; key < KAFKA_APIS; key++) {
        for (unsigned version = 0; version < 16; version++) {
            kafka_response_read(body, key, version, &answer);
        }
    }
}

/* A hole within a message costs a note; one that hides where messages begin, the search for the next. */
static void survives_holes(void **state)
{
    (void)state;
    static _Alignas(8) uint8_t memory[1 << 16];
    struct kafka_stats stats = {0};
    struct kafka_flow flow = {0};
    struct flow ends = {0};
    struct proto_settings settings;
    proto_options_default(&proto_kafka, &settings);
    struct slab *slab = slab_new(1 << 20);
    struct event_log log = {.memory = memory, .capacity = sizeof memory, .text_max = 1000};
    struct proto_context c = {.block = &stats, .state = &flow, .flow = &ends, .memory = slab,
                              .events = &log, .settings = &settings, .now_ns = 5};
    struct proto_chunk asks = {.data = TEXT(metadata), .side = 0, .time_ns = 1};
    assert_int_equal(proto_kafka.on_chunk(&c, &asks).consumed, asks.data.size);
    proto_kafka.on_gap(&c, 1, 10);
    uint8_t late[3 + sizeof described - 1] = {0xff, 0xff, 0xff};
    memcpy(late + 3, described, sizeof described - 1);
    struct proto_chunk answers = {.data = span_of(late, sizeof late), .side = 1, .time_ns = 2};
    assert_int_equal(proto_kafka.on_chunk(&c, &answers).consumed, sizeof late);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.errors, 1);
    assert_int_equal(stats.skipped_bytes, 3);
    assert_int_equal(proto_kafka.on_chunk(&c, &asks).consumed, asks.data.size);
    proto_kafka.on_close(&c, PROTO_RESET);
    assert_int_equal(stats.unmatched_requests, 1);
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(knows_its_own),
        cmocka_unit_test(knows_nameless_clients),
        cmocka_unit_test(reads_flexible_versions),
        cmocka_unit_test(finds_errors),
        cmocka_unit_test(survives_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
