// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/cursor.h"
#include "proto/memcache/memcache_event.h"
#include "proto/memcache/memcache_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_memcache;

enum { LOG_ROOM = 1 << 20 };

enum { CLIENT = 0, SERVER = 1, GAP = 2, FIN = 4 };

/* What one side says next; or a gap of so many bytes, or its end. */
struct line {
    unsigned who;
    const char *text;
    uint32_t size; /* of the text, 0: up to its terminator; or of the gap */
};

#define BYTES(who_, text_)                                                                         \
    {                                                                                              \
        who_, text_, sizeof(text_) - 1                                                             \
    }

/* The members of an event that tests look at, in the order of these names, one event a line. */
static void summarise(char *to, const char *said)
{
    static const char *const names[] = {
        "\"action\":", "\"reason\":",  "\"message\":",   "\"query\":", "\"count_values\":",
        "\"value\":",  "\"version\":", "\"error_msg\":", "\"status\":"};
    for (const char *line = said; *line != '\0'; line = strchr(line, '\n') + 1) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const char *at = strstr(line, names[i]);
            if (i ==
                sizeof names / sizeof *names - 1) { /* the last of that name: the event's own */
                for (const char *next = at; next && next < strchr(line, '\n');
                     next = strstr(next + 1, names[i])) {
                    at = next;
                }
            }
            if (at == NULL || at > strchr(line, '\n')) {
                continue;
            }
            const char *value = strchr(at, ':') + 1;
            value += *value == '"';
            to += sprintf(to, "%s%.*s", i == 0 ? "" : "|", (int)strcspn(value, "\",}"), value);
        }
        *to++ = '\n';
    }
    *to = '\0';
}

static void play(struct stage *s, const struct line *lines, size_t piece, enum proto_close why)
{
    for (const struct line *l = lines; l->text != NULL || l->who != 0; l++) {
        if (l->who & GAP) {
            stage_gap(s, l->who & 1, l->size);
        } else if (l->who & FIN) {
            stage_fin(s, l->who & 1);
        } else {
            size_t size = l->size > 0 ? l->size : strlen(l->text);
            stage_say(s, l->who & 1, span_of(l->text, size), piece);
        }
    }
    stage_close(s, why);
}

static struct memcache_options default_options(void)
{
    struct memcache_options options;
    proto_options_default(&proto_memcache, &options);
    return options;
}

/* Plays in all segmentations: all say the same, and that is `expected`. */
static struct memcache_stats assert_played_with(const struct memcache_options *options,
                                                const struct line *lines, enum proto_close why,
                                                const char *expected)
{
    struct stage whole;
    stage_init(&whole, &proto_memcache, options, 1000, LOG_ROOM);
    play(&whole, lines, SIZE_MAX, why);
    char summary[8192];
    summarise(summary, whole.said.data);
    assert_string_equal(summary, expected);
    for (size_t piece = 1; piece < 40; piece++) {
        struct stage s;
        stage_init(&s, &proto_memcache, options, 1000, LOG_ROOM);
        play(&s, lines, piece, why);
        assert_string_equal(s.said.data, whole.said.data);
        assert_memory_equal(s.context.block, whole.context.block, sizeof(struct memcache_stats));
        stage_done(&s);
    }
    struct memcache_stats stats = *(struct memcache_stats *)whole.context.block;
    stage_done(&whole);
    return stats;
}

static struct memcache_stats assert_played(const struct line *lines, enum proto_close why,
                                           const char *expected)
{
    struct memcache_options options = default_options();
    return assert_played_with(&options, lines, why, expected);
}

static void sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&memcache_event_type, &err));
    assert_true(metric_set_check(&memcache_set, &err));
}

