// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "proto/pgsql/pgsql_event.h"
#include "proto/pgsql/pgsql_flow.h"
#include "proto/pgsql/pgsql_look.h"
#include "proto/pgsql/pgsql_value.h"
#include "proto/proto_stage.h"

extern const struct proto proto_pgsql;

enum { CLIENT = 0, SERVER = 1 };

#define BYTES(text) span_of(text, sizeof text - 1)
#define SSL_REQUEST BYTES("\0\0\0\x08\x04\xd2\x16\x2f")
#define GSS_REQUEST BYTES("\0\0\0\x08\x04\xd2\x16\x30")
#define STARTUP BYTES("\0\0\0\x12\0\3\0\0user\0ann\0\0")
#define READY BYTES("Z\0\0\0\5I")

static struct pgsql_options options;

static struct stage *stage_new(void)
{
    struct stage *s = malloc(sizeof *s);
    assert_non_null(s);
    proto_options_default(&proto_pgsql, &options);
    stage_init(s, &proto_pgsql, &options, 1000, STAGE_LOG);
    return s;
}

static const struct pgsql_stats *stats_of(const struct stage *s)
{
    return (const struct pgsql_stats *)s->block;
}

static const struct pgsql_flow *flow_of(const struct stage *s)
{
    return (const struct pgsql_flow *)s->state;
}

static void raw(struct stage *s, unsigned side, struct span data)
{
    stage_say(s, side, data, SIZE_MAX);
}

static void say(struct stage *s, unsigned side, char type, struct span body)
{
    uint8_t message[4000] = {(uint8_t)type, 0, 0, (uint8_t)((body.size + 4) >> 8),
                             (uint8_t)(body.size + 4)};
    memcpy(message + 5, body.data, body.size);
    raw(s, side, span_of(message, body.size + 5));
}

static void log_in(struct stage *s)
{
    raw(s, CLIENT, STARTUP);
    say(s, SERVER, 'R', BYTES("\0\0\0\x0aSCRAM-SHA-256\0\0"));
    say(s, CLIENT, 'p', BYTES("SCRAM-SHA-256\0\0\0\0\5secret"));
    say(s, SERVER, 'R', BYTES("\0\0\0\0"));
    say(s, SERVER, 'K', BYTES("\0\0\1\0\0\0\2\0"));
    raw(s, SERVER, READY);
}

static void nothing_of_a_login_is_told(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    assert_int_equal(stats_of(s)->logins, 1);
    assert_int_equal(s->said.size, 0);
    say(s, CLIENT, 'Q', BYTES("delete from t\0"));
    say(s, SERVER, 'C', BYTES("DELETE 7\0"));
    raw(s, SERVER, READY);
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"DELETE\"", "\"affected_rows\":7",
           "\"query\":\"delete from t\"", "\"status\":\"OK\"", "\"name\":\"ann\"");
}

/* Nor of the passwords in statements, unless that is asked for. */
static void passwords_are_hidden(void **state)
{
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct stage *s = stage_new();
        options.redact_secrets = hidden;
        options.common.send_request = true;
        log_in(s);
        say(s, CLIENT, 'Q', BYTES("alter role b password 'open sesame'\0"));
        say(s, SERVER, 'C', BYTES("ALTER ROLE\0"));
        raw(s, SERVER, READY);
        bool is_told = memmem(s->said.data, s->said.size, "sesame", 6) != NULL;
        assert_true(is_told == !hidden);
        STAGE_FINISH(s, PROTO_CLOSED,
                     hidden ? "\"query\":\"alter role b password 'xxxxx'\""
                            : "\"query\":\"alter role b password 'open sesame'\"");
    }
}

