// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/amqp/amqp_event.h"
#include "proto/amqp/amqp_options.h"
#include "proto/proto_stage.h"
#include "proto/amqp/amqp_table.h"

extern const struct proto proto_amqp;

enum { LOG_ROOM = 1 << 20 };

enum { CLIENT = 0, SERVER = 1, PIECES = 70 };

#define BYTES(text) span_of(text, sizeof(text) - 1)

/* Frames on channel 1. */
#define DECLARE(name)                                                                              \
    "\x01\0\x01\0\0\0\x0e\0\x32\0\x0a\0\0\x02" name "\x01\0\0\0\0\xce" /* of two letters, passive */
#define DECLARED(name)                                                                             \
    "\x01\0\x01\0\0\0\x0f\0\x32\0\x0b\x02" name "\0\0\0\x05\0\0\0\x01\xce"
#define PUBLISH "\x01\0\x01\0\0\0\x0b\0\x3c\0\x28\0\0\0\x02qq\x01\xce"
#define CONTENT(size)                                                                              \
    "\x02\0\x01\0\0\0\x19\0\x3c\0\0\0\0\0\0\0\0\0" size "\x80\0\x0atext/plain\xce"
#define BODY(size, text) "\x03\0\x01\0\0\0" size text "\xce"
#define HEARTBEAT "\x08\0\0\0\0\0\0\xce"
#define REFUSED                                                                                    \
    "\x01\0\x01\0\0\0\x0d\0\x14\0\x28\x01\x94\x02no\0\x32\0\x0a\xce" /* queue.declare: 404 */

static struct amqp_options default_options(void)
{
    struct amqp_options options;
    proto_options_default(&proto_amqp, &options);
    return options;
}

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&amqp_event_type, &err));
    assert_true(metric_set_check(&amqp_set, &err));
    uint32_t before = 0;
    unsigned count = 0;
    for (uint32_t key = 1 << 16; key < 100U << 16; key++) { /* the search finds all, in their order */
        const struct amqp_method *m = amqp_method_find((uint16_t)(key >> 16), (uint16_t)key);
        if (m != NULL) {
            assert_true(key > before && ((uint32_t)m->class_id << 16 | m->id) == key);
            before = key;
            count++;
        }
    }
    assert_int_equal(count, 66);
}

/* ---- Tables --------------------------------------------------------------------------------- */

static void assert_json(struct span table, size_t room, const char *expected)
{
    uint8_t text[400];
    struct writer w = writer_of(text, room);
    struct cursor c = cursor_of(table);
    bool fine = amqp_table_write(&w, &c);
    assert_int_equal(fine, expected != NULL);
    if (expected != NULL) {
        assert_int_equal(w.at - text, strlen(expected));
        assert_memory_equal(text, expected, strlen(expected));
    }
}

static void tables(void **state)
{
    (void)state;
    assert_json(BYTES("\0\0\0\0"), 400, "{}");
    assert_json(BYTES("\0\0\0\x11\x01"
                      "at\x01\x01"
                      "bS\0\0\0\x03x\"y\x01"
                      "cV"),
                400, "{\"a\":true,\"b\":\"x\\\"y\",\"c\":null}");
    assert_json(BYTES("\0\0\0\x11\x01"
                      "aA\0\0\0\x08"
                      "b\xffs\xff\xfeu\xff\xff"
                      "\0V"),
                400, "{\"a\":[-1,-2,65535],\"\":null}");
    assert_json(BYTES("\0\0\0\x0e\x01"
                      "aF\0\0\0\x07\x01"
                      "bI\xff\xff\xff\xff"),
                400, "{\"a\":{\"b\":-1}}");
    assert_json(BYTES("\0\0\0\x10\x01"
                      "aD\x02\0\0\x01\x05\x01"
                      "bD\0\xff\xff\xff\xfe"),
                400, "{\"a\":\"2.61\",\"b\":\"-2\"}");
    assert_json(BYTES("\0\0\0\x12\x01"
                      "ad\x3f\xf8\0\0\0\0\0\0\x01"
                      "bf\x3d\xcc\xcc\xcd"),
                400, "{\"a\":1.5,\"b\":0.1}");
    assert_json(BYTES("\0\0\0\x0b\x01"
                      "aT\0\0\0\0\0\0\0\x01"),
                400, "{\"a\":\"1970-01-01T00:00:01Z\"}");
}

static void broken_tables(void **state)
{
    (void)state;
    assert_json(BYTES(""), 400, NULL);
    assert_json(BYTES("\0\0\0\x05\x01"), 400, NULL);
    assert_json(BYTES("\0\0\0\x03\x01"
                      "a?"),
                400, NULL);
    assert_json(BYTES("\0\0\0\x07\x01"
                      "aS\xff\xff\xff\xff"),
                400, NULL);
    assert_json(BYTES("\0\0\0\x04\x01"
                      "at\x01"),
                5, NULL); /* no room */
}

