// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zstd.h>

#include "proto/mysql/mysql_event.h"
#include "proto/mysql/mysql_flow.h"
#include "proto/mysql/mysql_look.h"
#include "proto/proto_stage.h"

extern const struct proto proto_mysql;

enum { CLIENT = 0, SERVER = 1, COMPRESS = 0x20, ZSTD = 1 << 26, SSL = 0x800, ATTRIBUTES = 1 << 27 };

#define BYTES(text) span_of(text, sizeof text - 1)
#define OK_BODY BYTES("\0\1\0\2\0\0\0")

static struct mysql_options options;

static struct stage *stage_new(void)
{
    struct stage *s = malloc(sizeof *s);
    assert_non_null(s);
    proto_options_default(&proto_mysql, &options);
    stage_init(s, &proto_mysql, &options, 1000, STAGE_LOG);
    return s;
}

static const struct mysql_stats *stats_of(const struct stage *s)
{
    return (const struct mysql_stats *)s->block;
}

static const struct mysql_flow *flow_of(const struct stage *s)
{
    return (const struct mysql_flow *)s->state;
}

static size_t frame(uint8_t *to, uint8_t number, struct span body)
{
    to[0] = (uint8_t)body.size;
    to[1] = (uint8_t)(body.size >> 8);
    to[2] = (uint8_t)(body.size >> 16);
    to[3] = number;
    memcpy(to + 4, body.data, body.size);
    return body.size + 4;
}

static void say(struct stage *s, unsigned side, uint8_t number, struct span body)
{
    uint8_t packet[70000];
    size_t size = frame(packet, number, body);
    stage_say(s, side, span_of(packet, size), SIZE_MAX);
}

static void ask(struct stage *s, uint8_t code, const char *text)
{
    uint8_t body[2000] = {code};
    memcpy(body + 1, text, strlen(text));
    say(s, CLIENT, 0, span_of(body, 1 + strlen(text)));
}

static void log_in(struct stage *s, uint32_t can, uint32_t maria)
{
    uint8_t body[64] = {0};
    can |= 0x8200;
    memcpy(body, &can, 4);
    memcpy(body + 28, &maria, 4);
    memcpy(body + 32, "ann", 4);
    say(s, SERVER, 0,
        BYTES("\x0a"
              "8.0.33\0\1\0\0\0saltsalt\0\xff\xff\x2d\2\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0saltsaltsalt\0"
              "caching_sha2_password\0"));
    say(s, CLIENT, 1, span_of(body, can & SSL ? 32 : 37));
    if (!(can & SSL)) {
        say(s, SERVER, 2, BYTES("\1\4")); /* more to prove */
        say(s, CLIENT, 3, BYTES("secret word"));
        say(s, SERVER, 4, OK_BODY);
    }
}

static void nothing_of_a_login_is_told(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    assert_int_equal(stats_of(s)->logins, 1);
    assert_int_equal(s->said.size, 0);
    ask(s, 3, "update t set a = 1");
    say(s, SERVER, 1, OK_BODY);
    assert_null(memmem(s->said.data, s->said.size, "secret", 6));
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"UPDATE\"", "\"affected_rows\":1",
           "\"query\":\"update t set a = 1\"", "\"status\":\"OK\"", "\"name\":\"ann\"");
}

/* Nor of the passwords in statements, unless that is asked for. */
static void passwords_are_hidden(void **state)
{
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct stage *s = stage_new();
        options.redact_secrets = hidden;
        options.common.send_request = true;
        log_in(s, 0, 0);
        ask(s, 3, "create user 'b' identified by 'open sesame'");
        say(s, SERVER, 1, OK_BODY);
        bool is_told = memmem(s->said.data, s->said.size, "sesame", 6) != NULL;
        assert_true(is_told == !hidden);
        STAGE_FINISH(s, PROTO_CLOSED,
                     hidden ? "\"query\":\"create user 'b' identified by 'xxxxx'\""
                            : "\"query\":\"create user 'b' identified by 'open sesame'\"");
    }
}

static void tls_is_somebody_elses(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, SSL, 0);
    assert_true(s->switched);
    assert_int_equal(stats_of(s)->switched, 1);
    STAGE_FINISH(s, PROTO_CLOSED);
}