static void text_commands(void **state)
{
    (void)state;
    struct memcache_stats stats = assert_played(
        (struct line[]){
            {CLIENT, "set a 5 0 3\r\nabc\r\nget a b c\r\n", 0},
            {SERVER, "STORED\r\nVALUE a 5 3\r\nabc\r\nVALUE c 0 2\r\n\r\n\r\nEND\r\n", 0},
            {CLIENT, "get x\r\nincr n 2\r\ndecr n 5\r\ndelete q\r\n", 0},
            {SERVER, "END\r\n12\r\n7 \r\nNOT_FOUND\r\n", 0},
            {CLIENT, "version\r\nstats\r\ntouch a -1\r\nset b 0 0 1\r\nx\r\n", 0},
            {SERVER, "VERSION 1.6.18\r\nSTAT pid 1\r\nSTAT x y z\r\nEND\r\nTOUCHED\r\n", 0},
            {SERVER, "SERVER_ERROR out of memory storing object\r\n", 0},
            {CLIENT, "quit\r\n", 0},
            {0}},
        PROTO_CLOSED,
        "memcache.store|set a|1|OK\nmemcache.load|get a b c|2|OK\nmemcache.load|get x|OK\n"
        "memcache.counter|incr n|12|OK\nmemcache.counter|decr n|7|OK\n"
        "memcache.delete|delete q|Error\nmemcache.info|version|1.6.18|OK\n"
        "memcache.stats|stats|1|OK\nmemcache.store|touch a|OK\n"
        "memcache.store|set b|1|out of memory storing object|Server Error\n"
        "memcache.info|quit|OK\n");
    assert_int_equal(stats.requests, 11);
    assert_int_equal(stats.responses, 10);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 2);
    assert_int_equal(stats.errors, 2);
    assert_int_equal(stats.unanswered + stats.unmatched + stats.malformed, 0);
}

static void without_replies(void **state)
{
    (void)state;
    assert_played(
        (struct line[]){{CLIENT, "set a 0 0 1 noreply\r\n1\r\nincr a 1 noreply\r\nget a\r\n", 0},
                        {SERVER, "VALUE a 0 1\r\n2\r\nEND\r\n", 0},
                        {CLIENT, "flush_all noreply\r\nflush_all 10\r\n", 0},
                        {SERVER, "OK\r\n", 0},
                        {0}},
        PROTO_CLOSED,
        "memcache.store|set a|1|OK\nmemcache.counter|incr a|OK\nmemcache.load|get a|1|OK\n"
        "memcache.delete|flush_all|OK\nmemcache.delete|flush_all|OK\n");
}

static void administration(void **state)
{
    (void)state;
    assert_played(
        (struct line[]){
            {CLIENT, "slabs reassign -1 3\r\nslabs automove 2\r\nlru_crawler sleep 9\r\n", 0},
            {SERVER, "BADCLASS invalid\r\nOK\r\nBUSY later\r\n", 0},
            {CLIENT, "stats items\r\nlru_crawler metadump all\r\n", 0},
            {SERVER, "STAT items:1:number 1\r\nEND\r\nkey=a exp=-1\r\nEND\r\n", 0},
            {CLIENT, "nonsense here\r\nversion\r\n", 0},
            {SERVER, "ERROR\r\nVERSION 1\r\n", 0},
            {0}},
        PROTO_CLOSED,
        "memcache.slabctrl|slabs reassign|invalid|Server Error\n"
        "memcache.slabctrl|slabs automove|OK\n"
        "memcache.lrucrawler|lru_crawler sleep|later|Server Error\n"
        "memcache.stats|stats items|1|OK\n"
        "memcache.lrucrawler|lru_crawler metadump all|OK\nmemcache.info|version|1|OK\n");
}

static void unknown_commands(void **state)
{
    (void)state;
    struct memcache_options options = default_options();
    options.parse_unknown = true;
    assert_played_with(
        &options,
        (struct line[]){{CLIENT, "get a\r\nmake tea\r\n", 0}, {SERVER, "END\r\nERROR\r\n", 0}, {0}},
        PROTO_CLOSED, "memcache.load|get a|OK\nmemcache.unknown|make tea|Error\n");
}

static void values(void **state)
{
    (void)state;
    struct memcache_options options = default_options();
    options.values_max = 1;
    options.value_bytes_max = 4;
    struct stage s;
    stage_init(&s, &proto_memcache, &options, 1000, LOG_ROOM);
    play(&s,
         (struct line[]){{CLIENT, "get a b\r\n", 0},
                         {SERVER, "VALUE a 0 5\r\nhello\r\nVALUE b 0 1\r\nx\r\nEND\r\n", 0},
                         {0}},
         3, PROTO_CLOSED);
    assert_non_null(strstr(s.said.data, "\"values\":[\"aGVsbA==\"]"));
    stage_done(&s);
}

