// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/cassandra/cassandra_event.h"
#include "proto/cassandra/cassandra_frame.h"
#include "proto/cassandra/cassandra_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_cassandra;

enum { LOG_ROOM = 1 << 20 };

enum { CLIENT = 0, SERVER = 1, PIECES = 70 };

#define BYTES(text) span_of(text, sizeof(text) - 1)

#define QUERY(stream) "\x04\0\0" stream "\x07\0\0\0\x0f\0\0\0\x08select 1\0\x01\0"
/* One row of a table k.t with a column c of type list<int>. */
#define ROWS(stream)                                                                               \
    "\x84\0\0" stream "\x08\0\0\0\x21\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x01k\0\x01t\0\x01"           \
    "c\0\x20\0\x09\0\0\0\x01\xff\xff\xff\xff"
#define FAILED(stream) "\x84\0\0" stream "\0\0\0\0\x0a\0\0\x20\0\0\x04what"
#define STATUS "\x84\0\xff\xff\x0c\0\0\0\x1c\0\x0dSTATUS_CHANGE\0\x02UP\x04\x7f\0\0\x01\0\0\x23\x52"

static struct cassandra_options default_options(void)
{
    struct cassandra_options options;
    proto_options_default(&proto_cassandra, &options);
    return options;
}

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&cassandra_event_type, &err));
    assert_true(metric_set_check(&cassandra_set, &err));
}

struct line {
    unsigned side;
    struct span bytes;
};

/* Plays in all segmentations: all say the same. */
static struct cassandra_stats play(const struct line *lines, unsigned count, char *said,
                                   size_t room)
{
    struct cassandra_options options = default_options();
    options.settings.report_unmatched = true;
    struct cassandra_stats stats = {0};
    struct stage s;
    for (size_t piece = 1; piece < PIECES; piece++) {
        stage_init(&s, &proto_cassandra, &options, 1000, LOG_ROOM);
        for (unsigned i = 0; i < count; i++) {
            stage_say(&s, lines[i].side, lines[i].bytes, piece < PIECES - 1 ? piece : SIZE_MAX);
        }
        stage_close(&s, PROTO_CLOSED);
        if (piece > 1) {
            assert_string_equal(s.said.data, said);
        }
        assert_true(s.said.size <= room);
        memcpy(said, s.said.data, s.said.size);
        stats = *(struct cassandra_stats *)s.context.block;
        stage_done(&s);
    }
    return stats;
}

/* Responses come in any order; the stream says whose they are. */
static void requests_and_responses(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(QUERY("\x01") QUERY("\x02") QUERY("\x03"))},
                                 {SERVER, BYTES(FAILED("\x02") STATUS)},
                                 {SERVER, BYTES(ROWS("\x01") ROWS("\x09"))}};
    struct cassandra_stats stats = play(lines, 3, said, sizeof said);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.transactions, 2);
    assert_int_equal(stats.pushed, 1);
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.unanswered, 1);
    assert_non_null(strstr(said, "\"error\":{\"code\":8192,\"msg\":\"what\",\"type\":\"errSyntax\"}"));
    assert_non_null(strstr(said, "\"host\":\"127.0.0.1\",\"port\":9042"));
    assert_non_null(strstr(said, "\"num_rows\":1"));
    assert_non_null(strstr(said, "\"query\":\"select 1\""));
    assert_non_null(strstr(said, "\"reason\":\"closed\""));
    assert_non_null(strstr(said, "\"no_request\":true"));
}

static void passwords_are_hidden(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {
        {CLIENT, BYTES("\x04\0\0\x01\x07\0\0\0\x2d\0\0\0\x26" "create role b with password = 'sesame'" "\0\x01\0")},
        {SERVER, BYTES(ROWS("\x01"))}};
    play(lines, 2, said, sizeof said);
    assert_non_null(strstr(said, "create role b with password = 'xxxxx'"));
    assert_null(strstr(said, "sesame"));
}

static void unknown_and_broken(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(QUERY("\x01"))},
                                 {CLIENT, BYTES("what is this?")},
                                 {CLIENT, BYTES(QUERY("\x02"))},
                                 {SERVER, BYTES(ROWS("\x01") ROWS("\x02"))}};
    struct cassandra_stats stats = play(lines, 4, said, sizeof said);
    assert_int_equal(stats.malformed, 1);
    assert_int_equal(stats.transactions, 2);
}

static void gaps(void **state)
{
    (void)state;
    struct cassandra_options options = default_options();
    struct stage s;
    stage_init(&s, &proto_cassandra, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(QUERY("\x01")), 100);
    stage_gap(&s, SERVER, 20);
    stage_say(&s, SERVER, BYTES("\xff\xff\xff" ROWS("\x05")), 100);
    stage_say(&s, CLIENT, BYTES(QUERY("\x02")), 100);
    stage_say(&s, SERVER, BYTES(ROWS("\x02")), 7);
    stage_close(&s, PROTO_CLOSED);
    const struct cassandra_stats *stats = s.context.block;
    assert_int_equal(stats->gaps, 1);
    assert_int_equal(stats->transactions, 1);
    assert_int_equal(stats->unanswered, 1);
    assert_non_null(strstr(s.said.data, "\"reason\":\"gap\""));
    stage_done(&s);
}

