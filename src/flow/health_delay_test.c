// SPDX-License-Identifier: Apache-2.0
/* Queues, and what looks like one or hides one. */
#include "flow/health_test.h"

static enum health_truth bloat_of(const struct talk *t)
{
    return record_of(t).findings[HEALTH_BUFFERBLOAT].truth;
}

/* Two segments of the server's, `rtt` before the client acknowledges them. */
static void exchange(struct talk *t, double rtt)
{
    say(t, SERVER, SEGMENT);
    say(t, SERVER, SEGMENT);
    wait_ms(t, rtt);
    acknowledge(t, CLIENT);
}

/* Whoever paces data stamps an acknowledgment between them with when the next may go. */
static void takes_no_stamp_of_the_future_for_the_base(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 60; i++) {
        exchange(&t, 50);
    }
    t.at += 68 * MS;
    t.sent_ago = 0;
    struct talk early = t;
    early.at -= 68 * MS; /* passes now, stamped 68 ms later */
    early.sent_ago = (uint64_t)-68 * MS;
    pass(&early, SERVER, TCP_ACK, early.next[SERVER], 0);
    assert_int_not_equal(bloat_of(&early), HEALTH_TRUE);
    end(&t);
}

/* From the first packet on a queue before the tap grows, by as much as half the time that passes. */
static void finds_a_tick_while_a_queue_grows(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 160; i++) {
        exchange(&t, 25);
        t.sent_ago += t.sent_ago < 600 * MS ? 12 * MS : MS / 2;
    }
    struct health_record r = record_of(&t);
    assert_int_equal(r.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_TRUE);
    assert_int_equal(r.queue_place, HEALTH_BEFORE_TAP);
    assert_string_equal(r.limited_by, "network"); /* though few segments are out behind it */
    end(&t);
}

/* It grows like that for ever; the tick shows when it has gone. */
static void says_nothing_of_what_it_did_not_see(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 120; i++) {
        exchange(&t, 25);
        t.sent_ago += 12 * MS;
    }
    assert_int_equal(bloat_of(&t), HEALTH_UNKNOWN);
    t.sent_ago = 0;
    exchange(&t, 25);
    assert_int_not_equal(bloat_of(&t), HEALTH_FALSE);
    end(&t);
}

/* No acknowledgment comes: the tap at the sender saw no queue behind it, nor that there is none. */
static void says_nothing_without_round_trips(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 60; i++) {
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 20);
    }
    assert_int_equal(bloat_of(&t), HEALTH_UNKNOWN);
    end(&t);
}

/* A small window lets two segments out, 100 ms apart; the receiver waits 150 ms for a second one before it
 * acknowledges. */
static void takes_a_delayed_acknowledgment_for_no_queue(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    exchange(&t, 14);
    for (unsigned i = 0; i < 60; i++) {
        say(&t, SERVER, SEGMENT);
        const uint32_t ack = t.next[SERVER];
        wait_ms(&t, 150);
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 14);
        t.acked[CLIENT] = ack;
        pass(&t, CLIENT, TCP_ACK, t.next[CLIENT], 0);
        wait_ms(&t, 50);
        acknowledge(&t, CLIENT);
    }
    assert_int_not_equal(bloat_of(&t), HEALTH_TRUE);
    end(&t);
}

/* A line of 200 kbit/s brings segments of 1460 bytes 60 ms apart to a tap at their receiver. Their sender
 * has no clock, and may have a queue in front of it, but is not idle. */
static void says_nothing_of_a_slow_line(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .window = 65535};
    t.at = MS;
    t.next[CLIENT] = 1000;
    t.next[SERVER] = 9000;
    pass(&t, CLIENT, TCP_SYN, t.next[CLIENT]++, 0);
    wait_ms(&t, 14);
    t.acked[SERVER] = t.next[CLIENT];
    pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
    acknowledge(&t, CLIENT);
    say(&t, CLIENT, 100);
    wait_ms(&t, 14);
    acknowledge(&t, SERVER);
    for (unsigned i = 0; i < 100; i++) {
        wait_ms(&t, 60);
        say(&t, SERVER, MSS);
        acknowledge(&t, CLIENT);
    }
    struct health_record r = record_of(&t);
    assert_int_equal(r.findings[HEALTH_BUFFERBLOAT].truth, HEALTH_UNKNOWN);
    assert_int_equal(r.findings[HEALTH_APPLICATION_LIMITED].truth, HEALTH_FALSE);
    assert_near(r.ways[SERVER].sender_busy_time_ms, 5950, 100);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_no_stamp_of_the_future_for_the_base),
        cmocka_unit_test(finds_a_tick_while_a_queue_grows),
        cmocka_unit_test(says_nothing_of_what_it_did_not_see),
        cmocka_unit_test(says_nothing_without_round_trips),
        cmocka_unit_test(takes_a_delayed_acknowledgment_for_no_queue),
        cmocka_unit_test(says_nothing_of_a_slow_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
