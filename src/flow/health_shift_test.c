// SPDX-License-Identifier: Apache-2.0
/* Captures whose clock was set amid a connection. */
#include "flow/health_test.h"

/* Ten turns a second apart; before the sixth the clock is set by so many ms, while the answer is
 * under way. */
static struct health_record turns_with_step(double step_ms)
{
    struct talk t = begin();
    for (unsigned turn = 0; turn < 10; turn++) {
        ask(&t);
        wait_ms(&t, 50);
        for (unsigned i = 0; i < 20; i++) {
            say(&t, SERVER, SEGMENT);
        }
        if (turn == 5) {
            const int64_t step = (int64_t)(step_ms * (double)MS);
            t.at = (uint64_t)((int64_t)t.at + step);
            t.sent_ago = (uint64_t)step; /* the hosts' clocks go on */
        }
        wait_ms(&t, 14);
        acknowledge(&t, CLIENT);
        wait_ms(&t, 500);
    }
    struct health_record r = record_of(&t);
    end(&t);
    return r;
}

static void measures_on_when_time_goes_back(void **state)
{
    (void)state;
    const struct health_record whole = turns_with_step(0);
    const double steps_ms[] = {-200, -1000, -60000, -600000};
    for (unsigned i = 0; i < 4; i++) {
        const struct health_record r = turns_with_step(steps_ms[i]);
        assert_near(r.ways[SERVER].sender_busy_time_ms, whole.ways[SERVER].sender_busy_time_ms, 30);
        assert_near(r.ways[SERVER].idle_ms, whole.ways[SERVER].idle_ms, 100);
        assert_near(r.server_response_ms, whole.server_response_ms, 1);
        assert_near(r.min_rtt_to_client_ms, 14, 1);
        assert_near(r.longest_stall_ms, whole.longest_stall_ms, 30);
        assert_true(r.ways[SERVER].retrans_pkts == 0);
        assert_int_equal(r.findings[HEALTH_BUFFERBLOAT].truth,
                         whole.findings[HEALTH_BUFFERBLOAT].truth);
    }
}

/* The answer is in the capture 50 us before the request that it answers. */
static void survives_packets_in_another_order(void **state)
{
    (void)state;
    struct talk t = begin();
    wait_ms(&t, 1);
    say(&t, CLIENT, 100);
    t.at -= MS / 20;
    t.acked[SERVER] = t.next[CLIENT];
    say(&t, SERVER, 1000);
    t.at -= MS / 20;
    acknowledge(&t, CLIENT);
    struct health_record r = record_of(&t);
    assert_near(r.server_response_ms, 0, 1);
    assert_near(r.ttfb_ms, 0, 1);
    assert_near(r.longest_stall_ms, 0, 20);
    assert_false(has_verdict(&r));
    end(&t);
}

/* Of each ten segments two stand in the capture the wrong way round, with the times at which they
 * passed, so many ms apart. */
static struct health_record talk_in_disorder(double apart_ms, bool stamps)
{
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = stamps, .ip_id = 100};
    shake_hands(&t, 1000);
    ask(&t);
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned j = 0; j < 8; j++) {
            say(&t, SERVER, SEGMENT);
            wait_ms(&t, 0.02);
        }
        const uint32_t first = t.next[SERVER];
        const uint16_t id = t.ip_id;
        wait_ms(&t, apart_ms);
        t.ip_id = (uint16_t)(id + 1);
        pass(&t, SERVER, TCP_ACK, first + SEGMENT, SEGMENT);
        t.at -= (uint64_t)(apart_ms * (double)MS);
        t.ip_id = id;
        say(&t, SERVER, SEGMENT);
        t.next[SERVER] += SEGMENT;
        t.ip_id = (uint16_t)(id + 2);
        wait_ms(&t, 14 + apart_ms);
        acknowledge(&t, CLIENT);
    }
    struct health_record r = record_of(&t);
    end(&t);
    return r;
}