enum { MOST = 300000, ITEM = 8, KEY = 1 };

/* "set a 0 0 size" and so many zeroes, whose base64 is 'A'. */
static void set_long(struct stage *s, size_t size, size_t piece)
{
    char head[64];
    static uint8_t value[1 << 19];
    memset(value, 0, sizeof value);
    int length = snprintf(head, sizeof head, "set a 0 0 %zu\r\n", size);
    memcpy(value + size, "\r\n", 2);
    stage_say(s, CLIENT, span_of(head, (size_t)length), piece);
    stage_say(s, CLIENT, span_of(value, size + 2), piece);
    stage_say(s, SERVER, span_str("STORED\r\n"), piece);
}

/* How many bytes the value in what was said has. */
static size_t value_size(const struct stage *s)
{
    const char *at = memmem(s->said.data, s->said.size, "\"values\":[\"", 11);
    return at != NULL ? strspn(at + 11, "A") / 4 * 3 : 0;
}

static bool has_said(const struct stage *s, const char *what)
{
    return memmem(s->said.data, s->said.size, what, strlen(what)) != NULL;
}

/* "get", so many bytes of keys as long as that, and the response; to a line that is not read whole,
 * it has a key that was not read. */
static void get_many(struct stage *s, size_t size, size_t key, size_t piece)
{
    static char line[1 << 18];
    memcpy(line, "get", 3);
    for (size_t i = 3; i < size; i++) {
        line[i] = (i - 3) % (key + 1) == 0 ? ' ' : 'k';
    }
    memcpy(line + size, "\r\n", 2);
    stage_say(s, CLIENT, span_of(line, size), piece);
    stage_say(s, CLIENT, span_of(line + size, 2), piece);
    char answer[300];
    int length = size + 1 < 65536 ? snprintf(answer, sizeof answer,
                                             "VALUE %.*s 0 1\r\nx\r\nEND\r\n", (int)key, line + 4)
                                  : snprintf(answer, sizeof answer, "VALUE q 0 1\r\nx\r\nEND\r\n");
    stage_say(s, SERVER, span_of(answer, (size_t)length), piece);
}

/* Of a line that goes on behind what is read of it, size and time are those of its own end. */
static void assert_measured(const struct stage *s, size_t size)
{
    char bytes[60];
    snprintf(bytes, sizeof bytes, "\"client\":{\"bytes\":%zu", size);
    assert_true(has_said(s, bytes));
    assert_true(has_said(s, "\"duration\":2000000,"));
    assert_true(has_said(s, "\"first_byte\":1000000,"));
}

/* Commands that are longer than a line is read, and have more keys than are shown, are events. */
static void long_lines(void **state)
{
    (void)state;
    static struct stage s;
    struct memcache_options options = default_options();
    static const size_t pieces[] = {999, 65535, 65536, 65537, SIZE_MAX};
    for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        stage_init(&s, &proto_memcache, &options, 1000, LOG_ROOM);
        for (size_t size = 65530; size <= 200000; size += size < 65540 ? 1 : 67230) {
            json_reset(&s.said);
            get_many(&s, size, 249, pieces[i]);
            assert_true(has_said(&s, "\"status\":\"OK\""));
            assert_int_equal(has_said(&s, "Request cut: it has more"), size + 1 >= 65536);
            assert_measured(&s, size + 2);
        }
        json_reset(&s.said);
        get_many(&s, 511 * 8, 7, pieces[i]);
        assert_false(has_said(&s, "Request cut"));
        get_many(&s, 520 * 8, 7, pieces[i]);
        assert_true(has_said(&s, "Request cut: it has more parts than are shown"));
        const struct memcache_stats *stats = s.context.block;
        assert_int_equal(stats->malformed, 0);
        stage_close(&s, PROTO_CLOSED);
        stage_done(&s);
    }
}

