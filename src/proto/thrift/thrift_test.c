// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "proto/thrift/thrift_event.h"
#include "proto/thrift/thrift_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_thrift;

enum { LOG_ROOM = 1 << 20 };

enum { CLIENT = 0, SERVER = 1 };

#define BYTES(text) span_of(text, sizeof(text) - 1)

/* add(1: 7, 2: -3) of a number; its reply; a void one; a declared exception; all unframed. */
#define ADD(kind, number)                                                                          \
    "\x80\x01\0" kind "\0\0\0\x03"                                                                 \
    "add\0\0\0" number
#define CALL(number) ADD("\x01", number) "\x08\0\x01\0\0\0\x07\x08\0\x02\xff\xff\xff\xfd\0"
#define ANSWER(number) ADD("\x02", number) "\x08\0\0\0\0\0\x04\0"
#define THROWN(number) ADD("\x02", number) "\x0c\0\x01\x0b\0\x02\0\0\0\x02no\0\0"

static struct thrift_options default_options(void)
{
    struct thrift_options options;
    proto_options_default(&proto_thrift, &options);
    return options;
}

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&thrift_event_type, &err));
    assert_true(metric_set_check(&thrift_set, &err));
}

struct line {
    unsigned side;
    struct span bytes;
};

/* query|return value or reason|status, an event a line */
static void summarise(char *to, const char *said)
{
    static const char *const names[] = {"\"query\":\"", "\"return_value\":\"", "\"exceptions\":\"",
                                        "\"reason\":\"", "\"status\":\""};
    for (const char *line = said; *line != '\0'; line = strchr(line, '\n') + 1) {
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
            const char *at = strstr(line, names[i]);
            if (at == NULL || at > strchr(line, '\n')) {
                continue;
            }
            at += strlen(names[i]);
            const char *end = at;
            while (*end != '"') {
                end += 1 + (*end == '\\');
            }
            to += sprintf(to, "%s%.*s", i > 0 ? "|" : "", (int)(end - at), at);
        }
        *to++ = '\n';
    }
    *to = '\0';
}

/* Plays in all segmentations: all say the same, and that is `expected`. */
static struct thrift_stats assert_played(const struct thrift_options *options,
                                         const struct line *lines, enum proto_close why,
                                         const char *expected)
{
    struct thrift_stats stats = {0};
    for (size_t piece = 1; piece < 60; piece++) {
        struct stage s;
        stage_init(&s, &proto_thrift, options, 1000, LOG_ROOM);
        for (const struct line *l = lines; l->bytes.data != NULL; l++) {
            stage_say(&s, l->side, l->bytes, piece < 59 ? piece : SIZE_MAX);
        }
        stage_close(&s, why);
        char summary[4096];
        summarise(summary, s.said.data);
        assert_string_equal(summary, expected);
        stats = *(struct thrift_stats *)s.context.block;
        stage_done(&s);
    }
    return stats;
}

static void calls_and_replies(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    const struct line lines[] = {{CLIENT, BYTES(CALL("\x01"))},
                                 {SERVER, BYTES(ANSWER("\x01"))},
                                 {CLIENT, BYTES(CALL("\x02") CALL("\x03"))},
                                 {SERVER, BYTES(ANSWER("\x03"))}, /* in another order */
                                 {SERVER, BYTES(THROWN("\x02"))},
                                 {SERVER, BYTES(ANSWER("\x09"))},
                                 {CLIENT, BYTES(CALL("\x04"))},
                                 {0}};
    struct thrift_stats stats = assert_played(&options, lines, PROTO_RESET,
                                              "add(1: 7, 2: -3)|4|OK\nadd(1: 7, 2: -3)|4|OK\n"
                                              "add(1: 7, 2: -3)||(1: (2: \\\"no\\\"))|Error\n"
                                              "add(1: 7, 2: -3)|reset|Error\n");
    assert_int_equal(stats.calls, 4);
    assert_int_equal(stats.replies, 4);
    assert_int_equal(stats.exceptions, 1);
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.unanswered, 1);
}

