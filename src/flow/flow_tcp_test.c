// SPDX-License-Identifier: Apache-2.0
/* Connections as they are seen on the wire, packet by packet, against Zeek's words for them. */
#include "flow/flow.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { S = TCP_SYN, A = TCP_ACK, F = TCP_FIN, R = TCP_RST, MS = 1000000 };
enum { CLIENT, SERVER };

/* 10.0.0.1:40000 asks 10.0.0.2:80. */
struct lab {
    struct flow_table *table;
    flow_index flow;
    uint64_t now_ns;
    uint16_t window;
    struct flow_update update; /* of the last packet */
    uint8_t bytes[2][44]; /* with a word of options at the end */
};

static int set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct flow_table_options options = {.capacity = 16, .seed = 1};
    lab->table = flow_table_new(&options, NULL);
    lab->now_ns = 1000 * (uint64_t)MS;
    lab->window = 1000;
    memcpy(lab->bytes[CLIENT] + 12, (uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
    memcpy(lab->bytes[SERVER] + 12, (uint8_t[]){10, 0, 0, 2, 10, 0, 0, 1}, 8);
    *state = lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;
    flow_table_free(lab->table);
    free(lab);
    return 0;
}

static struct packet segment(struct lab *lab, int from, uint8_t flags, uint32_t seq, uint32_t ack,
                             uint32_t payload)
{
    uint8_t *ip = lab->bytes[from];
    return (struct packet){
        .time_ns = lab->now_ns, .version = 4, .ip = ip, .l4 = ip + 20, .end = ip + 40,
        .protocol = IPPROTO_TCP, .class = PACKET_TCP, .frames = 1, .wire_len = 54 + payload,
        .payload_len = payload, .seq = seq, .ack = ack, .window = lab->window, .tcp_flags = flags,
        .has_ports = true, .source_port = from == CLIENT ? 40000 : 80,
        .destination_port = from == CLIENT ? 80 : 40000, .ttl = from == CLIENT ? 64 : 128,
    };
}

/* As the engine does it: find or begin, then count. */
static void pass(struct lab *lab, const struct packet *p)
{
    struct flow_key key;
    int end = flow_key_make(p, &key);
    uint64_t hash = flow_key_hash(&key, 1);
    if (lab->flow != 0 && flow_is_reopened(flow_at(lab->table, lab->flow), p, end)) {
        flow_drop(lab->table, lab->flow);
        lab->flow = 0;
    }
    if (lab->flow == 0) {
        lab->flow = flow_add(lab->table, &key, hash);
        flow_begin(lab->table, lab->flow, p, end, 1);
    }
    flow_count(lab->table, lab->flow, p, end, &lab->update);
    lab->now_ns += MS;
}

static void tcp(struct lab *lab, int from, uint8_t flags, uint32_t seq, uint32_t ack,
                uint32_t payload)
{
    struct packet p = segment(lab, from, flags, seq, ack, payload);
    pass(lab, &p);
}

static struct flow *flow_of(struct lab *lab)
{
    return flow_at(lab->table, lab->flow);
}

static void assert_story(struct lab *lab, const char *connection, const char *history)
{
    char text[16];
    flow_history_text(flow_of(lab), flow_cold_at(lab->table, lab->flow), text);
    assert_string_equal(text, history);
    assert_string_equal(flow_connection_state(flow_of(lab)), connection);
}

static void open_connection(struct lab *lab)
{
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, A, 101, 501, 0);
}

