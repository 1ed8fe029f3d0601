// SPDX-License-Identifier: Apache-2.0
/* Connections made up packet by packet, on a path whose times are known: the tap is 3 ms from the
 * server and 7 ms from the client, unless a test says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/health.h"

#include <stdlib.h>
#include <string.h>

enum { CLIENT, SERVER, MSS = 1460, SEGMENT = 1448, TCP_SIZE = 40, FLOWS = 1000 };

#define MS UINT64_C(1000000)

/* A connection under way; `at` is when the next packet passes. */
struct talk {
    struct health_book *book;
    flow_index flow;
    uint64_t at;
    uint32_t next[2];
    uint32_t acked[2]; /* what each side acknowledges */
    uint64_t sent_ago; /* how long before `at` the packet left its sender */
    uint16_t window;
    uint16_t ip_id;
    bool stamps;
};

static struct health_book *new_book(uint32_t details)
{
    struct err err = {0};
    struct health_options options = {.flows = FLOWS, .details = details};
    struct health_book *book = health_book_new(&options, &err);
    assert_non_null(book);
    return book;
}

static void put32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
}

/* Passes a packet with any sequence number; options of a SYN, or stamps. */
static void pass(struct talk *t, unsigned side, uint8_t flags, uint32_t seq, uint32_t length)
{
    uint8_t ip[20] = {0};
    uint8_t tcp[TCP_SIZE];
    memset(tcp, 1, sizeof tcp);
    tcp[12] = TCP_SIZE / 4 << 4;
    uint8_t *option = tcp + 20;
    if (flags & TCP_SYN) {
        static const uint8_t offer[] = {2, 4, MSS >> 8, MSS & 0xff, 3, 3, 7, 4, 2, 1};
        memcpy(option, offer, sizeof offer);
        option += sizeof offer;
    }
    if (t->stamps) {
        option[0] = 8;
        option[1] = 10;
        put32(option + 2, (uint32_t)((t->at - t->sent_ago) / MS));
        put32(option + 6, (uint32_t)(t->at / MS - 3));
    }
    t->ip_id++;
    ip[4] = (uint8_t)(t->ip_id >> 8);
    ip[5] = (uint8_t)t->ip_id;
    struct packet p = {
        .time_ns = t->at, .class = PACKET_TCP, .version = 4, .frames = 1, .has_ports = true,
        .ip = ip, .l4 = tcp, .payload = tcp + TCP_SIZE, .end = tcp + TCP_SIZE, .seq = seq,
        .ack = t->acked[side], .tcp_flags = flags, .window = t->window, .payload_len = length,
    };
    health_packet(t->book, t->flow, &p, side);
}

static void say(struct talk *t, unsigned side, uint32_t length)
{
    pass(t, side, TCP_ACK | TCP_PSH, t->next[side], length);
    t->next[side] += length;
}

static void acknowledge(struct talk *t, unsigned side)
{
    t->acked[side] = t->next[1 - side];
    pass(t, side, TCP_ACK, t->next[side], 0);
}

static void wait_ms(struct talk *t, double ms)
{
    t->at += (uint64_t)(ms * (double)MS);
}

/* SYN, SYN-ACK after 6 ms, ACK after 14 more. */
static void shake_hands(struct talk *t, uint32_t first)
{
    t->at += 1000000 * MS;
    t->window = 65535;
    t->next[CLIENT] = first;
    t->next[SERVER] = first + 7777;
    pass(t, CLIENT, TCP_SYN, t->next[CLIENT]++, 0);
    wait_ms(t, 6);
    t->acked[SERVER] = t->next[CLIENT];
    pass(t, SERVER, TCP_SYN | TCP_ACK, t->next[SERVER]++, 0);
    wait_ms(t, 14);
    t->window = 8192;
    acknowledge(t, CLIENT);
}

static void ask(struct talk *t)
{
    say(t, CLIENT, 100);
    wait_ms(t, 6);
    acknowledge(t, SERVER);
}

static struct health_record record_of(const struct talk *t)
{
    struct health_record r;
    assert_true(health_finish(t->book, t->flow, &r));
    return r;
}

static struct talk begin(void)
{
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = true, .ip_id = 100};
    shake_hands(&t, 1000);
    return t;
}

