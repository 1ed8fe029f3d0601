// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "proto/mongodb/mongodb_bson.h"
#include "proto/mongodb/mongodb_event.h"
#include "proto/mongodb/mongodb_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_mongodb;

enum { LOG_ROOM = 1 << 20 };

enum { CLIENT = 0, SERVER = 1 };

#define BYTES(text) span_of(text, sizeof(text) - 1)

static struct mongodb_options default_options(void)
{
    struct mongodb_options options;
    proto_options_default(&proto_mongodb, &options);
    return options;
}

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&mongodb_event_type, &err));
    assert_true(metric_set_check(&mongodb_set, &err));
}

/* ---- BSON ----------------------------------------------------------------------------------- */

static void assert_json(struct span document, size_t room, const char *expected)
{
    uint8_t text[400];
    struct bson_out out = {.at = text, .end = text + room};
    bson_put_document(&out, document, NULL);
    assert_int_equal(out.at - text, strlen(expected));
    assert_memory_equal(text, expected, strlen(expected));
}

static void documents_as_json(void **state)
{
    (void)state;
    assert_json(BYTES("\x05\0\0\0\0"), 400, "{}");
    assert_json(BYTES("\x13\0\0\0\x10"
                      "b\0\x01\0\0\0\x10"
                      "a\0\xff\xff\xff\xff\0"),
                400, "{\"a\":-1,\"b\":1}");
    assert_json(BYTES("\x10\0\0\0\x02"
                      "a\0\x04\0\0\0x\"\n\0\0"),
                400, "{\"a\":\"x\\\"\\n\"}");
    assert_json(BYTES("\x14\0\0\0\x04"
                      "a\0\x0c\0\0\0\x08"
                      "0\0\x01\x0a"
                      "1\0\0\0"),
                400, "{\"a\":[true,null]}");
    assert_json(BYTES("\x10\0\0\0\x01"
                      "a\0\0\0\0\0\0\0\xf8\x3f\0"),
                400, "{\"a\":1.5}");
    assert_json(BYTES("\x10\0\0\0\x09"
                      "a\0\xe8\x03\0\0\0\0\0\0\0"),
                400, "{\"a\":\"1970-01-01T00:00:01.000Z\"}");
    assert_json(BYTES("\x18\0\0\0\x13"
                      "a\0\x7d\0\0\0\0\0\0\0\0\0\0\0\0\0\x3c\x30\0"),
                400, "{\"a\":\"1.25\"}");
    assert_json(BYTES("\x0f\0\0\0\x0b"
                      "a\0^x\0im\0\0"),
                400, "{\"a\":{\"Pattern\":\"^x\",\"Options\":\"im\"}}");
}

static void broken_documents(void **state)
{
    (void)state;
    assert_json(BYTES(""), 400, "{}");
    assert_json(BYTES("\x04\0\0\0"), 400, "{}");
    assert_json(BYTES("\x13\0\0\0\x10"
                      "a\0\x01\0\0"),
                400, "{}"); /* cut */
    assert_json(BYTES("\x20\0\0\0\x0a"
                      "a\0\x10"
                      "b"),
                400, "{\"a\":null}"); /* likewise */
    assert_json(BYTES("\x20\0\0\0\x03"
                      "a\0\x30\0\0\0\x0a"
                      "b\0"),
                400, "{\"a\":{\"b\":null}}");
    assert_json(BYTES("\x10\0\0\0\x02"
                      "a\0\xff\xff\xff\xff"
                      "abc\0"),
                400, "{}");
    assert_json(BYTES("\x10\0\0\0\x02"
                      "a\0\0\0\0\0"
                      "abc\0"),
                400, "{}");
    assert_json(BYTES("\x10\0\0\0\x77"
                      "a\0\0\0\0\0"
                      "abc\0"),
                400, "{}");
    assert_json(BYTES("\x10\0\0\0\x02"
                      "a\0\x04\0\0\0xyz\0\0"),
                7, "{\"a\":\"x"); /* no room */
}

/* Deep nesting ends somewhere. */
static void deep_documents(void **state)
{
    (void)state;
    enum { DEEP = 4000 };
    uint8_t *bytes = malloc((size_t)DEEP * 7);
    for (uint32_t i = 0; i < DEEP; i++) {
        uint32_t size = (DEEP - i) * 7;
        memcpy(bytes + (size_t)i * 7,
               (uint8_t[]){(uint8_t)size, (uint8_t)(size >> 8), 0, 0, 3, 'a', 0}, 7);
    }
    uint8_t text[400];
    struct bson_out out = {.at = text, .end = text + sizeof text};
    bson_put_document(&out, span_of(bytes, (size_t)DEEP * 7), NULL);
    assert_true(out.at - text < 200);
    free(bytes);
}