static void takes_order_from_time(void **state)
{
    (void)state;
    const double apart_ms[] = {0, 0.02, 5};
    for (unsigned i = 0; i < 6; i++) {
        const struct health_record r = talk_in_disorder(apart_ms[i / 2], i % 2);
        assert_true(r.ways[SERVER].reordered_original_pkts == 0);
        assert_true(r.ways[SERVER].retrans_pkts == 0);
        assert_true(r.ways[SERVER].unique_bytes == 200 * SEGMENT);
        assert_near(r.min_rtt_to_client_ms, 14, 0.01);
        assert_false(has_verdict(&r));
    }
}

/* The tap mixes what it sees in either direction: of some turns the answer stands in the capture
 * behind its acknowledgment, with the time at which it passed, or with the same. */
static struct health_record turns_in_disorder(bool swap, double apart_ms)
{
    struct talk t = begin();
    for (unsigned turn = 0; turn < 5; turn++) {
        ask(&t);
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 14);
        t.next[SERVER] += swap ? SEGMENT : 0;
        if (swap) {
            acknowledge(&t, CLIENT);
            t.at -= (uint64_t)(apart_ms * (double)MS);
            pass(&t, SERVER, TCP_ACK | TCP_PSH, t.next[SERVER] - SEGMENT, SEGMENT);
        } else {
            say(&t, SERVER, SEGMENT);
            acknowledge(&t, CLIENT);
        }
        wait_ms(&t, 1000);
    }
    struct health_record r = record_of(&t);
    end(&t);
    return r;
}

static void hears_what_stands_behind_its_acknowledgment(void **state)
{
    (void)state;
    const struct health_record whole = turns_in_disorder(false, 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct health_record r = turns_in_disorder(true, 0.02 * i);
        const struct health_way *way = &r.ways[SERVER];
        assert_near(way->sender_busy_time_ms, whole.ways[SERVER].sender_busy_time_ms, 1);
        assert_near(way->idle_ms, whole.ways[SERVER].idle_ms, 1);
        assert_true(way->unique_bytes == 10 * SEGMENT && way->not_captured_bytes == 0);
        assert_near(r.longest_stall_ms, whole.longest_stall_ms, 1);
        assert_true(r.capture_loss != HEALTH_TRUE && way->retrans_pkts < 1);
    }
}

/* An answer of 100 bursts. From the 30th on its packets are 400 ms older than they seem: the clock
 * was set forward, or it is a queue; what the server heard last is as old then. */
static struct health_record long_answer(bool is_clock)
{
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 100; i++) {
        if (i == 30) {
            wait_ms(&t, 400);
        }
        const uint64_t old = i >= 30 ? 400 * MS : 0;
        t.sent_ago = old + 3 * MS;
        t.echo = (uint32_t)((t.at - old) / MS) - 5;
        t.echo -= is_clock ? 0 : (uint32_t)(old / MS);
        for (unsigned j = 0; j < 10; j++) {
            say(&t, SERVER, SEGMENT);
        }
        wait_ms(&t, 14);
        t.sent_ago = is_clock ? old : 0;
        t.echo = 0;
        acknowledge(&t, CLIENT);
        wait_ms(&t, 6);
    }
    struct health_record r = record_of(&t);
    end(&t);
    return r;
}

static void takes_a_step_forward_for_no_queue(void **state)
{
    (void)state;
    const struct health_record clock = long_answer(true);
    assert_int_not_equal(clock.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_TRUE);
    assert_true(clock.ways[SERVER].queue_p50_ms < 20);
    const struct health_record queue = long_answer(false);
    assert_int_equal(queue.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_TRUE);
    assert_int_equal(queue.queue_place, HEALTH_BEFORE_TAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_on_when_time_goes_back),
        cmocka_unit_test(survives_packets_in_another_order),
        cmocka_unit_test(takes_order_from_time),
        cmocka_unit_test(hears_what_stands_behind_its_acknowledgment),
        cmocka_unit_test(takes_a_step_forward_for_no_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
