// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/json_check.h"
#include "proto/redis/redis_event.h"
#include "proto/redis/redis_flow.h"

extern const struct proto proto_redis;

enum { QUEUE_MAX = 4096, CLIENT = 0, SERVER = 1, GAP = 2, FIN = 4, BUDGET = 1 << 24, LOG = 1 << 20 };

/* What one side says next; or a gap of so many bytes, or its end. */
struct line {
    unsigned who; /* a side, with GAP or FIN */
    const char *text;
    uint32_t gap;
};

struct stage {
    struct redis_stats stats;
    struct redis_flow flow;
    struct slab *slab;
    struct event_log log;
    struct json said;
    struct proto_context context;
    bool let_go;
};

static void stage_init(struct stage *s, size_t text_max)
{
    *s = (struct stage){.slab = slab_new(BUDGET)};
    s->log = (struct event_log){.memory = aligned_alloc(64, LOG), .capacity = LOG, .text_max = text_max};
    static struct redis_options options;
    proto_options_default(&proto_redis, &options);
    s->context = (struct proto_context){
        .settings = &options.settings,
        .block = &s->stats, .state = &s->flow, .memory = s->slab, .events = &s->log};
    json_init(&s->said);
    assert_non_null(s->slab);
    assert_non_null(s->log.memory);
}

static struct redis_options *options_of(const struct stage *s)
{
    return (struct redis_options *)(uintptr_t)s->context.settings;
}

static void stage_done(struct stage *s)
{
    assert_int_equal(slab_used(s->slab), 0);
    assert_int_equal(s->log.lost, 0);
    slab_free(s->slab);
    free(s->log.memory);
    json_done(&s->said);
}

/* As the engine does it after each call. */
static void pass_events(struct stage *s)
{
    for (struct event_head *e = event_log_first(&s->log); e; e = event_log_next(&s->log, e)) {
        transaction_finish((struct transaction *)e);
        size_t before = s->said.size;
        event_json(&s->said, e);
        assert_true(json_check(s->said.data + before, s->said.size - before));
        json_append(&s->said, "\n", 1);
    }
    event_log_reset(&s->log);
}

static void say(struct stage *s, unsigned side, struct span data, uint64_t time_ns)
{
    uint8_t *copy = malloc(data.size);
    memcpy(copy, data.data, data.size);
    struct proto_chunk chunk = {
        .data = span_of(copy, data.size), .side = (uint8_t)side, .time_ns = time_ns};
    struct proto_taken taken = proto_redis.on_chunk(&s->context, &chunk);
    assert_int_equal(taken.consumed, data.size);
    s->let_go = s->let_go || taken.verdict == PROTO_NOT_MINE;
    free(copy);
    pass_events(s);
}

/* Plays a conversation, a millisecond a line, `piece` bytes at a time, then closes it. */
static void play(struct stage *s, const struct line *lines, size_t piece, enum proto_close why)
{
    uint64_t now = 1000000000;
    for (const struct line *l = lines; l->text != NULL || l->gap > 0 || l->who & FIN; l++) {
        now += 1000000;
        s->context.now_ns = now;
        struct span data = l->text != NULL ? span_str(l->text) : span_of(NULL, 0);
        for (; data.size > 0 && !s->let_go; data = span_skip(data, piece)) {
            say(s, l->who & 1, span_head(data, piece), now);
        }
        if (l->who & GAP) {
            proto_redis.on_gap(&s->context, l->who & 1, l->gap);
        } else if (l->who & FIN) {
            proto_redis.on_fin(&s->context, l->who & 1);
        }
        pass_events(s);
    }
    proto_redis.on_close(&s->context, why);
    pass_events(s);
    json_append(&s->said, "", 1);
}

/* The members of an event that a test looks at, in the order of the names here, one event a line.
 * */
static void summarise(char *ret, const char *said)
{
    static const char *const names[] = {"\"action\":", "\"reason\":", "\"method\":", "\"query\":",
                                        "\"error\":\"", "\"return_value\":", "\"resource\":",
                                        "\"name\":",   "\"message\":"};
    for (const char *line = said; *line != '\0'; line = strchr(line, '\n') + 1) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const char *at = strstr(line, names[i]);
            if (at == NULL || at > strchr(line, '\n')) {
                continue;
            }
            const char *value = strchr(at, ':') + 2;
            bool is_first = i == 0;
            ret += sprintf(ret, "%s%.*s", is_first ? "" : "|", (int)(strchr(value, '"') - value), value);
        }
        *ret++ = '\n';
    }
    *ret = '\0';
}

