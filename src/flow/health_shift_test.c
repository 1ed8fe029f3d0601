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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_on_when_time_goes_back),
        cmocka_unit_test(survives_packets_in_another_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