/* ---- Conversations -------------------------------------------------------------------------- */

/* { ping: 1, $db: "d" } as OP_MSG */
#define PING(id, flags)                                                                            \
    "\x2f\0\0\0" id "\0\0\0\0\0\0\0\xdd\x07\0\0" flags "\0\0\0\0"                                  \
    "\x1a\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x02\0\0\0d\0\0"
/* { ok: 1 } */
#define FINE(to, flags)                                                                            \
    "\x22\0\0\0\x63\0\0\0" to "\0\0\0\xdd\x07\0\0" flags "\0\0\0\0\x0d\0\0\0\x10ok\0\x01\0\0\0\0"

struct line {
    unsigned side;
    struct span bytes;
};

/* Plays in all segmentations: all say the same. */
static struct mongodb_stats play(const struct line *lines, unsigned count, char *said, size_t room)
{
    struct mongodb_options options = default_options();
    struct mongodb_stats stats = {0};
    struct stage s;
    for (size_t piece = 1; piece < 60; piece++) {
        stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
        for (unsigned i = 0; i < count; i++) {
            stage_say(&s, lines[i].side, lines[i].bytes, piece < 59 ? piece : SIZE_MAX);
        }
        stage_close(&s, PROTO_CLOSED);
        if (piece > 1) {
            assert_string_equal(s.said.data, said);
        }
        assert_true(s.said.size <= room);
        memcpy(said, s.said.data, s.said.size);
        stats = *(struct mongodb_stats *)s.context.block;
        stage_done(&s);
    }
    return stats;
}

static void commands_and_replies(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(PING("\x01", "\0"))},
                                 {CLIENT, BYTES(PING("\x02", "\0"))},
                                 {SERVER, BYTES(FINE("\x02", "\0"))},
                                 {CLIENT, BYTES(PING("\x03", "\x02"))},
                                 {SERVER, BYTES(FINE("\x07", "\0"))}};
    struct mongodb_stats stats = play(lines, 5, said, sizeof said);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.responses, 2);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.unanswered, 1);
    assert_non_null(strstr(said, "\"query\":\"d.$cmd.ping({\\\"ping\\\":1})\""));
    assert_non_null(strstr(said, "\"reason\":\"closed\""));
}

/* { ping: 1 } as OP_QUERY and { ok: 1 } as OP_REPLY, of numbers 0. */
#define OLD_PING                                                                                   \
    "\x32\0\0\0\0\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0d.$cmd\0\0\0\0\0\x01\0\0\0"                             \
    "\x0f\0\0\0\x10ping\0\x01\0\0\0\0"
#define OLD_FINE                                                                                   \
    "\x31\0\0\0\x3c\0\0\0\0\0\0\0\x01\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0"           \
    "\x0d\0\0\0\x10ok\0\x01\0\0\0\0"

/* The shell's first command has number 0, so its reply looks as if it answered nothing. */
static void command_zero(void **state)
{
    (void)state;
    char said[8192];
    const struct line old[] = {{CLIENT, BYTES(OLD_PING)}, {SERVER, BYTES(OLD_FINE)}};
    const struct line lines[] = {{CLIENT, BYTES(PING("\0", "\0"))},
                                 {SERVER, BYTES(FINE("\0", "\0"))}};
    struct mongodb_stats stats = play(old, 2, said, sizeof said);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.malformed, 0);
    stats = play(lines, 2, said, sizeof said);
    assert_int_equal(stats.transactions, 1);
    assert_int_equal(stats.requests, 1);
    const struct line unasked[] = {{CLIENT, BYTES(PING("\x01", "\0"))}, {SERVER, BYTES(OLD_FINE)}};
    stats = play(unasked, 2, said, sizeof said);
    assert_int_equal(stats.transactions, 0);
    assert_int_equal(stats.malformed, 1);
}

/* A reply that is followed by others unasked. */
static void streams_of_replies(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(PING("\x01", "\0"))},
                                 {SERVER, BYTES(FINE("\x01", "\x02"))},
                                 {SERVER, BYTES(FINE("\x63", "\x02"))},
                                 {SERVER, BYTES(FINE("\x63", "\0"))}};
    struct mongodb_stats stats = play(lines, 4, said, sizeof said);
    assert_int_equal(stats.streamed, 2);
    assert_int_equal(stats.unmatched, 0);
}