static void tls_and_gss_are_somebody_elses(void **state)
{
    (void)state;
    const struct span asks[] = {SSL_REQUEST, GSS_REQUEST};
    const char *answers[] = {"S\x16\3\3", "G\x16\3\3"};
    for (unsigned i = 0; i < 2; i++) {
        struct stage *s = stage_new();
        raw(s, CLIENT, asks[i]);
        assert_false(s->switched);
        raw(s, SERVER, span_str(answers[i]));
        assert_true(s->switched);
        assert_int_equal(s->pending_size[SERVER], 3);
        STAGE_FINISH(s, PROTO_CLOSED);
    }
}

static void refusals_go_on(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    raw(s, CLIENT, GSS_REQUEST);
    raw(s, SERVER, BYTES("N"));
    raw(s, CLIENT, SSL_REQUEST);
    raw(s, SERVER, BYTES("N"));
    log_in(s);
    assert_int_equal(stats_of(s)->logins, 1);
    STAGE_FINISH(s, PROTO_CLOSED);
}

static void the_key_of_a_cancel_is_not_told(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    raw(s, CLIENT, BYTES("\0\0\0\x10\x04\xd2\x16\x2e\0\0\1\2KEY!"));
    assert_null(memmem(s->said.data, s->said.size, "KEY!", 4));
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"CANCEL\"", "\"query\":\"CANCEL 258\"");
}

static void bindings_are_shown(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    say(s, CLIENT, 'P', BYTES("s1\0select $1, $2, $3\0\0\2\0\0\0\x17\0\0\0\x19"));
    say(s, CLIENT, 'S', BYTES(""));
    say(s, SERVER, '1', BYTES(""));
    raw(s, SERVER, READY);
    say(s, CLIENT, 'B', BYTES("p\0s1\0\0\3\0\1\0\0\0\1\0\3\0\0\0\4\xff\xff\xff\xfb\0\0\0\2hi"
                              "\xff\xff\xff\xff\0\0"));
    say(s, CLIENT, 'E', BYTES("p\0\0\0\0\0"));
    say(s, CLIENT, 'S', BYTES(""));
    say(s, SERVER, '2', BYTES(""));
    say(s, SERVER, 'D', BYTES("\0\1\0\0\0\1x"));
    say(s, SERVER, 'C', BYTES("SELECT 1\0"));
    raw(s, SERVER, READY);
    STAGE_FINISH(s, PROTO_CLOSED, "\"method\":\"PREPARE\"", "\"method\":\"SELECT\"",
           "\"params\":[\"-5\",\"hi\",\"NULL\"]", "\"num_rows\":1",
           "\"query\":\"select $1, $2, $3\"");
}

static void what_an_error_skips_is_aborted(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    for (unsigned i = 0; i < 2; i++) {
        say(s, CLIENT, 'P', BYTES("\0insert into t values (1)\0\0\0"));
        say(s, CLIENT, 'B', BYTES("\0\0\0\0\0\0\0\0"));
        say(s, CLIENT, 'E', BYTES("\0\0\0\0\0"));
    }
    say(s, CLIENT, 'S', BYTES(""));
    say(s, SERVER, 'E', BYTES("SERREUR\0VERROR\0C23505\0Mtwice\0\0"));
    raw(s, SERVER, READY);
    assert_int_equal(flow_of(s)->count, 0);
    STAGE_FINISH(s, PROTO_CLOSED, "\"error_code\":\"23505\"", "\"error_message\":\"twice\"",
           "\"error_severity\":\"ERROR\"", "\"reason\":\"aborted\"");
}

static void set_of_drivers_is_no_event(void **state)
{
    (void)state;
    for (unsigned all = 0; all < 2; all++) {
        struct stage *s = stage_new();
        options.all_statements = all;
        log_in(s);
        say(s, CLIENT, 'P', BYTES("\0SET extra_float_digits = 3\0\0\0"));
        say(s, CLIENT, 'B', BYTES("\0\0\0\0\0\0\0\0"));
        say(s, CLIENT, 'E', BYTES("\0\0\0\0\1"));
        say(s, CLIENT, 'S', BYTES(""));
        say(s, SERVER, '1', BYTES(""));
        say(s, SERVER, '2', BYTES(""));
        say(s, SERVER, 'C', BYTES("SET\0"));
        raw(s, SERVER, READY);
        assert_int_equal(s->said.size > 0, all);
        STAGE_FINISH(s, PROTO_CLOSED);
    }
}