/* Deep nesting ends somewhere. */
static void deep_tables(void **state)
{
    (void)state;
    enum { DEEP = 3000, STEP = 6 };
    uint8_t *bytes = malloc((size_t)DEEP * STEP + 4);
    for (uint32_t i = 0; i < DEEP; i++) {
        uint32_t size = (DEEP - i) * STEP;
        uint8_t *at = bytes + (size_t)i * STEP;
        memcpy(at, (uint8_t[]){0, 0, (uint8_t)(size >> 8), (uint8_t)size, 0, 'F'}, STEP);
    }
    memset(bytes + (size_t)DEEP * STEP, 0, 4);
    assert_json(span_of(bytes, (size_t)DEEP * STEP + 4), 400, NULL);
    free(bytes);
}

/* ---- Conversations -------------------------------------------------------------------------- */

struct line {
    unsigned side;
    struct span bytes;
};

/* Plays in all segmentations: all say the same. */
static struct amqp_stats play(const struct line *lines, unsigned count, char *said, size_t room)
{
    struct amqp_options options = default_options();
    options.settings.send_request = options.settings.send_response = true;
    options.settings.report_unmatched = true;
    struct amqp_stats stats = {0};
    struct stage s;
    for (size_t piece = 1; piece < PIECES; piece++) {
        stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
        for (unsigned i = 0; i < count; i++) {
            stage_say(&s, lines[i].side, lines[i].bytes, piece < PIECES - 1 ? piece : SIZE_MAX);
        }
        stage_close(&s, PROTO_CLOSED);
        if (piece > 1) {
            assert_string_equal(s.said.data, said);
        }
        assert_true(s.said.size <= room);
        memcpy(said, s.said.data, s.said.size);
        stats = *(struct amqp_stats *)s.context.block;
        stage_done(&s);
    }
    return stats;
}

static void methods_and_answers(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES("AMQP\0\0\x09\x01")},
                                 {CLIENT, BYTES(DECLARE("q1") DECLARE("q2"))},
                                 {SERVER, BYTES(DECLARED("q1") HEARTBEAT)},
                                 {SERVER, BYTES(DECLARED("q2") DECLARED("q3"))},
                                 {CLIENT, BYTES(HEARTBEAT DECLARE("q4"))}};
    struct amqp_stats stats = play(lines, 5, said, sizeof said);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.transactions, 2);
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.unanswered, 1);
    assert_non_null(strstr(said, "\"message-count\":5"));
    assert_non_null(strstr(said, "\"request\":\"queue.declare q1\",\"response\":\"OK\""));
    assert_non_null(strstr(said, "\"reason\":\"closed\""));
    assert_non_null(strstr(said, "\"message\":\"Unmatched response\""));
}

static void messages(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {
        {CLIENT, BYTES(PUBLISH CONTENT("\x05") BODY("\x03", "hel"))},
        {CLIENT, BYTES(HEARTBEAT BODY("\x02", "lo"))},
        {CLIENT, BYTES(PUBLISH CONTENT("\0") PUBLISH PUBLISH CONTENT("\x05"))}};
    struct amqp_stats stats = play(lines, 3, said, sizeof said);
    assert_int_equal(stats.published, 4);
    assert_int_equal(stats.malformed, 0);
    assert_non_null(strstr(said, "\"request\":\"hello\""));
    assert_non_null(strstr(said, "Packet loss while capturing the request"));
}

static void refusals(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(DECLARE("q1") DECLARE("q2"))},
                                 {SERVER, BYTES(REFUSED)},
                                 {CLIENT, BYTES("\x01\0\x01\0\0\0\x04\0\x14\0\x29\xce")}};
    struct amqp_stats stats = play(lines, 3, said, sizeof said);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.unanswered, 1);
    assert_non_null(strstr(said, "\"queue\":\"q1\",\"reply-code\":404"));
}

static void unknown_and_broken(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(DECLARE("q1"))},
                                 {CLIENT, BYTES("\x01\0\x01\0\0\0\x04\0\x63\0\x63\xce")},
                                 {CLIENT, BYTES("what is this? ")},
                                 {CLIENT, BYTES(DECLARE("q2"))},
                                 {SERVER, BYTES(DECLARED("q1") DECLARED("q2"))}};
    struct amqp_stats stats = play(lines, 5, said, sizeof said);
    assert_int_equal(stats.malformed, 1);
    assert_int_equal(stats.transactions, 2);
}