static void unknown_and_broken(void **state)
{
    (void)state;
    char said[8192];
    const struct line lines[] = {{CLIENT, BYTES(PING("\x01", "\0"))},
                                 {CLIENT, BYTES("\x14\0\0\0\x05\0\0\0\0\0\0\0\xff\x08\0\0????")},
                                 {CLIENT, BYTES("what is this?")},
                                 {CLIENT, BYTES(PING("\x02", "\0"))},
                                 {SERVER, BYTES(FINE("\x01", "\0") FINE("\x02", "\0"))}};
    struct mongodb_stats stats = play(lines, 5, said, sizeof said);
    assert_int_equal(stats.unknown_opcodes, 1);
    assert_int_equal(stats.malformed, 1);
    assert_int_equal(stats.transactions, 2);
}

static void gaps(void **state)
{
    (void)state;
    struct mongodb_options options = default_options();
    struct stage s;
    stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(PING("\x01", "\0")), 100);
    stage_gap(&s, SERVER, 20);
    stage_say(&s, SERVER, BYTES("\0\x10ok\0\x01\0\0\0\0"), 100);
    stage_say(&s, CLIENT, BYTES(PING("\x02", "\0")), 100);
    stage_say(&s, SERVER, BYTES(FINE("\x02", "\0")), 7);
    stage_gap(&s, CLIENT, 20);
    stage_say(&s, CLIENT, BYTES("\0d\0\0" PING("\x03", "\0")), 3);
    stage_say(&s, SERVER, BYTES(FINE("\x03", "\0")), 7);
    stage_close(&s, PROTO_CLOSED);
    const struct mongodb_stats *stats = s.context.block;
    assert_int_equal(stats->gaps, 2);
    assert_int_equal(stats->transactions, 2);
    assert_int_equal(stats->unanswered, 1);
    assert_int_equal(stats->unmatched, 0);
    assert_non_null(strstr(s.said.data, "\"reason\":\"gap\""));
    stage_done(&s);
}

static void timeouts(void **state)
{
    (void)state;
    struct mongodb_options options = default_options();
    options.settings.transaction_timeout = 1500000; /* lines are a millisecond apart */
    struct stage s;
    stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, BYTES(PING("\x01", "\0")), 100);
    stage_say(&s, CLIENT, BYTES(PING("\x02", "\0")), 100);
    stage_say(&s, SERVER, BYTES(FINE("\x01", "\0")), 100);
    assert_non_null(strstr(s.said.data, "\"reason\":\"timeout\""));
    assert_int_equal(((struct mongodb_stats *)s.context.block)->unmatched, 1);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

static void too_many(void **state)
{
    (void)state;
    struct mongodb_options options = default_options();
    options.settings.transaction_timeout = INT64_MAX / 2;
    struct stage s;
    stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
    for (unsigned i = 0; i < 1000; i++) {
        stage_say(&s, CLIENT, BYTES(PING("\x01", "\0")), 100);
    }
    assert_int_equal(((struct mongodb_stats *)s.context.block)->evicted, 1000 - 256);
    stage_close(&s, PROTO_RESET);
    stage_done(&s);
}

/* ---- Long messages -------------------------------------------------------------------------- */

enum { MOST = 300000, HEAD = 21, WORD = 1000 };

static uint8_t *write_le32(uint8_t *to, size_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        *to++ = (uint8_t)(value >> (8 * i));
    }
    return to;
}

/* A document's bytes end with a zero; its size, which stands before them, is known then. */
static uint8_t *end_document(uint8_t *document, uint8_t *at)
{
    *at++ = 0;
    write_le32(document, (size_t)(at - document));
    return at;
}

static uint8_t *write_words(uint8_t *array, unsigned words)
{
    uint8_t *at = array + 4;
    for (unsigned i = 0; i < words; i++) {
        *at++ = 2;
        at += sprintf((char *)at, "%u", i) + 1;
        at = write_le32(at, WORD + 1);
        memset(at, 'v', WORD);
        at[WORD] = 0;
        at += WORD + 1;
    }
    return end_document(array, at);
}

/* OP_MSG number 1 around the document behind its head; what it answers says which it is. */
static struct span end_long(uint8_t *to, uint8_t *at, uint8_t answers)
{
    at = end_document(to + HEAD, at);
    memset(to, 0, HEAD);
    write_le32(to, (size_t)(at - to));
    to[4] = 1;
    to[8] = answers;
    write_le32(to + 12, MONGODB_MSG);
    return span_of(to, (size_t)(at - to));
}

/* {w: ["vvv…", …]} of `words` strings of WORD bytes each. */
static struct span long_message(uint8_t *to, unsigned words, uint8_t answers)
{
    uint8_t *document = to + HEAD;
    memcpy(document + 4, "\4w", 3);
    return end_long(to, write_words(document + 7, words), answers);
}

