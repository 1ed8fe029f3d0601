// SPDX-License-Identifier: Apache-2.0
/* What health says of connections whose troubles are known. */
#include "flow/health_test.h"

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

/* A question, and 100 segments that are acknowledged one by one. */
static void download(struct talk *t)
{
    ask(t);
    for (unsigned i = 0; i < 100; i++) {
        say(t, SERVER, SEGMENT);
        wait_ms(t, 14);
        acknowledge(t, CLIENT);
    }
}

static void wraps_sequence_numbers(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = true};
    shake_hands(&t, UINT32_MAX - 8000);
    download(&t);
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

/* Every other segment of a flight is lost before the tap, more than are followed one by one. */
static void counts_more_holes_than_it_follows(void **state)
{
    (void)state;
    enum { LOST = 300 };
    struct talk t = begin();
    ask(&t);
    uint32_t first = t.next[SERVER];
    for (unsigned i = 0; i < LOST; i++) {
        t.next[SERVER] += SEGMENT;
        say(&t, SERVER, SEGMENT);
    }
    for (unsigned i = 0; i < LOST; i++) {
        wait_ms(&t, 20);
        pass(&t, SERVER, TCP_ACK, first + 2 * i * SEGMENT, SEGMENT);
        wait_ms(&t, 1);
        t.acked[CLIENT] = first + (2 * i + 2) * SEGMENT;
        pass(&t, CLIENT, TCP_ACK, t.next[CLIENT], 0);
    }
    struct health_record r = record_of(&t);
    const struct health_way *way = &r.ways[SERVER];
    assert_true(way->retrans_fills_hole_pkts == LOST && way->retrans_pkts == LOST);
    assert_true(way->unique_bytes == 2.0 * LOST * SEGMENT);
    assert_true(way->not_captured_bytes == 0);
    end(&t);
}

/* Joined in the middle, where a repair of what was lost before is under way. */
static void counts_what_left_before_the_capture(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .stamps = true, .window = 8192};
    t.at = MS;
    t.next[CLIENT] = 1000;
    t.acked[SERVER] = 1000;
    t.next[SERVER] = 90000;
    say(&t, SERVER, SEGMENT);
    wait_ms(&t, 20);
    pass(&t, SERVER, TCP_ACK, 90000 - 2 * SEGMENT, SEGMENT);
    pass(&t, SERVER, TCP_ACK, 90000 - SEGMENT, SEGMENT);
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].unique_bytes == 3.0 * SEGMENT);
    end(&t);
}

/* Without the options of SYNs no window has a scale: nothing is said of windows. */
static void knows_no_window_without_its_scale(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .stamps = true, .cut = 10};
    shake_hands(&t, 1000);
    t.window = 10;
    download(&t);
    struct health_record r = record_of(&t);
    assert_true(isnan(r.ways[SERVER].rwnd_limited_ms) && isnan(r.ways[CLIENT].rwnd_limited_ms));
    assert_near(r.ways[CLIENT].sender_busy_time_ms, 20, 0.1);
    assert_string_equal(r.quality, "truncated");
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

/* A queue that takes a segment each millisecond and gives one each 1.5 ms, acknowledged in pairs: up
 * to 270 segments in flight, round trips from 14 to 414 ms. */
static void measures_all_along_a_deep_flight(void **state)
{
    (void)state;
    enum { SENT = 800 };
    struct talk t = begin();
    ask(&t);
    const uint64_t start = t.at;
    const uint32_t first = t.next[SERVER];
    for (uint32_t sent = 0, heard = 0; heard < SENT;) {
        const uint64_t data_at = start + sent * MS;
        const uint64_t ack_at = start + 14 * MS + (heard + 2) * 3 * MS / 2;
        t.at = sent < SENT && data_at <= ack_at ? data_at : ack_at;
        if (sent < SENT && data_at <= ack_at) {
            say(&t, SERVER, SEGMENT);
            sent++;
        } else {
            heard += 2;
            t.acked[CLIENT] = first + heard * SEGMENT;
            pass(&t, CLIENT, TCP_ACK, t.next[CLIENT], 0);
        }
    }
    const struct health_record r = record_of(&t);
    const struct health_way *way = &r.ways[SERVER];
    assert_near(way->rtt_p50_ms, 214, 11);
    assert_near(way->rtt_p95_ms, 394, 20);
    assert_near(way->rtt_samples, SENT / 2.0, SENT / 20.0);
    assert_near(r.min_rtt_to_client_ms, 14, 1);
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
    assert_int_not_equal(r.findings[HEALTH_BLACKHOLED].truth, HEALTH_TRUE);
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

/* A tick a second: how many of them find a detail from `from` seconds on. */
static unsigned seconds_kept(struct talk *t, unsigned from)
{
    struct health_book_stats stats;
    for (unsigned second = from;; second++) {
        health_tick(t->book, t->at + second * 1000 * MS);
        health_book_stats(t->book, &stats);
        if (stats.details == 0 || second == 1000) {
            return second;
        }
    }
}

static void counts_idleness_from_the_latest_data(void **state)
{
    (void)state;
    struct talk t = begin();
    for (unsigned i = 0; i < 20; i++) {
        ask(&t);
        wait_ms(&t, 994);
        health_tick(t.book, t.at);
    }
    assert_int_equal(seconds_kept(&t, 1), 8); /* 8 s and some ms since the latest data */
    ask(&t);
    say(&t, SERVER, SEGMENT);
    assert_int_equal(seconds_kept(&t, 1), 601); /* nobody acknowledges it */
    ask(&t);
    say(&t, SERVER, SEGMENT);
    for (unsigned second = 1; second < 100; second++) {
        wait_ms(&t, 1000);
        health_tick(t.book, t.at);
    }
    acknowledge(&t, CLIENT);
    assert_int_equal(seconds_kept(&t, 0), 0); /* at once */
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_the_handshake),
        cmocka_unit_test(counts_the_senders_time),
        cmocka_unit_test(wraps_sequence_numbers),
        cmocka_unit_test(tells_what_a_late_segment_is),
        cmocka_unit_test(counts_more_holes_than_it_follows),
        cmocka_unit_test(counts_what_left_before_the_capture),
        cmocka_unit_test(knows_no_window_without_its_scale),
        cmocka_unit_test(knows_copies_of_frames),
        cmocka_unit_test(blames_the_capture_for_what_was_acknowledged),
        cmocka_unit_test(believes_no_optimist),
        cmocka_unit_test(finds_a_standing_queue),
        cmocka_unit_test(measures_all_along_a_deep_flight),
        cmocka_unit_test(takes_no_outage_for_a_queue),
        cmocka_unit_test(finds_a_black_hole),
        cmocka_unit_test(finds_a_hole_for_large_segments),
        cmocka_unit_test(hears_of_a_silent_host),
        cmocka_unit_test(sees_who_knows_nothing),
        cmocka_unit_test(makes_nothing_of_a_flood),
        cmocka_unit_test(makes_nothing_of_a_storm_of_acknowledgments),
        cmocka_unit_test(says_when_memory_was_short),
        cmocka_unit_test(idle_connections_give_back),
        cmocka_unit_test(counts_idleness_from_the_latest_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
