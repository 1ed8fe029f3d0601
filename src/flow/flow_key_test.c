// SPDX-License-Identifier: Apache-2.0
#include "flow/flow.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* IPv4 and IPv6 headers of which only the addresses matter: 10.0.0.1 and 10.0.0.2, and with two
 * more bytes of L4 behind them. */
static uint8_t low_to_high[22] = {[12] = 10, 0, 0, 1, 10, 0, 0, 2};
static uint8_t high_to_low[22] = {[12] = 10, 0, 0, 2, 10, 0, 0, 1};
static uint8_t same_to_same[22] = {[12] = 10, 0, 0, 1, 10, 0, 0, 1};
static uint8_t six_up[40] = {[8] = 0x20, [23] = 0x01, [24] = 0x20, [39] = 0x02};
static uint8_t six_down[40] = {[8] = 0x20, [23] = 0x02, [24] = 0x20, [39] = 0x01};

static struct packet ipv4(uint8_t *ip, uint8_t protocol, enum packet_class class)
{
    return (struct packet){.version = 4, .ip = ip, .l4 = ip + 20, .end = ip + 22,
                           .protocol = protocol, .class = (uint8_t)class};
}

static struct packet udp(uint8_t *ip, uint16_t source, uint16_t destination)
{
    struct packet p = ipv4(ip, IPPROTO_UDP, PACKET_UDP);
    p.has_ports = true;
    p.source_port = source;
    p.destination_port = destination;
    return p;
}

static struct packet icmp(uint8_t *ip, uint8_t type, uint8_t code)
{
    struct packet p = ipv4(ip, IPPROTO_ICMP, PACKET_ICMP);
    p.icmp_type = type;
    p.icmp_code = code;
    return p;
}

/* The key in memory that was anything before. */
static struct flow_key key_of(const struct packet *p, int end)
{
    struct flow_key key;
    memset(&key, 0xa5, sizeof key);
    assert_int_equal(flow_key_make(p, &key), end);
    return key;
}

static void assert_one_flow(struct packet a, int end_a, struct packet b, int end_b)
{
    struct flow_key key_a = key_of(&a, end_a);
    struct flow_key key_b = key_of(&b, end_b);
    assert_memory_equal(&key_a, &key_b, sizeof key_a);
    assert_true(flow_key_hash(&key_a, 1) == flow_key_hash(&key_b, 1));
    assert_true(flow_key_hash(&key_a, 1) != flow_key_hash(&key_a, 2));
}

static void assert_two_flows(struct packet a, struct packet b)
{
    struct flow_key key_a, key_b;
    assert_true(flow_key_make(&a, &key_a) >= 0);
    assert_true(flow_key_make(&b, &key_b) >= 0);
    assert_memory_not_equal(&key_a, &key_b, sizeof key_a);
}

static void both_directions_are_one_flow(void **state)
{
    assert_one_flow(udp(low_to_high, 5000, 53), 0, udp(high_to_low, 53, 5000), 1);
    assert_two_flows(udp(low_to_high, 5000, 53), udp(high_to_low, 5000, 53));
    struct packet p = udp(high_to_low, 53, 5000);
    struct flow_key key = key_of(&p, 1);
    const uint8_t low[16] = {10, 0, 0, 1};
    assert_memory_equal(key.address[0], low, 16);
    assert_int_equal(key.port[0], 5000);
    assert_int_equal(key.port[1], 53);
    assert_int_equal(key.version, 4);
    assert_int_equal(key.protocol, IPPROTO_UDP);
    assert_int_equal(key.portless, 0);
}

static void ipv6_addresses_are_whole(void **state)
{
    struct packet up = udp(six_up, 53, 5000);
    struct packet down = udp(six_down, 5000, 53);
    up.version = down.version = 6;
    assert_one_flow(up, 0, down, 1);
    struct flow_key key = key_of(&down, 1);
    assert_memory_equal(key.address[0], six_up + 8, 16);
    assert_memory_equal(key.address[1], six_up + 24, 16);
    assert_int_equal(key.version, 6);
}

static void ports_tell_ends_of_one_host_apart(void **state)
{
    assert_one_flow(udp(same_to_same, 1000, 2000), 0, udp(same_to_same, 2000, 1000), 1);
    assert_one_flow(udp(same_to_same, 7, 7), 0, udp(same_to_same, 7, 7), 0);
}

static void pings_and_their_answers_are_one_flow(void **state)
{
    assert_one_flow(icmp(low_to_high, 8, 0), 0, icmp(high_to_low, 0, 0), 1);
    assert_one_flow(icmp(high_to_low, 13, 0), 1, icmp(low_to_high, 14, 0), 0);
    assert_two_flows(icmp(low_to_high, 8, 0), icmp(high_to_low, 8, 0));
    struct packet ask = icmp(six_up, 135, 0);
    struct packet answer = icmp(six_down, 136, 0);
    ask.version = answer.version = 6;
    ask.protocol = answer.protocol = IPPROTO_ICMPV6;
    ask.class = answer.class = PACKET_ICMPV6;
    ask.end = answer.end = ask.l4 + 8;
    answer.l4 = ask.l4;
    assert_one_flow(ask, 0, answer, 1);
}