/* Calls of old clients that all have the same number: those that are passed by want no reply. */
static void one_way_calls(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    const struct line lines[] = {{CLIENT, BYTES("\x80\x01\0\x01\0\0\0\x03zip\0\0\0\0\0")},
                                 {CLIENT, BYTES(CALL("\0"))},
                                 {SERVER, BYTES(ANSWER("\0"))},
                                 {CLIENT, BYTES("\x80\x01\0\x04\0\0\0\x03zip\0\0\0\0\0")},
                                 {0}};
    struct thrift_stats stats =
        assert_played(&options, lines, PROTO_CLOSED, "zip()|OK\nadd(1: 7, 2: -3)|4|OK\nzip()|OK\n");
    assert_int_equal(stats.oneways, 2);
    assert_int_equal(stats.unanswered, 0);
}

static void compact_and_framed(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    /* m(1: true, 2: -1, 20: "hi", 21: [1, 2], 22: {}) */
    const struct line lines[] = {
        {CLIENT,
         BYTES("\0\0\0\x14\x82\x21\x01\x01m\x11\x14\x01\x08\x28\x02hi\x19\x25\x02\x04\x1b\0\0")},
        {SERVER, BYTES("\0\0\0\x08\x82\x41\x01\x01m\x02\0\0")},
        {0}};
    assert_played(&options, lines, PROTO_CLOSED,
                  "m(1: true, 2: -1, 20: \\\"hi\\\", 21: [1, 2], 22: {})|false|OK\n");
}

static void names_of_a_file(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    options.idl_files =
        (struct text_list){.items = (const char *[]){"data/names.thrift"}, .count = 1};
    struct err err = {0};
    assert_true(proto_thrift.prepare(&options.settings, &err));
    const struct line lines[] = {
        {CLIENT, BYTES(CALL("\x01"))}, {SERVER, BYTES(ANSWER("\x01"))}, {0}};
    assert_played(&options, lines, PROTO_CLOSED, "add(left: 7, right: -3)|4|OK\n");
    assert_true(proto_thrift.prepare(&options.settings, &err)); /* again */
    proto_thrift.release(&options.settings);
    proto_thrift.release(&options.settings);
}

static void broken_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"struct A {\n  1: i32\n}", ":3:1: a name is expected here, not '}'"},
        {"struct A {", ":1:11: a name is expected here, but the file ends"},
        {"nonsense",
         ":1:1: a definition (struct, service, enum ...) is expected here, not 'nonsense'"},
        {"service S { void f(1 i32 x) }", ":1:22: ':' is expected here, not 'i32'"},
        {"const i32 X = {", ":1:16: a bracket is to be closed, but the file ends"},
        {"/* not closed", NULL},
        {"", NULL},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/thrift_test_XXXXXX";
        int file = mkstemp(path);
        assert_int_equal(write(file, cases[i].text, strlen(cases[i].text)), strlen(cases[i].text));
        close(file);
        struct text_list files = {.items = (const char *[]){path}, .count = 1};
        struct err err = {0};
        struct thrift_idl *idl = thrift_idl_new(&files, &err);
        assert_int_equal(idl != NULL, cases[i].message == NULL);
        if (cases[i].message != NULL) {
            assert_non_null(strstr(err.text, cases[i].message));
        }
        thrift_idl_free(idl);
        unlink(path);
    }
    struct err err = {0};
    struct text_list files = {.items = (const char *[]){"/nowhere.thrift"}, .count = 1};
    assert_null(thrift_idl_new(&files, &err));
    assert_string_equal(err.text, "cannot read /nowhere.thrift: No such file or directory");
}

/* Who is late while a reply is under way is so once that is over, before what follows it at once. */
static void lateness_does_not_depend_on_cuts(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    options.settings.transaction_timeout = 1500000; /* lines are a millisecond apart */
    static const char answers[] = ANSWER("\x02") ANSWER("\x03");
    enum { BEGUN = 18 }; /* bytes of the first */
    const struct line lines[] = {{CLIENT, BYTES(CALL("\x01"))},
                                 {SERVER, span_of(answers, BEGUN)},
                                 {CLIENT, BYTES(CALL("\x03"))},
                                 {SERVER, span_of(answers + BEGUN, sizeof answers - 1 - BEGUN)},
                                 {0}};
    assert_played(&options, lines, PROTO_CLOSED,
                  "add(1: 7, 2: -3)|timeout|Error\nadd(1: 7, 2: -3)|4|OK\n");
}

