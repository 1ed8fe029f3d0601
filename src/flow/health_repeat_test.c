// SPDX-License-Identifier: Apache-2.0
/* What was sent again: why, and whether it had to be. */
#include "flow/health_test.h"

static struct talk begin_asked(void)
{
    struct talk t = begin();
    ask(&t);
    return t;
}

static void say_again(struct talk *t, uint32_t seq)
{
    pass(t, SERVER, TCP_ACK, seq, SEGMENT);
}

static void acknowledge_up_to(struct talk *t, uint32_t ack)
{
    t->acked[CLIENT] = ack;
    pass(t, CLIENT, TCP_ACK, t->next[CLIENT], 0);
}

/* Without SACK the sender repeats one segment a round trip, when the one below is acknowledged: no
 * timer ran out. The path is so long that each pause is longer than the least time-out. */
static void takes_partial_acknowledgments_for_no_timeouts(void **state)
{
    (void)state;
    struct talk t = begin_asked();
    const uint32_t first = t.next[SERVER];
    for (unsigned i = 0; i < 20; i++) {
        say(&t, SERVER, SEGMENT);
    }
    wait_ms(&t, 394);
    acknowledge_up_to(&t, first + SEGMENT);
    for (unsigned i = 1; i < 10; i++) {
        wait_ms(&t, 6);
        say_again(&t, first + i * SEGMENT);
        wait_ms(&t, 394);
        acknowledge_up_to(&t, first + (i + 1) * SEGMENT);
    }
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].retrans_pkts == 9);
    assert_true(r.ways[SERVER].timeouts == 0);
    wait_ms(&t, 2500);
    say_again(&t, first + 10 * SEGMENT);
    r = record_of(&t);
    assert_true(r.ways[SERVER].timeouts == 1);
    end(&t);
}

/* A segment is 40 ms late, and its repeat overtakes it; by then the record of it is gone. */
static void knows_an_original_that_its_repeat_overtook(void **state)
{
    (void)state;
    struct talk t = begin_asked();
    const uint32_t late = t.next[SERVER];
    t.next[SERVER] += SEGMENT;
    for (unsigned i = 0; i < 10; i++) {
        say(&t, SERVER, SEGMENT);
    }
    wait_ms(&t, 21);
    t.echo = (uint32_t)(t.at / MS);
    say_again(&t, late);
    wait_ms(&t, 1);
    acknowledge(&t, CLIENT); /* it echoes the repeat's stamp */
    t.echo = 0;
    for (unsigned i = 0; i < 100; i++) {
        say(&t, SERVER, SEGMENT);
    }
    wait_ms(&t, 18);
    t.sent_ago = 40 * MS;
    say_again(&t, late);
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].reordered_original_pkts == 1);
    assert_true(r.ways[SERVER].retrans_fills_hole_pkts == 1);
    assert_true(r.ways[SERVER].retrans_earlier_copy_seen_pkts == 0);
    assert_true(r.ways[SERVER].spurious_retrans_pkts == 1); /* the repeat was */
    assert_true(r.ways[SERVER].lost_before_tap_pkts == 0);
    end(&t);
}

/* What the receiver had acknowledged when it was sent again was lost nowhere. */
static void forgives_what_had_been_acknowledged(void **state)
{
    (void)state;
    struct talk t = begin_asked();
    const uint32_t first = t.next[SERVER];
    say(&t, SERVER, SEGMENT);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    wait_ms(&t, 300);
    say_again(&t, first);
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].retrans_earlier_copy_seen_pkts == 1);
    assert_true(r.ways[SERVER].spurious_retrans_pkts == 1);
    assert_true(r.ways[SERVER].lost_behind_tap_pkts == 0);
    end(&t);
}

/* One segment of three comes late, and no stamps: IP identifications tell, though a third of them do not
 * come in order. */