static void statements_that_wait_are_told_at_the_end(void **state)
{
    (void)state;
    static const char *const reasons[] = {"\"reason\":\"closed\"", "\"reason\":\"reset\"",
                                          "\"reason\":\"timeout\""};
    for (unsigned i = 0; i < 3; i++) {
        struct stage *s = stage_new();
        log_in(s);
        say(s, CLIENT, 'Q', BYTES("select pg_sleep(9)\0"));
        STAGE_FINISH(s, (enum proto_close)i, reasons[i], "\"status\":\"Error\"");
    }
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    for (unsigned i = 0; i < PGSQL_QUEUE_MAX; i++) {
        say(s, CLIENT, 'Q', BYTES("select 1\0"));
        assert_in_range(flow_of(s)->count, 0, PGSQL_QUEUE_MAX);
    }
    assert_true(stats_of(s)->evicted > 0);
    uint64_t before = stats_of(s)->transactions;
    for (unsigned i = 0; i < PGSQL_QUEUE_MAX; i++) {
        say(s, SERVER, 'C', BYTES("SELECT 1\0"));
        raw(s, SERVER, READY);
    }
    assert_int_equal(flow_of(s)->count, 0);
    assert_int_equal(flow_of(s)->owed, 0);
    assert_true(stats_of(s)->transactions > before);
    assert_int_equal(stats_of(s)->unmatched_responses, 0);
    assert_true(s->log.lost > 0); /* half a queue at once is more than a log holds */
    s->log.lost = 0;
    STAGE_FINISH(s, PROTO_CLOSED, "\"reason\":\"evicted\"");
}

/* A message of the client with "select aaa…z", of `size` bytes, behind `name_size` zeroes, in pieces. */
static void ask_long(struct stage *s, char type, size_t name_size, size_t size, size_t piece)
{
    size_t body = name_size + size + 1 + (name_size > 0 ? 2 : 0);
    uint8_t *message = calloc(1, 5 + body);
    assert_non_null(message);
    message[0] = (uint8_t)type;
    message[1] = (uint8_t)((body + 4) >> 24);
    message[2] = (uint8_t)((body + 4) >> 16);
    message[3] = (uint8_t)((body + 4) >> 8);
    message[4] = (uint8_t)(body + 4);
    memset(message + 5 + name_size, 'a', size);
    memcpy(message + 5 + name_size, "select ", 7);
    message[5 + name_size + size - 1] = 'z';
    stage_say(s, CLIENT, span_of(message, 5 + body), piece);
    free(message);
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
        log_in(s);
        ask_long(s, 'Q', 0, 200000, piece);
        say(s, SERVER, 'C', BYTES("SELECT 1\0"));
        raw(s, SERVER, READY);
        assert_int_equal(query_size(s), 200000);
        assert_null(memmem(s->said.data, s->said.size, "Request cut", 11));
        ask_long(s, 'Q', 0, 300001, piece);
        say(s, SERVER, 'C', BYTES("SELECT 1\0"));
        raw(s, SERVER, READY);
        assert_int_equal(query_size(s), 300000);
        STAGE_FINISH(s, PROTO_CLOSED, "Request cut at max_message_size");
    }
}

static void answer_execution(struct stage *s)
{
    say(s, SERVER, '2', BYTES(""));
    say(s, SERVER, 'C', BYTES("SELECT 1\0"));
    raw(s, SERVER, READY);
}