/* What an exchange says of its request and of its response. */
static void shows(bool request, bool response)
{
    struct cassandra_options options = default_options();
    options.settings.send_request = request;
    options.settings.send_response = response;
    struct stage s;
    stage_init(&s, &proto_cassandra, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(QUERY("\x01")), 100);
    stage_say(&s, SERVER, BYTES(ROWS("\x01")), 100);
    stage_close(&s, PROTO_CLOSED);
    assert_true((strstr(s.said.data, "select 1") != NULL) == request);
    assert_true((strstr(s.said.data, "\"result\"") != NULL) == response);
    stage_done(&s);
}

static void leaves_out_a_side(void **state)
{
    (void)state;
    shows(true, true);
    shows(false, true);
    shows(true, false);
}

static void timeouts_and_too_many(void **state)
{
    (void)state;
    struct cassandra_options options = default_options();
    options.settings.transaction_timeout = 1500000; /* lines are a millisecond apart */
    struct stage s;
    stage_init(&s, &proto_cassandra, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(QUERY("\x01")), 100);
    stage_say(&s, CLIENT, BYTES(QUERY("\x02")), 100);
    stage_say(&s, CLIENT, BYTES(QUERY("\x03")), 100);
    assert_non_null(strstr(s.said.data, "\"reason\":\"timeout\""));
    options.settings.transaction_timeout = INT64_MAX / 2;
    for (unsigned i = 0; i < 1000; i++) {
        stage_say(&s, CLIENT, BYTES(QUERY("\x04")), 100);
    }
    assert_int_equal(((struct cassandra_stats *)s.context.block)->evicted, 1002 - 256);
    stage_close(&s, PROTO_RESET);
    stage_done(&s);
}

/* ---- Version 5 ------------------------------------------------------------------------------ */

/* The specification's polynomial, written down bit by bit once more. */
static uint32_t checksum(uint64_t value, unsigned bytes)
{
    uint32_t crc = 0x875060;
    for (unsigned i = 0; i < bytes; i++) {
        crc ^= (uint32_t)(value >> (8 * i) & 0xff) << 16;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc & 0x800000 ? (crc << 1 ^ 0x1974f0b) & 0xffffff : crc << 1;
        }
    }
    return crc;
}

/* A frame around bytes; `unpacked` < 0: of a connection without compression. */
static size_t frame(uint8_t *to, struct span payload, int unpacked, bool is_whole)
{
    unsigned header = unpacked < 0 ? 3 : 5;
    uint64_t value = unpacked < 0
                         ? payload.size | (uint64_t)is_whole << 17
                         : payload.size | (uint64_t)unpacked << 17 | (uint64_t)is_whole << 34;
    uint32_t crc = checksum(value, header);
    for (unsigned i = 0; i < header; i++) {
        *to++ = (uint8_t)(value >> (8 * i));
    }
    for (unsigned i = 0; i < 3; i++) {
        *to++ = (uint8_t)(crc >> (8 * i));
    }
    memcpy(to, payload.data, payload.size);
    memset(to + payload.size, 0, 4);
    return header + 3 + payload.size + 4;
}

static void framed(void **state)
{
    (void)state;
    char said[8192];
    uint8_t bytes[6][400];
    static const char query[] = "\x05\0\0\x02\x07\0\0\0\x0f\0\0\0\x08select 2\0\x01\0";
    static const char packed[] = "\xf0\x09\x05\0\0\x03\x07\0\0\0\x0f\0\0\0\x08select 3\0\x01\0";
    const struct line lines[] = {
        {CLIENT, BYTES("\x05\0\0\0\x01\0\0\0\x16\0\x01\0\x0b" "CQL_VERSION\0\x05" "3.0.0")},
        {SERVER, BYTES("\x85\0\0\0\x02\0\0\0\0")},
        {CLIENT, span_of(bytes[0], frame(bytes[0], BYTES(QUERY("\x01") QUERY("\x04")), -1, true))},
        {CLIENT, span_of(bytes[1], frame(bytes[1], span_of(query, 11), -1, false))},
        {CLIENT, span_of(bytes[2], frame(bytes[2], span_of(query + 11, sizeof query - 12), -1,
                                         false))},
        {SERVER, span_of(bytes[3], frame(bytes[3], BYTES(ROWS("\x01") ROWS("\x02")), 0, true))},
        {CLIENT, span_of(bytes[4], frame(bytes[4], BYTES(packed), 24, true))},
        {SERVER, span_of(bytes[5], frame(bytes[5], BYTES(ROWS("\x03") ROWS("\x04")), -1, true))},
    };
    struct cassandra_stats stats = play(lines, 8, said, sizeof said);
    assert_int_equal(stats.malformed, 0);
    assert_int_equal(stats.transactions, 5);
    assert_int_equal(stats.compressed, 1);
    assert_non_null(strstr(said, "\"query\":\"select 2\""));
    assert_non_null(strstr(said, "\"query\":\"select 3\""));
    assert_int_equal(proto_cassandra.probe(lines[2].bytes, 0), PROTO_YES);
    assert_int_equal(proto_cassandra.probe(lines[5].bytes, 0), PROTO_YES);
}