static void tls_begins_behind_the_request_for_it(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    uint8_t both[4 + 32 + 5] = {32, 0, 0, 1, 0, 0x8a};
    memcpy(both + 36, "\x16\3\1\0\1", 5);
    say(s, SERVER, 0,
        BYTES("\x0a"
              "8.0.33\0\1\0\0\0saltsalt\0\xff\xff\x2d\2\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0saltsaltsalt\0"));
    stage_say(s, CLIENT, span_of(both, sizeof both), SIZE_MAX);
    assert_true(s->switched);
    assert_int_equal(s->pending_size[CLIENT], 5);
    STAGE_FINISH(s, PROTO_CLOSED);
}

static void say_packed(struct stage *s, unsigned side, uint8_t number, struct span body)
{
    uint8_t plain[2000], packed[3000];
    size_t size = frame(plain, number, body);
    size_t done = ZSTD_compress(packed + 7, sizeof packed - 7, plain, size, 3);
    assert_false(ZSTD_isError(done));
    memcpy(packed, (uint8_t[]){(uint8_t)done, (uint8_t)(done >> 8), 0, number, (uint8_t)size,
                               (uint8_t)(size >> 8), 0}, 7);
    stage_say(s, side, span_of(packed, 7 + done), 3);
}

static void zstandard_connections(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, ZSTD, 0);
    say_packed(s, CLIENT, 0, BYTES("\3delete from t"));
    say_packed(s, SERVER, 1, BYTES("\xff\x7a\4#42S02No such table"));
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"DELETE\"", "\"error_code\":1146",
           "\"error_message\":\"42S02: No such table\"", "\"status\":\"Error\"");
}

static void attributes_of_queries(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, ATTRIBUTES, 0);
    say(s, CLIENT, 0, BYTES("\3\0\1do 1"));
    say(s, SERVER, 1, OK_BODY);
    say(s, CLIENT, 0, BYTES("\3\1\1\0\1\xfd\0\4name\5valuedo 2"));
    say(s, SERVER, 1, OK_BODY);
    STAGE_FINISH(s, PROTO_CLOSED, "\"query\":\"do 1\"", "\"query\":\"do 2\"");
}

/* Beyond eight of them their number is a byte that also texts may begin with, and which of them are NULL
 * takes two bytes. */
static void many_attributes_of_queries(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, ATTRIBUTES, 0);
    say(s, CLIENT, 0, BYTES("\3\x9\1\4\0\1\xfe\0\1a\xfe\0\1b\xfe\0\1c\xfe\0\1d\xfe\0\1e\x8\0\1f\xfe\0\1g"
                            "\xfe\0\1h\xfe\0\1i\1A\1B\1D\1E\1\2\3\4\5\6\7\x8\1G\1H\1Ido 3"));
    say(s, SERVER, 1, OK_BODY);
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"DO\"", "\"query\":\"do 3\"");
}

/* The server asks for another proof, and the client gives it, between the command and its answer. */
static void a_user_proves_who_she_is(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    say(s, CLIENT, 0, BYTES("\x11""anna\0\0\0"));
    say(s, SERVER, 1, BYTES("\xfe""caching_sha2_password\0""12345678901234567890\0"));
    say(s, CLIENT, 2, BYTES("abcdefghijabcdefghijabcdefghijab"));
    say(s, SERVER, 3, BYTES("\1\3"));
    say(s, SERVER, 4, OK_BODY);
    say(s, CLIENT, 0, BYTES("\x11""bert\0\0\0"));
    say(s, SERVER, 1, BYTES("\xfe""caching_sha2_password\0""12345678901234567890\0"));
    say(s, CLIENT, 2, BYTES("\0"));
    say(s, SERVER, 3, BYTES("\xff\x15\4#28000Access denied"));
    assert_int_equal(stats_of(s)->transactions, 2);
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"CHANGE_USER\"", "\"error_code\":1045",
                 "\"name\":\"bert\"");
}

static void prepare(struct stage *s)
{
    ask(s, 22, "select ?");
    say(s, SERVER, 1, BYTES("\0\7\0\0\0\0\0\1\0\0\0\0"));
    say(s, SERVER, 2, BYTES("\3def\0\0\0\1?\0\x0c\x3f\0\0\0\0\0\xfd\x80\0\0\0\0"));
    say(s, SERVER, 3, BYTES("\xfe\0\0\2\0"));
}

