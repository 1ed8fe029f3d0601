// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_event.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

/* ---- Community IDs -------------------------------------------------------------------------- */

/* A line of the specification's tables, seed 0; ports are ICMP type and code there. */
struct tuple {
    const char *source;
    const char *destination;
    uint8_t protocol;
    uint16_t source_port;
    uint16_t destination_port;
    const char *id;
};

static const struct tuple tuples[] = {
    {"128.232.110.120", "66.35.250.204", 6, 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {"66.35.250.204", "128.232.110.120", 6, 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {"192.168.1.52", "8.8.8.8", 17, 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {"8.8.8.8", "192.168.1.52", 17, 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {"192.168.170.8", "192.168.170.56", 132, 7, 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
    {"192.168.170.56", "192.168.170.8", 132, 80, 7, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
    {"192.168.0.89", "192.168.0.1", 1, 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {"192.168.0.1", "192.168.0.89", 1, 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {"192.168.0.89", "192.168.0.1", 1, 20, 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI="},
    {"192.168.0.89", "192.168.0.1", 1, 20, 1, "1:tz/fHIDUHs19NkixVVoOZywde+I="},
    {"fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 58, 135, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    {"fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 58, 136, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    {"3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 58, 3, 0,
     "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w="},
    {"3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:507:0:1:260:97ff:fe07:69ea", 58, 3, 0,
     "1:/OGBt9BN1ofenrmSPWYicpij2Vc="},
    {"10.1.24.4", "10.1.12.1", 46, 0, 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="},
    {"10.1.12.1", "10.1.24.4", 46, 0, 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="},
    {"2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 6, 63943, 25,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
};

/* The key of a packet with these ends, made as the front makes it. */
static int key_of(const struct tuple *t, struct flow_key *ret)
{
    uint8_t ip[40] = {0};
    bool v6 = strchr(t->source, ':') != NULL;
    int family = v6 ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, t->source, ip + (v6 ? 8 : 12)), 1);
    assert_int_equal(inet_pton(family, t->destination, ip + (v6 ? 24 : 16)), 1);
    const uint8_t l4[8] = {(uint8_t)t->source_port, (uint8_t)t->destination_port};
    bool icmp = t->protocol == 1 || t->protocol == 58;
    struct packet p = {.ip = ip, .l4 = l4, .end = l4 + sizeof l4, .version = v6 ? 6 : 4,
                       .protocol = t->protocol};
    if (icmp) {
        p.icmp_type = (uint8_t)t->source_port;
        p.icmp_code = (uint8_t)t->destination_port;
    } else {
        p.has_ports = t->source_port != 0;
        p.source_port = t->source_port;
        p.destination_port = t->destination_port;
    }
    memset(ret, 0, sizeof *ret);
    return flow_key_make(&p, ret);
}

static void community_ids_are_those_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tuples / sizeof *tuples; i++) {
        struct flow_key key;
        assert_true(key_of(&tuples[i], &key) >= 0);
        char id[FLOW_EVENT_COMMUNITY_ID];
        flow_event_community_id(id, &key);
        assert_string_equal(id, tuples[i].id);
    }
}

static void what_has_no_ports_to_read_has_no_community_id(void **state)
{
    (void)state;
    char id[FLOW_EVENT_COMMUNITY_ID];
    flow_event_community_id(id, &(struct flow_key){.version = 0, .port = {0x0806}});
    assert_string_equal(id, "");
    flow_event_community_id(id, &(struct flow_key){.version = 4, .protocol = 6, .portless = 1});
    assert_string_equal(id, "");
}

/* ---- Filling -------------------------------------------------------------------------------- */

/* A TCP flow whose initiator is the end with the higher address. */
static struct flow tcp_flow(void)
{
    struct flow flow = {.flags = FLOW_IN_USE, .first_ns = 10 * SECOND, .last_ns = 12 * SECOND,
                        .packets = {5, 3}, .bytes = {500, 3000}, .tcp_flags = {TCP_SYN | TCP_ACK,
                        TCP_RST}, .ttl = {64, 50}, .retransmissions = 2, .out_of_order = 1};
    int end = key_of(&tuples[0], &flow.key);
    assert_int_equal(end, 1);
    flow.initiator = (uint8_t)end;
    return flow;
}

static void the_initiator_is_the_source(void **state)
{
    (void)state;
    struct flow flow = tcp_flow();
    struct flow_cold cold = {.handshake_us = 1500, .icmp_errors = 1, .mac_seen = 2,
                             .mac = {{0}, {2, 0, 0, 0, 0, 9}}};
    struct flow_event e;
    flow_event_fill(&e, &flow, &cold, FLOW_REASON_CLOSED, 20 * SECOND, NULL);
    assert_ptr_equal(e.head.type, &flow_event_type);
    assert_memory_equal(e.source.bytes, ((const uint8_t[]){128, 232, 110, 120}), 4);
    assert_memory_equal(e.destination.bytes, ((const uint8_t[]){66, 35, 250, 204}), 4);
    assert_int_equal(e.source_port, 34855);
    assert_int_equal(e.destination_port, 80);
    assert_false(e.source_mac.present);
    assert_true(e.destination_mac.present);
    assert_int_equal(e.duration_ns, 2 * SECOND);
    assert_int_equal(e.timestamp_ns, 20 * SECOND);
    assert_int_equal(e.handshake_ns, 1500000);
    assert_int_equal(e.network_packets, 8);
    assert_int_equal(e.network_bytes, 3500);
    assert_int_equal(e.retransmissions, 2);
    assert_string_equal(e.transport, "tcp");
    assert_string_equal(e.network_type, "ipv4");
    assert_string_equal(e.source_flags, "AS");
    assert_string_equal(e.destination_flags, "R");
}

static void differences_are_to_the_report_before(void **state)
{
    (void)state;
    struct flow flow = tcp_flow();
    struct flow_cold cold = {0};
    struct flow_counters before = {.packets = {4, 3}, .bytes = {440, 3000}};
    struct flow_event e;
    flow_event_fill(&e, &flow, &cold, FLOW_REASON_PERIOD, 20 * SECOND, &before);
    assert_int_equal(e.count.packets[0], 1);
    assert_int_equal(e.count.packets[1], 0);
    assert_int_equal(e.count.bytes[0], 60);
    assert_int_equal(e.count.bytes[1], 0);
    assert_int_equal(e.network_packets, 1);
    assert_int_equal(e.network_bytes, 60);
}

static void only_a_periodic_report_is_not_the_last(void **state)
{
    (void)state;
    static const char *const names[] = {"period",         "closed",  "idle timeout",
                                        "active timeout", "evicted", "end of capture"};
    struct flow flow = tcp_flow();
    struct flow_cold cold = {0};
    for (unsigned reason = FLOW_REASON_PERIOD; reason <= FLOW_REASON_END; reason++) {
        struct flow_event e;
        flow_event_fill(&e, &flow, &cold, (enum flow_reason)reason, 20 * SECOND, NULL);
        assert_string_equal(e.reason, names[reason]);
        assert_int_equal(e.final, reason != FLOW_REASON_PERIOD);
        assert_string_equal(e.event_type_json,
                            e.final ? "[\"connection\",\"end\"]" : "[\"connection\"]");
    }
}

static void a_talk_of_mac_addresses_has_no_ip(void **state)
{
    (void)state;
    struct flow flow = {.key = {.address = {{2, 0, 0, 0, 0, 1}, {255, 255, 255, 255, 255, 255}},
                                .port = {0x0806}}};
    struct flow_cold cold = {0};
    struct flow_event e;
    flow_event_fill(&e, &flow, &cold, FLOW_REASON_END, SECOND, NULL);
    assert_int_equal(e.source.version, 0);
    assert_true(e.source_mac.present && e.destination_mac.present);
    assert_int_equal(e.source_mac.bytes[5], 1);
    assert_int_equal(e.destination_mac.bytes[0], 255);
    assert_int_equal(e.source_port, 0);
    assert_null(e.transport);
    assert_string_equal(e.network_type, "arp");
    flow_event_finish(&e);
    assert_string_equal(e.community_id, "");
    assert_int_not_equal(e.flow_id[0], 0);
}

static void the_flow_id_is_of_the_flow_not_of_the_report(void **state)
{
    (void)state;
    struct flow flow = tcp_flow();
    struct flow_cold cold = {0};
    struct flow_event first, last, other;
    flow_event_fill(&first, &flow, &cold, FLOW_REASON_PERIOD, 20 * SECOND, NULL);
    flow.packets[0]++;
    flow.last_ns += SECOND;
    flow_event_fill(&last, &flow, &cold, FLOW_REASON_IDLE, 50 * SECOND, NULL);
    flow.first_ns++;
    flow_event_fill(&other, &flow, &cold, FLOW_REASON_IDLE, 50 * SECOND, NULL);
    flow_event_finish(&first);
    flow_event_finish(&last);
    flow_event_finish(&other);
    assert_string_equal(first.flow_id, last.flow_id);
    assert_string_not_equal(first.flow_id, other.flow_id);
    assert_string_equal(first.community_id, tuples[0].id);
    assert_int_equal(strlen(first.flow_id), 22);
}

static void the_table_is_sound(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&flow_event_type, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(community_ids_are_those_of_the_specification),
        cmocka_unit_test(what_has_no_ports_to_read_has_no_community_id),
        cmocka_unit_test(the_initiator_is_the_source),
        cmocka_unit_test(differences_are_to_the_report_before),
        cmocka_unit_test(only_a_periodic_report_is_not_the_last),
        cmocka_unit_test(a_talk_of_mac_addresses_has_no_ip),
        cmocka_unit_test(the_flow_id_is_of_the_flow_not_of_the_report),
        cmocka_unit_test(the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