static void a_whole_connection(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    assert_story(lab, "S0", "S");
    tcp(lab, SERVER, S | A, 500, 101, 0);
    assert_story(lab, "S1", "Sh");
    assert_false(lab->update.opened);
    tcp(lab, CLIENT, A, 101, 501, 0);
    assert_true(lab->update.opened);
    const struct flow_cold *cold = flow_cold_at(lab->table, lab->flow);
    assert_int_equal(cold->handshake_us, 2000);
    assert_int_equal(flow_round_trip_ns(cold, 0), 1000000);
    assert_int_equal(flow_round_trip_ns(cold, 1), 1000000);
    tcp(lab, CLIENT, A, 101, 501, 50);
    assert_false(lab->update.opened);
    tcp(lab, SERVER, A, 501, 151, 0);
    tcp(lab, SERVER, A, 501, 151, 900);
    tcp(lab, CLIENT, A, 151, 1401, 0);
    tcp(lab, CLIENT, F | A, 151, 1401, 0);
    assert_story(lab, "S2", "ShADadF");
    tcp(lab, SERVER, F | A, 1401, 152, 0);
    assert_false(lab->update.closed);
    tcp(lab, CLIENT, A, 152, 1402, 0);
    assert_true(lab->update.closed);
    assert_story(lab, "SF", "ShADadFf");
    struct flow *flow = flow_of(lab);
    assert_true(flow->flags & FLOW_CLOSED);
    assert_false(flow->flags & (FLOW_FLIPPED | FLOW_INCOMPLETE));
    assert_int_equal(flow->packets[0], 6);
    assert_int_equal(flow->packets[1], 4);
    assert_int_equal(flow->bytes[1], 4 * 54 + 900);
    assert_int_equal(flow->tcp_flags[0], S | A | F);
    assert_int_equal(flow->ttl[1], 128);
    assert_int_equal(flow->retransmissions, 0);
    assert_true(flow->last_ns - flow->first_ns == 9 * (uint64_t)MS);
}

/* Of 10 ms in all the server had 3; then with a SYN more, when nobody can say which was answered. */
static void round_trips_are_told_by_plain_handshakes(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    lab->now_ns += 2 * (uint64_t)MS;
    tcp(lab, SERVER, S | A, 500, 101, 0);
    lab->now_ns += 6 * (uint64_t)MS;
    tcp(lab, CLIENT, A, 101, 501, 0);
    const struct flow_cold *cold = flow_cold_at(lab->table, lab->flow);
    assert_int_equal(cold->handshake_us, 10000);
    uint64_t server = flow_round_trip_ns(cold, 1), client = flow_round_trip_ns(cold, 0);
    assert_in_range(server, 2998000, 3000000);
    assert_in_range(client, 7000000, 7002000);
}

static void round_trips_are_not_guessed(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, A, 101, 501, 0);
    const struct flow_cold *cold = flow_cold_at(lab->table, lab->flow);
    assert_int_equal(cold->handshake_us, 3000);
    assert_int_equal(flow_round_trip_ns(cold, 0), 0);
    assert_int_equal(flow_round_trip_ns(cold, 1), 0);
}

static void attempts_that_failed(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, CLIENT, S, 100, 0, 0);
    assert_story(lab, "S0", "S");
    assert_false(lab->update.retransmission);
    tcp(lab, SERVER, R | A, 0, 101, 0);
    assert_true(lab->update.closed);
    assert_story(lab, "REJ", "Sr");
    tcp(lab, CLIENT, S, 100, 0, 0); /* some ask again */
    tcp(lab, SERVER, R | A, 0, 101, 0);
    assert_false(lab->update.closed);
    assert_story(lab, "REJ", "Sr");
}

static void a_scan_that_takes_its_syn_back(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, CLIENT, R, 101, 0, 0);
    assert_story(lab, "RSTOS0", "SR");
}

static void a_scan_that_was_answered(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, R, 101, 0, 0);
    assert_false(lab->update.opened);
    assert_story(lab, "RSTO", "ShR");
}

static void resets_of_either_end(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, SERVER, R, 501, 0, 0);
    assert_true(lab->update.closed);
    assert_story(lab, "RSTR", "ShAr");
    tcp(lab, CLIENT, R, 101, 0, 0);
    assert_false(lab->update.closed);
    assert_story(lab, "REJ", "ShArR"); /* as Zeek has it, for want of data */
}

