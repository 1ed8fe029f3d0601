// SPDX-License-Identifier: Apache-2.0
/* Verdicts that the tap cannot support are neither true nor false. */
#include "flow/health_test.h"

static enum health_truth truth_of(const struct talk *t, enum health_verdict verdict)
{
    return record_of(t).findings[verdict].truth;
}

static enum health_truth truth_after(const struct talk *t, unsigned seconds,
                                     enum health_verdict verdict)
{
    struct health_record r;
    assert_true(health_finish(t->book, t->flow, seconds * UINT64_C(1000000000), &r));
    return r.findings[verdict].truth;
}

/* Trains of the server's segments, each acknowledged `rtt` ms after it passed. */
static void transfer(struct talk *t, unsigned trains, double rtt)
{
    for (unsigned i = 0; i < trains; i++) {
        say(t, SERVER, SEGMENT);
        say(t, SERVER, SEGMENT);
        wait_ms(t, rtt);
        acknowledge(t, CLIENT);
    }
}

/* ---- Queues ---------------------------------------------------------------------------------- */

static void waits_for_a_queue_to_stand(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 3, 14);
    assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), HEALTH_UNKNOWN); /* 9 kB say little */
    transfer(&t, 40, 14); /* half a second */
    assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), HEALTH_FALSE);
    transfer(&t, 5, 90);
    assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), HEALTH_UNKNOWN); /* it only began */
    transfer(&t, 20, 90);
    assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), HEALTH_TRUE);
    end(&t);
}

/* The tap is at the client, whose answers come at once; the server's stamps would show a queue. The
 * path takes 20 ms, and the server goes on after `pause` ms. */
static enum health_truth queue_at_client(bool stamps, double pause)
{
    struct talk t = {.book = new_book(4), .flow = 1, .stamps = stamps, .window = 8192};
    t.at = MS;
    t.next[CLIENT] = 1000;
    t.next[SERVER] = 9000;
    pass(&t, CLIENT, TCP_SYN, t.next[CLIENT]++, 0);
    wait_ms(&t, 20);
    t.acked[SERVER] = t.next[CLIENT];
    pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
    acknowledge(&t, CLIENT);
    say(&t, CLIENT, 100);
    wait_ms(&t, 20);
    acknowledge(&t, SERVER);
    for (unsigned i = 0; i < 100; i++) {
        transfer(&t, 1, 0.01);
        wait_ms(&t, pause);
    }
    enum health_truth truth = truth_of(&t, HEALTH_BUFFERBLOAT);
    end(&t);
    return truth;
}

static void knows_no_queue_it_cannot_see(void **state)
{
    (void)state;
    assert_int_equal(queue_at_client(true, 20), HEALTH_FALSE);
    assert_int_equal(queue_at_client(false, 6), HEALTH_UNKNOWN); /* as a full link would deliver */
    assert_int_equal(queue_at_client(false, 20), HEALTH_FALSE); /* it waits for acknowledgments */
    assert_int_equal(queue_at_client(false, 90), HEALTH_UNKNOWN); /* for them, or for its data */
}

/* Four ticks of the sender's clock look like one of 4 ms while a queue of 30 ms fills. */
static void reads_the_clock_through_a_queue(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    t.sent_ago = 0;
    for (unsigned i = 0; i < 1000; i++) {
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 4);
        t.sent_ago += t.sent_ago < 30 * MS ? 3 * MS : 0;
        acknowledge(&t, CLIENT);
    }
    assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), HEALTH_FALSE);
    end(&t);
}

/* Answers of ten segments, one after the other as they are asked for. */
static void takes_no_turns_for_a_send_buffer(void **state)
{
    (void)state;
    struct talk t = begin();
    t.window = 60000;
    for (unsigned i = 0; i < 60; i++) {
        say(&t, CLIENT, 100);
        wait_ms(&t, 6);
        t.acked[SERVER] = t.next[CLIENT];
        for (unsigned k = 0; k < 10; k++) {
            say(&t, SERVER, SEGMENT);
        }
        wait_ms(&t, 14);
        acknowledge(&t, CLIENT);
    }
    struct health_record r = record_of(&t);
    assert_int_not_equal(r.findings[HEALTH_SENDER_LIMITED].truth, HEALTH_TRUE);
    assert_string_equal(r.limited_by, "application");
    end(&t);
}