static void end(struct talk *t)
{
    health_book_free(t->book);
}

#define assert_near(got, want, by) assert_true((got) >= (want) - (by) && (got) <= (want) + (by))

static bool has_verdict(const struct health_record *r)
{
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        if (r->findings[i].truth == HEALTH_TRUE) {
            return true;
        }
    }
    return false;
}

/* ---- What is measured ------------------------------------------------------------------------ */

static void splits_the_handshake(void **state)
{
    (void)state;
    struct talk t = begin();
    struct health_record r = record_of(&t);
    assert_near(r.handshake_rtt_to_server_ms, 6, 0.01);
    assert_near(r.handshake_rtt_to_client_ms, 14, 0.01);
    assert_int_equal(r.established, HEALTH_TRUE);
    assert_int_equal(r.timestamps, HEALTH_TRUE);
    assert_true(r.ways[SERVER].mss == MSS && r.ways[SERVER].window_scale == 7);
    end(&t);
}

static void counts_the_senders_time(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t); /* the client waits 20 ms, though the tap sees the answer after 6 */
    wait_ms(&t, 50);
    say(&t, SERVER, 1000);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT); /* 6 ms later the server has it: 20 ms */
    wait_ms(&t, 500);
    struct health_record r = record_of(&t);
    assert_near(r.ways[CLIENT].sender_busy_time_ms, 20, 0.1);
    assert_near(r.ways[SERVER].sender_busy_time_ms, 20, 0.1);
    assert_near(r.server_response_ms, 50, 0.1);
    assert_true(r.turns == 1);
    end(&t);
}

static void wraps_sequence_numbers(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = true};
    shake_hands(&t, UINT32_MAX - 8000);
    ask(&t);
    for (unsigned i = 0; i < 100; i++) {
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 14);
        acknowledge(&t, CLIENT);
    }
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].unique_bytes == 100.0 * SEGMENT);
    assert_true(r.ways[SERVER].retrans_pkts == 0 && r.ways[SERVER].not_captured_bytes == 0);
    assert_near(r.min_rtt_to_client_ms, 14, 0.01);
    end(&t);
}

/* ---- What happened to segments --------------------------------------------------------------- */

static void tells_what_a_late_segment_is(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    uint32_t first = t.next[SERVER];
    say(&t, SERVER, SEGMENT);
    t.next[SERVER] += 2 * SEGMENT; /* two are missing */
    wait_ms(&t, 2);
    say(&t, SERVER, SEGMENT);
    wait_ms(&t, 5);
    t.sent_ago = 10 * MS;
    pass(&t, SERVER, TCP_ACK, first + SEGMENT, SEGMENT); /* left before what overtook it */
    t.sent_ago = 0;
    wait_ms(&t, 20);
    pass(&t, SERVER, TCP_ACK, first + 2 * SEGMENT, SEGMENT); /* fills the hole, but is younger */
    wait_ms(&t, 1);
    pass(&t, SERVER, TCP_ACK, first, SEGMENT); /* passed before */
    struct health_record r = record_of(&t);
    const struct health_way *way = &r.ways[SERVER];
    assert_true(way->reordered_original_pkts == 1);
    assert_true(way->retrans_fills_hole_pkts == 1);
    assert_true(way->retrans_earlier_copy_seen_pkts == 1);
    assert_true(way->unique_bytes == 4.0 * SEGMENT);
    assert_int_equal(r.reordering, HEALTH_TRUE);
    end(&t);
}

static void knows_copies_of_frames(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, SEGMENT);
    t.at += 15000;
    t.ip_id--;
    pass(&t, SERVER, TCP_ACK | TCP_PSH, t.next[SERVER] - SEGMENT, SEGMENT);
    struct health_record r = record_of(&t);
    assert_true(r.duplicate_frames == 1 && r.ways[SERVER].network_dup_pkts == 1);
    assert_true(r.ways[SERVER].retrans_pkts == 0);
    end(&t);
}

static void blames_the_capture_for_what_was_acknowledged(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, SEGMENT);
    t.next[SERVER] += SEGMENT; /* never seen, but the client has it */
    wait_ms(&t, 1);
    say(&t, SERVER, SEGMENT);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].not_captured_bytes == SEGMENT);
    assert_true(r.ways[SERVER].retrans_pkts == 0);
    assert_int_equal(r.capture_loss, HEALTH_TRUE);
    assert_string_equal(r.quality, "degraded");
    end(&t);
}