static void half_open_and_half_closed(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, CLIENT, F, 101, 0, 0);
    assert_story(lab, "SH", "SF");
    tear_down(state);
    set_up(state);
    lab = *state;
    open_connection(lab);
    tcp(lab, SERVER, F | A, 501, 101, 0);
    tcp(lab, CLIENT, A, 101, 502, 0);
    assert_story(lab, "S3", "ShAf");
    assert_false(lab->update.closed);
}

static void answers_without_a_question(void **state)
{
    struct lab *lab = *state;
    tcp(lab, SERVER, S | A, 500, 101, 0);
    assert_int_equal(lab->update.side, 1);
    assert_true(flow_of(lab)->flags & FLOW_FLIPPED);
    tcp(lab, SERVER, R, 501, 0, 0);
    assert_story(lab, "RSTRH", "^hr");
    tear_down(state);
    set_up(state);
    lab = *state;
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, SERVER, F | A, 501, 101, 0);
    assert_story(lab, "SHR", "^hf");
}

static void a_syn_that_the_capture_missed_or_swapped(void **state)
{
    struct lab *lab = *state;
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, A, 101, 501, 0);
    assert_false(lab->update.opened);
    assert_story(lab, "S1", "^hA");
    tear_down(state);
    set_up(state);
    lab = *state;
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, CLIENT, A, 101, 501, 0);
    assert_true(lab->update.opened);
    assert_story(lab, "S1", "^hSA");
    assert_int_equal(flow_cold_at(lab->table, lab->flow)->handshake_us, 0);
}

static void a_late_syn_ack(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, CLIENT, A, 101, 501, 0);
    assert_false(lab->update.opened);
    tcp(lab, SERVER, S | A, 500, 101, 0);
    assert_true(lab->update.opened);
    tcp(lab, CLIENT, A, 101, 501, 10);
    assert_false(lab->update.opened);
    assert_story(lab, "S1", "SAhD");
}

static void joined_midway(void **state)
{
    struct lab *lab = *state;
    tcp(lab, SERVER, A, 500, 101, 1000);
    assert_int_equal(lab->update.side, 1); /* port 80 answers */
    tcp(lab, CLIENT, A, 101, 1500, 0);
    tcp(lab, SERVER, A, 1500, 101, 1000);
    assert_story(lab, "OTH", "^dA");
    assert_int_equal(flow_of(lab)->retransmissions, 0);
    assert_int_equal(flow_of(lab)->next_seq[1], 2500);
}

static void joined_midway_between_unknown_ports(void **state)
{
    struct lab *lab = *state;
    struct packet p = segment(lab, CLIENT, A, 1, 1, 0);
    p.source_port = 5001;
    p.destination_port = 40000;
    pass(lab, &p);
    assert_int_equal(lab->update.side, 1);
    tear_down(state);
    set_up(state);
    lab = *state;
    p = segment(lab, CLIENT, A, 1, 1, 0);
    p.source_port = 800; /* NFS clients use reserved ports */
    p.destination_port = 2049;
    pass(lab, &p);
    assert_int_equal(lab->update.side, 0);
}

static void simultaneous_open(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, SERVER, S, 500, 0, 0);
    assert_story(lab, "S1", "Ss");
    tcp(lab, CLIENT, S | A, 100, 501, 0);
    assert_true(lab->update.opened);
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, A, 101, 501, 10);
    assert_false(lab->update.opened);
    assert_int_equal(lab->update.side, 0);
    assert_story(lab, "S1", "SsD");
}

static void fast_open(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 30);
    tcp(lab, SERVER, S | A, 500, 131, 0);
    tcp(lab, CLIENT, A, 131, 501, 0);
    assert_true(lab->update.opened);
    tcp(lab, CLIENT, A, 131, 501, 10);
    assert_false(lab->update.retransmission);
    assert_story(lab, "S1", "ShAD");
    assert_false(flow_of(lab)->flags & FLOW_INCOMPLETE);
}