/* Twenty segments each round trip, from the end that is near or from the one that is far. */
static void knows_a_send_buffer_from_near(void **state)
{
    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct talk t = begin();
        const double trips_ms[] = {14, 6};
        t.window = 60000;
        for (unsigned i = 0; i < 60; i++) {
            for (unsigned k = 0; k < 20; k++) {
                say(&t, side, SEGMENT);
                wait_ms(&t, 0.01);
            }
            wait_ms(&t, trips_ms[1 - side]);
            acknowledge(&t, 1 - side);
            wait_ms(&t, trips_ms[side]);
        }
        const bool is_near = side == SERVER;
        assert_int_equal(truth_of(&t, HEALTH_SENDER_LIMITED) == HEALTH_TRUE, is_near);
        end(&t);
    }
}

/* The capture begins amid a transfer, of which all that is seen takes 14 ms, or 90. */
static void asks_what_stood_before(void **state)
{
    (void)state;
    const double rtts_ms[] = {14, 90};
    for (unsigned i = 0; i < 2; i++) {
        struct talk t = {.book = new_book(4), .flow = 1, .stamps = true, .window = 8192};
        t.at = 1000000 * MS;
        t.next[CLIENT] = 1000;
        t.next[SERVER] = 9000;
        t.acked[SERVER] = 1000;
        transfer(&t, 60, rtts_ms[i]);
        const enum health_truth want = i == 0 ? HEALTH_FALSE : HEALTH_UNKNOWN;
        assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), want);
        end(&t);
    }
}

/* The capture begins amid an upload, at the server, and only its answer at the end shows how long
 * the way to the client is. */
static void takes_no_way_for_none(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .stamps = true, .window = 8192};
    t.at = 1000000 * MS;
    t.next[CLIENT] = 1000;
    t.next[SERVER] = 9000;
    t.acked[CLIENT] = 9000;
    for (unsigned i = 0; i < 60; i++) {
        say(&t, CLIENT, SEGMENT);
        say(&t, CLIENT, SEGMENT);
        wait_ms(&t, 0.01);
        acknowledge(&t, SERVER);
        wait_ms(&t, 40);
    }
    say(&t, SERVER, 3);
    wait_ms(&t, 40);
    acknowledge(&t, CLIENT);
    const struct health_record r = record_of(&t);
    assert_near(r.min_rtt_to_client_ms, 40, 1);
    assert_true(isnan(r.ways[CLIENT].sender_busy_time_ms));
    assert_int_equal(r.findings[HEALTH_APPLICATION_LIMITED].truth, HEALTH_UNKNOWN);
    end(&t);
}

/* ---- Black holes ----------------------------------------------------------------------------- */

static void finish(struct talk *t, unsigned side)
{
    pass(t, side, TCP_FIN | TCP_ACK, t->next[side]++, 0);
}

/* Both clocks lag by 5 ms more in each half second; what is asked is answered at once. */
static void takes_no_slow_clock_for_a_queue(void **state)
{
    (void)state;
    struct talk t = begin();
    for (unsigned i = 0; i < 60; i++) {
        for (unsigned k = 0; k < 3; k++) {
            say(&t, CLIENT, 100);
            wait_ms(&t, 6);
            say(&t, SERVER, SEGMENT);
            wait_ms(&t, 14);
            acknowledge(&t, CLIENT);
            acknowledge(&t, SERVER);
        }
        wait_ms(&t, 440);
        t.sent_ago += 5 * MS;
    }
    assert_int_equal(truth_of(&t, HEALTH_BUFFERBLOAT), HEALTH_FALSE);
    end(&t);
}

