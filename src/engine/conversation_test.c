// SPDX-License-Identifier: Apache-2.0
#include "engine/conversation_stage.h"

/* ---- Streams -------------------------------------------------------------------------------- */

static void lines_come_whole_however_they_were_cut(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI the");
    say(lab, 0, "re\non");
    say(lab, 1, "answer\n");
    say(lab, 0, "e\ntwo\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI there 1answer 0one 0two 9timeout ");
    assert_int_equal(lab->block.stats.lines, 4);
    assert_int_equal(lab->flows[1].flags & FLOW_HEARD, 0);
}

static void what_came_before_it_was_known_is_read_then(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "H");
    assert_string_equal(lab->record.text, "");
    assert_int_equal(conversations_stats(lab->all)->active, 0);
    say(lab, 0, "I\nmore\n");
    assert_string_equal(lab->record.text, "0HI 0more ");
    assert_int_equal(conversations_stats(lab->all)->active, 1);
    close_flow(lab);
    assert_int_equal(conversations_stats(lab->all)->active, 0);
}

/* As in the middle of a connection whose initiator was guessed wrong. */
static void who_spoke_first_is_read_first_as_of_then(void **state)
{
    struct lab *lab = *state;
    struct transaction t;
    char query[100];
    lab->moment.now_ns = 100;
    say(lab, 1, "\n");
    lab->moment.now_ns = 200;
    say(lab, 0, "HI\n");
    assert_string_equal(lab->record.text, "1 0HI ");
    assert_true(next_event(lab, &t, query, sizeof query));
    assert_int_equal(t.start_ns, 100);
    assert_true(next_event(lab, &t, query, sizeof query));
    assert_int_equal(t.start_ns, 200);
}

static void a_stranger_is_not_asked_again(void **state)
{
    struct lab *lab = *state;
    lab->flows[1].tcp_flags[0] = TCP_SYN;
    lab->flows[1].next_seq[0] = FIRST;
    say(lab, 0, "GET / HTTP/1.1\n");
    assert_true(lab->flows[1].flags & FLOW_UNHEARD);
    say(lab, 0, "HI\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "");
    assert_int_equal(conversations_stats(lab->all)->let_go, 0); /* it never had a protocol */
}

static void a_protocol_may_let_go(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI\nbye\nsecret\n");
    say(lab, 0, "more\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI 0bye 9closed ");
    assert_int_equal(conversations_stats(lab->all)->let_go, 1);
    assert_true(lab->flows[1].flags & FLOW_UNHEARD);
    assert_false(lab->flows[1].flags & FLOW_HEARD);
}

static void a_line_without_end_is_let_go_of(void **state)
{
    struct lab *lab = *state;
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[1000] = '\0';
    say(lab, 0, "HI\n");
    for (unsigned i = 0; i < PROTO_PENDING_MAX / 1000; i++) {
        say(lab, 0, text);
    }
    assert_true(lab->flows[1].flags & FLOW_HEARD);
    say(lab, 0, text);
    assert_false(lab->flows[1].flags & FLOW_HEARD);
    assert_string_equal(lab->record.text, "0HI 9closed ");
}

static void a_gap_is_told_and_drops_what_waited(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI\nhal");
    lab->next[0] += 100; /* lost by the capture */
    say(lab, 0, "rest\nnew\n");
    say(lab, 1, "ok\n"); /* acknowledges all */
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI 0gap100 0rest 0new 1ok 9timeout ");
}

/* Where the beginning was not captured, what follows may tell what it is; not for ever. */
static void a_gap_at_the_beginning_is_passed_over(void **state)
{
    struct lab *lab = *state;
    lab->flows[1].tcp_flags[0] = lab->flows[1].tcp_flags[1] = TCP_SYN;
    lab->flows[1].next_seq[0] = lab->flows[1].next_seq[1] = FIRST;
    lab->next[0] += 3;
    say(lab, 0, "?\n");
    say(lab, 1, "what\n");
    say(lab, 0, "HI\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0gap0 1gap0 0HI 9timeout ");
}

/* Nor was that of a connection that is met amid an answer, or at a byte that keeps it alive. */
static void one_that_is_met_midway_may_be_told_later(void **state)
{
    struct lab *lab = *state;
    for (unsigned i = 0; i < 100; i++) {
        say(lab, 1, "rest of a long answer");
    }
    say(lab, 0, "HI\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0gap0 1gap0 0HI 9timeout ");
}

static void what_was_before_does_not_hide_what_is_said(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "\n");
    say(lab, 0, "HI\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0gap0 1gap0 0HI 9timeout ");
}

