// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "proto/dns/dns_stage.h"

enum { CLIENT, SERVER, SECOND = 1000000000 };

/* Writes a message about NAME.test, type A, with one address if it is a response; returns its size. */
static size_t make(uint8_t *to, unsigned id, bool is_response, char name)
{
    memcpy(to, "\0\0\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\1\0\1", 24);
    to[0] = (uint8_t)(id >> 8);
    to[1] = (uint8_t)id;
    to[13] = (uint8_t)name;
    if (!is_response) {
        return 24;
    }
    to[2] = 0x81;
    to[3] = 0x80;
    to[7] = 1;
    memcpy(to + 24, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
    return 40;
}

static void send_datagram(struct stage *s, unsigned side, unsigned id, char name, uint64_t now_ns)
{
    uint8_t bytes[64];
    size_t size = make(bytes, id, side == SERVER, name);
    stage_datagram(s, side, span_of(bytes, size), size, now_ns);
}

/* The same with its length before it, appended at `to`. */
static size_t frame(uint8_t *to, unsigned id, bool is_response, char name)
{
    size_t size = make(to + 2, id, is_response, name);
    to[0] = 0;
    to[1] = (uint8_t)size;
    return size + 2;
}

static unsigned count(const char *text, const char *word)
{
    unsigned found = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        found++;
    }
    return found;
}

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&dns_event_type, &err));
    assert_true(event_type_check(&dns_object_type, &err));
    assert_true(metric_set_check(&dns_set, &err));
}

static void matches_by_number_and_question(void **state)
{
    (void)state;
    static struct stage s;
    stage_init(&s);
    send_datagram(&s, CLIENT, 1, 'a', SECOND);
    send_datagram(&s, CLIENT, 2, 'b', SECOND + 1);
    send_datagram(&s, SERVER, 2, 'b', SECOND + 5);
    send_datagram(&s, SERVER, 1, 'z', SECOND + 6); /* nobody asked that */
    send_datagram(&s, SERVER, 1, 'a', SECOND + 7);
    char *said = stage_done(&s, PROTO_CLOSED);
    assert_int_equal(s.stats.transactions, 2);
    assert_int_equal(s.stats.unmatched, 1);
    assert_int_equal(s.stats.unanswered, 0);
    assert_int_equal(count(said, "\"status\":\"OK\""), 2);
    assert_int_equal(count(said, "received without an associated Query"), 1);
    assert_non_null(strstr(said, "\"query\":\"class IN, type A, a.test\""));
    assert_non_null(strstr(said, "\"resolved_ip\":[\"192.0.2.1\"]"));
    free(said);
}

static void reports_what_has_no_answer(void **state)
{
    (void)state;
    static struct stage s;
    stage_init(&s);
    send_datagram(&s, CLIENT, 1, 'a', SECOND);
    send_datagram(&s, CLIENT, 1, 'a', 2 * SECOND);            /* again */
    send_datagram(&s, CLIENT, 2, 'b', 13 * (uint64_t)SECOND); /* the one before is over */
    send_datagram(&s, SERVER, 1, 'a', 14 * (uint64_t)SECOND);
    char *said = stage_done(&s, PROTO_TIMEOUT);
    assert_int_equal(s.stats.repeated, 1);
    assert_int_equal(s.stats.unanswered, 3);
    assert_int_equal(s.stats.unmatched, 1);
    assert_int_equal(count(said, "Another query with the same DNS ID"), 1);
    assert_int_equal(count(said, "No response to this query was received"), 2);
    assert_int_equal(count(said, "\"reason\":\"timeout\""), 2);
    assert_int_equal(count(said, "\"reason\":\"repeated\""), 1);
    free(said);
}

static void holds_no_more_than_it_may(void **state)
{
    (void)state;
    static struct stage s;
    stage_init(&s);
    for (unsigned i = 0; i < 3 * DNS_WAITING_MAX; i++) {
        send_datagram(&s, CLIENT, i, 'a', SECOND + i);
        assert_true(s.state.count <= DNS_WAITING_MAX);
    }
    for (unsigned i = 2 * DNS_WAITING_MAX; i < 3 * DNS_WAITING_MAX; i++) {
        send_datagram(&s, SERVER, i, 'a', 2 * SECOND + i);
    }
    char *said = stage_done(&s, PROTO_CLOSED);
    assert_int_equal(s.stats.evicted, 2 * DNS_WAITING_MAX);
    assert_int_equal(s.stats.transactions, DNS_WAITING_MAX);
    assert_int_equal(s.stats.unanswered, 2 * DNS_WAITING_MAX);
    assert_int_equal(s.log.lost, 0);
    free(said);
}