static void takes_silence_for_nothing(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 10, 14);
    assert_int_equal(truth_after(&t, 1, HEALTH_BLACKHOLED), HEALTH_FALSE); /* it goes on */
    assert_int_equal(truth_after(&t, 5, HEALTH_BLACKHOLED), HEALTH_UNKNOWN); /* or not */
    wait_ms(&t, 7000);
    finish(&t, CLIENT); /* it gives up, and nobody answers */
    assert_int_equal(truth_of(&t, HEALTH_BLACKHOLED), HEALTH_UNKNOWN);
    pass(&t, CLIENT, TCP_RST | TCP_ACK, t.next[CLIENT], 0);
    assert_int_equal(truth_of(&t, HEALTH_BLACKHOLED), HEALTH_UNKNOWN);
    end(&t);
}

static void takes_a_wait_for_nothing(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    say(&t, SERVER, SEGMENT);
    assert_int_equal(truth_after(&t, 0, HEALTH_BLACKHOLED), HEALTH_FALSE);
    wait_ms(&t, 300);
    pass(&t, SERVER, TCP_ACK, t.next[SERVER] - SEGMENT, SEGMENT); /* it misses the answer */
    assert_int_equal(truth_after(&t, 0, HEALTH_BLACKHOLED), HEALTH_UNKNOWN);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    assert_int_equal(truth_after(&t, 0, HEALTH_BLACKHOLED), HEALTH_FALSE);
    end(&t);
}

static void knows_who_was_heard(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 10, 14);
    finish(&t, CLIENT);
    wait_ms(&t, 6);
    acknowledge(&t, SERVER);
    assert_int_equal(truth_of(&t, HEALTH_BLACKHOLED), HEALTH_FALSE);
    end(&t);
    t = begin();
    ask(&t);
    transfer(&t, 10, 14);
    pass(&t, CLIENT, TCP_RST | TCP_ACK, t.next[CLIENT], 0); /* amid the talk */
    assert_int_equal(truth_of(&t, HEALTH_BLACKHOLED), HEALTH_FALSE);
    end(&t);
}

/* The first answer never arrives: the client says nothing, or that it gives up. */
static void hears_that_nothing_arrived(void **state)
{
    (void)state;
    for (unsigned gives_up = 0; gives_up < 2; gives_up++) {
        for (uint32_t length = 400; length <= SEGMENT; length += SEGMENT - 400) {
            struct talk t = begin();
            ask(&t);
            say(&t, SERVER, length);
            for (unsigned i = 0; i < 5; i++) {
                wait_ms(&t, 300 << i);
                pass(&t, SERVER, TCP_ACK, t.next[SERVER] - length, length);
            }
            if (gives_up) {
                finish(&t, CLIENT);
            }
            struct health_record r = record_of(&t);
            assert_int_equal(r.findings[HEALTH_BLACKHOLED].truth, HEALTH_TRUE);
            assert_string_equal(r.blackhole_kind,
                                gives_up && length == SEGMENT ? "pmtu" : "mid_connection");
            end(&t);
        }
    }
}

/* ---- Who is silent --------------------------------------------------------------------------- */

/* The client asks; what the server says to that never comes as far as here, but that the client's
 * end is heard, in a segment with the number of what the server would say next. */
static void takes_what_is_missing_for_no_pause(void **state)
{
    (void)state;
    for (unsigned missing = 0; missing < 2; missing++) {
        struct talk t = begin();
        ask(&t);
        wait_ms(&t, 7000);
        finish(&t, CLIENT);
        wait_ms(&t, 6);
        t.next[SERVER] += missing ? 10 * SEGMENT : 0;
        acknowledge(&t, SERVER);
        const enum health_truth black = missing ? HEALTH_UNKNOWN : HEALTH_FALSE;
        assert_int_equal(truth_of(&t, HEALTH_BLACKHOLED), black);
        const enum health_truth application = missing ? HEALTH_UNKNOWN : HEALTH_TRUE;
        assert_int_equal(truth_of(&t, HEALTH_APPLICATION_LIMITED), application);
        end(&t);
    }
}

