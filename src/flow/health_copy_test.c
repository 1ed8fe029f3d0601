// SPDX-License-Identifier: Apache-2.0
/* Frames that a capture has twice. */
#include "flow/health_test.h"

enum { BURST = 150, BEHIND = 30 };

/* The segment of the server's that was number `i` of a burst, a little after the one before.
 */
static void pass_one(struct talk *t, uint32_t first, uint16_t first_id, uint32_t i, double late_ms)
{
    const uint64_t now = t->at;
    t->ip_id = (uint16_t)(first_id + i); /* pass() adds one */
    t->sent_ago = (uint64_t)((late_ms + 3) * (double)MS);
    pass(t, SERVER, TCP_ACK, first + i * SEGMENT, SEGMENT);
    t->sent_ago = 0;
    t->at = now;
}

/* A burst of which each frame is seen once more, 30 frames later: by then many records were made
 * one. With `pairs` of each two the second passes first, and only the last record has room for
 * more. */
static struct health_record burst_twice(bool stamps, bool pairs)
{
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = stamps, .ip_id = 100};
    shake_hands(&t, 1000);
    ask(&t);
    const uint32_t first = t.next[SERVER];
    const uint16_t id = t.ip_id;
    for (uint32_t i = 0; i < BURST + BEHIND; i++) {
        const double late_ms = pairs && i % 2 ? 0.04 : 0;
        wait_ms(&t, 0.02);
        if (i < BURST) {
            pass_one(&t, first, id, i ^ pairs, late_ms);
        }
        if (i >= BEHIND) {
            pass_one(&t, first, id, (i - BEHIND) ^ pairs, late_ms + BEHIND * 0.02);
        }
    }
    t.next[SERVER] = first + BURST * SEGMENT;
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    struct health_record r = record_of(&t);
    end(&t);
    return r;
}

static void knows_late_copies_of_a_burst(void **state)
{
    (void)state;
    for (unsigned stamps = 0; stamps < 2; stamps++) {
        struct health_record r = burst_twice(stamps, false);
        assert_true(r.ways[SERVER].retrans_pkts == 0);
        assert_true(r.ways[SERVER].reordered_original_pkts == 0);
        assert_true(r.ways[SERVER].network_dup_pkts == BURST);
        assert_true(r.ways[SERVER].unique_bytes == BURST * SEGMENT);
        assert_false(has_verdict(&r));
    }
}

static void knows_late_copies_in_disorder(void **state)
{
    (void)state;
    for (unsigned stamps = 0; stamps < 2; stamps++) {
        struct health_record r = burst_twice(stamps, true);
        assert_true(r.ways[SERVER].retrans_pkts == 0);
        assert_true(r.ways[SERVER].reordered_original_pkts * 2 == BURST);
        assert_true(r.ways[SERVER].network_dup_pkts == BURST);
        assert_true(r.ways[SERVER].unique_bytes == BURST * SEGMENT);
    }
}

/* What is sent again is younger than what passed last, and no copy, however long its record is
 * gone. */
static void takes_no_repeat_for_a_copy(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    const uint32_t first = t.next[SERVER];
    for (unsigned i = 0; i < BURST; i++) {
        wait_ms(&t, 0.1);
        say(&t, SERVER, SEGMENT);
    }
    wait_ms(&t, 20);
    for (unsigned i = 0; i < 10; i++) {
        pass(&t, SERVER, TCP_ACK, first + i * SEGMENT, SEGMENT);
    }
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].retrans_pkts == 10);
    assert_true(r.duplicate_frames == 0);
    end(&t);
}

/* Three of 200 segments are lost, and each frame is in the capture twice: that is more than one per
 * cent. */
static void counts_loss_by_what_was_sent(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    const uint32_t first = t.next[SERVER];
    for (unsigned i = 0; i < 200; i++) {
        const uint16_t id = t.ip_id;
        say(&t, SERVER, SEGMENT);
        t.ip_id = id;
        t.next[SERVER] -= SEGMENT;
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 1);
    }
    wait_ms(&t, 20);
    for (unsigned i = 0; i < 3; i++) {
        pass(&t, SERVER, TCP_ACK, first + i * SEGMENT, SEGMENT);
    }
    struct health_record r = record_of(&t);
    assert_true(r.ways[SERVER].data_pkts == 403);
    assert_true(r.ways[SERVER].retrans_pkts == 3);
    assert_int_equal(r.findings[HEALTH_LOSSY].truth, HEALTH_TRUE);
    assert_near(health_trip_of(&r).loss_percent, 1.48, 0.01);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_late_copies_of_a_burst),
        cmocka_unit_test(knows_late_copies_in_disorder),
        cmocka_unit_test(takes_no_repeat_for_a_copy),
        cmocka_unit_test(counts_loss_by_what_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
