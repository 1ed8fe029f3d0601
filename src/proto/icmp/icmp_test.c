// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/json.h"
#include "base/json_check.h"
#include "proto/icmp/icmp_event.h"
#include "proto/icmp/icmp_flow.h"
#include "proto/icmp/icmp_words.h"

extern const struct proto proto_icmp;

enum { ASKS, ANSWERS, BUDGET = 1 << 20, LOG = 1 << 20 };

static const uint64_t second = 1000000000;

struct stage {
    struct icmp_stats stats;
    struct icmp_flow state;
    struct flow flow;
    struct proto_settings settings;
    struct slab *slab;
    struct event_log log;
    struct json said;
    struct proto_context context;
};

static void stage_init(struct stage *s, uint8_t version)
{
    *s = (struct stage){.slab = slab_new(BUDGET),
                        .flow = {.key = {.version = version}},
                        .settings = {.report_unmatched = true,
                                     .transaction_timeout = (int64_t)(10 * second)}};
    s->log = (struct event_log){
        .memory = aligned_alloc(64, LOG), .capacity = LOG, .text_max = 1000};
    s->context = (struct proto_context){.block = &s->stats,
                                        .state = &s->state,
                                        .flow = &s->flow,
                                        .memory = s->slab,
                                        .events = &s->log,
                                        .settings = &s->settings};
    json_init(&s->said);
    assert_non_null(s->slab);
    assert_non_null(s->log.memory);
}

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

static void say(struct stage *s, unsigned side, uint8_t type, uint16_t number, uint64_t now_ns)
{
    uint8_t bytes[20] = {type, 0, 0, 0, 0x12, 0x34, (uint8_t)(number >> 8), (uint8_t)number};
    struct packet p = {.time_ns = now_ns,
                       .l4 = bytes,
                       .payload = bytes + 8,
                       .payload_len = 12,
                       .end = bytes + sizeof bytes,
                       .icmp_type = type};
    proto_icmp.on_datagram(&s->context, &p, side);
    pass_events(s);
}

static char *stage_done(struct stage *s)
{
    proto_icmp.on_close(&s->context, PROTO_TIMEOUT);
    pass_events(s);
    assert_int_equal(slab_used(s->slab), 0);
    assert_int_equal(s->log.lost, 0);
    slab_free(s->slab);
    free(s->log.memory);
    json_append(&s->said, "", 1);
    return s->said.data;
}

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&icmp_event_type, &err));
    assert_true(metric_set_check(&icmp_set, &err));
}

static void assert_word(unsigned version, uint8_t type, uint8_t code, const char *expected)
{
    char room[ICMP_WORD_ROOM];
    struct span word = icmp_word(version, type, code, room);
    assert_int_equal(word.size, strlen(expected));
    assert_memory_equal(word.data, expected, word.size);
}

static void names_types(void **state)
{
    (void)state;
    assert_word(4, 8, 0, "EchoRequest");
    assert_word(4, 8, 7, "EchoRequest(Code: 7)");
    assert_word(4, 3, 3, "DestinationUnreachable(Port)");
    assert_word(4, 3, 200, "DestinationUnreachable(Code: 200)");
    assert_word(4, 11, 0, "TimeExceeded(TTLExceeded)");
    assert_word(4, 42, 1, "42(1)");
    assert_word(4, 255, 0, "255(0)");
    assert_word(6, 128, 0, "EchoRequest");
    assert_word(6, 1, 4, "DestinationUnreachable(PortUnreachable)");
    assert_word(6, 135, 0, "NeighborSolicitation");
    assert_word(6, 255, 0, "255(0)");
}

static void matches_replies(void **state)
{
    (void)state;
    struct stage s;
    stage_init(&s, 4);
    for (uint16_t i = 0; i < 20; i++) {
        say(&s, ASKS, 8, i, second + i);
    }
    for (uint16_t i = 20; i-- > 0;) {
        say(&s, ANSWERS, 0, i, second + 100 + i);
    }
    say(&s, ANSWERS, 0, 5, 2 * second);
    char *said = stage_done(&s);
    assert_int_equal(s.stats.transactions, 20);
    assert_int_equal(s.stats.unmatched, 1);
    assert_int_equal(s.stats.unanswered, 0);
    assert_non_null(strstr(said, "\"icmp\":{\"request\":{\"code\":0,\"message\":\"EchoRequest\",\"type\":8},"
                                 "\"response\":{\"code\":0,\"message\":\"EchoReply\",\"type\":0},"
                                 "\"version\":4}"));
    assert_non_null(strstr(said, "without an associated request"));
    free(said);
}

static void reports_what_has_no_reply(void **state)
{
    (void)state;
    struct stage s;
    stage_init(&s, 6);
    say(&s, ASKS, 128, 1, second);
    say(&s, ASKS, 128, 1, 2 * second);
    say(&s, ASKS, 128, 2, 20 * second);
    char *said = stage_done(&s);
    assert_int_equal(s.stats.repeated, 1);
    assert_int_equal(s.stats.unanswered, 3);
    assert_non_null(strstr(said, "Another request with the same Id and Seq"));
    assert_non_null(strstr(said, "without an associated response"));
    assert_non_null(strstr(said, "\"reason\":\"timeout\""));
    free(said);
}

static void holds_no_more_than_it_may(void **state)
{
    (void)state;
    struct stage s;
    stage_init(&s, 4);
    for (unsigned i = 0; i < 2 * ICMP_WAITING_MAX; i++) {
        say(&s, ASKS, 8, (uint16_t)i, second + i);
    }
    say(&s, ANSWERS, 0, 2 * ICMP_WAITING_MAX - 1, 2 * second);
    say(&s, ANSWERS, 0, 3, 2 * second);
    free(stage_done(&s));
    assert_int_equal(s.stats.evicted, ICMP_WAITING_MAX);
    assert_int_equal(s.stats.transactions, 1);
    assert_int_equal(s.stats.unmatched, 1);
    assert_int_equal(s.stats.unanswered, 2 * ICMP_WAITING_MAX - 1);
}

static void reports_errors(void **state)
{
    (void)state;
    struct stage s;
    stage_init(&s, 4);
    say(&s, ASKS, 3, 0, second);
    say(&s, ASKS, 5, 0, second);
    char *said = stage_done(&s);
    assert_int_equal(s.stats.errors, 1);
    assert_int_equal(s.stats.others, 1);
    assert_non_null(strstr(said, "\"status\":\"Error\""));
    assert_non_null(strstr(said, "\"status\":\"OK\""));
    assert_null(strstr(said, "\"protocol\""));
    free(said);
}

static void survives_short_ones(void **state)
{
    (void)state;
    struct stage s;
    stage_init(&s, 4);
    uint8_t bytes[4] = {8};
    struct packet p = {.l4 = bytes, .end = bytes + sizeof bytes, .icmp_type = 8};
    proto_icmp.on_datagram(&s.context, &p, 0);
    free(stage_done(&s));
    assert_int_equal(s.stats.malformed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),          cmocka_unit_test(names_types),
        cmocka_unit_test(matches_replies),           cmocka_unit_test(reports_what_has_no_reply),
        cmocka_unit_test(holds_no_more_than_it_may), cmocka_unit_test(reports_errors),
        cmocka_unit_test(survives_short_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