static void believes_no_optimist(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, SEGMENT);
    wait_ms(&t, 1);
    t.acked[CLIENT] = t.next[SERVER] + 5 * SEGMENT; /* of what was not sent yet */
    pass(&t, CLIENT, TCP_ACK, t.next[CLIENT], 0);
    for (unsigned i = 0; i < 5; i++) {
        wait_ms(&t, 1);
        say(&t, SERVER, SEGMENT);
    }
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].not_captured_bytes == 0);
    assert_true(r.ways[SERVER].unique_bytes == 6.0 * SEGMENT);
    end(&t);
}

/* ---- Verdicts -------------------------------------------------------------------------------- */

static void finds_a_standing_queue(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    uint64_t start = t.at;
    for (unsigned i = 0; i < 100; i++) { /* 4 s at a round trip of 14, then 214 ms */
        t.at = start + i * 40 * MS;
        say(&t, SERVER, SEGMENT);
        say(&t, SERVER, SEGMENT);
        t.at += (i < 3 ? 14 : 214) * MS;
        acknowledge(&t, CLIENT);
        start += i < 3 ? 0 : 200 * MS;
    }
    struct health_record r = record_of(&t);
    assert_int_equal(r.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_TRUE);
    assert_int_equal(r.queue_place, HEALTH_BEHIND_TAP);
    assert_near(r.ways[SERVER].queue_p50_ms, 200, 8);
    end(&t);
}

static void takes_no_outage_for_a_queue(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 40; i++) {
        say(&t, SERVER, SEGMENT);
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, i == 20 ? 2000 : 14);
        acknowledge(&t, CLIENT);
        wait_ms(&t, 20);
    }
    struct health_record r = record_of(&t);
    assert_int_equal(r.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_FALSE);
    assert_near(r.longest_stall_ms, 2000, 1);
    end(&t);
}

static void finds_a_black_hole(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, 500);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    say(&t, SERVER, 400);
    for (unsigned i = 0; i < 5; i++) {
        wait_ms(&t, 300 << i);
        pass(&t, SERVER, TCP_ACK, t.next[SERVER] - 400, 400);
    }
    struct health_record r = record_of(&t);
    assert_int_equal(r.findings[HEALTH_BLACKHOLED].truth, HEALTH_TRUE);
    assert_string_equal(r.blackhole_kind, "mid_connection");
    wait_ms(&t, 10);
    acknowledge(&t, CLIENT); /* it heals */
    r = record_of(&t);
    assert_int_equal(r.findings[HEALTH_BLACKHOLED].truth, HEALTH_FALSE);
    assert_true(r.blackhole_episodes == 1);
    assert_near(r.blackhole_episode_s, 9.3, 0.2);
    end(&t);
}

static void finds_a_hole_for_large_segments(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, 800);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    say(&t, SERVER, SEGMENT);
    for (unsigned i = 0; i < 5; i++) {
        wait_ms(&t, 300 << i);
        pass(&t, SERVER, TCP_ACK, t.next[SERVER] - SEGMENT, SEGMENT);
    }
    assert_string_equal(record_of(&t).blackhole_kind, "pmtu");
    end(&t);
}

static void hears_of_a_silent_host(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .window = 65535, .at = MS};
    for (unsigned i = 0; i < 4; i++) {
        pass(&t, CLIENT, TCP_SYN, 77, 0);
        wait_ms(&t, 1000 << i);
        struct health_record r = record_of(&t);
        bool enough = i >= 2;
        assert_int_equal(r.findings[HEALTH_BLACKHOLED].truth == HEALTH_TRUE, enough);
    }
    assert_string_equal(record_of(&t).blackhole_kind, "syn");
    pass(&t, SERVER, TCP_RST | TCP_ACK, 0, 0);
    struct health_record r = record_of(&t);
    assert_null(r.blackhole_kind);
    assert_string_equal(r.close, "refused");
    end(&t);
}