static void executions_know_their_statement(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    prepare(s);
    say(s, CLIENT, 0, BYTES("\x17\7\0\0\0\0\1\0\0\0\0\1\xfd\0\3abc"));
    say(s, SERVER, 1, OK_BODY);
    say(s, CLIENT, 0, BYTES("\x19\7\0\0\0")); /* closed, which has no answer */
    say(s, CLIENT, 0, BYTES("\x17\7\0\0\0\0\1\0\0\0\0\1\xfd\0\3abc"));
    say(s, SERVER, 1, BYTES("\xff\xdb\4#HY000Unknown"));
    assert_int_equal(mysql_statement_count(&flow_of(s)->statements), 0);
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"PREPARE\"", "\"method\":\"SELECT\"",
           "\"params\":[\"abc\"]", "The actual query being used is unknown", "\"status\":\"Error\"");
}

/* A command of `size` bytes of text, "select aaa…z", in pieces. */
static void ask_long(struct stage *s, uint8_t code, size_t size, size_t piece)
{
    uint8_t *packet = malloc(5 + size);
    assert_non_null(packet);
    memset(packet, 'a', 5 + size);
    memcpy(packet + 5, "select ", 7);
    packet[4 + size] = 'z';
    packet[3] = 0;
    packet[4] = code;
    packet[0] = (uint8_t)(size + 1);
    packet[1] = (uint8_t)((size + 1) >> 8);
    packet[2] = (uint8_t)((size + 1) >> 16);
    stage_say(s, CLIENT, span_of(packet, 5 + size), piece);
    free(packet);
}

/* How long `query` was in the latest event, of a statement of which that much is shown. */
static size_t query_size(const struct stage *s)
{
    const char *at = s->said.data, *found = NULL;
    for (const char *next = at; (next = memmem(next, s->said.size - (size_t)(next - at),
                                               "\"query\":\"select ", 16)) != NULL; next++) {
        found = next + 9;
    }
    return found != NULL ? strcspn(found, "\"") : 0;
}

static void long_statements_are_whole(void **state)
{
    (void)state;
    for (size_t piece = 1400; piece <= 60000; piece *= 7) {
        struct stage *s = stage_new();
        options.max_message_size = 300000;
        options.common.send_request = true;
        log_in(s, 0, 0);
        ask_long(s, 3, 200000, piece);
        say(s, SERVER, 1, OK_BODY);
        assert_int_equal(query_size(s), 200000);
        assert_null(memmem(s->said.data, s->said.size, "Request cut", 11));
        ask_long(s, 3, 300001, piece);
        say(s, SERVER, 1, OK_BODY);
        assert_int_equal(query_size(s), 300000);
        STAGE_FINISH(s, PROTO_CLOSED, "Request cut at max_message_size");
    }
}

static void prepared_statements_are_kept_up_to_a_bound(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    ask_long(s, 22, MYSQL_STATEMENT_MAX + 1, 1400);
    say(s, SERVER, 1, BYTES("\0\7\0\0\0\0\0\0\0\0\0\0"));
    assert_int_equal(query_size(s), MYSQL_STATEMENT_MAX + 1);
    say(s, CLIENT, 0, BYTES("\x17\7\0\0\0\0\1\0\0\0"));
    say(s, SERVER, 1, OK_BODY);
    assert_int_equal(query_size(s), MYSQL_STATEMENT_MAX);
    STAGE_FINISH(s, PROTO_CLOSED, "Request cut: so much of a prepared statement is remembered");
}

/* What is no statement is not kept beyond what tells what it is. */
static void long_data_take_little_memory(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    ask_long(s, 0x18, 2000000, 1400);
    say(s, CLIENT, 0, BYTES("\x03select 1"));
    ask_long(s, 3, 3000000, 1400); /* there is not memory for it twice */
    say(s, SERVER, 1, OK_BODY);
    say(s, SERVER, 1, OK_BODY);
    assert_true(s->log.cut > 0);
    STAGE_FINISH(s, PROTO_CLOSED, "select 1", "Request cut for want of memory");
}

static void statements_are_forgotten(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    prepare(s);
    s->now_ns += 3601000000000;
    say(s, CLIENT, 0, BYTES("\x17\7\0\0\0\0\1\0\0\0\0\1\xfd\0\3abc"));
    say(s, SERVER, 1, OK_BODY);
    prepare(s);
    say(s, CLIENT, 0, BYTES("\x1f")); /* COM_RESET_CONNECTION */
    say(s, SERVER, 1, OK_BODY);
    assert_int_equal(mysql_statement_count(&flow_of(s)->statements), 0);
    STAGE_FINISH(s, PROTO_CLOSED, "The actual query being used is unknown", "PREPARE");
}