/* What is executed at once is whole, later executions show what is remembered. */
static void long_statements_are_prepared(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0) {
            ask_long(s, 'P', 1, 600000, 1400);
        }
        say(s, CLIENT, 'B', BYTES("\0\0\0\0\0\0\0\0"));
        say(s, CLIENT, 'E', BYTES("\0\0\0\0\0"));
        say(s, CLIENT, 'S', BYTES(""));
        if (i == 0) {
            say(s, SERVER, '1', BYTES(""));
        }
        answer_execution(s);
        assert_int_equal(query_size(s), i == 0 ? 600000 : PGSQL_NAMED_TEXT);
    }
    assert_int_equal(stats_of(s)->transactions, 2);
    assert_int_equal(stats_of(s)->evicted, 0);
    STAGE_FINISH(s, PROTO_CLOSED, "Request cut: so much of a prepared statement is remembered");
}

static void memory_may_be_short_for_long_statements(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    ask_long(s, 'Q', 0, 3000000, 1400); /* twice as much is not there */
    say(s, SERVER, 'C', BYTES("SELECT 1\0"));
    raw(s, SERVER, READY);
    assert_int_equal(stats_of(s)->transactions, 1);
    assert_true(s->log.cut > 0);
    STAGE_FINISH(s, PROTO_CLOSED, "Request cut for want of memory");
}

static void names_are_bounded(void **state)
{
    (void)state;
    struct slab *slab = slab_new(STAGE_BUDGET);
    struct pgsql_names all = {0};
    for (uint32_t i = 0; i < 3 * PGSQL_NAMED_MAX; i++) {
        struct pgsql_said said = {.name = span_of(&i, 4), .text = span_str("select 1")};
        pgsql_named_add(&all, slab, &said);
    }
    uint32_t first = 0, last = 3 * PGSQL_NAMED_MAX - 1;
    assert_int_equal(all.count, PGSQL_NAMED_MAX);
    assert_null(pgsql_named_find(&all, span_of(&first, 4)));
    assert_non_null(pgsql_named_find(&all, span_of(&last, 4)));
    pgsql_named_drop_all(&all, slab);
    assert_int_equal(slab_used(slab), 0);
    assert_int_equal(all.bytes, 0);
    slab_free(slab);
}

static void holes_are_survived(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    log_in(s);
    say(s, CLIENT, 'Q', BYTES("select 1\0"));
    stage_gap(s, SERVER, 40);
    say(s, CLIENT, 'Q', BYTES("select 2\0"));
    say(s, SERVER, 'C', BYTES("SELECT 1\0"));
    raw(s, SERVER, READY);
    stage_gap(s, CLIENT, 14);
    say(s, SERVER, 'C', BYTES("SELECT 1\0")); /* of a statement that was lost */
    raw(s, SERVER, READY);
    say(s, CLIENT, 'Q', BYTES("select 3\0"));
    say(s, SERVER, 'C', BYTES("SELECT 1\0"));
    raw(s, SERVER, READY);
    assert_int_equal(stats_of(s)->unmatched_responses, 1);
    STAGE_FINISH(s, PROTO_CLOSED, "\"query\":\"select 1\"", "\"query\":\"select 2\"",
           "\"status\":\"OK\"", "\"query\":\"select 3\"", "\"status\":\"OK\"");
}

static void assert_value(uint32_t type, struct span bytes, const char *expected)
{
    char room[PGSQL_VALUE_ROOM];
    assert_true(span_equal(pgsql_value(bytes, type, room), span_str(expected)));
}

static void binary_values_become_texts(void **state)
{
    (void)state;
    assert_value(21, BYTES("\xff\xfe"), "-2");
    assert_value(23, BYTES("\x80\0\0\0"), "-2147483648");
    assert_value(20, BYTES("\0\0\1\0\0\0\0\0"), "1099511627776");
    assert_value(26, BYTES("\xff\xff\xff\xff"), "4294967295");
    assert_value(700, BYTES("\x3f\xc0\0\0"), "1.5");
    assert_value(701, BYTES("\x3f\xb9\x99\x99\x99\x99\x99\x9a"), "0.1");
    assert_value(16, BYTES("\1"), "t");
    assert_value(25, BYTES("text"), "text");
    assert_value(17, BYTES("\1\xab"), "\\x01ab");
    assert_value(23, BYTES("\1"), "\\x01"); /* not of that size */
    assert_value(0, BYTES(""), "\\x");
}