static void probes(void **state)
{
    (void)state;
    static const char query[] = QUERY("\x01");
    for (size_t n = 0; n < sizeof query; n++) {
        assert_int_equal(proto_cassandra.probe(span_of(query, n), 0),
                         n < CASSANDRA_HEADER ? PROTO_UNSURE : PROTO_YES);
    }
    const struct {
        struct span data;
        enum proto_guess guess;
    } cases[] = {
        {BYTES("GET / HTTP/1.1\r\n"), PROTO_NO},
        {BYTES("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), PROTO_NO},
        {BYTES("\x04\x01\0\x50\x7f\0\0\x01user\0"), PROTO_NO}, /* SOCKS 4 */
        {BYTES("\x05\x01\0\x05\x01\0\x03\x05" "a.tst\0\x50"), PROTO_NO}, /* SOCKS 5 */
        {BYTES("\x05\x01\0\0\0\0\0\0\0"), PROTO_NO},           /* ERROR, but no response */
        {BYTES("\x04\0\0\x01\x07\xff\0\0\0"), PROTO_NO},       /* too large */
        {BYTES("\x04\0\0\0\x01\0\0\0\x02\0\0"), PROTO_NO},     /* STARTUP without a version */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_cassandra.probe(cases[i].data, 0), cases[i].guess);
    }
}

/* ---- Long statements ------------------------------------------------------------------------ */

enum { MOST = 300000, BEFORE = 9 + 4, BEHIND = 3 };

static void write_be32(uint8_t *to, size_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* A QUERY of so many 'v'. */
static struct span long_query(uint8_t *to, size_t size)
{
    memcpy(to, "\4\0\0\1\7", 5);
    write_be32(to + 5, 4 + size + BEHIND);
    write_be32(to + 9, size);
    memset(to + BEFORE, 'v', size);
    memcpy(to + BEFORE + size, "\0\1\0", BEHIND);
    return span_of(to, BEFORE + size + BEHIND);
}

static size_t query_size(const struct stage *s)
{
    const char *at = memmem(s->said.data, s->said.size, "\"query\":\"v", 10);
    assert_non_null(at);
    return strspn(at + 9, "v");
}

static bool has_said(const struct stage *s, const char *what)
{
    return memmem(s->said.data, s->said.size, what, strlen(what)) != NULL;
}

static void long_statements(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 19];
    static struct stage s;
    struct cassandra_options options = default_options();
    options.max_message_size = MOST;
    for (size_t piece = 1400; piece <= 600000; piece *= 7) {
        stage_init(&s, &proto_cassandra, &options, 1000, LOG_ROOM);
        stage_say(&s, CLIENT, long_query(bytes, MOST - 4 - BEHIND), piece);
        stage_say(&s, SERVER, BYTES(ROWS("\x01")), piece);
        assert_int_equal(query_size(&s), MOST - 4 - BEHIND);
        assert_false(has_said(&s, "Request cut"));
        json_reset(&s.said);
        stage_say(&s, CLIENT, long_query(bytes, MOST + 1000), piece);
        stage_say(&s, SERVER, BYTES(ROWS("\x01")), piece);
        assert_int_equal(query_size(&s), MOST - 4);
        assert_true(has_said(&s, "Request cut at max_message_size"));
        assert_int_equal(s.log.cut, 0);
        assert_int_equal(slab_used(s.slab), 0);
        stage_close(&s, PROTO_CLOSED);
        stage_done(&s);
    }
}

/* What came before a hole in a long statement is told, and it is answered. */
static void long_statements_with_holes(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 19];
    static struct stage s;
    struct cassandra_options options = default_options();
    stage_init(&s, &proto_cassandra, &options, 1000, LOG_ROOM);
    struct span message = long_query(bytes, 200000);
    stage_say(&s, CLIENT, span_head(message, 100000), 1400);
    stage_gap(&s, CLIENT, 1400);
    stage_say(&s, CLIENT, span_skip(message, 101400), 1400);
    stage_say(&s, SERVER, BYTES(ROWS("\x01")), 1400);
    assert_int_equal(query_size(&s), 100000 - BEFORE);
    assert_true(has_said(&s, "Packet loss while capturing the request"));
    assert_int_equal(((struct cassandra_stats *)s.context.block)->transactions, 1);
    stage_say(&s, CLIENT, span_head(message, 100000), 1400);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables),
        cmocka_unit_test(requests_and_responses),
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(unknown_and_broken),
        cmocka_unit_test(gaps),
        cmocka_unit_test(leaves_out_a_side),
        cmocka_unit_test(timeouts_and_too_many),
        cmocka_unit_test(framed),
        cmocka_unit_test(long_statements),
        cmocka_unit_test(long_statements_with_holes),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