/* Plays in all segmentations: all say the same, and that is `expected`. */
static struct redis_stats assert_played(const struct line *lines, enum proto_close why,
                                        const char *expected)
{
    struct stage whole;
    stage_init(&whole, 1000);
    play(&whole, lines, SIZE_MAX, why);
    char summary[8192];
    summarise(summary, whole.said.data);
    assert_string_equal(summary, expected);
    for (size_t piece = 1; piece < 40; piece++) {
        struct stage s;
        stage_init(&s, 1000);
        play(&s, lines, piece, why);
        assert_string_equal(s.said.data, whole.said.data);
        assert_memory_equal(&s.stats, &whole.stats, sizeof s.stats);
        stage_done(&s);
    }
    stage_done(&whole);
    return whole.stats;
}

static void a_command_and_its_reply(void **state)
{
    struct err err = {0};
    assert_true(event_type_check(&redis_event_type, &err));
    assert_true(metric_set_check(&redis_set, &err));
    struct stage s;
    stage_init(&s, 1000);
    play(&s,
         (struct line[]){{CLIENT, "*3\r\n$3\r\nset\r\n$4\r\nkey3\r\n$2\r\nme\r\n", 0},
                         {SERVER, "+OK\r\n", 0},
                         {0}},
         SIZE_MAX, PROTO_CLOSED);
    assert_string_equal(
        s.said.data,
        "{\"@timestamp\":\"1970-01-01T00:00:01.001000000Z\",\"client\":{\"bytes\":31},"
        "\"destination\":{\"bytes\":5},\"event\":{\"action\":\"redis.set\",\"category\":"
        "[\"network\"],\"dataset\":\"redis\",\"duration\":1000000,\"end\":"
        "\"1970-01-01T00:00:01.002000000Z\",\"first_byte\":1000000,\"kind\":\"event\",\"start\":"
        "\"1970-01-01T00:00:01.001000000Z\",\"transfer\":0,\"type\":[\"connection\",\"protocol\"]},"
        "\"method\":\"SET\",\"network\":{\"bytes\":36,\"protocol\":\"redis\"},\"query\":\"set key3 me\","
        "\"redis\":{\"return_value\":\"OK\"},\"resource\":\"key3\",\"server\":{\"bytes\":5},"
        "\"source\":{\"bytes\":31},\"status\":\"OK\",\"type\":\"redis\"}\n");
    stage_done(&s);
}

