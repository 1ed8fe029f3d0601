// SPDX-License-Identifier: Apache-2.0
/* Captures that are odd, hosts that lie, noise: no verdict comes of them, and no memory stays. */
#include "flow/health_test.h"

/* The server sends trains of segments, the client acknowledges each train. */
static void transfer(struct talk *t, unsigned trains, uint32_t length)
{
    for (unsigned i = 0; i < trains; i++) {
        say(t, SERVER, length);
        say(t, SERVER, length);
        wait_ms(t, 14);
        acknowledge(t, CLIENT);
        wait_ms(t, 26);
    }
}

static void check_clean(const struct health_record *r, double bytes)
{
    assert_false(r->findings[HEALTH_BUFFERBLOAT].truth == HEALTH_TRUE ||
                 r->findings[HEALTH_BLACKHOLED].truth == HEALTH_TRUE ||
                 r->findings[HEALTH_LOSSY].truth == HEALTH_TRUE ||
                 r->findings[HEALTH_REORDERED].truth == HEALTH_TRUE);
    assert_true(r->ways[SERVER].unique_bytes == bytes && r->ways[SERVER].retrans_pkts == 0);
    assert_true(r->ways[SERVER].not_captured_bytes == 0);
}

static void is_sure_of_odd_captures(void **state)
{
    (void)state;
    static const struct talk oddities[] = {
        {.stamps = true, .lies = true}, {.stamps = false}, {.stamps = true, .cut = 20}};
    for (unsigned i = 0; i < 6; i++) {
        struct talk t = oddities[i / 2];
        uint32_t length = i % 2 ? 20 * SEGMENT : SEGMENT; /* glued by offload, or not */
        t.book = new_book(4);
        t.flow = 1;
        shake_hands(&t, UINT32_MAX - 100000);
        ask(&t);
        transfer(&t, 100, length);
        struct health_record r = record_of(&t);
        check_clean(&r, 200.0 * length);
        assert_near(r.min_rtt_to_client_ms, 14, 0.01);
        end(&t);
    }
}

static void joins_midway(void **state)
{
    (void)state;
    for (unsigned seen = 0; seen < 4; seen++) { /* the SYN, the SYN-ACK, both, none */
        struct talk t = {.book = new_book(4), .flow = 1, .stamps = true, .window = 8192,
                         .next = {UINT32_MAX - 500, 7}, .acked = {7, UINT32_MAX - 500}, .at = MS};
        if (seen & 1) {
            pass(&t, CLIENT, TCP_SYN, t.next[CLIENT] - 1, 0);
        }
        if (seen & 2) {
            pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER] - 1, 0);
        }
        ask(&t);
        transfer(&t, 50, SEGMENT);
        struct health_record r = record_of(&t);
        check_clean(&r, 100.0 * SEGMENT);
        assert_int_equal(r.established == HEALTH_TRUE, seen == 3);
        end(&t);
    }
}

static void hears_one_side_only(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .stamps = true, .window = 8192, .at = MS};
    for (unsigned i = 0; i < 1000; i++) {
        say(&t, SERVER, SEGMENT);
        wait_ms(&t, 1);
    }
    struct health_record r = record_of(&t);
    check_clean(&r, 1000.0 * SEGMENT);
    struct health_book_stats stats;
    health_tick(t.book, t.at + 11000 * MS); /* nobody will acknowledge it */
    health_book_stats(t.book, &stats);
    assert_true(stats.details == 0);
    end(&t);
}

static void remembers_no_noise(void **state)
{
    (void)state;
    struct talk t = {.book = new_book(4), .flow = 1, .window = 8192, .at = MS};
    for (unsigned i = 1; i < 1000; i++) {
        t.acked[CLIENT] = i * 2246822519u;
        pass(&t, CLIENT, TCP_ACK, i * 2654435761u, 10);
        wait_ms(&t, 1);
    }
    struct health_book_stats stats;
    health_book_stats(t.book, &stats);
    assert_true(stats.details == 0);
    struct health_record r = record_of(&t);
    assert_false(has_verdict(&r));
    end(&t);
}

static void keeps_little_of_the_closed(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 20, SEGMENT);
    pass(&t, SERVER, TCP_FIN | TCP_ACK, t.next[SERVER]++, 0);
    acknowledge(&t, CLIENT);
    pass(&t, CLIENT, TCP_FIN | TCP_ACK, t.next[CLIENT]++, 0);
    acknowledge(&t, SERVER);
    struct health_book_stats stats;
    health_book_stats(t.book, &stats);
    assert_true(stats.details == 0);
    struct health_record r = record_of(&t);
    assert_near(r.ways[SERVER].rtt_p50_ms, 14, 1);
    assert_true(r.ways[SERVER].rtt_samples == 20);
    end(&t);
}

/* A segment of the server is lost behind the tap and repeated 300 ms later; `after` ms later the
 * client acknowledges it and echoes a stamp `ago` ms old. Returns how many samples that gave. */
static double repeat_once(struct talk *t, uint64_t after, uint64_t ago)
{
    double before = record_of(t).ways[SERVER].rtt_samples;
    say(t, SERVER, SEGMENT);
    wait_ms(t, 300);
    pass(t, SERVER, TCP_ACK, t->next[SERVER] - SEGMENT, SEGMENT);
    t->at += after * MS;
    t->echo = (uint32_t)(t->at / MS - ago);
    acknowledge(t, CLIENT);
    t->echo = 0;
    wait_ms(t, 100);
    return record_of(t).ways[SERVER].rtt_samples - before;
}

static void samples_what_was_sent_twice(void **state)
{
    (void)state;
    struct talk t = begin();
    ask(&t);
    transfer(&t, 2, SEGMENT);
    assert_true(repeat_once(&t, 15, 15) == 1); /* the second copy, by its stamp */
    assert_true(repeat_once(&t, 15, 315) == 0); /* the first: the repeat was spurious */
    assert_true(repeat_once(&t, 15, 100) == 0); /* neither */
    assert_true(repeat_once(&t, 2, 2) == 0);    /* shorter than the path: a lie */
    struct health_record r = record_of(&t);
    assert_near(r.min_rtt_to_client_ms, 14, 0.01);
    assert_true(r.ways[SERVER].spurious_retrans_pkts == 2); /* echoes older than the repeat */
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sure_of_odd_captures),
        cmocka_unit_test(joins_midway),
        cmocka_unit_test(hears_one_side_only),
        cmocka_unit_test(remembers_no_noise),
        cmocka_unit_test(keeps_little_of_the_closed),
        cmocka_unit_test(samples_what_was_sent_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
