// SPDX-License-Identifier: Apache-2.0
#include "flow/flow.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CLIENT, SERVER };

/* 10.0.0.1 and 10.0.0.2 with their MAC addresses. */
static uint8_t headers[2][28] = {{[12] = 10, 0, 0, 1, 10, 0, 0, 2},
                                 {[12] = 10, 0, 0, 2, 10, 0, 0, 1}};
static const uint8_t frames[2][14] = {{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 8, 0},
                                      {2, 0, 0, 0, 0, 0xa, 2, 0, 0, 0, 0, 0xc, 8, 0}};

struct lab {
    struct flow_table *table;
    flow_index flow;
};

static int set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct flow_table_options options = {.capacity = 16, .seed = 1};
    lab->table = flow_table_new(&options, NULL);
    *state = lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;
    flow_table_free(lab->table);
    free(lab);
    return 0;
}

static struct packet datagram(int from, uint16_t source, uint16_t destination)
{
    return (struct packet){
        .time_ns = 1000, .version = 4, .ip = headers[from], .mac = frames[from],
        .l4 = headers[from] + 20, .end = headers[from] + 28, .protocol = IPPROTO_UDP,
        .class = PACKET_UDP, .frames = 1, .wire_len = 60, .has_ports = true,
        .source_port = source, .destination_port = destination, .ttl = 60,
    };
}

static struct packet ping(int from, uint8_t type)
{
    struct packet p = datagram(from, 0, 0);
    p.has_ports = false;
    p.protocol = IPPROTO_ICMP;
    p.class = PACKET_ICMP;
    p.icmp_type = type;
    return p;
}

static struct flow_update pass(struct lab *lab, struct packet p)
{
    struct flow_key key;
    int end = flow_key_make(&p, &key);
    if (lab->flow == 0) {
        lab->flow = flow_add(lab->table, &key, flow_key_hash(&key, 1));
        flow_begin(lab->table, lab->flow, &p, end, 42);
    }
    assert_false(flow_is_reopened(flow_at(lab->table, lab->flow), &p, end));
    struct flow_update update;
    flow_count(lab->table, lab->flow, &p, end, &update);
    return update;
}

static void assert_history(const struct lab *lab, const char *expected)
{
    char text[16];
    flow_history_text(flow_at(lab->table, lab->flow), flow_cold_at(lab->table, lab->flow), text);
    assert_string_equal(text, expected);
}

static void packets_and_bytes_by_side(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(pass(lab, datagram(CLIENT, 5000, 53)).side, 0);
    assert_history(lab, "D");
    assert_int_equal(pass(lab, datagram(SERVER, 53, 5000)).side, 1);
    assert_int_equal(pass(lab, datagram(SERVER, 53, 5000)).side, 1);
    const struct flow *flow = flow_at(lab->table, lab->flow);
    assert_int_equal(flow->packets[0], 1);
    assert_int_equal(flow->packets[1], 2);
    assert_int_equal(flow->bytes[0], 60);
    assert_int_equal(flow->bytes[1], 120);
    assert_int_equal(flow->ttl[1], 60);
    assert_history(lab, "Dd");
    assert_string_equal(flow_connection_state(flow), "SF");
    assert_int_equal(flow_cold_at(lab->table, lab->flow)->order, 42);
}

static void macs_are_those_of_the_first_frames(void **state)
{
    struct lab *lab = *state;
    pass(lab, datagram(CLIENT, 5000, 53));
    const struct flow_cold *cold = flow_cold_at(lab->table, lab->flow);
    assert_int_equal(cold->mac_seen, 3);
    assert_int_equal(cold->mac[0][5], 0xa);
    assert_int_equal(cold->mac[1][5], 0xb); /* where the question went */
    pass(lab, datagram(SERVER, 53, 5000));
    assert_int_equal(cold->mac[1][5], 0xc); /* where the answer came from */
}

static void time_never_goes_back(void **state)
{
    struct lab *lab = *state;
    struct packet p = datagram(CLIENT, 5000, 53);
    pass(lab, p);
    p.time_ns = 3000;
    pass(lab, p);
    p.time_ns = 2000;
    pass(lab, p);
    assert_true(flow_at(lab->table, lab->flow)->first_ns == 1000);
    assert_true(flow_at(lab->table, lab->flow)->last_ns == 3000);
}

static void a_datagram_counts_all_its_frames(void **state)
{
    struct lab *lab = *state;
    struct packet p = datagram(CLIENT, 5000, 53);
    p.frames = 3;
    p.wire_len = 4000;
    pass(lab, p);
    const struct flow *flow = flow_at(lab->table, lab->flow);
    assert_int_equal(flow->packets[0], 3);
    assert_int_equal(flow->bytes[0], 4000);
    assert_true(flow->flags & FLOW_FRAGMENTS);
}

static void answers_from_a_server_port_are_not_questions(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(pass(lab, datagram(SERVER, 53, 5000)).side, 1);
    assert_true(flow_at(lab->table, lab->flow)->flags & FLOW_FLIPPED);
    assert_history(lab, "^d");
    assert_int_equal(pass(lab, datagram(CLIENT, 5000, 53)).side, 0);
}

static void else_the_first_sender_asks(void **state)
{
    static const uint16_t ports[][2] = {{53, 53}, {700, 111}, {5000, 50000}, {50000, 5000}};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct lab *lab = *state;
        assert_int_equal(pass(lab, datagram(SERVER, ports[i][0], ports[i][1])).side, 0);
        assert_false(flow_at(lab->table, lab->flow)->flags & FLOW_FLIPPED);
        tear_down(state);
        set_up(state);
    }
}

static void pings_belong_to_who_asks(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(pass(lab, ping(SERVER, 0)).side, 1);
    assert_int_equal(pass(lab, ping(CLIENT, 8)).side, 0);
    assert_history(lab, "");
    assert_string_equal(flow_connection_state(flow_at(lab->table, lab->flow)), "");
}

static void tunnels_are_those_of_the_initiator(void **state)
{
    struct lab *lab = *state;
    struct packet p = datagram(SERVER, 53, 5000);
    p.tunnel = TUNNEL_GTPU;
    p.tunnel_id = 7;
    pass(lab, p);
    const struct flow_cold *cold = flow_cold_at(lab->table, lab->flow);
    assert_int_equal(cold->tunnel_id[0], 7);
    p = datagram(CLIENT, 5000, 53);
    p.tunnel = TUNNEL_GTPU;
    p.tunnel_id = 8;
    pass(lab, p);
    assert_int_equal(cold->tunnel_id[0], 8);
}

static void icmp_errors_are_noted(void **state)
{
    struct lab *lab = *state;
    pass(lab, datagram(CLIENT, 5000, 53));
    struct packet error = ping(SERVER, 3);
    flow_note_icmp(lab->table, lab->flow, &error);
    error.icmp_type = 11;
    flow_note_icmp(lab->table, lab->flow, &error);
    const struct flow_cold *cold = flow_cold_at(lab->table, lab->flow);
    assert_int_equal(cold->icmp_errors, 2);
    assert_string_equal(flow_icmp_error_name(cold), "time_exceeded");
}

#define lab_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lab_test(packets_and_bytes_by_side),
        lab_test(macs_are_those_of_the_first_frames),
        lab_test(time_never_goes_back),
        lab_test(a_datagram_counts_all_its_frames),
        lab_test(answers_from_a_server_port_are_not_questions),
        lab_test(else_the_first_sender_asks),
        lab_test(pings_belong_to_who_asks),
        lab_test(tunnels_are_those_of_the_initiator),
        lab_test(icmp_errors_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