/* {w: "vvv…"}, or bytes, code, code with a scope. */
static struct span long_value(uint8_t *to, uint8_t type, size_t size, uint8_t answers)
{
    uint8_t *at = to + HEAD + 4;
    memcpy(at, (uint8_t[]){type, 'w', 0}, 3);
    at = type == BSON_CODE_SCOPE ? write_le32(at + 3, 4 + 4 + size + 1 + 5) : at + 3;
    at = write_le32(at, type == BSON_BINARY ? size : size + 1);
    memset(at, type == BSON_BINARY ? 0 : 'v', size + 1);
    at[size] = 0;
    at += size + 1;
    return end_long(to, type == BSON_CODE_SCOPE ? end_document(at, at + 4) : at, answers);
}

/* {cursor: {firstBatch: ["vvv…", …], id: 7}, ok: 0}: MongoDB's own order. */
static struct span long_reply(uint8_t *to, unsigned words)
{
    uint8_t *cursor = to + HEAD + 4 + 8;
    memcpy(cursor - 8, "\3cursor", 8);
    memcpy(cursor + 4, "\4firstBatch", 12);
    uint8_t *at = write_words(cursor + 4 + 12, words);
    memcpy(at, "\x12id\0\7\0\0\0\0\0\0", 12);
    at = end_document(cursor, at + 12);
    memcpy(at, "\x10ok\0\0\0\0", 8);
    return end_long(to, at + 8, 1);
}

/* How many 'v' are in the first text of that name in what was said. */
static size_t length_of(const struct stage *s, const char *name)
{
    const char *at = memmem(s->said.data, s->said.size, name, strlen(name));
    assert_non_null(at);
    size_t size = 0;
    for (at += strlen(name) + 1; *at != '"'; at += at[0] == '\\' ? 2 : 1) {
        size += *at == 'v';
    }
    return size;
}

static bool has_said(const struct stage *s, const char *what)
{
    return memmem(s->said.data, s->said.size, what, strlen(what)) != NULL;
}

static void long_messages(void **state)
{
    (void)state;
    static uint8_t asked[1 << 19], answered[1 << 19];
    static struct stage s;
    struct mongodb_options options = default_options();
    options.settings.send_response = true;
    options.document_bytes_max = 0;
    options.max_message_size = MOST;
    for (size_t piece = 1400; piece <= 60000; piece *= 7) {
        stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
        stage_say(&s, CLIENT, long_message(asked, 200, 0), piece);
        stage_say(&s, SERVER, long_message(answered, 200, 1), piece);
        assert_int_equal(length_of(&s, "\"query\":"), 200 * WORD);
        assert_int_equal(length_of(&s, "\"response\":"), 200 * WORD);
        assert_false(has_said(&s, " cut"));
        json_reset(&s.said);
        stage_say(&s, CLIENT, long_message(asked, 400, 0), piece);
        stage_say(&s, SERVER, long_message(answered, 400, 1), piece);
        size_t size = length_of(&s, "\"query\":");
        assert_true(size > MOST - 2 * WORD - 20 * 300 && size <= MOST);
        assert_true(has_said(&s, "Request cut at max_message_size"));
        assert_true(has_said(&s, "Response cut at max_message_size"));
        assert_int_equal(s.log.cut, 0);
        assert_int_equal(slab_used(s.slab), 0);
        stage_close(&s, PROTO_CLOSED);
        stage_done(&s);
    }
}