static void a_stranger_met_midway_is_let_go_of(void **state)
{
    struct lab *lab = *state;
    for (unsigned i = 0; i < 10; i++) {
        say(lab, i % 2, "what");
    }
    assert_true(lab->flows[1].flags & FLOW_UNHEARD);
    assert_string_equal(lab->record.text, "");
}

static void time_alone_ends_the_wait_for_what_is_missing(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI\n");
    lab->next[0] += 7;
    say(lab, 0, "late\n");
    assert_string_equal(lab->record.text, "0HI ");
    lab->moment.now_ns += 2 * TCP_STREAM_WAIT_NS;
    conversation_age(lab->all, &lab->moment, 1, &lab->flows[1]);
    assert_string_equal(lab->record.text, "0HI 0gap7 0late ");
}

static void ends_are_told_apart(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI\n");
    segment(lab, 1, 0, "", TCP_FIN);
    segment(lab, 1, 1, "", TCP_FIN);
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI 0fin 1fin 9closed ");
    lab->record.text[0] = '\0';
    say(lab, 0, "HI\n");
    segment(lab, 1, 1, "", TCP_RST);
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI 9reset ");
}

/* ---- Events and bounds ------------------------------------------------------------------------ */

static void events_have_their_ends_and_their_order(void **state)
{
    struct lab *lab = *state;
    lab->flows[1].initiator = 1; /* port 80 asks */
    lab->flows[1].flags |= FLOW_INCOMPLETE;
    say(lab, 0, "HI\n");
    say(lab, 1, "answer\n");
    struct transaction t;
    char query[100];
    assert_true(next_event(lab, &t, query, sizeof query));
    assert_string_equal(query, "HI");
    assert_int_equal(t.head.order, 77);
    assert_int_equal(t.head.suborder, 5);
    assert_int_equal(t.source_port, 80);
    assert_int_equal(t.destination_port, 5000);
    assert_int_equal(t.source.bytes[3], 2);
    assert_true(t.incomplete);
    assert_string_equal(t.transport, "tcp");
    assert_memory_equal(t.community_id, "1:", 2);
    assert_true(next_event(lab, &t, query, sizeof query));
    assert_string_equal(query, "answer");
    assert_int_equal(t.source_port, 5000); /* who asked is the source */
    assert_false(next_event(lab, &t, query, sizeof query));
}

static void no_more_conversations_than_there_is_room_for(void **state)
{
    struct lab *lab = *state;
    for (flow_index i = 1; i <= CAPACITY + 2; i++) {
        segment(lab, i, 0, "HI\n", 0);
    }
    assert_int_equal(conversations_stats(lab->all)->active, CAPACITY);
    assert_int_equal(conversations_stats(lab->all)->refused, 2);
    assert_true(lab->flows[CAPACITY + 1].flags & FLOW_UNHEARD);
    close_flow(lab);
    segment(lab, CAPACITY + 3, 0, "HI\n", 0); /* takes its place */
    assert_true(lab->flows[CAPACITY + 3].flags & FLOW_HEARD);
    assert_int_equal(conversations_stats(lab->all)->refused, 2);
}

/* Behind "turn" all protocols are asked anew; the other side's words wait for that as well. */
static void a_connection_may_switch(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI\nturn\nHI again\n");
    say(lab, 1, "HI\n");
    say(lab, 0, "turn\n?!\n");
    assert_true(lab->flows[1].flags & FLOW_UNHEARD); /* "?!" is nobody's */
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI 0turn 9closed 0HI again 1HI 0turn 9closed ");
}

/* Who turns with every line is not followed for ever. */
static void it_switches_a_few_times_only(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "HI\nturn\nHI\nturn\nHI\nturn\nHI\nturn\nHI\nturn\nHI\nturn\n");
    assert_true(lab->flows[1].flags & FLOW_UNHEARD);
}