static void orders_by_identifications_in_disorder(void **state)
{
    (void)state;
    struct talk t = begin();
    t.stamps = false;
    ask(&t);
    for (unsigned i = 0; i < 60; i++) {
        const uint32_t late = t.next[SERVER];
        const uint16_t id = t.ip_id;
        t.next[SERVER] += SEGMENT;
        t.ip_id++;
        say(&t, SERVER, SEGMENT);
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 25); /* longer than the path */
        t.ip_id = id;
        say_again(&t, late);
        t.ip_id = (uint16_t)(id + 3);
    }
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].reordered_original_pkts >= 50); /* until they are known to count */
    end(&t);
}

/* ---- What is said again without need to be heard ---------------------------------------------- */

/* The server tells 40 segments, and the client has them. */
static struct talk begin_told(void)
{
    struct talk t = begin();
    ask(&t);
    for (unsigned i = 0; i < 40; i++) {
        say(&t, SERVER, SEGMENT);
    }
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    return t;
}

/* A second of packet time passes for the book, too, as often as need be. */
static void wait_ticking(struct talk *t, double ms)
{
    for (; ms > 0; ms -= 1000) {
        wait_ms(t, ms < 1000 ? ms : 1000);
        health_tick(t->book, t->at);
    }
}

static void assert_unharmed(const struct health_record *r)
{
    assert_true(r->ways[SERVER].retrans_pkts == 0);
    assert_true(r->ways[SERVER].timeouts == 0);
    assert_int_not_equal(r->findings[HEALTH_LOSSY].truth, HEALTH_TRUE);
}

/* With a byte, as old stacks do: half a second apart, or so far apart that nothing is known any
 * more. */
static void takes_keepalives_for_no_repeats(void **state)
{
    (void)state;
    const double pauses_ms[] = {500, 15000};
    for (unsigned i = 0; i < 2; i++) {
        struct talk t = begin_told();
        for (unsigned probe = 0; probe < 6; probe++) {
            wait_ticking(&t, pauses_ms[i]);
            pass(&t, SERVER, TCP_ACK, t.next[SERVER] - 1, 1);
            wait_ms(&t, 14);
            acknowledge(&t, CLIENT);
        }
        struct health_record r = record_of(&t);
        assert_true(r.keepalives == 6);
        assert_true(r.window_probes == 0);
        assert_near(r.ways[SERVER].sender_busy_time_ms, 20, 2);
        assert_unharmed(&r);
        end(&t);
    }
}

enum probe { OLD_NOTHING, OLD_BYTE, NEW_BYTE };

/* The window closes, and opens after 25 s and six probes. */
static struct health_record probe_window(enum probe kind)
{
    struct talk t = begin_told();
    t.window = 0;
    acknowledge(&t, CLIENT);
    for (unsigned i = 0; i < 6; i++) {
        wait_ticking(&t, 400 << i);
        t.window = 8192; /* the server's own */
        const uint32_t seq = t.next[SERVER] - (kind != NEW_BYTE);
        pass(&t, SERVER, TCP_ACK, seq, kind != OLD_NOTHING);
        wait_ms(&t, 14);
        t.window = 0;
        pass(&t, CLIENT, TCP_ACK, t.next[CLIENT], 0);
    }
    t.window = 8192;
    pass(&t, CLIENT, TCP_ACK, t.next[CLIENT], 0);
    wait_ms(&t, 6);
    for (unsigned i = 0; i < 40; i++) {
        say(&t, SERVER, SEGMENT);
    }
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    struct health_record r = record_of(&t);
    end(&t);
    return r;
}

static void knows_probes_of_all_kinds(void **state)
{
    (void)state;
    for (enum probe kind = OLD_NOTHING; kind <= NEW_BYTE; kind++) {
        struct health_record r = probe_window(kind);
        assert_true(r.window_probes >= 5 && r.window_probes <= 6);
        assert_true(r.keepalives == 0);
        assert_true(r.ways[SERVER].sender_busy_time_ms > 25000);
        assert_true(r.ways[SERVER].rwnd_limited_ms > 25000);
        assert_int_equal(r.findings[HEALTH_RECEIVER_LIMITED].truth, HEALTH_TRUE);
        assert_unharmed(&r);
    }
}