static void sees_who_knows_nothing(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    wait_ms(&t, 60000);
    say(&t, CLIENT, 100);
    wait_ms(&t, 6);
    pass(&t, SERVER, TCP_RST, t.next[SERVER], 0);
    struct health_record r = record_of(&t);
    assert_int_equal(r.half_open, HEALTH_TRUE);
    assert_string_equal(r.close, "rst_by_server");
    assert_string_equal(r.first_rst_from, "server");
    end(&t);
}

/* ---- Noise ----------------------------------------------------------------------------------- */

static void makes_nothing_of_a_flood(void **state)
{
    (void)state;
    struct health_book *book = new_book(4);
    for (flow_index flow = 1; flow <= FLOWS; flow++) {
        struct talk t = {.book = book, .flow = flow, .at = flow * MS, .window = 512};
        pass(&t, CLIENT, TCP_SYN, flow * 7919, 0);
        struct health_record r = record_of(&t);
        assert_false(has_verdict(&r));
    }
    struct health_book_stats stats;
    health_book_stats(book, &stats);
    assert_true(stats.connections == FLOWS && stats.details == 0);
    for (flow_index flow = 1; flow <= FLOWS; flow++) {
        health_drop(book, flow);
    }
    health_book_stats(book, &stats);
    assert_true(stats.connections == 0);
    health_book_free(book);
}

static void makes_nothing_of_a_storm_of_acknowledgments(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, SEGMENT);
    for (unsigned i = 0; i < 100000; i++) {
        t.at += 100000;
        t.acked[CLIENT] = t.next[SERVER] + (i * 2654435761u >> (i % 3 ? 8 : 0));
        pass(&t, CLIENT, TCP_ACK, t.next[CLIENT] + (i % 5 ? 0 : i << 20), 0);
    }
    struct health_record r = record_of(&t);
    assert_int_not_equal(r.findings[HEALTH_BLACKHOLED].truth, HEALTH_TRUE);
    assert_int_not_equal(r.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_TRUE);
    assert_int_not_equal(r.findings[HEALTH_LOSSY].truth, HEALTH_TRUE);
    end(&t);
}

static void says_when_memory_was_short(void **state)
{
    (void)state;
    struct health_book *book = new_book(2);
    struct talk talks[3];
    for (unsigned i = 0; i < 3; i++) {
        talks[i] = (struct talk){.book = book, .flow = 1 + i, .stamps = true, .ip_id = 9};
        shake_hands(&talks[i], 1000 * i);
        say(&talks[i], CLIENT, 100); /* not acknowledged: in flight */
    }
    struct health_book_stats stats;
    health_book_stats(book, &stats);
    assert_true(stats.details == 2 && stats.seized == 1);
    unsigned told = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct health_record r = record_of(&talks[i]);
        told += r.budget_spent == HEALTH_TRUE;
        assert_true(r.ways[CLIENT].unique_bytes == 100);
    }
    assert_int_equal(told, 1);
    health_book_free(book);
}

static void idle_connections_give_back(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    struct health_book_stats stats;
    health_book_stats(t.book, &stats);
    assert_true(stats.details == 1);
    health_tick(t.book, t.at + 11000 * MS);
    health_book_stats(t.book, &stats);
    assert_true(stats.details == 0 && stats.seized == 0);
    struct health_record r = record_of(&t);
    assert_near(r.ways[CLIENT].sender_busy_time_ms, 20, 1);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_the_handshake),
        cmocka_unit_test(counts_the_senders_time),
        cmocka_unit_test(wraps_sequence_numbers),
        cmocka_unit_test(tells_what_a_late_segment_is),
        cmocka_unit_test(knows_copies_of_frames),
        cmocka_unit_test(blames_the_capture_for_what_was_acknowledged),
        cmocka_unit_test(believes_no_optimist),
        cmocka_unit_test(finds_a_standing_queue),
        cmocka_unit_test(takes_no_outage_for_a_queue),
        cmocka_unit_test(finds_a_black_hole),
        cmocka_unit_test(finds_a_hole_for_large_segments),
        cmocka_unit_test(hears_of_a_silent_host),
        cmocka_unit_test(sees_who_knows_nothing),
        cmocka_unit_test(makes_nothing_of_a_flood),
        cmocka_unit_test(makes_nothing_of_a_storm_of_acknowledgments),
        cmocka_unit_test(says_when_memory_was_short),
        cmocka_unit_test(idle_connections_give_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