/* Of one value that is longer than what is read, what was read is shown. */
static void long_values(void **state)
{
    (void)state;
    static const uint8_t types[] = {BSON_STRING, BSON_SYMBOL, BSON_CODE, BSON_CODE_SCOPE};
    static uint8_t asked[1 << 19];
    static struct stage s;
    struct mongodb_options options = default_options();
    options.max_message_size = MOST;
    stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
    for (unsigned i = 0; i < sizeof types; i++) {
        for (size_t size = MOST - 1000; size <= MOST + 99000; size += 100000) {
            json_reset(&s.said);
            stage_say(&s, CLIENT, long_value(asked, types[i], size, 0), 1400);
            stage_say(&s, SERVER, long_message(asked, 1, 1), 1400);
            size_t shown = length_of(&s, "\"query\":");
            assert_true(shown >= MOST - 1000 && shown <= MOST);
            assert_int_equal(has_said(&s, "Request cut at max_message_size"), size > MOST);
        }
    }
    json_reset(&s.said);
    stage_say(&s, CLIENT, long_value(asked, BSON_BINARY, 2 * MOST / 3, 0), 1400);
    stage_say(&s, SERVER, long_message(asked, 1, 1), 1400);
    assert_true(has_said(&s, "AAAAAAAA"));
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

/* What a long reply says behind its documents is read where they are not shown. */
static void long_replies_not_shown(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 19];
    static struct stage s;
    struct mongodb_options options = default_options();
    options.max_message_size = MOST;
    stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, long_message(bytes, 1, 0), 1400);
    stage_say(&s, SERVER, long_reply(bytes, 200), 1400);
    assert_true(has_said(&s, "\"numberReturned\":200"));
    assert_true(has_said(&s, "\"cursorId\":7"));
    assert_true(has_said(&s, "\"status\":\"Error\""));
    assert_false(has_said(&s, " cut"));
    assert_false(has_said(&s, "\"response\":"));
    json_reset(&s.said);
    stage_say(&s, CLIENT, long_message(bytes, 1, 0), 1400);
    stage_say(&s, SERVER, long_reply(bytes, 400), 1400);
    assert_false(has_said(&s, "numberReturned"));
    assert_true(has_said(&s, "Response cut at max_message_size"));
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

/* Where memory is short for a command and for its reply, that is one event that was cut. */
static void is_cut_once(void **state)
{
    (void)state;
    struct event_log log = {.cut = 0};
    struct transaction t = {.notes.count = 0};
    struct span notes[2];
    proto_cut_tell(&log, &t, notes, PROTO_CUT_SHORT, PROTO_CUT_SHORT);
    assert_int_equal(t.notes.count, 2);
    assert_true(log.is_cut); /* which the log counts when the event is added */
    log.is_cut = false;
    proto_cut_tell(&log, &t, notes, PROTO_CUT_NOT, PROTO_CUT_NOT);
    assert_int_equal(t.notes.count, 2);
    assert_false(log.is_cut);
}

/* What came before a hole in a long message is told, and it is answered. */
static void long_messages_with_holes(void **state)
{
    (void)state;
    static uint8_t asked[1 << 19], answered[1 << 19];
    static struct stage s;
    struct mongodb_options options = default_options();
    stage_init(&s, &proto_mongodb, &options, 1000, LOG_ROOM);
    struct span message = long_message(asked, 200, 0);
    stage_say(&s, CLIENT, span_head(message, 100000), 1400);
    stage_gap(&s, CLIENT, 1400);
    stage_say(&s, CLIENT, span_skip(message, 101400), 1400);
    stage_say(&s, SERVER, long_message(answered, 1, 1), 1400);
    assert_true(length_of(&s, "\"query\":") > 90000);
    assert_true(has_said(&s, "Packet loss while capturing the request"));
    const struct mongodb_stats *stats = s.context.block;
    assert_int_equal(stats->transactions, 1);
    assert_int_equal(stats->malformed, 0);
    stage_say(&s, CLIENT, span_head(message, 100000), 1400);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

static void probes(void **state)
{
    (void)state;
    static const char ping[] = PING("\x01", "\0");
    for (size_t n = 0; n < sizeof ping; n++) {
        assert_int_equal(proto_mongodb.probe(span_of(ping, n), 0),
                         n < 21 ? PROTO_UNSURE : PROTO_YES);
    }
    const struct {
        struct span data;
        enum proto_guess guess;
    } cases[] = {
        {BYTES("GET / HTTP/1.1\r\n"), PROTO_NO},
        {BYTES("\x16\x03\x01\x02\0\x01\0"), PROTO_UNSURE},
        {BYTES("\x16\x03\x01\0\0\x01\0\0\0\0\0\0\x01\x02\x03\x04"
               "abcdefgh"),
         PROTO_NO},
        {BYTES("\x2e\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\xff\xff\0\0\0"), PROTO_NO}, /* flags */
        {BYTES("\x2e\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0"), PROTO_NO}, /* answers nothing */
        {BYTES("\x04\0\0\0\x01"), PROTO_NO},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_mongodb.probe(cases[i].data, 0), cases[i].guess);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables),
        cmocka_unit_test(documents_as_json),
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(deep_documents),
        cmocka_unit_test(commands_and_replies),
        cmocka_unit_test(command_zero),
        cmocka_unit_test(streams_of_replies),
        cmocka_unit_test(unknown_and_broken),
        cmocka_unit_test(gaps),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(too_many),
        cmocka_unit_test(long_messages),
        cmocka_unit_test(long_values),
        cmocka_unit_test(long_replies_not_shown),
        cmocka_unit_test(is_cut_once),
        cmocka_unit_test(long_messages_with_holes),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