static void fast_open_that_was_refused(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 30);
    tcp(lab, SERVER, S | A, 500, 101, 0);
    tcp(lab, CLIENT, A, 101, 501, 30);
    assert_true(lab->update.opened);
    assert_true(lab->update.retransmission);
}

static void an_ack_before_the_answer(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, SERVER, A, 77, 9, 0); /* challenged, RFC 5961 §4 */
    assert_story(lab, "S0", "Sa");
    tcp(lab, SERVER, S | A, 500, 101, 0);
    assert_story(lab, "S1", "Sah");
    assert_int_equal(flow_of(lab)->next_seq[1], 501);
}

static void retransmissions_and_late_segments(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, SERVER, A, 501, 101, 100);
    tcp(lab, SERVER, A, 501, 101, 100);
    assert_true(lab->update.retransmission);
    tcp(lab, SERVER, A, 701, 101, 100); /* 601 is missing */
    assert_false(lab->update.out_of_order || lab->update.retransmission);
    tcp(lab, SERVER, A, 601, 101, 100);
    assert_true(lab->update.out_of_order);
    assert_false(lab->update.retransmission);
    tcp(lab, CLIENT, A, 101, 801, 0); /* all of it has arrived */
    tcp(lab, SERVER, A, 601, 101, 100);
    assert_true(lab->update.retransmission);
    assert_int_equal(flow_of(lab)->retransmissions, 2);
    assert_int_equal(flow_of(lab)->out_of_order, 1);
    assert_false(flow_of(lab)->flags & FLOW_INCOMPLETE);
    assert_story(lab, "S1", "ShAdt");
}

static void keep_alives_are_no_retransmissions(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, CLIENT, A, 101, 501, 10);
    tcp(lab, CLIENT, A, 110, 501, 0);
    tcp(lab, CLIENT, A, 110, 501, 1);
    assert_false(lab->update.retransmission || lab->update.out_of_order);
    assert_int_equal(flow_of(lab)->next_seq[0], 111);
    tcp(lab, CLIENT, A, 109, 501, 1);
    assert_true(lab->update.retransmission);
}

static void sequence_numbers_wrap(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, UINT32_MAX - 10, 0, 0);
    tcp(lab, SERVER, S | A, 500, UINT32_MAX - 9, 0);
    tcp(lab, CLIENT, A, UINT32_MAX - 9, 501, 100);
    assert_int_equal(flow_of(lab)->next_seq[0], 90);
    tcp(lab, CLIENT, A, 90, 501, 100);
    tcp(lab, CLIENT, A, UINT32_MAX - 9, 501, 100);
    assert_true(lab->update.retransmission);
    tcp(lab, SERVER, A, 501, 190, 0);
    assert_false(flow_of(lab)->flags & FLOW_INCOMPLETE);
    assert_int_equal(flow_of(lab)->next_seq[0], 190);
}

static void letters_come_at_every_tenth_power(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, SERVER, A, 501, 101, 100);
    for (int i = 0; i < 99; i++) {
        tcp(lab, SERVER, A, 501, 101, 100);
    }
    assert_story(lab, "S1", "ShAdtt");
    tcp(lab, SERVER, A, 501, 101, 100);
    assert_story(lab, "S1", "ShAdttt");
    lab->window = 0;
    for (int i = 0; i < 20; i++) {
        tcp(lab, CLIENT, A, 101, 601, 0);
    }
    assert_story(lab, "S1", "ShAdtttWW");
    assert_int_equal(flow_of(lab)->retransmissions, 100);
}