static void datagrams_come_one_by_one(void **state)
{
    struct lab *lab = *state;
    static const uint8_t hi[] = "HI\nthere\n", what[] = "? what !";
    struct packet p = {.class = PACKET_UDP, .protocol = 17, .version = 4, .l4 = what, .payload = what,
                       .end = what + 7, .payload_len = 7, .frames = 1};
    lab->flows[1].key.protocol = lab->flows[2].key.protocol = 17;
    conversation_packet(lab->all, &lab->moment, 1, &lab->flows[1], &p, 0); /* too little to tell */
    assert_false(lab->flows[1].flags & FLOW_UNHEARD);
    p.payload = p.l4 = hi;
    p.payload_len = 8;
    p.end = hi + 8;
    conversation_packet(lab->all, &lab->moment, 1, &lab->flows[1], &p, 0);
    p.payload = p.l4 = what;
    p.end = what + 8;
    conversation_packet(lab->all, &lab->moment, 1, &lab->flows[1], &p, 1); /* known already */
    conversation_packet(lab->all, &lab->moment, 2, &lab->flows[2], &p, 0);
    assert_true(lab->flows[2].flags & FLOW_UNHEARD);
    close_flow(lab);
    assert_string_equal(lab->record.text, "0datagram 1datagram 9timeout ");
}

/* ---- Headers of proxies ---------------------------------------------------------------------- */

static void what_stands_behind_a_header_is_the_beginning(void **state)
{
    struct lab *lab = *state;
    for (const char *at = "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nHI\nthere\n"; *at != '\0'; at++) {
        say(lab, 0, (const char[]){*at, '\0'});
    }
    say(lab, 1, "answer\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HI 0there 1answer 9timeout ");
}

static void a_server_may_speak_before_the_header(void **state)
{
    struct lab *lab = *state;
    say(lab, 0, "PROXY ");
    say(lab, 1, "HI you\n");
    say(lab, 0, "UNKNOWN\r\nthe");
    say(lab, 0, "re\nPROXY UNKNOWN\r\n"); /* this is none, for it does not stand first */
    close_flow(lab);
    assert_string_equal(lab->record.text, "1HI you 0there 0PROXY UNKNOWN\r 9timeout ");
    assert_int_equal(conversations_stats(lab->all)->proxy_headers, 1);
}

static void what_is_no_header_after_all_is_read(void **state)
{
    struct lab *lab = *state;
    say(lab, 1, "HI\n");
    lab->moment.now_ns = 500;
    say(lab, 0, "PRO");
    lab->moment.now_ns = 600;
    say(lab, 0, "MPT\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "1HI 0PROMPT 9timeout ");
}

static void a_datagram_may_have_a_header(void **state)
{
    struct lab *lab = *state;
    static const uint8_t bytes[] = "\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c" "addressesxxxHI\nthere\n";
    struct packet p = {.class = PACKET_UDP, .protocol = 17, .version = 4, .l4 = bytes, .payload = bytes,
                       .end = bytes + sizeof bytes - 1, .payload_len = sizeof bytes - 1, .frames = 1};
    lab->flows[1].key.protocol = 17;
    conversation_packet(lab->all, &lab->moment, 1, &lab->flows[1], &p, 0);
    assert_ptr_equal(p.payload, bytes);
    close_flow(lab);
    assert_string_equal(lab->record.text, "0datagram 9timeout ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_come_whole_however_they_were_cut),
        TEST(what_came_before_it_was_known_is_read_then),
        TEST(who_spoke_first_is_read_first_as_of_then),
        TEST(a_stranger_is_not_asked_again),
        TEST(a_protocol_may_let_go),
        TEST(a_line_without_end_is_let_go_of),
        TEST(a_gap_is_told_and_drops_what_waited),
        TEST(a_gap_at_the_beginning_is_passed_over),
        TEST(one_that_is_met_midway_may_be_told_later),
        TEST(what_was_before_does_not_hide_what_is_said),
        TEST(a_stranger_met_midway_is_let_go_of),
        TEST(time_alone_ends_the_wait_for_what_is_missing),
        TEST(ends_are_told_apart),
        TEST(events_have_their_ends_and_their_order),
        TEST(no_more_conversations_than_there_is_room_for),
        TEST(a_connection_may_switch),
        TEST(it_switches_a_few_times_only),
        TEST(datagrams_come_one_by_one),
        TEST(what_stands_behind_a_header_is_the_beginning),
        TEST(a_server_may_speak_before_the_header),
        TEST(what_is_no_header_after_all_is_read),
        TEST(a_datagram_may_have_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