static void too_many_statements(void **state)
{
    (void)state;
    struct slab *slab = slab_new(STAGE_BUDGET);
    struct mysql_statements all = {0};
    for (uint32_t i = 0; i < 3000; i++) {
        assert_non_null(mysql_statement_add(&all, slab, i * 64, span_str("select 1")));
    }
    assert_int_equal(mysql_statement_count(&all), MYSQL_STATEMENTS_MAX);
    assert_null(mysql_statement_find(&all, 0));
    assert_non_null(mysql_statement_find(&all, 2999 * 64));
    mysql_statement_drop_all(&all, slab);
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

static void commands_that_wait_are_told_at_the_end(void **state)
{
    (void)state;
    static const struct {
        enum proto_close why;
        const char *reason;
    } ends[] = {{PROTO_CLOSED, "\"reason\":\"closed\""},
                {PROTO_RESET, "\"reason\":\"reset\""},
                {PROTO_TIMEOUT, "\"reason\":\"timeout\""}};
    for (size_t i = 0; i < 3; i++) {
        struct stage *s = stage_new();
        log_in(s, 0, 0);
        ask(s, 3, "select sleep(1)");
        STAGE_FINISH(s, ends[i].why, ends[i].reason, "\"status\":\"Error\"");
    }
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    for (unsigned i = 0; i < MYSQL_QUEUE_MAX + 10; i++) {
        ask(s, 3, "do 0");
    }
    assert_int_equal(stats_of(s)->evicted, 10);
    assert_int_equal(flow_of(s)->owed, 10);
    for (unsigned i = 0; i < MYSQL_QUEUE_MAX + 10; i++) {
        say(s, SERVER, 1, OK_BODY);
    }
    assert_int_equal(stats_of(s)->transactions, MYSQL_QUEUE_MAX);
    assert_int_equal(flow_of(s)->count, 0);
    STAGE_FINISH(s, PROTO_CLOSED, "\"reason\":\"evicted\"");
}

static void holes_are_survived(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    ask(s, 3, "do 1");
    stage_gap(s, SERVER, 11);
    ask(s, 3, "do 2");
    say(s, SERVER, 1, OK_BODY);
    stage_gap(s, CLIENT, 9);
    say(s, SERVER, 1, OK_BODY); /* of a command that was lost */
    ask(s, 3, "do 3");
    say(s, SERVER, 1, OK_BODY);
    assert_int_equal(stats_of(s)->unmatched_responses, 1);
    STAGE_FINISH(s, PROTO_CLOSED, "\"reason\":\"gap\"", "\"query\":\"do 1\"", "\"query\":\"do 2\"",
           "\"status\":\"OK\"", "\"query\":\"do 3\"", "\"status\":\"OK\"");
}

static void what_is_no_mysql_is_let_go_of(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s, 0, 0);
    ask(s, 3, "do 1");
    say(s, SERVER, 1, OK_BODY);
    for (unsigned i = 0; i < MYSQL_BROKEN_MAX; i++) {
        ask(s, 3, "do 2");
        say(s, SERVER, 1, BYTES("\3\3\3\3\3\3\3"));
        say(s, SERVER, 2, BYTES("\3\3\3\3\3\3\3"));
    }
    assert_true(s->let_go || stats_of(s)->malformed > 0);
    STAGE_FINISH(s, PROTO_CLOSED, "\"reason\":\"malformed\"");
}

static void other_commands_are_told_when_asked_for(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    options.all_commands = true;
    log_in(s, 0, 0);
    ask(s, 14, "");
    say(s, SERVER, 1, OK_BODY);
    ask(s, 9, "");
    say(s, SERVER, 1, BYTES("Uptime: 3"));
    ask(s, 2, "shop");
    say(s, SERVER, 1, OK_BODY);
    say(s, CLIENT, 0, BYTES("\x11" "bob\0\0shop\0"));
    say(s, SERVER, 1, BYTES("\xfe" "mysql_native_password\0saltsaltsaltsaltsalt\0"));
    say(s, CLIENT, 2, BYTES("01234567890123456789"));
    say(s, SERVER, 3, OK_BODY);
    ask(s, 1, "");
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"PING\"", "\"method\":\"STATISTICS\"",
           "\"method\":\"INIT_DB\"", "\"query\":\"shop\"", "\"method\":\"CHANGE_USER\"",
           "\"name\":\"bob\"", "\"method\":\"QUIT\"");
}

