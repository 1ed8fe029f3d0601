// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/policy.h"
#include "policy/policy_band.h"

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(28333334) * 60 * SECOND)

static void knows_filters_of_conversations(void **state)
{
    (void)state;
    assert_true(policy_band_is_by_talk(NULL));
    assert_true(policy_band_is_by_talk("udp port 53 and not host 192.0.2.1"));
    assert_true(policy_band_is_by_talk("(tcp or udp) && !(net 10.0.0.0/8) || ip6 host 2001:db8::1"));
    assert_true(policy_band_is_by_talk("portrange 1000-2000"));
    assert_false(policy_band_is_by_talk("src host 192.0.2.1"));
    assert_false(policy_band_is_by_talk("udp dst port 53"));
    assert_false(policy_band_is_by_talk("udp and len > 100"));
    assert_false(policy_band_is_by_talk("udp and greater 100"));
    assert_false(policy_band_is_by_talk("udp[10] & 1 = 1"));
    assert_false(policy_band_is_by_talk("vlan 5"));
    assert_false(policy_band_is_by_talk("host example.com")); /* nobody knows what it stands for */
    assert_true(policy_band_is_by_key(NULL));
    assert_true(policy_band_is_by_key("src host 192.0.2.1 and tcp dst port 443"));
    assert_false(policy_band_is_by_key("vlan 5"));
    assert_false(policy_band_is_by_key("tcp[13] & 2 != 0"));
    assert_false(policy_band_is_by_key("ether src 02:00:00:00:00:01"));
}

static const char head[] =
    "visor:\n"
    "  taps:\n"
    "    t: {input_type: pcap, config: {iface: none, host_spec: 10.0.0.0/8}}\n"
    "  policies:\n";

/* A policy of its filter, in a document of its own. */
static void load(struct policies *set, const char *name, const char *filter, bool is_first)
{
    char text[1024];
    struct err err = {0};
    snprintf(text, sizeof text,
             "%s    %s: {kind: collection, input: {tap: t, input_type: pcap, config: {bpf: \"%s\"}}, "
             "handlers: {modules: {net: {type: net}, dhcp: {type: dhcp}}}}\n",
             is_first ? head : "visor:\n  policies:\n", name, filter);
    assert_int_equal(policies_load_text(set, span_str(text), POLICIES_ALL, NULL, &err), 0);
}

struct scene {
    struct policies *set;
    struct intake *intake;
};

static struct scene begin(void)
{
    struct policies_options options = {.slots = 1};
    struct err err = {0};
    struct scene s = {.set = policies_new(&options)};
    load(s.set, "all", "ip", true);
    load(s.set, "one", "host 10.0.0.1", false);
    load(s.set, "two", "not host 10.0.0.1", false);
    s.intake = intake_new(s.set, 0, &err);
    intake_poll(s.intake);
    intake_select(s.intake, "t");
    return s;
}

static void end(struct scene *s)
{
    intake_end(s->intake);
    intake_free(s->intake);
    policies_free(s->set);
}

/* UDP from 10.0.0.`from` to 192.0.2.1, and that port. */
static void send_from(struct scene *s, uint8_t from, uint16_t port, uint64_t time_ns)
{
    uint8_t bytes[42] = {[12] = 8, 0, 0x45, [17] = 28, [22] = 64, 17,
                         [26] = 10, 0, 0, from, 192, 0, 2, 1,
                         [34] = 4, 0, (uint8_t)(port >> 8), (uint8_t)port, 0, 8};
    struct packet packet = {.time_ns = time_ns, .ip = bytes + 14, .version = 4, .protocol = 17,
                            .class = PACKET_UDP, .wire_len = 100, .frames = 1,
                            .source_port = 1024, .destination_port = port};
    struct frame frame = {.link = FRAME_LINK_ETHERNET, .data = bytes, .cap_len = sizeof bytes,
                          .wire_len = 100};
    struct intake_packet p = {.packet = &packet, .frame = &frame};
    intake_packet(s->intake, &p);
    policies_collect(s->set); /* as the office does, all the time */
}