static void gaps(void **state)
{
    (void)state;
    struct amqp_options options = default_options();
    options.settings.send_request = true;
    struct stage s;
    stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(DECLARE("q1")), 100);
    stage_gap(&s, SERVER, 20);
    stage_say(&s, SERVER, BYTES("\0\x05\0\0\0\x01\xce" HEARTBEAT), 100);
    stage_say(&s, CLIENT, BYTES(PUBLISH CONTENT("\x05") "\x03\0\x01\0\0\0\x05h"), 100);
    stage_gap(&s, CLIENT, 2);
    stage_say(&s, CLIENT, BYTES("lo\xce" DECLARE("q2")), 100);
    stage_say(&s, SERVER, BYTES(DECLARED("q2")), 7);
    stage_close(&s, PROTO_CLOSED);
    const struct amqp_stats *stats = s.context.block;
    assert_int_equal(stats->gaps, 2);
    assert_int_equal(stats->transactions, 1);
    assert_int_equal(stats->unanswered, 1);
    assert_int_equal(stats->malformed, 0);
    assert_non_null(strstr(s.said.data, "\"request\":\"h [...]\""));
    assert_non_null(strstr(s.said.data, "\"reason\":\"gap\""));
    stage_done(&s);
}

static void timeouts(void **state)
{
    (void)state;
    struct amqp_options options = default_options();
    options.settings.transaction_timeout = 1500000; /* lines are a millisecond apart */
    struct stage s;
    stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(DECLARE("q1")), 100);
    stage_say(&s, CLIENT, BYTES(HEARTBEAT), 100);
    stage_say(&s, SERVER, BYTES(DECLARED("q1")), 100);
    assert_non_null(strstr(s.said.data, "\"reason\":\"timeout\""));
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

static void too_many(void **state)
{
    (void)state;
    struct amqp_options options = default_options();
    options.settings.transaction_timeout = INT64_MAX / 2;
    struct stage s;
    stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
    for (unsigned i = 0; i < 1000; i++) {
        stage_say(&s, CLIENT, BYTES(DECLARE("q1")), 100);
    }
    assert_int_equal(((struct amqp_stats *)s.context.block)->evicted, 1000 - 256);
    stage_close(&s, PROTO_RESET);
    stage_done(&s);
}

/* ---- Long bodies ---------------------------------------------------------------------------- */

enum { MOST = 300000, FRAME = 65536 };

static void write_be32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* The beginning of a message of so many bytes, from the client, on a channel. */
static void begin_message(struct stage *s, uint8_t channel, uint32_t size)
{
    uint8_t said[] = PUBLISH CONTENT("\0");
    uint8_t *content = said + sizeof PUBLISH - 1;
    said[2] = content[2] = channel;
    write_be32(content + 15, size);
    stage_say(s, CLIENT, span_of(said, sizeof said - 1), SIZE_MAX);
}

/* So many 'v' of a body, in frames. */
static void say_body(struct stage *s, uint8_t channel, uint32_t size, size_t piece)
{
    static uint8_t frame[7 + FRAME + 1];
    while (size > 0) {
        uint32_t here = size < FRAME ? size : FRAME;
        memcpy(frame, "\3\0", 2);
        frame[2] = channel;
        write_be32(frame + 3, here);
        memset(frame + 7, 'v', here);
        frame[7 + here] = 0xce;
        stage_say(s, CLIENT, span_of(frame, here + 8), piece);
        size -= here;
    }
}

/* How many 'v' the last request has; what was said is forgotten. */
static size_t request_size(struct stage *s)
{
    json_append(&s->said, "", 1);
    const char *at = strstr(s->said.data, "\"request\":\"v");
    size_t size = at != NULL ? strspn(at + 11, "v") : 0;
    json_reset(&s->said);
    return size;
}

static bool has_said(const struct stage *s, const char *what)
{
    return memmem(s->said.data, s->said.size, what, strlen(what)) != NULL;
}

static void long_bodies(void **state)
{
    (void)state;
    struct amqp_options options = default_options();
    options.settings.send_request = true;
    options.body_max = MOST;
    static struct stage s;
    for (size_t piece = 1400; piece <= 60000; piece *= 7) {
        stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
        begin_message(&s, 1, MOST);
        say_body(&s, 1, MOST, piece);
        assert_false(has_said(&s, "[...]"));
        assert_int_equal(request_size(&s), MOST);
        begin_message(&s, 1, MOST + 1);
        say_body(&s, 1, MOST + 1, piece);
        assert_true(has_said(&s, "v [...]\""));
        assert_int_equal(request_size(&s), MOST);
        assert_int_equal(s.log.cut, 0);
        stage_close(&s, PROTO_CLOSED);
        stage_done(&s);
    }
}

static const char longer[] = "Request cut: it is longer than what is read of one";