/* A hole in what is not read of a line: its command was there, but who knows which were behind it. */
static void holed_line(void **state)
{
    (void)state;
    static struct stage s;
    static char line[70000];
    struct memcache_options options = default_options();
    memset(line, 'k', sizeof line);
    for (size_t i = 3; i < sizeof line; i += 200) {
        line[i] = ' ';
    }
    memcpy(line, "get", 3);
    stage_init(&s, &proto_memcache, &options, 1000, LOG_ROOM);
    stage_say(&s, CLIENT, span_of(line, sizeof line), 1400);
    stage_gap(&s, CLIENT, 500);
    stage_say(&s, CLIENT, span_str("k\r\n"), 3);
    stage_say(&s, SERVER, span_str("VALUE q 0 1\r\nx\r\nEND\r\n"), 1400);
    stage_say(&s, CLIENT, span_str("get last\r\n"), 1400);
    stage_say(&s, SERVER, span_str("END\r\n"), 1400);
    stage_close(&s, PROTO_CLOSED);
    assert_true(has_said(&s, "Packet loss while capturing the request"));
    assert_true(has_said(&s, "\"keys\":[\"last\"]"));
    stage_done(&s);
}

/* What begins with a command for very many keys is memcached's; other long lines are not. */
static void long_probes(void **state)
{
    (void)state;
    char line[4000];
    for (size_t i = 0; i < sizeof line; i++) {
        line[i] = i % 8 == 3 ? ' ' : 'k';
    }
    assert_int_equal(proto_memcache.probe(span_of(line, sizeof line), 0), PROTO_NO);
    memcpy(line, "get", 3);
    assert_int_equal(proto_memcache.probe(span_of(line, 2000), 0), PROTO_UNSURE);
    assert_int_equal(proto_memcache.probe(span_of(line, sizeof line), 0), PROTO_YES);
    memset(line + 4, 'k', sizeof line - 4);
    assert_int_equal(proto_memcache.probe(span_of(line, sizeof line), 0), PROTO_NO);
}

static void long_values(void **state)
{
    (void)state;
    static struct stage s;
    struct memcache_options options = default_options();
    options.values_max = -1;
    options.max_message_size = MOST;
    for (size_t piece = 1400; piece <= 600000; piece *= 7) {
        stage_init(&s, &proto_memcache, &options, 1000, LOG_ROOM);
        set_long(&s, 240000, piece);
        assert_int_equal(value_size(&s), 240000);
        assert_false(has_said(&s, "Request cut"));
        json_reset(&s.said);
        set_long(&s, 400000, piece);
        assert_int_equal(value_size(&s), (MOST - ITEM - KEY - ITEM) / 3 * 3);
        assert_true(has_said(&s, "Request cut at max_message_size"));
        assert_int_equal(s.log.cut, 0);
        assert_int_equal(slab_used(s.slab), 0);
        stage_close(&s, PROTO_CLOSED);
        stage_done(&s);
    }
}

static void meta_commands(void **state)
{
    (void)state;
    assert_played(
        (struct line[]){{CLIENT, "mg a v q\r\nmg b v q\r\nmg c v\r\nms d 2 q\r\nxx\r\nmn\r\n", 0},
                        {SERVER, "VA 1\r\nA\r\nEN\r\nMN\r\n", 0},
                        {CLIENT, "mg e v Oseven\r\nma n\r\n", 0},
                        {SERVER, "EN\r\nVA 1\r\n5\r\n", 0},
                        {0}},
        PROTO_CLOSED,
        "memcache.load|mg a|1|OK\nmemcache.load|mg b|OK\nmemcache.load|mg c|OK\n"
        "memcache.store|ms d|1|OK\nmemcache.info|mn|OK\nmemcache.load|mg e|OK\n"
        "memcache.counter|ma n|1|OK\n");
}