static void limits(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    const struct line lines[] = {
        {CLIENT, BYTES(CALL("\x01"))}, {SERVER, BYTES(ANSWER("\x01"))}, {0}};
    options.elements_max = 1;
    assert_played(&options, lines, PROTO_CLOSED, "add(1: 7, ...)|4|OK\n");
    options.fields_max = 1;
    struct thrift_stats stats = assert_played(&options, lines, PROTO_CLOSED, "");
    assert_int_equal(stats.dropped, 1);
    options = default_options();
    options.text_max = 3;
    const struct line text[] = {{CLIENT, BYTES("\x80\x01\0\x04\0\0\0\x01t\0\0\0\0\x0b\0\x01\0\0\0"
                                               "\x05hello\x0b\0\x02\0\0\0\x02\xff\0\0")},
                                {0}};
    assert_played(&options, text, PROTO_CLOSED, "t(1: \\\"hel...\\\", 2: ff00)|OK\n");
    options.hides_texts = true;
    assert_played(&options, text, PROTO_CLOSED, "t(1: \\\"*\\\", 2: \\\"*\\\")|OK\n");
}

static void broken_and_holes(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    const struct line lines[] = {{CLIENT, BYTES(CALL("\x01") "what?" CALL("\x02"))},
                                 {SERVER, BYTES(ANSWER("\x01") ANSWER("\x02"))},
                                 {0}};
    struct thrift_stats stats = assert_played(&options, lines, PROTO_CLOSED,
                                              "add(1: 7, 2: -3)|4|OK\nadd(1: 7, 2: -3)|4|OK\n");
    assert_int_equal(stats.malformed, 1);
    struct stage s;
    stage_init(&s, &proto_thrift, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(CALL("\x01")), 100);
    stage_gap(&s, SERVER, 10);
    stage_say(&s, SERVER, BYTES("\0\0\x04\0"), 100);
    stage_say(&s, CLIENT, BYTES(CALL("\x02")), 100);
    stage_say(&s, SERVER, BYTES(ANSWER("\x02")), 5);
    stage_close(&s, PROTO_CLOSED);
    char summary[1000];
    summarise(summary, s.said.data);
    assert_string_equal(summary, "add(1: 7, 2: -3)|4|OK\nadd(1: 7, 2: -3)|gap|Error\n");
    stage_done(&s);

    stage_init(&s, &proto_thrift, &options, 1000, LOG_ROOM); /* a number that is used anew */
    stage_say(&s, CLIENT, BYTES(CALL("\x01")), 100);
    stage_gap(&s, SERVER, 10);
    stage_say(&s, CLIENT, BYTES(CALL("\x01")), 100);
    stage_say(&s, SERVER, BYTES(ANSWER("\x01")), 100);
    stage_close(&s, PROTO_CLOSED);
    summarise(summary, s.said.data);
    assert_string_equal(summary, "add(1: 7, 2: -3)|gap|Error\nadd(1: 7, 2: -3)|4|OK\n");
    stage_done(&s);
}

/* Nested deeper than is followed. */
static void deep(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    char bytes[13 + 100 * 3 + 1] = "\x80\x01\0\x01\0\0\0\x01"
                                   "d";
    for (unsigned i = 0; i < 100; i++) {
        memcpy(bytes + 13 + (size_t)i * 3, "\x0c\0\x01", 3);
    }
    struct stage s;
    stage_init(&s, &proto_thrift, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, span_of(bytes, sizeof bytes), 7);
    assert_true(s.let_go);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

static void probes(void **state)
{
    (void)state;
    static const char call[] = CALL("\x01");
    for (size_t n = 0; n < sizeof call; n++) {
        assert_int_equal(proto_thrift.probe(span_of(call, n), 0),
                         n < 16 ? PROTO_UNSURE : PROTO_YES);
    }
    const struct {
        struct span data;
        enum proto_guess guess;
    } cases[] = {
        {BYTES("GET / HTTP/1.1\r\n"), PROTO_NO},
        {BYTES("\x80\x01\0\x05"), PROTO_NO},
        {BYTES("\x80\x01\0\x01\0\0\0\x03"
               "a\0b"),
         PROTO_NO},
        {BYTES("\x80\x01\0\x01\0\0\0\0\0\0\0\0\0"), PROTO_NO},
        {BYTES("\x80\x01\0\x01\0\0\0\x01"
               "a\0\0\0\0\x7f"),
         PROTO_NO},
        {BYTES("\x82\x01"), PROTO_NO},
        {BYTES("\x82\x21\0\x01x\0"), PROTO_YES},
        {BYTES("\0\0\0\x0e\x80\x01\0\x01\0\0\0\x01x\0\0\0\0\0"), PROTO_YES},
        {BYTES("\0\0\0\x03\x80\x01\0\x01\0\0\0\x01x\0\0\0\0\0"), PROTO_NO},
        {BYTES("\x01\x02\x03\x04\x05"), PROTO_NO},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_thrift.probe(cases[i].data, 0), cases[i].guess);
    }
}