/* A message without a body, with a header `k` of so many bytes. */
static void say_headers(struct stage *s, uint32_t size, size_t piece)
{
    static uint8_t frame[2 * FRAME] = "\2\0\1\0\0\0\0\0\x3c\0\0\0\0\0\0\0\0\0\0\x20";
    write_be32(frame + 3, size + 25);
    write_be32(frame + 21, size + 7);
    memcpy(frame + 25, "\1kS", 3);
    write_be32(frame + 28, size);
    memset(frame + 32, 'v', size);
    frame[32 + size] = 0xce;
    stage_say(s, CLIENT, BYTES(PUBLISH), SIZE_MAX);
    stage_say(s, CLIENT, span_of(frame, size + 33), piece);
}

/* Texts that are longer than what is kept of them, and frames longer than what is read: the event says so. */
static void long_texts(void **state)
{
    (void)state;
    struct amqp_options options = default_options();
    static const uint32_t sizes[] = {100, 32000, 33000, 65000, 70000, 100000};
    static struct stage s;
    for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        uint32_t size = sizes[i / 2];
        stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
        say_headers(&s, size, i & 1 ? 1400 : SIZE_MAX);
        stage_say(&s, CLIENT, BYTES(DECLARE("ab")), 9);
        stage_say(&s, SERVER, BYTES(DECLARED("ab")), 9);
        stage_close(&s, PROTO_CLOSED);
        bool is_cut = size > 32000;
        assert_int_equal(has_said(&s, longer), is_cut);
        assert_int_equal(has_said(&s, "\"headers\":{\"k\":\"vvv"), !is_cut);
        assert_false(has_said(&s, "Failed to parse"));
        assert_true(has_said(&s, "\"queue\":\"ab\""));
        stage_done(&s);
    }
}

/* Bodies that are under way together are about as long as one may be; those beyond are cut, none is lost. */
static void long_bodies_at_once(void **state)
{
    (void)state;
    struct amqp_options options = default_options();
    options.settings.send_request = true;
    options.body_max = MOST;
    static struct stage s;
    stage_init(&s, &proto_amqp, &options, 1000, LOG_ROOM);
    for (uint8_t channel = 1; channel <= 8; channel++) {
        begin_message(&s, channel, MOST);
        say_body(&s, channel, MOST - 1, 1400);
    }
    assert_true(slab_used(s.slab) < 8 * 2 * FRAME + 2 * MOST);
    for (uint8_t channel = 1; channel <= 8; channel++) {
        say_body(&s, channel, 1, 1400);
        assert_int_equal(has_said(&s, "Request cut for want of memory"), channel > 1);
        size_t size = request_size(&s);
        assert_true(channel == 1 ? size == MOST : size >= 2 * FRAME - 100 && size < MOST);
    }
    assert_int_equal(s.log.cut, 7);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

static void probes(void **state)
{
    (void)state;
    static const char declare[] = DECLARE("q1");
    for (size_t n = 0; n < sizeof declare; n++) {
        assert_int_equal(proto_amqp.probe(span_of(declare, n), 0),
                         n < sizeof declare - 1 ? PROTO_UNSURE : PROTO_YES);
    }
    const struct {
        struct span data;
        enum proto_guess guess;
    } cases[] = {
        {BYTES("AMQP\0\0\x09\x01"), PROTO_YES},
        {BYTES("AMQP\0\x01\0\0"), PROTO_NO}, /* 1.0 is something else */
        {BYTES("AMQP\x03\x01\0\0"), PROTO_NO},
        {BYTES("AMQ"), PROTO_UNSURE},
        {BYTES(HEARTBEAT), PROTO_YES},
        {BYTES("GET / HTTP/1.1\r\n"), PROTO_NO},
        {BYTES("\x16\x03\x01\x02\0\x01\0"), PROTO_NO},
        {BYTES("\x01\0\x01\0\0\0\x04\0\x63\0\x63\xce"), PROTO_NO}, /* no such method */
        {BYTES("\x01\0\0\0\0\0\x04\0\x14\0\x0a\xce"), PROTO_NO},   /* channels are not opened on 0 */
        {BYTES("\x01\0\x01\0\0\0\x04\0\x14\0\x0a\xcd"), PROTO_NO},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_amqp.probe(cases[i].data, 0), cases[i].guess);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables),
        cmocka_unit_test(tables),
        cmocka_unit_test(broken_tables),
        cmocka_unit_test(deep_tables),
        cmocka_unit_test(methods_and_answers),
        cmocka_unit_test(messages),
        cmocka_unit_test(refusals),
        cmocka_unit_test(unknown_and_broken),
        cmocka_unit_test(gaps),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(too_many),
        cmocka_unit_test(long_bodies),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(long_bodies_at_once),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