static void tells_of_edns_and_sizes(void **state)
{
    (void)state;
    static const char with_edns[] =
        "\0\1\1\0\0\1\0\0\0\0\0\1\1a\4test\0\0\1\0\1\0\0\x29\x04\xd0\0\0\0\0\0\0";
    static struct stage s;
    stage_init(&s);
    stage_datagram(&s, CLIENT, span_of(with_edns, sizeof with_edns - 1), sizeof with_edns - 1, 1);
    send_datagram(&s, SERVER, 1, 'a', 2);
    char *said = stage_done(&s, PROTO_CLOSED);
    assert_non_null(strstr(said, "Responder does not support EDNS"));
    free(said);
}

static void tells_of_cut_packets(void **state)
{
    (void)state;
    uint8_t bytes[64];
    static struct stage s;
    stage_init(&s);
    send_datagram(&s, CLIENT, 1, 'a', 1);
    size_t size = make(bytes, 1, true, 'a');
    stage_datagram(&s, SERVER, span_of(bytes, size - 6), size, 2);
    char *said = stage_done(&s, PROTO_CLOSED);
    assert_non_null(strstr(said, "only the beginning of the response"));
    assert_non_null(strstr(said, "\"destination\":{\"bytes\":40"));
    assert_int_equal(s.stats.cut, 1);
    assert_int_equal(s.stats.malformed, 0);
    free(said);
}

/* What is said to a group is no question that fails. */
static void takes_multicast_as_it_is(void **state)
{
    (void)state;
    static struct stage s;
    stage_init(&s);
    s.flow.key.port[0] = s.flow.key.port[1] = 5353;
    memcpy(s.flow.key.address[0], "\xc0\0\2\1", 4);
    memcpy(s.flow.key.address[1], "\xe0\0\0\xfb", 4);
    send_datagram(&s, CLIENT, 0, 'a', 1);
    uint8_t bytes[64];
    size_t size = make(bytes, 0, true, 'a');
    stage_datagram(&s, CLIENT, span_of(bytes, size), size, 2);
    char *said = stage_done(&s, PROTO_TIMEOUT);
    assert_int_equal(s.stats.multicast, 2);
    assert_int_equal(s.stats.unanswered + s.stats.unmatched, 0);
    assert_int_equal(count(said, "\"status\":\"OK\""), 2);
    assert_int_equal(count(said, "\"protocol\":\"mdns\""), 2);
    assert_null(strstr(said, "\"error\""));
    free(said);
}

static void reads_connections_in_any_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 60; piece++) {
        static struct stage s;
        stage_init(&s);
        uint8_t asks[80], says[120];
        size_t asked = frame(asks, 7, false, 'a');
        asked += frame(asks + asked, 8, false, 'b');
        size_t said_size = frame(says, 8, true, 'b');
        said_size += frame(says + said_size, 7, true, 'a');
        for (size_t at = 0; at < asked; at += piece) {
            stage_chunk(&s, CLIENT, span_head(span_of(asks + at, asked - at), piece), SECOND);
        }
        for (size_t at = 0; at < said_size; at += piece) {
            stage_chunk(&s, SERVER, span_head(span_of(says + at, said_size - at), piece), 2 * SECOND);
        }
        assert_int_equal(s.stats.transactions, 2);
        assert_false(s.let_go);
        free(stage_done(&s, PROTO_CLOSED));
    }
}

static void goes_on_behind_a_hole(void **state)
{
    (void)state;
    uint8_t bytes[120];
    static struct stage s;
    stage_init(&s);
    for (unsigned id = 1; id <= 3; id++) {
        stage_chunk(&s, CLIENT, span_of(bytes, frame(bytes, id, false, 'a')), SECOND);
    }
    /* the end of the first response is lost: how much of it is known */
    size_t size = frame(bytes, 1, true, 'a');
    stage_chunk(&s, SERVER, span_of(bytes, 10), SECOND);
    stage_gap(&s, SERVER, 20);
    size += frame(bytes + size, 2, true, 'a');
    stage_chunk(&s, SERVER, span_of(bytes + 30, size - 30), SECOND);
    assert_int_equal(s.stats.transactions, 1);
    /* a hole between messages: the next one has to be looked for */
    stage_gap(&s, SERVER, 1000);
    bytes[0] = 0xff;
    bytes[1] = 1;
    size = 2 + frame(bytes + 2, 3, true, 'a');
    stage_chunk(&s, SERVER, span_of(bytes, size), SECOND);
    char *said = stage_done(&s, PROTO_TIMEOUT);
    assert_int_equal(s.stats.transactions, 2);
    assert_int_equal(count(said, "\"reason\":\"gap\""), 1);
    assert_int_equal(s.stats.gaps, 2);
    free(said);
}