static void a_full_history_stays_legible(void **state)
{
    struct lab *lab = *state;
    for (int round = 0; round < 200; round++) {
        lab->window = (uint16_t)(round % 2);
        for (unsigned flags = 0; flags < 64; flags++) {
            struct packet p = segment(lab, round % 2, (uint8_t)flags, (uint32_t)flags * 7919,
                                      (uint32_t)round * 104729, flags % 3);
            struct flow_key key;
            int end = flow_key_make(&p, &key);
            if (lab->flow == 0) {
                lab->flow = flow_add(lab->table, &key, flow_key_hash(&key, 1));
                flow_begin(lab->table, lab->flow, &p, end, 1);
            }
            struct flow_update update;
            flow_count(lab->table, lab->flow, &p, end, &update);
        }
    }
    char text[16];
    flow_history_text(flow_of(lab), flow_cold_at(lab->table, lab->flow), text);
    assert_in_range(strlen(text), 13, 15);
    assert_non_null(flow_connection_state(flow_of(lab)));
}

static void what_the_capture_missed_shows(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, SERVER, A, 501, 101, 100);
    tcp(lab, SERVER, A, 701, 101, 100);
    tcp(lab, CLIENT, A, 101, 601, 0);
    assert_false(flow_of(lab)->flags & FLOW_INCOMPLETE);
    tcp(lab, CLIENT, A, 101, 801, 0);
    assert_true(flow_of(lab)->flags & FLOW_INCOMPLETE);
    assert_story(lab, "S1", "ShAdg");
}

static void acknowledged_but_never_seen(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, CLIENT, A, 101, 701, 0);
    assert_story(lab, "S1", "ShAg");
    tcp(lab, SERVER, A, 501, 101, 200); /* the capture had them in the wrong order */
    assert_true(lab->update.out_of_order);
    assert_false(lab->update.retransmission);
}

static void odd_flags(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S | F, 100, 0, 0);
    tcp(lab, CLIENT, F | R, 100, 0, 0);
    assert_story(lab, "OTH", "QI");
}

static void fin_then_reset_is_a_normal_end(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    tcp(lab, CLIENT, F | A, 101, 501, 0);
    tcp(lab, CLIENT, R, 102, 0, 0);
    assert_true(lab->update.closed);
    tcp(lab, SERVER, F | A, 501, 102, 0);
    assert_story(lab, "SF", "ShAFRf");
}

static void ports_are_used_again(void **state)
{
    struct lab *lab = *state;
    a_whole_connection(state);
    tcp(lab, CLIENT, S, 70000, 0, 0);
    assert_story(lab, "S0", "S");
    assert_int_equal(flow_of(lab)->packets[0], 1);
    tcp(lab, CLIENT, R, 70001, 0, 0);
    tcp(lab, CLIENT, S, 70000, 0, 0); /* after its own reset even the same number is new */
    assert_story(lab, "S0", "S");
}

static void a_connection_that_lives_is_not_reopened(void **state)
{
    struct lab *lab = *state;
    open_connection(lab);
    struct packet again = segment(lab, CLIENT, S, 100, 0, 0);
    struct packet other = segment(lab, CLIENT, S, 9000, 0, 0);
    int end = (int)flow_of(lab)->initiator;
    assert_false(flow_is_reopened(flow_of(lab), &again, end));
    assert_false(flow_is_reopened(flow_of(lab), &other, end));
    other.time_ns += 61000 * (uint64_t)MS;
    assert_true(flow_is_reopened(flow_of(lab), &other, end));
    other.tcp_flags |= TCP_ACK;
    assert_false(flow_is_reopened(flow_of(lab), &other, end));
    tcp(lab, CLIENT, F | A, 101, 501, 0);
    other = segment(lab, CLIENT, S, 9000, 0, 0);
    assert_true(flow_is_reopened(flow_of(lab), &other, end));
}