static void looks_of_first_bytes(void **state)
{
    (void)state;
    static const uint8_t login[41] = {37, 0, 0, 2, 0x85, 0xae, 0x0b, 0, 0, 0, 0, 1, 45};
    static const struct {
        struct span data;
        enum mysql_looks what;
        bool compressed;
    } cases[] = {
        {{(const uint8_t *)"\7\0\0\0\3select", 11}, MYSQL_LOOKS_COMMAND, false},
        {{(const uint8_t *)"\1\0\0\0\x0e", 5}, MYSQL_LOOKS_COMMAND, false},
        {{(const uint8_t *)"\5\0\0\0\0\0\0\1\0\0\0\x0e", 12}, MYSQL_LOOKS_COMMAND, true},
        {{(const uint8_t *)"\7\0\0\1\0\0\0\2\0\0\0", 11}, MYSQL_LOOKS_REPLY, false},
        {{(const uint8_t *)"\x0b\0\0\1\0\0\0\7\0\0\1\0\0\0\2\0\0\0", 18}, MYSQL_LOOKS_REPLY, true},
        {{(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18}, MYSQL_LOOKS_FOREIGN, false},
        {{(const uint8_t *)"\x16\3\1\0\x25\1\0\0\x21\3\3\0", 12}, MYSQL_LOOKS_FOREIGN, false},
        {{(const uint8_t *)"*1\r\n$4\r\nPING\r\n", 14}, MYSQL_LOOKS_FOREIGN, false},
        {{(const uint8_t *)"\7\0", 2}, MYSQL_LOOKS_UNSURE, false},
        {{login, sizeof login}, MYSQL_LOOKS_LOGIN, false},
        {{login, 20}, MYSQL_LOOKS_UNSURE, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mysql_look look = mysql_look(cases[i].data);
        if (look.what != cases[i].what) {
            print_error("case %zu\n", i);
        }
        assert_int_equal(look.what, cases[i].what);
        assert_int_equal(look.what != MYSQL_LOOKS_FOREIGN && look.compressed, cases[i].compressed);
    }
}

/* However many bytes there are behind what tells it, and whatever they are. */
static void an_answer_is_told_by_its_beginning(void **state)
{
    (void)state;
    static const uint8_t bytes[] = "\1\0\0\1\1\x17\0\0\2\xfe\0\0\2\0\0018\1\0\0\1\1\x17\0\0\2\3def";
    enum { TELLS = 9 /* up to the header of packet 2 */ };
    for (size_t size = 0; size < sizeof bytes; size++) {
        assert_int_equal(mysql_look_is_answer(span_of(bytes, size)), size >= TELLS);
        if (size < TELLS) {
            assert_int_equal(mysql_look_at(span_of(bytes, size)).what, MYSQL_LOOKS_UNSURE);
        }
    }
    assert_false(mysql_look_is_answer(span_of("\1\0\0\1\1\x17\0\0\3\xfe", 10)));
    assert_false(mysql_look_is_answer(span_of("\5\0\0\1\xfe\0\0\2\0\5\0\0\2", 13))); /* no number */
}

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(metric_set_check(proto_mysql.metrics, &err));
    assert_true(event_type_check(&mysql_event_type, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_login_is_told),
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(tls_is_somebody_elses),
        cmocka_unit_test(tls_begins_behind_the_request_for_it),
        cmocka_unit_test(zstandard_connections),
        cmocka_unit_test(attributes_of_queries),
        cmocka_unit_test(many_attributes_of_queries),
        cmocka_unit_test(a_user_proves_who_she_is),
        cmocka_unit_test(executions_know_their_statement),
        cmocka_unit_test(long_statements_are_whole),
        cmocka_unit_test(prepared_statements_are_kept_up_to_a_bound),
        cmocka_unit_test(long_data_take_little_memory),
        cmocka_unit_test(statements_are_forgotten),
        cmocka_unit_test(too_many_statements),
        cmocka_unit_test(commands_that_wait_are_told_at_the_end),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(holes_are_survived),
        cmocka_unit_test(what_is_no_mysql_is_let_go_of),
        cmocka_unit_test(other_commands_are_told_when_asked_for),
        cmocka_unit_test(looks_of_first_bytes),
        cmocka_unit_test(an_answer_is_told_by_its_beginning),
        cmocka_unit_test(has_sound_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