static uint64_t total(struct scene *s, const char *policy, uint64_t bucket)
{
    struct json text;
    policies_collect(s->set);
    json_init(&text);
    policies_metrics_json(s->set, policy, POLICIES_BUCKET, bucket, &text, NULL);
    json_append(&text, "", 1);
    char *at = strstr(text.data, "\"packets\":{");
    at = at != NULL ? strstr(at, "\"total\":") : NULL;
    uint64_t value = at != NULL ? strtoull(at + 8, NULL, 10) : UINT64_MAX;
    json_done(&text);
    return value;
}

static void send_some(struct scene *s, uint64_t time_ns)
{
    for (unsigned i = 0; i < 10; i++) {
        send_from(s, i < 4 ? 1 : 2, i % 2 == 0 ? 53 : 67, time_ns);
    }
}

static void each_counts_what_it_would_alone(void **state)
{
    (void)state;
    struct scene s = begin();
    send_some(&s, START);
    send_some(&s, START + 61 * SECOND);
    send_some(&s, START + 59 * SECOND); /* late: to its own minute */
    send_from(&s, 1, 53, START - 61 * SECOND); /* too late */
    intake_flush(s.intake, START + 62 * SECOND);
    assert_int_equal(total(&s, "all", 0), 10);
    assert_int_equal(total(&s, "all", 1), 20);
    assert_int_equal(total(&s, "one", 0), 4);
    assert_int_equal(total(&s, "one", 1), 8);
    assert_int_equal(total(&s, "two", 0), 6);
    assert_int_equal(total(&s, "two", 1), 12);
    end(&s);
}

/* With the worker away, plans change as they do before packets come. */
static void change(struct scene *s, const char *add, const char *filter, const char *drop)
{
    intake_settle(s->intake);
    policies_collect(s->set); /* who comes has nothing of what was before */
    intake_end(s->intake);
    if (add != NULL) {
        load(s->set, add, filter, false);
    }
    if (drop != NULL) {
        assert_int_equal(policies_drop(s->set, drop), 0);
    }
    intake_poll(s->intake);
}

static void kin_come_and_go(void **state)
{
    (void)state;
    struct scene s = begin();
    send_some(&s, START);
    change(&s, "three", "udp", NULL);
    send_some(&s, START + SECOND);
    change(&s, "again", "udp", "three"); /* which takes over from its twin, and goes on */
    change(&s, "three", "udp", NULL);
    send_some(&s, START + 2 * SECOND);
    change(&s, NULL, NULL, "again");
    send_some(&s, START + 3 * SECOND);
    change(&s, NULL, NULL, "all");
    send_some(&s, START + 4 * SECOND);
    intake_flush(s.intake, START + 5 * SECOND);
    assert_int_equal(total(&s, "three", 0), 30);
    assert_int_equal(total(&s, "one", 0), 20);
    assert_int_equal(total(&s, "two", 0), 30);
    assert_int_equal(total(&s, "again", 0), UINT64_MAX);
    end(&s);
}

static void more_sets_than_bands(void **state)
{
    (void)state;
    struct scene s = begin();
    char name[16], filter[64];
    intake_end(s.intake);
    for (unsigned i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "p%u", i);
        snprintf(filter, sizeof filter, "not host 10.0.0.%u", i);
        load(s.set, name, filter, false);
    }
    intake_poll(s.intake);
    for (unsigned i = 0; i < 240; i++) {
        send_from(&s, (uint8_t)(i % 24), 53, START);
    }
    intake_flush(s.intake, START + SECOND);
    assert_int_equal(total(&s, "all", 0), 240);
    assert_int_equal(total(&s, "one", 0), 10);
    assert_int_equal(total(&s, "two", 0), 230);
    for (unsigned i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "p%u", i);
        assert_int_equal(total(&s, name, 0), 230);
    }
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_filters_of_conversations),
        cmocka_unit_test(each_counts_what_it_would_alone),
        cmocka_unit_test(kin_come_and_go),
        cmocka_unit_test(more_sets_than_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