/* On a path of 0.4 ms stamps of 1 ms say little: of each ten segments one is lost before the tap
 * and comes a round trip later, or is overtaken by one. */
static void tells_order_within_a_tick(void **state)
{
    (void)state;
    for (unsigned variant = 0; variant < 4; variant++) {
        const bool lost = variant & 1, identified = variant & 2;
        struct talk t = {.book = new_book(16), .flow = 1, .stamps = true, .ip_id = 100};
        t.at = 1000000 * MS;
        t.window = 65535;
        pass(&t, CLIENT, TCP_SYN, 999, 0);
        wait_ms(&t, 0.2);
        t.acked[SERVER] = t.next[CLIENT] = 1000;
        pass(&t, SERVER, TCP_SYN | TCP_ACK, 4999, 0);
        t.next[SERVER] = 5000;
        wait_ms(&t, 0.2);
        acknowledge(&t, CLIENT);
        for (unsigned i = 0; i < 20; i++) {
            const uint32_t missing = t.next[SERVER];
            t.at += 2 * MS - t.at % MS; /* where a tick begins */
            t.next[SERVER] += SEGMENT;
            const uint16_t id = t.ip_id++;
            for (unsigned k = 0; k < 9; k++) {
                t.ip_id = identified ? t.ip_id : UINT16_MAX;
                say(&t, SERVER, SEGMENT);
                wait_ms(&t, 0.01);
            }
            const uint16_t last = t.ip_id;
            wait_ms(&t, lost ? 0.4 : 0);
            t.ip_id = !identified ? UINT16_MAX : lost ? last : id;
            pass(&t, SERVER, TCP_ACK, missing, SEGMENT);
            t.ip_id = identified ? (uint16_t)(last + lost) : 100;
            acknowledge(&t, CLIENT);
        }
        const struct health_record r = record_of(&t);
        assert_true(r.ways[SERVER].retrans_fills_hole_pkts == (lost ? 20 : 0));
        assert_true(r.ways[SERVER].reordered_original_pkts == (lost ? 0 : 20));
        end(&t);
    }
}

/* Neither stamps nor SACK: segments are overtaken behind the tap, and repeated for it. The receiver
 * has the first one soon after, or (`lost`) only the repeat, which is acknowledged a round trip
 * later. */
static void times_what_was_needless(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 2; lost++) {
        struct talk t = {.book = new_book(16), .flow = 1, .ip_id = 100};
        shake_hands(&t, 1000);
        for (unsigned i = 0; i < 10; i++) {
            const uint32_t first = t.next[SERVER];
            for (unsigned k = 0; k < 9; k++) {
                say(&t, SERVER, SEGMENT);
            }
            wait_ms(&t, 14);
            for (unsigned k = 0; k < 8; k++) {
                acknowledge_up_to(&t, first);
            }
            wait_ms(&t, 6);
            say_again(&t, first);
            wait_ms(&t, lost ? 14 : 3);
            acknowledge_up_to(&t, t.next[SERVER]);
            wait_ms(&t, 6);
        }
        const struct health_record r = record_of(&t);
        assert_true(r.ways[SERVER].retrans_pkts == 10);
        assert_true(r.ways[SERVER].spurious_retrans_pkts == (lost ? 0 : 10));
        assert_int_equal(r.findings[HEALTH_LOSSY].truth == HEALTH_TRUE, lost);
        end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_partial_acknowledgments_for_no_timeouts),
        cmocka_unit_test(knows_an_original_that_its_repeat_overtook),
        cmocka_unit_test(forgives_what_had_been_acknowledged),
        cmocka_unit_test(orders_by_identifications_in_disorder),
        cmocka_unit_test(takes_keepalives_for_no_repeats),
        cmocka_unit_test(knows_probes_of_all_kinds),
        cmocka_unit_test(tells_order_within_a_tick),
        cmocka_unit_test(times_what_was_needless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