/* After a transfer the server is not heard any more, and the client gives up: or the server waits.
 */
static void knows_no_reason_for_the_last_silence(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 100, 14);
    assert_int_equal(truth_of(&t, HEALTH_APPLICATION_LIMITED), HEALTH_FALSE);
    wait_ms(&t, 7000);
    finish(&t, CLIENT);
    assert_int_equal(truth_of(&t, HEALTH_APPLICATION_LIMITED), HEALTH_UNKNOWN);
    wait_ms(&t, 6);
    acknowledge(&t, SERVER);
    assert_int_equal(truth_of(&t, HEALTH_APPLICATION_LIMITED), HEALTH_TRUE);
    end(&t);
}

/* After a pause the client asks once more, twice, and the capture ends before an answer. */
static void counts_pauses_before_the_last_silence(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 20, 14);
    wait_ms(&t, 7000);
    say(&t, CLIENT, 100);
    wait_ms(&t, 300);
    pass(&t, CLIENT, TCP_ACK | TCP_PSH, t.next[CLIENT] - 100, 100);
    assert_int_equal(truth_of(&t, HEALTH_BLACKHOLED), HEALTH_UNKNOWN);
    assert_int_equal(truth_of(&t, HEALTH_APPLICATION_LIMITED), HEALTH_TRUE);
    end(&t);
}

/* Two SYNs are lost: 3 s in which nobody could say anything. */
static void lives_from_the_handshake_on(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = true, .ip_id = 100};
    t.at = 1000000 * MS;
    for (unsigned i = 0; i < 2; i++) {
        pass(&t, CLIENT, TCP_SYN, 1000, 0);
        wait_ms(&t, 1000 << i);
    }
    t.at -= 1000000 * MS;
    shake_hands(&t, 1000);
    ask(&t);
    transfer(&t, 100, 14);
    const struct health_record r = record_of(&t);
    assert_true(r.syn_pkts == 3);
    assert_int_equal(r.findings[HEALTH_APPLICATION_LIMITED].truth, HEALTH_FALSE);
    assert_near(r.ways[SERVER].idle_ms, 40, 20);
    end(&t);
}

/* Acknowledgments vanish behind the tap, and the server asks again and again: longer apart than a
 * pause after which details go back. */
static void follows_who_repeats_for_long(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 10, 0.1);
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t due = t.at + (UINT64_C(300) << i) * MS;
        for (; t.at < due; wait_ms(&t, 100)) {
            health_tick(t.book, t.at);
        }
        pass(&t, SERVER, TCP_ACK, t.next[SERVER] - SEGMENT, SEGMENT);
        acknowledge(&t, CLIENT);
    }
    const struct health_record r = record_of(&t);
    assert_string_equal(r.blackhole_kind, "mid_connection_reverse_path");
    assert_int_not_equal(r.findings[HEALTH_APPLICATION_LIMITED].truth, HEALTH_TRUE);
    assert_near(r.ways[SERVER].idle_ms, 40, 40);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_a_queue_to_stand),
        cmocka_unit_test(knows_no_queue_it_cannot_see),
        cmocka_unit_test(reads_the_clock_through_a_queue),
        cmocka_unit_test(takes_no_slow_clock_for_a_queue),
        cmocka_unit_test(takes_silence_for_nothing),
        cmocka_unit_test(takes_a_wait_for_nothing),
        cmocka_unit_test(knows_who_was_heard),
        cmocka_unit_test(takes_no_turns_for_a_send_buffer),
        cmocka_unit_test(hears_that_nothing_arrived),
        cmocka_unit_test(knows_a_send_buffer_from_near),
        cmocka_unit_test(asks_what_stood_before),
        cmocka_unit_test(takes_no_way_for_none),
        cmocka_unit_test(takes_what_is_missing_for_no_pause),
        cmocka_unit_test(knows_no_reason_for_the_last_silence),
        cmocka_unit_test(counts_pauses_before_the_last_silence),
        cmocka_unit_test(lives_from_the_handshake_on),
        cmocka_unit_test(follows_who_repeats_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