static void lets_go_of_what_is_none(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    static struct stage s;
    stage_init(&s);
    stage_chunk(&s, CLIENT, span_of(zeros, sizeof zeros), 1);
    assert_true(s.let_go);
    assert_int_equal(s.stats.malformed, DNS_BROKEN_MAX);
    free(stage_done(&s, PROTO_CLOSED));
}

/* SOA, an address, SOA: in one message, and in three. */
static size_t transfer_message(uint8_t *to, const char *records)
{
    static const char soa[] = "\xc0\x0c\0\6\0\1\0\0\0\x3c\0\x18\xc0\x0c\xc0\x0c\0\0\0\7\0\0\0\1\0\0\0\1"
                              "\0\0\0\1\0\0\0\1";
    static const char address[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
    size_t size = make(to + 2, 5, true, 'a') - 16;
    to[2 + 21] = 252;
    size_t at = size + 2;
    for (const char *r = records; *r != '\0'; r++) {
        size_t length = *r == 's' ? sizeof soa - 1 : sizeof address - 1;
        memcpy(to + at, *r == 's' ? soa : address, length);
        at += length;
    }
    to[2 + 7] = (uint8_t)strlen(records);
    to[0] = 0;
    to[1] = (uint8_t)(at - 2);
    return at;
}

static void follows_transfers(void **state)
{
    (void)state;
    static const char *const ways[][4] = {{"sas"}, {"s", "a", "s"}, {"sa", "aaa", "as"}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint8_t bytes[256];
        static struct stage s;
        stage_init(&s);
        size_t asked = frame(bytes, 5, false, 'a');
        bytes[2 + 21] = 252;
        stage_chunk(&s, CLIENT, span_of(bytes, asked), 1);
        unsigned records = 0;
        for (unsigned k = 0; ways[i][k] != NULL; k++) {
            assert_int_equal(s.stats.transactions, 0);
            records += (unsigned)strlen(ways[i][k]);
            stage_chunk(&s, SERVER, span_of(bytes, transfer_message(bytes, ways[i][k])), 2 + k);
        }
        char *said = stage_done(&s, PROTO_CLOSED), counted[40];
        assert_int_equal(s.stats.transactions, 1);
        assert_int_equal(s.stats.unmatched, 0);
        snprintf(counted, sizeof counted, "\"answers_count\":%u", records);
        assert_non_null(strstr(said, counted));
        assert_non_null(strstr(said, "\"type\":\"AXFR\""));
        free(said);
    }
}

/* A query and a response, each the bytes of a string. */
#define PAIR(query_, response_)                                                                    \
    {                                                                                              \
        .query = {(const uint8_t *)query_, sizeof query_ - 1},                                     \
        .response = {(const uint8_t *)response_, sizeof response_ - 1},                            \
    }

static char *said_of(struct span query, struct span response, bool is_lines)
{
    static struct stage s;
    stage_init(&s);
    s.options.include_additionals = s.options.include_authorities = true;
    if (is_lines) {
        stage_take_lines(&s);
    }
    stage_datagram(&s, CLIENT, query, query.size, SECOND);
    stage_datagram(&s, SERVER, response, response.size, 2 * (uint64_t)SECOND);
    return stage_done(&s, PROTO_TIMEOUT);
}

/* RFC 1035 §6.4.2: who has that address? Nobody will say. */
#define INVERSE "\0\7\x09\0\0\0\0\1\0\0\0\0\0\0\1\0\1\0\0\0\0\0\4\x0a\1\0\x34"

static void tells_inverse_queries(void **state)
{
    (void)state;
    static const uint8_t query[] = INVERSE, refused[] = "\0\7\x89\x04\0\0\0\0\0\0\0\0";
    struct span asked = span_of(query, sizeof query - 1);
    assert_int_equal(proto_dns.probe(asked, CLIENT), PROTO_YES);
    uint8_t other[sizeof query];
    memcpy(other, query, sizeof query);
    other[7] = 2; /* answers */
    assert_int_equal(proto_dns.probe(span_of(other, asked.size), CLIENT), PROTO_NO);
    char *said = said_of(asked, span_of(refused, sizeof refused - 1), false);
    assert_int_equal(count(said, "\"op_code\":\"IQUERY\""), 1);
    assert_int_equal(count(said, "\"response_code\":\"NOTIMP\""), 1);
    free(said);
    said = said_of(asked, span_of(refused, 3), false); /* no answer */
    assert_int_equal(count(said, "\"reason\":\"timeout\""), 1);
    free(said);
}

/* A response of which no more can be read than that it is one, and that nobody asked for. */
static void tells_broken_responses_without_query(void **state)
{
    (void)state;
    static const uint8_t response[] = "\0\1\x81\x83\0\1\0\0\0\0\0\0\xc0\x0c";
    for (unsigned is_wanted = 0; is_wanted < 2; is_wanted++) {
        static struct stage s;
        stage_init(&s);
        s.options.settings.report_unmatched = is_wanted;
        stage_datagram(&s, SERVER, span_of(response, sizeof response - 1), sizeof response - 1,
                       SECOND);
        char *said = stage_done(&s, PROTO_TIMEOUT);
        assert_int_equal(s.stats.unmatched, 1);
        assert_int_equal(s.stats.malformed, 1);
        assert_int_equal(said != NULL ? count(said, "\"reason\":\"malformed\"") : 0, is_wanted);
        free(said);
    }
}

/* An event that is written in one go is what the table of its fields says. */
static void writes_what_its_table_says(void **state)
{
    (void)state;
#define QUESTION "\3www\7Example\2co\2uk\0\0\1\0\1"
#define A_RECORD "\xc0\x0c\0\1\0\1\0\1\x51\x80\0\4\xc0\0\2"
#define OPT "\0\0\x29\4\xd0"
    static const struct {
        struct span query, response;
    } pairs[] = {
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION,
             "\0\1\x81\x80\0\1\0\2\0\0\0\0" QUESTION A_RECORD "\1" A_RECORD "\2"),
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION, "\0\1\x81\x80\0\1\0\4\0\1\0\1" QUESTION
             "\xc0\x0c\0\5\0\1\0\0\0\1\0\4\1x\xc0\x14" "\xc0\x31\0\x1c\0\1\0\0\0\1\0\x10"
             "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1" A_RECORD "\1" A_RECORD "\1"
             "\xc0\x14\0\2\0\1\0\0\0\1\0\5\2ns\xc0\x14" A_RECORD "\7"), /* all sections */
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\0\x80\0\0\0",
             "\0\1\x87\xb3\0\1\0\0\0\0\0\1" QUESTION OPT "\0\0\x80\0\0\x13" /* a cookie, a subnet */
             "\0\x0a\0\4\1\2\3\xff" "\0\x08\0\7\0\1\x18\0\xc0\0\2"),
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION,
             "\0\1\x81\x82\0\1\0\0\0\0\0\1" QUESTION OPT "\0\0\0\0\0\x8" /* an error told */
             "\0\x0f\0\4\0\x16\"x"),
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\0\3a\"b\1\\\0\0\1\0\1",
             "\0\1\x81\x83\0\1\0\0\0\0\0\0\3a\"b\1\\\0\0\1\0\1"),
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1",
             "\0\1\x85\x80\0\0\0\1\0\0\0\0\0\0\x63\0\xff\0\0\0\1\0\2\1\""), /* the root; no question */
        PAIR("\0\1\1\0\0\1\0\0\0\0\0\0" QUESTION, "\0\2\xf9\x8f\0\0\0\0\0\0\0\0"),
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *packed = said_of(pairs[i].query, pairs[i].response, false);
        char *lines = said_of(pairs[i].query, pairs[i].response, true);
        assert_non_null(strstr(packed, "\"dns\":{\"additionals"));
        assert_string_equal(packed, lines);
        free(packed);
        free(lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(matches_by_number_and_question),
        cmocka_unit_test(reports_what_has_no_answer),
        cmocka_unit_test(holds_no_more_than_it_may),
        cmocka_unit_test(tells_of_edns_and_sizes),
        cmocka_unit_test(tells_of_cut_packets),
        cmocka_unit_test(tells_inverse_queries),
        cmocka_unit_test(tells_broken_responses_without_query),
        cmocka_unit_test(takes_multicast_as_it_is),
        cmocka_unit_test(reads_connections_in_any_pieces),
        cmocka_unit_test(goes_on_behind_a_hole),
        cmocka_unit_test(lets_go_of_what_is_none),
        cmocka_unit_test(follows_transfers),
        cmocka_unit_test(writes_what_its_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
