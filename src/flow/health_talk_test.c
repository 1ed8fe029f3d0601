// SPDX-License-Identifier: Apache-2.0
/* Handshakes in which something got lost, and what they say of the path. */
#include "flow/health_test.h"

static struct talk begin_silent(bool stamps)
{
    struct talk t = {.book = new_book(4), .flow = 1, .stamps = stamps, .window = 65535};
    t.at = 1000000 * MS;
    t.next[CLIENT] = 1000;
    t.next[SERVER] = 9000;
    return t;
}

static uint32_t stamp_of(const struct talk *t)
{
    return (uint32_t)((t->at - t->sent_ago) / MS);
}

/* The first answer is lost before the tap, and the one that comes was sent by the server's timer, 4 ms
 * after the client asked again. */
static void takes_no_repeated_answer_for_a_short_path(void **state)
{
    (void)state;
    for (unsigned stamps = 0; stamps < 2; stamps++) {
        struct talk t = begin_silent(stamps);
        const uint32_t first = stamp_of(&t);
        pass(&t, CLIENT, TCP_SYN, t.next[CLIENT], 0);
        wait_ms(&t, 1000);
        pass(&t, CLIENT, TCP_SYN, t.next[CLIENT]++, 0);
        wait_ms(&t, 4);
        t.acked[SERVER] = t.next[CLIENT];
        t.echo = first;
        pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
        t.echo = 0;
        acknowledge(&t, CLIENT);
        struct health_record r = record_of(&t);
        assert_near(r.handshake_rtt_to_server_ms, 4, 0.01);
        assert_true(isnan(r.min_rtt_to_server_ms));
        say(&t, CLIENT, 100);
        wait_ms(&t, 20);
        acknowledge(&t, SERVER);
        r = record_of(&t);
        assert_near(r.min_rtt_to_server_ms, 20, 0.01);
        end(&t);
    }
}

/* The answer's stamp names the second SYN: the first never arrived. */
static void believes_an_answer_that_names_its_question(void **state)
{
    (void)state;
    struct talk t = begin_silent(true);
    pass(&t, CLIENT, TCP_SYN, t.next[CLIENT], 0);
    wait_ms(&t, 1000);
    t.echo = stamp_of(&t);
    pass(&t, CLIENT, TCP_SYN, t.next[CLIENT]++, 0);
    wait_ms(&t, 6);
    t.acked[SERVER] = t.next[CLIENT];
    pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
    struct health_record r = record_of(&t);
    assert_near(r.min_rtt_to_server_ms, 6, 0.01);
    end(&t);
}

/* Two answers 20 ms apart; the client acknowledges the first one or the second. */
static void asks_which_answer_was_acknowledged(void **state)
{
    (void)state;
    for (unsigned second = 0; second < 2; second++) {
        struct talk t = begin_silent(true);
        pass(&t, CLIENT, TCP_SYN, t.next[CLIENT]++, 0);
        wait_ms(&t, 6);
        t.acked[SERVER] = t.next[CLIENT];
        uint32_t named = stamp_of(&t);
        pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER], 0);
        wait_ms(&t, 20);
        named = second ? stamp_of(&t) : named;
        pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
        wait_ms(&t, 14);
        t.echo = named;
        acknowledge(&t, CLIENT);
        struct health_record r = record_of(&t);
        assert_near(r.handshake_rtt_to_client_ms, 14, 0.01); /* by definition, from the latest */
        assert_true(second ? r.min_rtt_to_client_ms < 14.01 : isnan(r.min_rtt_to_client_ms));
        end(&t);
    }
}