static void headers_that_were_cut_off_are_only_counted(void **state)
{
    struct lab *lab = *state;
    struct packet p = segment(lab, CLIENT, 0, 0, 0, 900);
    p.malformed = PACKET_SNAPPED;
    p.end = p.l4 + 8;
    pass(lab, &p);
    assert_story(lab, "OTH", "");
    assert_int_equal(flow_of(lab)->packets[0], 1);
    p = segment(lab, CLIENT, A, 1, 0, 900);
    p.fragment = FRAGMENT_FIRST;
    pass(lab, &p);
    assert_story(lab, "OTH", "");
    assert_true(flow_of(lab)->flags & FLOW_FRAGMENTS);
}

/* A SYN or its answer with options: a scale of windows (0xff: none), and enough to fill the header. */
static void syn(struct lab *lab, int from, uint8_t flags, uint32_t seq, uint32_t ack, uint8_t scale)
{
    uint8_t *ip = lab->bytes[from];
    struct packet p = segment(lab, from, flags, seq, ack, 0);
    memcpy(ip + 40, (uint8_t[]){3, 3, scale, 0}, 4);
    ip[40] = scale == 0xff ? 0 : 3;
    p.end = p.payload = ip + 44;
    pass(lab, &p);
}

/* Windows are 1000 << 7 octets: what is within twice that is believed. */
static void open_scaled(struct lab *lab, uint32_t first)
{
    syn(lab, CLIENT, S, first - 1, 0, 7);
    syn(lab, SERVER, S | A, 4999, first, 7);
    tcp(lab, CLIENT, A, first, 5000, 0);
    tcp(lab, CLIENT, A, first, 5000, 100);
    tcp(lab, SERVER, A, 5000, first + 100, 1000);
}

static void assert_stray(struct lab *lab, bool is_stray)
{
    assert_int_equal(lab->update.stray, is_stray);
}

/* RFC 5961 §3.2 */
static void resets_out_of_the_window_end_nothing(void **state)
{
    struct lab *lab = *state;
    open_scaled(lab, UINT32_MAX - 50);
    tcp(lab, SERVER, R, 0x12345678, 0, 0);
    assert_stray(lab, true);
    tcp(lab, CLIENT, R | A, 0x12345678, 6000, 0);
    assert_stray(lab, true);
    tcp(lab, SERVER, F | A, 6000 + 300000, 50 + 300000, 0);
    assert_stray(lab, true);
    assert_false(flow_of(lab)->flags & FLOW_CLOSED);
    assert_story(lab, "S1", "ShADd");
    assert_int_equal(flow_of(lab)->tcp_flags[1], S | A);
    assert_int_equal(flow_of(lab)->packets[1], 4);
    tcp(lab, SERVER, R, 6000 - 250000, 0, 0);
    assert_stray(lab, false);
    assert_true(lab->update.closed);
    tcp(lab, SERVER, R, 0x12345678, 0, 0); /* what is said later ends nothing anyway */
    assert_stray(lab, false);
}

/* RFC 5961 §4.2 */
static void syns_amid_a_connection_change_nothing(void **state)
{
    struct lab *lab = *state;
    open_scaled(lab, 100);
    tcp(lab, CLIENT, S, 150000, 0, 0);
    assert_stray(lab, true);
    tcp(lab, SERVER, S | A, 0x70000000, 201, 0);
    assert_stray(lab, true);
    syn(lab, SERVER, S | A, 4999, 100, 7); /* a copy of the first answer */
    assert_stray(lab, false);
    assert_int_equal(flow_of(lab)->next_seq[CLIENT], 200);
    assert_int_equal(flow_of(lab)->next_seq[SERVER], 6000);
    assert_story(lab, "S1", "ShADd");
}

