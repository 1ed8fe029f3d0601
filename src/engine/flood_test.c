// SPDX-License-Identifier: Apache-2.0
#include "engine/flood.h"

#include "base/seconds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define START (UINT64_C(1700000000) * SECOND_NS)

struct lab {
    struct flood flood;
    struct flood_told told;
    struct flood_watch *watch;
    uint32_t marks;
};

static int set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    lab->watch = flood_watch_new(&lab->flood);
    *state = lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;
    flood_watch_free(lab->watch);
    free(lab);
    return 0;
}

static struct flow_key key_of(uint32_t client, uint8_t server)
{
    return (struct flow_key){.port = {(uint16_t)(1024 + client), 80}, .protocol = 6, .version = 4,
                             .address = {{10, 0, (uint8_t)(client >> 8), (uint8_t)client},
                                         {10, 1, 0, server}}};
}

/* A handshake that was answered, and begun then. */
static struct flow half_open(uint32_t client, uint8_t server, uint64_t first_ns)
{
    struct flow flow = {.key = key_of(client, server), .first_ns = first_ns};
    flow.tcp_flags[0] = TCP_SYN;
    flow.tcp_flags[1] = TCP_SYN | TCP_ACK;
    return flow;
}

static void see(struct lab *lab, uint32_t client, uint8_t server, uint8_t flags, uint64_t now_ns)
{
    struct packet packet = {.tcp_flags = flags, .seq = flags & TCP_ACK ? 9 : 1000 + client,
                            .ack = flags & TCP_ACK ? 1001 + client : 0};
    struct flow_key key = key_of(client, server);
    uint64_t name = flood_watch_syn(lab->watch, &packet, &key, flags & TCP_ACK ? 1 : 0, now_ns);
    if (name != 0) {
        lab->marks++;
        flood_note(&lab->told, name, now_ns);
    }
}

/* Handshakes of clients from..to-1, a millisecond apart, that the server answers, and again a second later. */
static void wait(struct lab *lab, uint32_t from, uint32_t to, uint8_t server, uint64_t now_ns)
{
    for (uint32_t i = from; i < to; i++) {
        see(lab, i, server, TCP_SYN, now_ns + i * MS_NS);
        see(lab, i, server, TCP_SYN | TCP_ACK, now_ns + i * MS_NS);
    }
    for (uint32_t i = from; i < to; i++) {
        see(lab, i, server, TCP_SYN | TCP_ACK, now_ns + i * MS_NS + SECOND_NS);
    }
}

static void many_that_wait_are_a_flood(void **state)
{
    struct lab *lab = *state;
    struct flow one = half_open(0, 1, START), other = half_open(0, 2, START);
    wait(lab, 0, FLOOD_LEAST - 1, 1, START);
    wait(lab, 0, FLOOD_LEAST - 1, 2, START);
    assert_false(flood_has(&lab->told, &one));
    wait(lab, FLOOD_LEAST - 1, FLOOD_LEAST, 1, START + SECOND_NS);
    assert_true(flood_has(&lab->told, &one));
    assert_false(flood_has(&lab->told, &other));
    one.tcp_flags[0] |= TCP_ACK; /* one that completes amid it is none of it */
    assert_false(flood_has(&lab->told, &one));
}

static void a_mark_a_second_is_enough(void **state)
{
    struct lab *lab = *state;
    wait(lab, 0, 900, 1, START);
    assert_int_equal(lab->marks, 1);
    wait(lab, 900, 1000, 1, START + SECOND_NS);
    assert_int_equal(lab->marks, 2);
}

static void it_ends(void **state)
{
    struct lab *lab = *state;
    struct flow before = half_open(0, 1, START - 30 * SECOND_NS);
    struct flow after = half_open(0, 1, START + 20 * SECOND_NS);
    wait(lab, 0, FLOOD_LEAST, 1, START);
    assert_true(flood_has(&lab->told, &before));
    assert_false(flood_has(&lab->told, &after));
    for (uint32_t i = 0; i < 10; i++) { /* as many, but not within a minute */
        wait(lab, 1000 + 6 * i, 1006 + 6 * i, 1, START + (100 + FLOOD_PERIOD * i) * SECOND_NS);
    }
    assert_int_equal(lab->marks, 1);
}

static void copies_are_none(void **state)
{
    struct lab *lab = *state;
    for (uint32_t i = 0; i < 10 * FLOOD_LEAST; i++) {
        see(lab, i, 1, TCP_SYN, START + i * MS_NS);
        see(lab, i, 1, TCP_SYN | TCP_ACK, START + i * MS_NS);
        see(lab, i, 1, TCP_SYN | TCP_ACK, START + i * MS_NS + MS_NS / 10); /* of the same frame */
    }
    assert_int_equal(lab->marks, 0);
}

static void clients_that_ask_again_live(void **state)
{
    struct lab *lab = *state;
    for (uint32_t i = 0; i < 10 * FLOOD_LEAST; i++) {
        uint64_t now_ns = START + i * MS_NS;
        see(lab, i, 1, TCP_SYN, now_ns);
        see(lab, i, 1, TCP_SYN | TCP_ACK, now_ns);
        bool first = i % 2 == 0; /* the client's, or the server's time-out */
        see(lab, i, 1, first ? TCP_SYN : TCP_SYN | TCP_ACK, now_ns + SECOND_NS);
        see(lab, i, 1, first ? TCP_SYN | TCP_ACK : TCP_SYN, now_ns + SECOND_NS + MS_NS);
        see(lab, i, 1, TCP_SYN | TCP_ACK, now_ns + 3 * SECOND_NS);
    }
    assert_int_equal(lab->marks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_that_wait_are_a_flood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mark_a_second_is_enough, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_that_ask_again_live, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