/* Linux answers a repeated SYN at once and alike, without IP identification or, here, stamps. */
static void takes_an_answer_again_for_no_copy(void **state)
{
    (void)state;
    struct talk t = begin_silent(false);
    pass(&t, CLIENT, TCP_SYN, t.next[CLIENT]++, 0);
    t.acked[SERVER] = t.next[CLIENT];
    t.ip_id = UINT16_MAX; /* the next is 0: none */
    wait_ms(&t, 0.02);
    pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER], 0);
    wait_ms(&t, 1000);
    t.ip_id = 500;
    pass(&t, CLIENT, TCP_SYN, t.next[CLIENT] - 1, 0);
    wait_ms(&t, 0.02);
    t.ip_id = UINT16_MAX;
    pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
    struct health_record r = record_of(&t);
    assert_true(r.duplicate_frames == 0 && r.synack_pkts == 2);
    wait_ms(&t, 0.02);
    t.ip_id = UINT16_MAX;
    pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER] - 1, 0); /* a mirrored port */
    r = record_of(&t);
    assert_true(r.duplicate_frames == 1 && r.synack_pkts == 2);
    end(&t);
}

/* TCP Fast Open: the server does not take what the SYN carries, which is said again; `lost`: nor does the
 * SYN arrive, and the next one carries nothing. */
static void times_what_a_syn_said_in_vain(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 2; lost++) {
        struct talk t = begin_silent(true);
        const uint32_t first = t.next[CLIENT] + 1;
        pass(&t, CLIENT, TCP_SYN, first - 1, 200);
        if (lost) {
            wait_ms(&t, 1000);
            pass(&t, CLIENT, TCP_SYN, first - 1, 0);
        }
        wait_ms(&t, 6);
        t.acked[SERVER] = first;
        pass(&t, SERVER, TCP_SYN | TCP_ACK, t.next[SERVER]++, 0);
        wait_ms(&t, 14);
        t.acked[CLIENT] = t.next[SERVER];
        pass(&t, CLIENT, TCP_ACK, first, 0);
        pass(&t, CLIENT, TCP_ACK, first, 200);
        wait_ms(&t, 56);
        t.acked[SERVER] = first + 200;
        say(&t, SERVER, 1000);
        struct health_record r = record_of(&t);
        assert_true(r.syn_pkts == 1 + lost && r.turns == 1);
        assert_near(r.min_rtt_to_server_ms, 6, 0.01);
        assert_near(r.server_response_ms, 50, 0.01);
        assert_near(r.ttfb_ms, 56, 0.01);
        end(&t);
    }
}

static void say_record(struct talk *t, unsigned side, uint8_t kind, uint32_t length)
{
    const uint8_t record[] = {kind, 3, 3, (uint8_t)((length - 5) >> 8), (uint8_t)(length - 5), 1};
    memcpy(t->said, record, sizeof record);
    t->said_size = sizeof record;
    say(t, side, length);
}

/* TLS 1.3: the server's second session ticket waits for the acknowledgment of the first one, which
 * the client delays by 200 ms; the answer takes 350. */
static void takes_no_late_ticket_for_an_answer(void **state)
{
    (void)state;
    struct talk t = begin();
    say_record(&t, CLIENT, 22, 500);
    wait_ms(&t, 6);
    acknowledge(&t, SERVER);
    say_record(&t, SERVER, 22, 1200);
    wait_ms(&t, 14);
    acknowledge(&t, CLIENT);
    say_record(&t, CLIENT, 23, 80);
    say_record(&t, CLIENT, 23, 300);
    wait_ms(&t, 6);
    acknowledge(&t, SERVER);
    say_record(&t, SERVER, 23, 255);
    wait_ms(&t, 200);
    acknowledge(&t, CLIENT);
    wait_ms(&t, 6);
    say_record(&t, SERVER, 23, 255);
    wait_ms(&t, 144);
    say_record(&t, SERVER, 23, 1000);
    const struct health_record r = record_of(&t);
    assert_near(r.ttfb_ms, 356, 0.01);
    assert_near(r.server_response_ms, 350, 0.01);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_no_repeated_answer_for_a_short_path),
        cmocka_unit_test(believes_an_answer_that_names_its_question),
        cmocka_unit_test(asks_which_answer_was_acknowledged),
        cmocka_unit_test(takes_an_answer_again_for_no_copy),
        cmocka_unit_test(times_what_a_syn_said_in_vain),
        cmocka_unit_test(takes_no_late_ticket_for_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