/* The largest window counts that was seen, and 64 KiB at least. */
static void windows_grow(void **state)
{
    struct lab *lab = *state;
    syn(lab, CLIENT, S, 99, 0, 0xff);
    syn(lab, SERVER, S | A, 4999, 100, 7);
    tcp(lab, CLIENT, A, 100, 5000, 0);
    tcp(lab, SERVER, R, 5000 + 131073, 0, 0);
    assert_stray(lab, true);
    tcp(lab, CLIENT, S, 99, 0, 0);
    lab->window = 40000;
    lab->now_ns += 70000 * (uint64_t)MS;
    syn(lab, CLIENT, S, 9999, 0, 2);
    syn(lab, SERVER, S | A, 4999, 10000, 0);
    tcp(lab, CLIENT, A, 10000, 5000, 0);
    tcp(lab, SERVER, R, 5000 + 400000, 0, 0);
    assert_stray(lab, true);
    lab->window = 65535;
    tcp(lab, CLIENT, A, 10000, 5000, 1);
    tcp(lab, SERVER, R, 5000 + 400000, 0, 0);
    assert_stray(lab, false);
}

static void what_was_joined_midway_is_believed(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, A, 100, 5000, 10);
    tcp(lab, SERVER, A, 5000, 110, 10);
    tcp(lab, SERVER, R, 0x12345678, 0, 0);
    assert_stray(lab, false);
    assert_true(lab->update.closed);
}

/* RFC 9293 §3.10.7.3 */
static void a_refusal_acknowledges_the_syn(void **state)
{
    struct lab *lab = *state;
    tcp(lab, CLIENT, S, 100, 0, 0);
    tcp(lab, SERVER, R, 0, 0, 0);
    assert_stray(lab, true);
    tcp(lab, SERVER, R | A, 0, 102, 0);
    assert_stray(lab, true);
    assert_story(lab, "S0", "S");
    tcp(lab, SERVER, R | A, 0, 101, 0);
    assert_true(lab->update.closed);
    assert_story(lab, "REJ", "Sr");
}

/* One segment far away is nobody's; two without another unusual one between them are what the capture missed. */
static void a_leap_needs_a_second_one(void **state)
{
    struct lab *lab = *state;
    open_scaled(lab, 100);
    tcp(lab, SERVER, A, 0x60000000, 200, 10);
    assert_int_equal(flow_of(lab)->next_seq[SERVER], 6000);
    tcp(lab, SERVER, A, 6000, 200, 10);
    tcp(lab, SERVER, A, 5000, 200, 10);
    tcp(lab, SERVER, A, 0x60000000, 200, 10);
    assert_int_equal(flow_of(lab)->next_seq[SERVER], 6010);
    tcp(lab, SERVER, A, 0x60000000 + 10, 200, 10);
    assert_int_equal(flow_of(lab)->next_seq[SERVER], 0x60000000 + 20);
    tcp(lab, SERVER, A, 6010, 200, 10);
    tcp(lab, SERVER, A, 6020, 200, 10);
    tcp(lab, SERVER, F | A, 6030, 200, 0);
    assert_stray(lab, false);
    assert_int_equal(flow_of(lab)->next_seq[SERVER], 6031);
}

static void the_client_chooses_among_answers(void **state)
{
    struct lab *lab = *state;
    syn(lab, CLIENT, S, 99, 0, 7);
    syn(lab, SERVER, S | A, 4999, 100, 7);
    syn(lab, SERVER, S | A, 5000000, 100, 7);
    tcp(lab, CLIENT, A, 100, 5000, 0);
    tcp(lab, SERVER, A, 5000, 100, 10);
    tcp(lab, SERVER, F | A, 5010, 100, 0);
    assert_stray(lab, false);
    assert_int_equal(flow_of(lab)->retransmissions, 0);
}

/* A middlebox that gives connections numbers of its own, captured on both faces: what the server says comes
 * twice, once with numbers and acknowledgments that the client's face never had. */