static void icmp_errors_keep_their_direction(void **state)
{
    assert_one_flow(icmp(high_to_low, 3, 1), 0, icmp(high_to_low, 3, 1), 0);
    assert_two_flows(icmp(high_to_low, 3, 1), icmp(low_to_high, 3, 1));
    assert_two_flows(icmp(high_to_low, 3, 1), icmp(high_to_low, 3, 3));
    struct packet p = icmp(high_to_low, 3, 1);
    struct flow_key key = key_of(&p, 0);
    const uint8_t sender[16] = {10, 0, 0, 2};
    assert_memory_equal(key.address[0], sender, 16);
    assert_int_equal(key.port[0], 3);
    assert_int_equal(key.port[1], 1);
    assert_int_equal(key.directed, 1);
}

static void fragments_have_no_ports(void **state)
{
    struct packet p = ipv4(low_to_high, IPPROTO_UDP, PACKET_UDP);
    p.fragment = FRAGMENT_LATER;
    struct flow_key key = key_of(&p, 0);
    assert_int_equal(key.portless, 1);
    assert_int_equal(key.port[0] | key.port[1], 0);
    struct packet ping = icmp(low_to_high, 0, 0);
    ping.fragment = FRAGMENT_LATER;
    assert_int_equal(key_of(&ping, 0).portless, 1);
    struct packet ospf = ipv4(low_to_high, 89, PACKET_OTHER);
    assert_int_equal(key_of(&ospf, 0).portless, 0);
}

static void frames_without_ip_go_by_mac(void **state)
{
    uint8_t there[14] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x08, 0x06};
    uint8_t back[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x08, 0x06};
    struct packet a = {.mac = there, .ethertype = 0x0806, .class = PACKET_ARP};
    struct packet b = {.mac = back, .ethertype = 0x0806, .class = PACKET_ARP};
    assert_one_flow(a, 0, b, 1);
    struct flow_key key = key_of(&b, 1);
    assert_memory_equal(key.address[0], there + 6, 6);
    assert_memory_equal(key.address[1], there, 6);
    assert_int_equal(key.port[0], 0x0806);
    assert_int_equal(key.port[1], 0);
    b.ethertype = 0x88cc;
    assert_two_flows(a, b);
}

static void the_illegible_has_no_flow(void **state)
{
    struct packet p = {.class = PACKET_MALFORMED, .malformed = PACKET_BAD_LINK};
    struct flow_key key;
    assert_int_equal(flow_key_make(&p, &key), -1);
}

static void vlans_and_tunnels_tell_flows_apart(void **state)
{
    struct packet plain = udp(low_to_high, 1, 2);
    struct packet other = plain;
    other.vlan[0] = 7;
    assert_two_flows(plain, other);
    struct packet inner = plain;
    inner.vlan[1] = 7;
    assert_two_flows(other, inner);
    struct packet tunnelled = plain;
    tunnelled.tunnel = TUNNEL_VXLAN;
    tunnelled.tunnel_id = 100;
    assert_two_flows(plain, tunnelled);
    struct packet next = tunnelled;
    next.tunnel_id = 101;
    assert_two_flows(tunnelled, next);
    assert_int_equal(key_of(&next, 0).tunnel_id, 101);
}

static void ids_that_each_receiver_chose_do_not(void **state)
{
    static const uint8_t tunnels[] = {TUNNEL_GTPU, TUNNEL_L2TP, TUNNEL_GRE, TUNNEL_MPLS};
    for (size_t i = 0; i < sizeof tunnels; i++) {
        struct packet there = udp(low_to_high, 1, 2);
        struct packet back = udp(high_to_low, 2, 1);
        there.tunnel = back.tunnel = tunnels[i];
        there.tunnel_id = 1;
        back.tunnel_id = 2;
        assert_one_flow(there, 0, back, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_are_one_flow),
        cmocka_unit_test(ipv6_addresses_are_whole),
        cmocka_unit_test(ports_tell_ends_of_one_host_apart),
        cmocka_unit_test(pings_and_their_answers_are_one_flow),
        cmocka_unit_test(icmp_errors_keep_their_direction),
        cmocka_unit_test(fragments_have_no_ports),
        cmocka_unit_test(frames_without_ip_go_by_mac),
        cmocka_unit_test(the_illegible_has_no_flow),
        cmocka_unit_test(vlans_and_tunnels_tell_flows_apart),
        cmocka_unit_test(ids_that_each_receiver_chose_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
