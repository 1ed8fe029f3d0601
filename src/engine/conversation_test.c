// SPDX-License-Identifier: Apache-2.0
/* A protocol of lines, made up here: "HI" begins it, each line that is whole makes an event, and "bye"
 * says that the rest is something else. What its hooks are told is written down. */
#include "engine/conversation.h"

#include "event/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FLOWS = 16, CAPACITY = 4, RECORD = 4096, FIRST = 1000 };

struct lines_stats {
    uint64_t lines;
};

struct lines_state {
    uint64_t lines;
    void *held; /* proves that on_close is called: leaked blocks are seen in slab_used() */
};

/* What the hooks were told; the protocol owns nothing, so the test's block points to it. */
struct record {
    char text[RECORD];
};

struct lines_block {
    struct lines_stats stats;
    struct record *record;
};

static const struct event_type line_type = {
    .dataset = "lines.line", .help = "A line", .size = sizeof(struct transaction),
    .fields = transaction_fields,
};

static struct record *record_of(const struct proto_context *c)
{
    return ((struct lines_block *)c->block)->record;
}

static void note(const struct proto_context *c, const char *what, unsigned side)
{
    char *to = record_of(c)->text;
    size_t used = strlen(to);
    snprintf(to + used, RECORD - used, "%u%s ", side, what);
}

static enum proto_guess lines_probe(struct span data, unsigned side)
{
    (void)side;
    if (data.size < 2) { /* an empty line tells nothing */
        return data.size == 0 || strchr("H\n", data.data[0]) != NULL ? PROTO_UNSURE : PROTO_NO;
    }
    return memcmp(data.data, "HI", 2) == 0 ? PROTO_YES : PROTO_NO;
}

static void log_line(struct proto_context *c, const struct proto_chunk *chunk, struct span line)
{
    struct transaction t = {.head = {.type = &line_type}, .start_ns = chunk->time_ns,
                            .request_side = chunk->side, .query = line};
    assert_true(event_log_add(c->events, &t.head));
}

static struct proto_taken lines_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct proto_taken taken = {0};
    struct lines_state *state = c->state;
    struct span left = chunk->data;
    const uint8_t *end;
    while (left.size > 0 && (end = memchr(left.data, '\n', left.size)) != NULL) {
        char text[64] = {0};
        struct span line = span_of(left.data, (size_t)(end - left.data));
        memcpy(text, line.data, line.size < 63 ? line.size : 63);
        note(c, text, chunk->side);
        log_line(c, chunk, line);
        taken.consumed += line.size + 1;
        left = span_skip(left, line.size + 1);
        state->lines++;
        ((struct lines_block *)c->block)->stats.lines++;
        if (state->held == NULL) {
            state->held = slab_take(c->memory, 100);
        }
        if (strcmp(text, "turn") == 0) {
            taken.verdict = PROTO_SWITCHED;
            break;
        }
        if (strcmp(text, "bye") == 0) {
            taken.verdict = PROTO_NOT_MINE;
            break;
        }
    }
    return taken;
}

static void lines_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    char text[32];
    snprintf(text, sizeof text, "gap%u", length);
    note(c, text, side);
}

static void lines_on_fin(struct proto_context *c, unsigned side)
{
    note(c, "fin", side);
}

static void lines_on_close(struct proto_context *c, enum proto_close why)
{
    static const char *const names[] = {"closed", "reset", "timeout"};
    slab_give(c->memory, ((struct lines_state *)c->state)->held);
    note(c, names[why], 9);
}

static void lines_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    (void)packet;
    note(c, "datagram", side);
}

static const struct metric no_metrics[] = {{0}};
static const struct metric_set lines_set = {
    .name = "lines", .metrics = no_metrics, .size = sizeof(struct lines_block)};
static const struct proto lines = {
    .name = "lines", .metrics = &lines_set, .flow_size = sizeof(struct lines_state),
    .probe = lines_probe, .on_chunk = lines_on_chunk, .on_gap = lines_on_gap,
    .on_fin = lines_on_fin, .on_close = lines_on_close, .on_datagram = lines_on_datagram,
};
static const struct proto_settings settings = {.enabled = true};
static const struct listeners listeners = {
    .count = 1, .has_tcp = true, .has_udp = true,
    .reads_tcp = 1, .reads_datagrams = 1, .reads_anywhere = 1,
    .items = {{.proto = &lines, .settings = &settings}}};

/* ---- The lab -------------------------------------------------------------------------------- */

struct lab {
    struct output *output;
    struct conversations *all;
    struct conversation_moment moment;
    struct lines_block block;
    struct record record;
    struct flow flows[FLOWS];
    uint32_t next[2]; /* sequence numbers of flow 1 */
};

static const struct config no_sinks;
static const struct flow_cold fifth = {.order = 5};

static int set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct err err = {0};
    struct output_options output = {.config = &no_sinks, .workers = 1, .mode = OUTBOX_DROP};
    lab->output = output_new(&output, &err);
    assert_non_null(lab->output);
    struct conversation_options options = {
        .listeners = &listeners, .outbox = output_outbox(lab->output, 0),
        .capacity = CAPACITY, .memory = 4 << 20, .wants_events = true, .text_max = 64};
    lab->all = conversations_new(&options, &err);
    assert_non_null(lab->all);
    lab->block.record = &lab->record;
    lab->moment = (struct conversation_moment){
        .blocks = (uint8_t *)&lab->block, .order = 77, .cold = &fifth, .now_ns = 1};
    for (unsigned i = 0; i < FLOWS; i++) {
        lab->flows[i].key = (struct flow_key){.address = {{10, 0, 0, 1}, {10, 0, 0, 2}},
                                              .port = {5000, 80}, .protocol = 6, .version = 4};
    }
    lab->next[0] = lab->next[1] = FIRST;
    *state = lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;
    conversations_free(lab->all);
    output_free(lab->output);
    free(lab);
    return 0;
}

/* A segment that acknowledges all that the other side of flow 1 has said. */
static void segment(struct lab *lab, flow_index index, unsigned side, const char *text,
                    uint8_t flags)
{
    size_t size = strlen(text);
    uint8_t *bytes = malloc(size + 1); /* of its own, so that a borrowed byte is found out */
    memcpy(bytes, text, size + 1);
    struct packet p = {
        .class = PACKET_TCP, .protocol = 6, .version = 4, .l4 = bytes, .payload = bytes,
        .end = bytes + size, .payload_len = (uint32_t)size, .seq = lab->next[side],
        .ack = lab->next[1 - side], .tcp_flags = (uint8_t)(TCP_ACK | flags), .frames = 1,
        .time_ns = lab->moment.now_ns,
    };
    conversation_packet(lab->all, &lab->moment, index, &lab->flows[index], &p, side);
    lab->next[side] += (uint32_t)size + (flags & TCP_FIN ? 1 : 0);
    free(bytes);
}

static void say(struct lab *lab, unsigned side, const char *text)
{
    segment(lab, 1, side, text, 0);
}

static void close_flow(struct lab *lab)
{
    conversation_close(lab->all, &lab->moment, 1, &lab->flows[1]);
}

/* The next event on its way out; false: none. */
static bool next_event(struct lab *lab, struct transaction *ret, char *query, size_t room)
{
    struct ring *ring = &output_outbox(lab->output, 0)->ring;
    size_t size;
    const struct transaction *t = ring_peek(ring, &size);
    if (t == NULL) {
        return false;
    }
    *ret = *t;
    snprintf(query, room, "%.*s", (int)t->query.size, (const char *)t->query.data);
    ring_release(ring);
    return true;
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