/* ---- Long messages -------------------------------------------------------------------------- */

enum { MOST = 300000, BEFORE = 4 + 4 + 3 + 4 + 7, NUMBER = 7, BEHIND = NUMBER + 1 };

static uint8_t *write_be32(uint8_t *to, size_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        *to++ = (uint8_t)(value >> (24 - 8 * i));
    }
    return to;
}

/* add(1: "vvv…", 2: 7) of a text of so many bytes. */
static struct span long_call(uint8_t *to, size_t size, bool is_framed)
{
    uint8_t *at = is_framed ? write_be32(to, BEFORE + size + BEHIND) : to;
    at = mempcpy(at,
                 "\x80\x01\0\1\0\0\0\3"
                 "add\0\0\0\1\x0b\0\1",
                 BEFORE - 4);
    at = write_be32(at, size);
    memset(at, 'v', size);
    at = mempcpy(at + size, "\x08\0\2\0\0\0\7\0", BEHIND);
    return span_of(to, (size_t)(at - to));
}

static struct span answer(bool is_framed)
{
    static const char framed[] = "\0\0\0\x17" ANSWER("\1");
    return is_framed ? BYTES(framed) : BYTES(ANSWER("\1"));
}

static size_t query_size(const struct stage *s)
{
    const char *at = memmem(s->said.data, s->said.size, "\"query\":\"add(1: \\\"v", 19);
    return at != NULL ? strspn(at + 18, "v") : 0;
}

static bool has_said(const struct stage *s, const char *what)
{
    return memmem(s->said.data, s->said.size, what, strlen(what)) != NULL;
}

static void assert_long(const struct thrift_options *options, bool is_framed, size_t piece)
{
    static uint8_t bytes[1 << 19];
    static struct stage s;
    stage_init(&s, &proto_thrift, options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, long_call(bytes, 200000, is_framed), piece);
    stage_say(&s, SERVER, answer(is_framed), piece);
    assert_int_equal(query_size(&s), 200000);
    assert_true(has_said(&s, "v\\\", 2: 7)\""));
    assert_false(has_said(&s, "Request cut"));
    json_reset(&s.said);
    stage_say(&s, CLIENT, long_call(bytes, 400000, is_framed), piece);
    stage_say(&s, SERVER, answer(is_framed), piece);
    assert_int_equal(query_size(&s), MOST - BEFORE - (is_framed ? 4 : 0));
    assert_true(has_said(&s, "Request cut at max_message_size"));
    const struct thrift_stats *stats = s.context.block;
    assert_int_equal(stats->transactions, 2);
    assert_int_equal(s.log.cut, 0);
    assert_int_equal(slab_used(s.slab), 0);
    stage_say(&s, CLIENT, span_head(long_call(bytes, 200000, is_framed), 100000), piece);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

static void long_messages(void **state)
{
    (void)state;
    struct thrift_options options = default_options();
    options.text_max = INT32_MAX;
    options.max_message_size = MOST;
    for (size_t piece = 1400; piece <= 600000; piece *= 7) {
        assert_long(&options, false, piece);
        assert_long(&options, true, piece);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables),
        cmocka_unit_test(calls_and_replies),
        cmocka_unit_test(one_way_calls),
        cmocka_unit_test(compact_and_framed),
        cmocka_unit_test(names_of_a_file),
        cmocka_unit_test(broken_files),
        cmocka_unit_test(lateness_does_not_depend_on_cuts),
        cmocka_unit_test(limits),
        cmocka_unit_test(broken_and_holes),
        cmocka_unit_test(deep),
        cmocka_unit_test(long_messages),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