static void pipelines_and_errors(void **state)
{
    struct redis_stats stats = assert_played(
        (struct line[]){
            {CLIENT, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\n", 0},
            {CLIENT, "n\r\n*1\r\n$4\r\nEXEC\r\nPING\r\n*2\r\n$3\r\nFOO\r\n$1\r\nx\r\n", 0},
            {SERVER, "$0\r\n\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n+PONG\r\n-ERR unknown command 'FOO'\r\n", 0},
            {0}},
        PROTO_CLOSED,
        "redis.get|GET|GET a||a\nredis.multi|MULTI|MULTI|OK\nredis.incr|INCR|INCR n|QUEUED|n\n"
        "redis.exec|EXEC|EXEC|[1]\nredis.ping|PING|PING|PONG\n"
        "redis.foo|FOO|FOO x|ERR unknown command 'FOO'|x\n");
    assert_int_equal(stats.requests, 6);
    assert_int_equal(stats.responses, 6);
    assert_int_equal(stats.errors, 1);
    assert_int_equal(stats.unanswered + stats.unmatched + stats.malformed, 0);
}

static void two_words_and_users(void **state)
{
    assert_played(
        (struct line[]){
            {CLIENT, "*3\r\n$6\r\nconfig\r\n$3\r\nget\r\n$4\r\nsave\r\n", 0},
            {SERVER, "*2\r\n$4\r\nsave\r\n$0\r\n\r\n", 0},
            {CLIENT, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n", 0},
            {SERVER, "+OK\r\n-WRONGPASS\r\n", 0},
            {0}},
        PROTO_CLOSED,
        "redis.config get|CONFIG GET|config get save|[save, ]|save\n"
        "redis.auth|AUTH|AUTH me ****|OK|me\nredis.auth|AUTH|AUTH ****|WRONGPASS\n");
}

static void published_messages(void **state)
{
    struct redis_stats stats = assert_played(
        (struct line[]){
            {CLIENT, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n$1\r\nb\r\n", 0},
            {SERVER, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n", 0},
            {SERVER, "*3\r\n$7\r\nmessage\r\n$1\r\nb\r\n$2\r\nhi\r\n", 0},
            {CLIENT, "*1\r\n$4\r\nPING\r\n", 0},
            {SERVER, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n", 0},
            {0}},
        PROTO_CLOSED,
        "redis.subscribe|SUBSCRIBE|subscribe a b|[subscribe, a, 1]|a\n"
        "redis.subscribe|SUBSCRIBE|[subscribe, b, 2]|b\n"
        "redis.message|MESSAGE|[message, b, hi]|b\n"
        "redis.invalidate|INVALIDATE|[invalidate, [k]]\n"
        "redis.ping|PING|PING|[pong, ]\n");
    assert_int_equal(stats.pushes, 3);
    assert_int_equal(stats.responses, 2);
}

static void monitors_and_replicas(void **state)
{
    struct redis_stats stats = assert_played(
        (struct line[]){{CLIENT, "MONITOR\r\n", 0},
                        {SERVER, "+OK\r\n+1700000000.1 [0 127.0.0.1:1] \"GET\" \"a\"\r\n", 0},
                        {CLIENT, "QUIT\r\n", 0},
                        {SERVER, "+1700000000.2 [0 127.0.0.1:1] \"GET\" \"b\"\r\n+OK\r\n", 0},
                        {0}},
        PROTO_CLOSED, "redis.monitor|MONITOR|MONITOR|OK\nredis.quit|QUIT|QUIT|OK\n");
    assert_int_equal(stats.pushes, 2);
    stats = assert_played(
        (struct line[]){{CLIENT, "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n", 0},
                        {SERVER, "\n+FULLRESYNC 0123 0\r\n$5\r\nREDIS", 0},
                        {SERVER, "*1\r\n$4\r\nPING\r\n", 0},
                        {CLIENT, "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n", 0},
                        {0}},
        PROTO_TIMEOUT, "redis.psync|PSYNC|PSYNC ? -1|FULLRESYNC 0123 0|?\n");
    assert_int_equal(stats.requests, 1);
}

static void commands_without_replies(void **state)
{
    assert_played(
        (struct line[]){
            {CLIENT, "CLIENT REPLY SKIP\r\nPING\r\nPING 1\r\nCLIENT REPLY OFF\r\nPING 2\r\n", 0},
            {CLIENT, "CLIENT REPLY ON\r\nPING 3\r\n", 0},
            {SERVER, "$1\r\n1\r\n+OK\r\n$1\r\n3\r\n", 0},
            {0}},
        PROTO_CLOSED,
        "redis.client reply|CLIENT REPLY|CLIENT REPLY SKIP|SKIP\nredis.ping|PING|PING\n"
        "redis.client reply|CLIENT REPLY|CLIENT REPLY OFF|OFF\nredis.ping|PING|PING 2|2\n"
        "redis.ping|PING|PING 1|1|1\nredis.client reply|CLIENT REPLY|CLIENT REPLY ON|OK|ON\n"
        "redis.ping|PING|PING 3|3|3\n");
}

static void unanswered(void **state)
{
    struct redis_stats stats = assert_played(
        (struct line[]){{SERVER, "+OK\r\n", 0},
                        {CLIENT, "*2\r\n$5\r\nBLPOP\r\n$1\r\nq\r\nPING\r\n", 0},
                        {SERVER, "*2\r\n$1\r\nq\r\n", 0},
                        {0}},
        PROTO_RESET, "redis.blpop|reset|BLPOP|BLPOP q|q\nredis.ping|reset|PING|PING\n");
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.unanswered, 2);
    assert_played((struct line[]){{CLIENT, "SHUTDOWN\r\n", 0}, {SERVER | FIN, NULL, 0}, {0}},
                  PROTO_TIMEOUT, "redis.shutdown|closed|SHUTDOWN|SHUTDOWN\n");
}

static void gaps(void **state)
{
    /* Within a value: all is known but the bytes. */
    assert_played((struct line[]){{CLIENT, "GET a\r\n", 0},
                                  {SERVER, "$10\r\nabc", 0},
                                  {SERVER | GAP, NULL, 4},
                                  {SERVER, "xyz\r\n", 0},
                                  {0}},
                  PROTO_CLOSED,
                  "redis.get|GET|GET a|abcxyz|a|Packet loss while capturing the response\n");
    /* Of whole replies, then of whole commands, then into the middle of one. */
    struct redis_stats stats = assert_played(
        (struct line[]){{CLIENT, "GET a\r\n", 0},
                        {SERVER | GAP, NULL, 10},
                        {CLIENT, "*2\r\n$3\r\nGET\r\n$1\r\nc\r\n", 0},
                        {SERVER, "$1\r\nC\r\n", 0},
                        {CLIENT | GAP, NULL, 100},
                        {SERVER, "$1\r\nD\r\n", 0},
                        {CLIENT, "$1\r\ne\r\n*2\r\n$3\r\nGET\r\n$1\r\nf\r\n", 0},
                        {SERVER, "$1\r\nF\r\n", 0},
                        {0}},
        PROTO_CLOSED,
        "redis.get|gap|GET|GET a|a\nredis.get|GET|GET c|C|c\n"
        "redis.get|GET|GET f|F|f\n");
    assert_int_equal(stats.gaps, 2);
    assert_int_equal(stats.unmatched, 1);
    assert_int_equal(stats.malformed, 0);
}

static void broken(void **state)
{
    struct redis_stats stats = assert_played(
        (struct line[]){{CLIENT, "PING\r\n\x01\x02\r\n*1\r\n$4\r\nPING\r\n", 0},
                        {SERVER, "+PONG\r\n", 0},
                        {0}},
        PROTO_CLOSED, "redis.ping|gap|PING|PING\nredis.ping|PING|PING|PONG\n");
    assert_int_equal(stats.malformed, 1);
    struct stage s;
    stage_init(&s, 1000);
    play(&s, (struct line[]){{CLIENT, "\x16\x03\x01", 0}, {0}}, 1, PROTO_CLOSED);
    assert_true(s.let_go);
    stage_done(&s);
}

/* The initiator was guessed wrong. */
static void reversed(void **state)
{
    assert_played((struct line[]){{SERVER, "*1\r\n$4\r\nPING\r\n", 0},
                                  {CLIENT, "+PONG\r\n", 0},
                                  {SERVER, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", 0},
                                  {CLIENT, "$-1\r\n", 0},
                                  {0}},
                  PROTO_CLOSED, "redis.get|GET|GET a|nil|a\n");
}

/* Many commands that wait: the oldest are given up, and the replies still find their commands. */
static void too_many(void **state)
{
    struct stage s;
    stage_init(&s, 100);
    for (unsigned i = 0; i < QUEUE_MAX + 10; i++) {
        char text[32];
        sprintf(text, "ECHO %u\r\n", i);
        say(&s, CLIENT, span_str(text), i);
    }
    assert_int_equal(s.stats.evicted, 10);
    assert_int_equal(s.stats.unanswered, 10);
    for (unsigned i = 0; i < QUEUE_MAX + 10; i++) {
        char text[32], expected[32];
        sprintf(text, ":%u\r\n", i);
        json_reset(&s.said);
        say(&s, SERVER, span_str(text), 5000);
        json_append(&s.said, "", 1);
        sprintf(expected, "\"query\":\"ECHO %u\"", i);
        assert_int_equal(strstr(s.said.data, expected) != NULL, i >= 10);
    }
    assert_int_equal(s.stats.unmatched, 0);
    proto_redis.on_close(&s.context, PROTO_CLOSED);
    stage_done(&s);
}

/* A slab without room: nothing is understood, and all is given back; then it goes on. */
static void without_memory(void **state)
{
    struct stage s;
    stage_init(&s, 100);
    void *hoard[1024] = {0};
    size_t count = 0;
    for (size_t size = SLAB_BLOCK_MAX; size >= 1; size /= 2) {
        while (count < 1024 && (hoard[count] = slab_take(s.slab, size)) != NULL) {
            count++;
        }
    }
    play(&s, (struct line[]){{CLIENT, "PING\r\n", 0}, {SERVER, "+PONG\r\n", 0}, {0}}, 3, PROTO_CLOSED);
    assert_false(s.let_go);
    assert_int_equal(s.stats.requests, 0);
    while (count > 0) {
        slab_give(s.slab, hoard[--count]);
    }
    play(&s,
         (struct line[]){{CLIENT, "*1\r\n$4\r\nPING\r\n", 0}, {SERVER, "+PONG\r\n", 0}, {0}}, 3, PROTO_CLOSED);
    assert_int_equal(s.stats.requests, 1);
    assert_int_equal(s.stats.responses, 1);
    assert_int_equal(s.stats.unmatched, 0);
    stage_done(&s);
}

/* ---- Long ones ------------------------------------------------------------------------------ */

enum { MOST = 300000 };

/* "SET k " or a value, and `size` times 'v'. */
static void say_long(struct stage *s, unsigned side, size_t size, size_t piece)
{
    char *text = malloc(size + 64);
    int head =
        sprintf(text, side == CLIENT ? "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%zu\r\n" : "$%zu\r\n", size);
    memset(text + head, 'v', size);
    memcpy(text + (size_t)head + size, "\r\n", 2);
    struct span data = span_of(text, (size_t)head + size + 2);
    for (; data.size > 0; data = span_skip(data, piece)) {
        say(s, side, span_head(data, piece), 1000000000);
    }
    free(text);
}

/* How many 'v' the member of that name ends with in what was said last. */
static size_t length_of(struct stage *s, const char *name)
{
    json_append(&s->said, "", 1);
    const char *at = strstr(s->said.data, name);
    assert_non_null(at);
    at = strchr(at + strlen(name), 'v');
    assert_non_null(at);
    size_t size = strspn(at, "v");
    s->said.size--;
    return size;
}

static bool has_said(const struct stage *s, const char *what)
{
    return memmem(s->said.data, s->said.size, what, strlen(what)) != NULL;
}

/* Texts are whole up to max_message_size, and what is beyond is cut and said. */
static void long_texts(void **state)
{
    for (size_t piece = 1400; piece <= 60000; piece *= 7) {
        struct stage s;
        stage_init(&s, 1000);
        options_of(&s)->max_message_size = MOST;
        say_long(&s, CLIENT, MOST - 6, piece);
        say_long(&s, SERVER, MOST, piece);
        assert_int_equal(length_of(&s, "\"query\""), MOST - 6);
        assert_int_equal(length_of(&s, "\"return_value\""), MOST);
        assert_false(has_said(&s, "cut"));
        json_reset(&s.said);
        say_long(&s, CLIENT, MOST - 5, piece);
        say_long(&s, SERVER, MOST + 1, piece);
        assert_int_equal(length_of(&s, "\"query\""), MOST - 6);
        assert_int_equal(length_of(&s, "\"return_value\""), MOST);
        assert_true(has_said(&s, "Request cut at max_message_size"));
        assert_true(has_said(&s, "Response cut at max_message_size"));
        assert_int_equal(s.log.cut, 0);
        assert_int_equal(slab_used(s.slab), 0); /* nothing is kept of them */
        proto_redis.on_close(&s.context, PROTO_CLOSED);
        stage_done(&s);
    }
}

/* Long commands that wait together are at most as long as one may be; those beyond are cut, none is
 * lost. */
static void long_texts_that_wait(void **state)
{
    struct stage s;
    stage_init(&s, 1000);
    options_of(&s)->max_message_size = MOST;
    for (unsigned i = 0; i < 4; i++) {
        say_long(&s, CLIENT, MOST / 2, 1400);
    }
    assert_true(slab_used(s.slab) < 4 * MOST);
    for (unsigned i = 0; i < 4; i++) {
        json_reset(&s.said);
        say(&s, SERVER, span_str("+OK\r\n"), 1000000000);
        assert_int_equal(length_of(&s, "\"query\""), i < 2 ? MOST / 2 : PROTO_TEXT_SURE - 6);
        assert_int_equal(has_said(&s, "Request cut for want of memory"), i >= 2);
    }
    assert_int_equal(s.stats.evicted, 0);
    assert_int_equal(s.log.cut, 2);
    proto_redis.on_close(&s.context, PROTO_CLOSED);
    stage_done(&s);
}

static void probes(void **state)
{
    static const struct {
        const char *data;
        enum proto_guess guess;
    } cases[] = {
        {"*1\r\n$4\r\nPING\r\n", PROTO_YES}, {"*12\r\n$", PROTO_YES},
        {"*", PROTO_UNSURE},                 {"*1\r", PROTO_UNSURE},
        {"*1\r\n:", PROTO_NO},               {"*x", PROTO_NO},
        {"PING\r\n", PROTO_YES},             {"PI", PROTO_UNSURE},
        {"GET / HTTP/1.1\r\n", PROTO_NO},    {"$5\r\nhello", PROTO_YES},
        {":1\r\n", PROTO_YES},               {"+OK POP3\r\n", PROTO_NO},
        {"+PONG\r\n", PROTO_YES},            {"\x16\x03\x01", PROTO_NO},
        {"$-1\r\n", PROTO_YES},              {">3\r\n$7", PROTO_YES},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_redis.probe(span_str(cases[i].data), 0), cases[i].guess);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_and_its_reply),
        cmocka_unit_test(pipelines_and_errors),
        cmocka_unit_test(two_words_and_users),
        cmocka_unit_test(published_messages),
        cmocka_unit_test(monitors_and_replicas),
        cmocka_unit_test(commands_without_replies),
        cmocka_unit_test(unanswered),
        cmocka_unit_test(gaps),
        cmocka_unit_test(broken),
        cmocka_unit_test(reversed),
        cmocka_unit_test(too_many),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(long_texts_that_wait),
        cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
