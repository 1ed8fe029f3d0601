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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_partial_acknowledgments_for_no_timeouts),
        cmocka_unit_test(knows_an_original_that_its_repeat_overtook),
        cmocka_unit_test(forgives_what_had_been_acknowledged),
        cmocka_unit_test(orders_by_identifications_in_disorder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