static void binary_commands(void **state)
{
    (void)state;
    struct memcache_stats stats = assert_played(
        (struct line[]){
            BYTES(CLIENT, "\x80\x01\x00\x01\x08\0\0\0\0\0\0\x0b\0\0\0\x07\0\0\0\0\0\0\0\0"
                          "\0\0\0\x05\0\0\0\0kAB"),
            BYTES(SERVER, "\x81\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x09"),
            /* GetKQ a, GetKQ b, No-op: only b is there */
            BYTES(CLIENT, "\x80\x0d\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0a"
                          "\x80\x0d\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0b"
                          "\x80\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0"),
            BYTES(SERVER, "\x81\x0d\0\x01\x04\0\0\0\0\0\0\x07\0\0\0\x01\0\0\0\0\0\0\0\x09"
                          "\0\0\0\0bxy"
                          "\x81\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0"),
            /* Increment, of what is no number, and a Get whose response is lost */
            BYTES(CLIENT, "\x80\x00\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\0\0\0\0\0\0g"
                          "\x80\x05\0\x01\x14\0\0\0\0\0\0\x15\0\0\0\x04\0\0\0\0\0\0\0\0"
                          "\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0n"),
            BYTES(SERVER, "\x81\x05\0\0\0\0\0\x06\0\0\0\x03\0\0\0\x04\0\0\0\0\0\0\0\0bad"),
            BYTES(CLIENT, "\x80\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0"),
            BYTES(SERVER, "\x81\x0b\0\0\0\0\0\0\0\0\0\x03\0\0\0\x05\0\0\0\0\0\0\0\0"
                          "1.6"),
            {0}},
        PROTO_CLOSED,
        "memcache.store|set k|1|OK\nmemcache.load|get a|OK\nmemcache.load|get b|1|OK\n"
        "memcache.info|noop|OK\n"
        "memcache.load|skipped|Missing response for non-quiet request|get g|Server Error\n"
        "memcache.counter|incr n|bad|Error\nmemcache.info|version|1.6|OK\n");
    assert_int_equal(stats.unanswered, 1);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
}

/* Operations, types of data and extras of other servers, once it is known to be this protocol. */
static void binary_commands_of_others(void **state)
{
    (void)state;
    struct memcache_stats stats = assert_played(
        (struct line[]){
            BYTES(CLIENT, "\x80\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0"),
            BYTES(SERVER, "\x81\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0"),
            BYTES(CLIENT, "\x80\xb5\0\x01\x02\x01\0\0\0\0\0\x05\0\0\0\x02\0\0\0\0\0\0\0\0eekvv"),
            BYTES(SERVER, "\x81\xb5\0\0\0\0\0\x81\0\0\0\x03\0\0\0\x02\0\0\0\0\0\0\0\0bad"),
            BYTES(CLIENT, "\x80\x00\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\0\0\0\0\0\0g"),
            BYTES(SERVER, "\x81\x00\0\0\x04\x01\0\0\0\0\0\x06\0\0\0\x03\0\0\0\0\0\0\0\x09\0\0\0\0{}"),
            {0}},
        PROTO_CLOSED,
        "memcache.info|noop|OK\nmemcache.unknown|UNKNOWN k|bad|Server Error\n"
        "memcache.load|get g|1|OK\n");
    assert_int_equal(stats.malformed, 0);
    assert_int_equal(proto_memcache.probe(
                         span_of("\x80\xb5\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0", 24), 0),
                     PROTO_NO);
}

static void unanswered(void **state)
{
    (void)state;
    struct memcache_stats stats = assert_played(
        (struct line[]){{SERVER, "STORED\r\n", 0}, {CLIENT, "gets a\r\n", 0}, {0}}, PROTO_RESET,
        "memcache.load|reset|Unfinished transaction|gets a|Server Error\n");
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.unanswered, 1);
    struct memcache_options options = default_options();
    options.settings.report_unmatched = true;
    assert_played_with(&options, (struct line[]){{SERVER, "STORED\r\n", 0}, {0}}, PROTO_RESET,
                       "memcache.success|Invalid transaction. Request missing|Client Error\n");
    assert_played((struct line[]){{CLIENT, "gets a\r\n", 0}, {SERVER | FIN, NULL, 0}, {0}},
                  PROTO_TIMEOUT,
                  "memcache.load|closed|Unfinished transaction|gets a|Server Error\n");
}

static void timeouts(void **state)
{
    (void)state;
    struct memcache_options options = default_options();
    options.settings.transaction_timeout = 1500000; /* lines are a millisecond apart */
    assert_played_with(&options,
                       (struct line[]){{CLIENT, "gets a\r\n", 0},
                                       {CLIENT, "gets b\r\n", 0},
                                       {SERVER, "VALUE a 0 1 7\r\nx\r\nEND\r\nEND\r\n", 0},
                                       {0}},
                       PROTO_CLOSED,
                       "memcache.load|timeout|Unfinished transaction|gets a|Server Error\n"
                       "memcache.load|gets b|OK\n");
}

