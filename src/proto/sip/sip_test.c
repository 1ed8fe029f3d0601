// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/sip/sip_report.h"
#include "proto/proto_stage.h"

extern const struct proto proto_sip;

enum { LOG_ROOM = 1 << 20 };

enum { CLIENT = 0, SERVER = 1, PIECES = 90 };

#define BYTES(text) span_of(text, sizeof(text) - 1)

static const char invite[] = "INVITE sip:bob@b.example;user=phone SIP/2.0\r\n"
                             "v: SIP/2.0/TCP a.example;branch=z1,\r\n SIP/2.0/UDP c\r\n"
                             "f: \"Alice, A.\" <sip:alice@a.example:5061>;tag=1\r\n"
                             "To: sip:bob@b.example;tag=2\r\n"
                             "CONTACT : <sip:alice@[2001:db8::1]:5070;transport=tcp;line=7>;q=0.5;expires=60\r\n"
                             "CSeq: 7 INVITE\r\nAllow: INVITE, ACK\r\nc: application/sdp\r\nl: 24\r\n\r\n"
                             "v=0\r\no=x 1 2 IN IP4 h\r\n\r\n";
static const char busy[] = "SIP/2.0 486 Busy Here\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n";

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&sip_event_type, &err));
    assert_true(metric_set_check(&sip_set, &err));
}

static void assert_span(struct span span, const char *expected)
{
    assert_int_equal(span.size, strlen(expected));
    assert_memory_equal(span.data, expected, span.size);
}

static void addresses(void **state)
{
    (void)state;
    struct sip_address a = sip_address_read(BYTES("\"A B\" <sip:u:secret@h:99;x=y?z>;tag=\"t\";q=1"));
    assert_span(a.display, "A B");
    assert_span(a.uri.user, "u");
    assert_span(a.uri.host, "h");
    assert_int_equal(a.uri.port, 99);
    assert_span(sip_parameter(a.parameters, "TAG", ';'), "t");
    struct sip_uri uri = sip_uri_read(BYTES("tel:+123"));
    assert_span(uri.scheme, "tel");
    assert_span(uri.host, "+123");
    assert_int_equal(sip_uri_read(BYTES("")).port, -1);
    assert_int_equal(sip_uri_read(BYTES("sip:[::1")).host.size, 3);
    assert_int_equal(sip_address_read(BYTES("<")).uri.host.size, 0);
}

/* In all segmentations over TCP the same is said. */
static void messages(void **state)
{
    (void)state;
    struct sip_options options;
    proto_options_default(&proto_sip, &options);
    static struct stage s;
    static char said[16384];
    for (size_t piece = 1; piece < PIECES; piece++) {
        stage_init(&s, &proto_sip, &options, 4000, LOG_ROOM);
        stage_say(&s, CLIENT, BYTES(invite), piece);
        stage_say(&s, SERVER, BYTES(busy), piece);
        stage_say(&s, CLIENT, BYTES("\r\n\r\n"), piece);
        stage_say(&s, CLIENT, BYTES("what is this? "), piece);
        stage_say(&s, CLIENT, BYTES(invite), piece);
        stage_close(&s, PROTO_CLOSED);
        if (piece > 1) {
            assert_string_equal(s.said.data, said);
        }
        assert_true(s.said.size <= sizeof said);
        memcpy(said, s.said.data, s.said.size);
        const struct sip_stats *stats = s.context.block;
        assert_int_equal(stats->requests, 2);
        assert_int_equal(stats->failures, 1);
        assert_int_equal(stats->malformed, 1);
        stage_done(&s);
    }
    assert_non_null(strstr(said, "\"display_info\":\"Alice, A.\""));
    assert_non_null(strstr(said, "\"host\":\"2001:db8::1\""));
    assert_non_null(strstr(said, "\"allow\":[\"invite\",\"ack\"]"));
    assert_non_null(strstr(said, "\"q\":0.5"));
    assert_non_null(strstr(said, "\"outcome\":\"failure\""));
    assert_non_null(strstr(said, "\"session_id\":\"1\""));
}

enum { BODY_READ = 64 << 10, BODY_MAX = BODY_READ + 5000 };

/* A body that is longer than what is read of one is cut, and its event says so; what follows is read. */
static void long_bodies(void **state)
{
    (void)state;
    static char said[200 + BODY_MAX];
    static struct stage s;
    struct sip_options options;
    proto_options_default(&proto_sip, &options);
    for (unsigned i = 0; i < 8; i++) {
        bool is_long = i & 1, is_response = i & 2;
        int size = is_long ? BODY_MAX : BODY_READ;
        int head = snprintf(said, sizeof said, "%s\r\nContent-Length: %d\r\n\r\n",
                            is_response ? "SIP/2.0 200 OK" : "MESSAGE sip:b@c SIP/2.0", size);
        memset(said + head, 'x', (size_t)size);
        stage_init(&s, &proto_sip, &options, 4000, LOG_ROOM);
        stage_say(&s, CLIENT, span_of(said, (size_t)(head + size)), i & 4 ? 1400 : SIZE_MAX);
        stage_say(&s, CLIENT, BYTES(busy), 9);
        stage_close(&s, PROTO_CLOSED);
        const char *cut = is_response ? "Response cut: it is longer than what is read of one"
                                      : "Request cut: it is longer than what is read of one";
        assert_int_equal(strstr(s.said.data, cut) != NULL, is_long);
        assert_int_equal(strstr(s.said.data, " cut") != NULL, is_long);
        const struct sip_stats *stats = s.context.block;
        assert_int_equal(stats->too_large, is_long);
        assert_int_equal(stats->requests + stats->responses, 2);
        stage_done(&s);
    }
}

static void gaps(void **state)
{
    (void)state;
    struct sip_options options;
    proto_options_default(&proto_sip, &options);
    static struct stage s;
    stage_init(&s, &proto_sip, &options, 4000, LOG_ROOM);
    stage_say(&s, CLIENT, span_of(invite, 50), 100);
    stage_gap(&s, CLIENT, 20);
    stage_say(&s, CLIENT, span_of(invite + 70, sizeof invite - 71), 100);
    stage_say(&s, CLIENT, BYTES(invite), 100);
    stage_close(&s, PROTO_CLOSED);
    const struct sip_stats *stats = s.context.block;
    assert_int_equal(stats->gaps, 1);
    assert_int_equal(stats->requests, 1);
    stage_done(&s);
}

static void probes(void **state)
{
    (void)state;
    const struct {
        struct span data;
        enum proto_guess guess;
    } cases[] = {
        {BYTES(""), PROTO_UNSURE},
        {BYTES("INV"), PROTO_UNSURE},
        {BYTES("INVITE sip:x"), PROTO_UNSURE},
        {BYTES("INVITE sip:x SIP/2.0\r\n"), PROTO_YES},
        {BYTES("INVITE sip:x HTTP/1.1\r\n"), PROTO_NO},
        {BYTES("GET / HTTP/1.1\r\n"), PROTO_NO},
        {BYTES("OPTIONS * RTSP/1.0\r\n"), PROTO_NO},
        {BYTES("SIP/2.0 200 OK\r\n"), PROTO_YES},
        {BYTES("SIP/2.0 900 OK\r\n"), PROTO_NO},
        {BYTES("SIP/2.0 20"), PROTO_UNSURE},
        {BYTES("\x16\x03\x01"), PROTO_NO},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_sip.probe(cases[i].data, 0), cases[i].guess);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables),
        cmocka_unit_test(addresses),
        cmocka_unit_test(messages),
        cmocka_unit_test(long_bodies),
        cmocka_unit_test(gaps),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