static void looks_of_first_bytes(void **state)
{
    (void)state;
    const struct {
        struct span data;
        enum pgsql_looks what;
    } cases[] = {
        {SSL_REQUEST, PGSQL_LOOKS_START},
        {STARTUP, PGSQL_LOOKS_START},
        {BYTES("Q\0\0\0\x0dselect 1\0"), PGSQL_LOOKS_CLIENT},
        {BYTES("P\0\0\0\x10\0select 1\0\0\0B\0\0\0\x0c\0\0\0\0\0\0\0\0"), PGSQL_LOOKS_CLIENT},
        {BYTES("C\0\0\0\x0dSELECT 1\0Z\0\0\0\5I"), PGSQL_LOOKS_SERVER},
        {BYTES("xxxxD\0\0\0\x0b\0\1\0\0\0\1aD\0\0\0\x0b\0\1\0\0\0\1aD\0\0\0\x0b\0\1\0\0\0\1a"),
         PGSQL_LOOKS_ROWS},
        {BYTES("T\0\0\0\x1b\0\1idx\0\0\0\0\0\0\0\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"),
         PGSQL_LOOKS_SERVER},
        {BYTES("t\0\0\0\x0a\0\1\0\0\0\x17"), PGSQL_LOOKS_SERVER},
        {BYTES("G\0\0\0\x0b\0\0\2\0\0\0\0"), PGSQL_LOOKS_SERVER},
        {BYTES("t: 12px;\n    text-align: center;\n"), PGSQL_LOOKS_FOREIGN},
        {BYTES("T: a text that begins so is none"), PGSQL_LOOKS_FOREIGN},
        {BYTES("E: a text that begins so is none"), PGSQL_LOOKS_FOREIGN},
        {BYTES("GET / HTTP/1.1\r\n\r\n"), PGSQL_LOOKS_FOREIGN},
        {BYTES("EHLO example.org\r\n"), PGSQL_LOOKS_FOREIGN},
        {BYTES("SSH-2.0-OpenSSH_9.2\r\n"), PGSQL_LOOKS_FOREIGN},
        {BYTES("\x16\3\1\0\5\1\0\0\1\0\0\0"), PGSQL_LOOKS_FOREIGN},
        {BYTES("Q\0"), PGSQL_LOOKS_UNSURE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (pgsql_look(cases[i].data) != cases[i].what) {
            print_error("case %zu\n", i);
        }
        assert_int_equal(pgsql_look(cases[i].data), cases[i].what);
    }
}

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(metric_set_check(proto_pgsql.metrics, &err));
    assert_true(event_type_check(&pgsql_event_type, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_login_is_told),
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(tls_and_gss_are_somebody_elses),
        cmocka_unit_test(refusals_go_on),
        cmocka_unit_test(the_key_of_a_cancel_is_not_told),
        cmocka_unit_test(bindings_are_shown),
        cmocka_unit_test(what_an_error_skips_is_aborted),
        cmocka_unit_test(set_of_drivers_is_no_event),
        cmocka_unit_test(statements_that_wait_are_told_at_the_end),
        cmocka_unit_test(the_queue_is_bounded),
        cmocka_unit_test(long_statements_are_whole),
        cmocka_unit_test(long_statements_are_prepared),
        cmocka_unit_test(memory_may_be_short_for_long_statements),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(holes_are_survived),
        cmocka_unit_test(binary_values_become_texts),
        cmocka_unit_test(looks_of_first_bytes),
        cmocka_unit_test(has_sound_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