/* Who is late while a response is under way is so once that is over, before what follows it at once. */
static void lateness_does_not_depend_on_cuts(void **state)
{
    (void)state;
    struct memcache_options options = default_options();
    options.settings.transaction_timeout = 1500000; /* lines are a millisecond apart */
    assert_played_with(
        &options,
        (struct line[]){
            BYTES(CLIENT, "\x80\x00\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\0\0\0\0\0\0g"),
            BYTES(SERVER, "\x81\x00\0\0\x04\0\0\0\0\0\0\x06\0\0\0\x63\0\0\0\0\0\0\0\x09\0\0\0\0{"),
            BYTES(CLIENT, "\x80\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0"),
            BYTES(SERVER, "}\x81\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0"),
            {0}},
        PROTO_CLOSED,
        "memcache.load|timeout|Unfinished transaction|get g|Server Error\nmemcache.info|noop|OK\n");
}

static void gaps(void **state)
{
    (void)state;
    /* Within a value all is known but its bytes. */
    assert_played((struct line[]){{CLIENT, "gets a\r\n", 0},
                                  {SERVER, "VALUE a 0 10 1\r\nabc", 0},
                                  {SERVER | GAP, NULL, 4},
                                  {SERVER, "xyz\r\nEND\r\n", 0},
                                  {0}},
                  PROTO_CLOSED,
                  "memcache.load|Packet loss while capturing the response|gets a|1|OK\n");
    /* Of a whole response, then into the middle of a command. */
    struct memcache_stats stats =
        assert_played((struct line[]){{CLIENT, "gets a\r\n", 0},
                                      {SERVER | GAP, NULL, 10},
                                      {SERVER, "half a line\r\n", 0},
                                      {CLIENT, "gets b\r\n", 0},
                                      {SERVER, "VALUE b 0 1 2\r\nx\r\nEND\r\n", 0},
                                      {CLIENT | GAP, NULL, 10},
                                      {CLIENT, "0 1\r\nx\r\nincr n 1\r\n", 0},
                                      {SERVER, "STORED\r\n5\r\n", 0},
                                      {0}},
                      PROTO_CLOSED,
                      "memcache.load|gap|Unfinished transaction|gets a|Server Error\n"
                      "memcache.load|gets b|1|OK\n"
                      "memcache.counter|gap|Unfinished transaction|incr n|Server Error\n");
    assert_int_equal(stats.gaps, 2);
    assert_int_equal(stats.unmatched, 2); /* what was found amid a command may be none */
}

static void probes(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        enum proto_guess guess;
    } cases[] = {
        {"set a 0 0 5\r\n", PROTO_YES},
        {"set a 0 0 5", PROTO_UNSURE},
        {"set a b\r\n", PROTO_NO}, /* Redis */
        {"get a\r\n", PROTO_UNSURE},
        {"get a b\r\n", PROTO_YES},
        {"gets a\r\n", PROTO_YES},
        {"GET / HTTP/1.1\r\n", PROTO_NO},
        {"get / HTTP/1.1\r\n", PROTO_YES}, /* two keys, and no HTTP */
        {"PING\r\n", PROTO_NO},
        {"incr a\r\n", PROTO_NO},
        {"append k v\r\n", PROTO_NO},
        {"VALUE a 0 5\r\nhello\r\n", PROTO_YES},
        {"VALUE added\r\n", PROTO_NO},
        {"STORED\r\n", PROTO_YES},
        {"DELETED\r\n", PROTO_UNSURE},
        {"STAT\r\n", PROTO_NO},
        {"END\r\n", PROTO_YES},
        {"+OK\r\n", PROTO_NO},
        {"\x16\x03\x01", PROTO_NO},
        {"quit\r\n", PROTO_UNSURE},
        {"\x80", PROTO_UNSURE},
        {"\x80\x2e\x01\x03\x01", PROTO_NO}, /* a hello of SSL 2 */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_memcache.probe(span_str(cases[i].data), 0), cases[i].guess);
    }
}