static void another_face_acknowledges_nothing(void **state)
{
    struct lab *lab = *state;
    syn(lab, CLIENT, S, 99, 0, 7);
    syn(lab, SERVER, S | A, 0x60000000, 0x20000000, 7);
    syn(lab, SERVER, S | A, 4999, 100, 7);
    tcp(lab, CLIENT, A, 100, 5000, 0);
    tcp(lab, CLIENT, A, 100, 5000, 50);
    tcp(lab, SERVER, A, 0x60000001, 0x20000000 + 50, 10);
    tcp(lab, SERVER, A, 5000, 150, 10);
    assert_int_equal(flow_of(lab)->next_seq[CLIENT], 150);
    tcp(lab, SERVER, F | A, 0x6000000b, 0x20000000 + 50, 0);
    assert_stray(lab, true);
    tcp(lab, SERVER, F | A, 5010, 150, 0);
    tcp(lab, CLIENT, F | A, 150, 5011, 0);
    assert_stray(lab, false);
    tcp(lab, SERVER, A, 5011, 151, 0);
    assert_story(lab, "SF", "ShADdfFa");
    assert_int_equal(flow_of(lab)->flags & FLOW_INCOMPLETE, 0);
}

/* As much as a capture may miss is believed. */
static void acknowledgments_tell_of_what_was_missed(void **state)
{
    struct lab *lab = *state;
    open_scaled(lab, 100);
    tcp(lab, SERVER, A, 6000, 200 + 10000000, 0);
    assert_int_equal(flow_of(lab)->next_seq[CLIENT], 200 + 10000000);
    assert_true(flow_of(lab)->flags & FLOW_INCOMPLETE);
    tcp(lab, CLIENT, F | A, 200 + 10000000, 6000, 0);
    assert_stray(lab, false);
}

/* All that a side said in the end was missed, but its FIN. */
static void a_fin_is_believed_for_what_it_acknowledges(void **state)
{
    struct lab *lab = *state;
    open_scaled(lab, 100);
    tcp(lab, SERVER, F | A, 0x10000000, 200, 0);
    assert_stray(lab, false);
    tcp(lab, CLIENT, F | A, 200, 0x10000001, 0);
    tcp(lab, SERVER, A, 0x10000001, 201, 0);
    assert_true(lab->update.closed);
}

#define lab_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lab_test(a_whole_connection),
        lab_test(round_trips_are_told_by_plain_handshakes),
        lab_test(round_trips_are_not_guessed),
        lab_test(attempts_that_failed),
        lab_test(a_scan_that_takes_its_syn_back),
        lab_test(a_scan_that_was_answered),
        lab_test(resets_of_either_end),
        lab_test(half_open_and_half_closed),
        lab_test(answers_without_a_question),
        lab_test(a_syn_that_the_capture_missed_or_swapped),
        lab_test(a_late_syn_ack),
        lab_test(joined_midway),
        lab_test(joined_midway_between_unknown_ports),
        lab_test(simultaneous_open),
        lab_test(fast_open),
        lab_test(fast_open_that_was_refused),
        lab_test(an_ack_before_the_answer),
        lab_test(retransmissions_and_late_segments),
        lab_test(keep_alives_are_no_retransmissions),
        lab_test(sequence_numbers_wrap),
        lab_test(letters_come_at_every_tenth_power),
        lab_test(a_full_history_stays_legible),
        lab_test(what_the_capture_missed_shows),
        lab_test(acknowledged_but_never_seen),
        lab_test(odd_flags),
        lab_test(fin_then_reset_is_a_normal_end),
        lab_test(ports_are_used_again),
        lab_test(a_connection_that_lives_is_not_reopened),
        lab_test(headers_that_were_cut_off_are_only_counted),
        lab_test(resets_out_of_the_window_end_nothing),
        lab_test(syns_amid_a_connection_change_nothing),
        lab_test(windows_grow),
        lab_test(what_was_joined_midway_is_believed),
        lab_test(a_refusal_acknowledges_the_syn),
        lab_test(a_leap_needs_a_second_one),
        lab_test(the_client_chooses_among_answers),
        lab_test(another_face_acknowledges_nothing),
        lab_test(acknowledgments_tell_of_what_was_missed),
        lab_test(a_fin_is_believed_for_what_it_acknowledges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