static void give_datagram(struct stage *s, unsigned side, const char *bytes, size_t size)
{
    struct packet packet = {.class = PACKET_UDP,
                            .payload = (const uint8_t *)bytes,
                            .payload_len = (uint32_t)size,
                            .end = (const uint8_t *)bytes + size};
    s->context.now_ns += 1000000;
    proto_memcache.on_datagram(&s->context, &packet, side);
    stage_pass(s);
}

#define DATAGRAM(s, side, bytes) give_datagram(s, side, bytes, sizeof(bytes) - 1)

static void datagrams(void **state)
{
    (void)state;
    struct memcache_options options = default_options();
    struct stage s;
    stage_init(&s, &proto_memcache, &options, 1000, LOG_ROOM);
    DATAGRAM(&s, CLIENT, "\0\x01\0\0\0\x01\0\0gets a\r\n");
    DATAGRAM(&s, CLIENT, "\0\x02\0\0\0\x01\0\0gets b\r\n");
    DATAGRAM(&s, CLIENT, "\0\x03\0\0\0\x01\0\0incr c 1 noreply\r\n");
    DATAGRAM(&s, SERVER, "\0\x02\0\x01\0\x02\0\0x\r\nEND\r\n"); /* the second half first */
    DATAGRAM(&s, SERVER, "\0\x01\0\0\0\x01\0\0END\r\n");
    DATAGRAM(&s, SERVER, "\0\x02\0\0\0\x02\0\0VALUE b 0 1 9\r\n");
    DATAGRAM(&s, CLIENT, "\0\x04\0\0\0\x01\0\0gets d\r\n");
    DATAGRAM(&s, SERVER, "\0\x04\0\0\0\x02\0\0VALUE d");
    DATAGRAM(&s, SERVER, "\0\x05\0\0\0");
    stage_close(&s, PROTO_TIMEOUT);
    char summary[2048];
    summarise(summary, s.said.data);
    assert_string_equal(summary,
                        "memcache.counter|incr c|OK\nmemcache.load|gets a|OK\n"
                        "memcache.load|gets b|1|OK\n"
                        "memcache.load|timeout|Unfinished transaction|gets d|Server Error\n");
    const struct memcache_stats *stats = s.context.block;
    assert_int_equal(stats->malformed, 1);
    assert_int_equal(stats->datagrams_lost, 1);
    stage_done(&s);
}

/* Many commands that wait: the oldest are given up, and responses still find their commands. */
static void too_many(void **state)
{
    (void)state;
    struct memcache_options options = default_options();
    options.settings.transaction_timeout = INT64_MAX / 2;
    struct stage s;
    stage_init(&s, &proto_memcache, &options, 100, LOG_ROOM);
    for (unsigned i = 0; i < 1000; i++) {
        stage_say(&s, CLIENT, span_str("gets aaaaaaaaaaaaaaaaaaaaaaaaaaaa b c d e f g h\r\n"),
                  1000);
    }
    char text[3000] = "gets ";
    memset(text + 5, 'k', 200);
    strcat(text, "\r\n");
    for (unsigned i = 0; i < 3000; i++) {
        stage_say(&s, CLIENT, span_str(text), 1000);
    }
    const struct memcache_stats *stats = s.context.block;
    assert_true(stats->evicted > 1000);
    uint64_t evicted = stats->evicted;
    for (unsigned i = 0; i < 4000; i++) {
        stage_say(&s, SERVER, span_str("END\r\n"), 1000);
    }
    assert_int_equal(stats->transactions, 4000 - evicted);
    assert_int_equal(stats->unmatched, 0);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_lines),
        cmocka_unit_test(holed_line),
        cmocka_unit_test(long_probes),
        cmocka_unit_test(sound_tables),
        cmocka_unit_test(text_commands),
        cmocka_unit_test(without_replies),
        cmocka_unit_test(administration),
        cmocka_unit_test(unknown_commands),
        cmocka_unit_test(values),
        cmocka_unit_test(long_values),
        cmocka_unit_test(meta_commands),
        cmocka_unit_test(binary_commands),
        cmocka_unit_test(binary_commands_of_others),
        cmocka_unit_test(unanswered),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(lateness_does_not_depend_on_cuts),
        cmocka_unit_test(gaps),
        cmocka_unit_test(probes),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
