// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "proto/dhcpv6/dhcpv6_event.h"
#include "proto/proto.h"

extern const struct proto proto_dhcpv6;

#define TEXT(text) span_of(text, sizeof(text) - 1)
#define DUID "\0\1\0\x0e\0\1\0\1\x2a\x2b\x2c\x2d\2\0\0\0\0\1" /* option 1, LLT, Ethernet */
#define ADDRESS(last) "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last

static const char reply[] =
    "\7\1\2\3" DUID
    "\0\3\0\x28\0\0\0\7\0\0\0\1\0\0\0\2\0\5\0\x18" ADDRESS("\5") "\0\0\0\x0a\0\0\0\x14"
    "\0\x19\0\x17\0\0\0\x08\0\0\0\1\0\0\0\2\0\x0d\0\7\0\6sorry"
    "\0\x17\0\x10" ADDRESS("\x35")
    "\0\x18\0\x0e\7example\4test\0";

/* What is said of a message; with a terminator. */
static char *said_of(struct span bytes, struct json *said, struct dhcpv6_stats *stats)
{
    static _Alignas(8) uint8_t memory[1 << 16];
    struct flow flow = {.key = {.version = 6}};
    struct proto_settings settings = {.enabled = true};
    struct event_log log = {.memory = memory, .capacity = sizeof memory, .text_max = 1000};
    struct proto_context c = {
        .block = stats, .flow = &flow, .events = &log, .settings = &settings};
    struct packet p = {.time_ns = 1, .payload = bytes.data, .payload_len = (uint32_t)bytes.size,
                       .end = bytes.data + bytes.size};
    proto_dhcpv6.on_datagram(&c, &p, 0);
    json_init(said);
    for (struct event_head *e = event_log_first(&log); e; e = event_log_next(&log, e)) {
        transaction_finish((struct transaction *)e);
        event_json(said, e);
    }
    json_append(said, "", 1);
    return said->data;
}

#define HAS(text, part) assert_non_null(strstr(text, part))

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&dhcpv6_request_type, &err));
    assert_true(event_type_check(&dhcpv6_reply_type, &err));
    assert_true(metric_set_check(&dhcpv6_set, &err));
}

static void reads_a_reply(void **state)
{
    (void)state;
    struct dhcpv6_stats stats = {0};
    struct json json;
    const char *said = said_of(TEXT(reply), &json, &stats);
    HAS(said, "\"message_type\":\"reply\"");
    HAS(said, "\"transaction_id\":\"0x010203\"");
    HAS(said, "\"client_duid_type\":\"LLT\",\"client_mac\":\"02-00-00-00-00-01\"");
    HAS(said, "{\"iaid\":7,\"ip\":\"2001:db8::5\",\"kind\":\"na\",\"preferred_lifetime_sec\":10,"
              "\"valid_lifetime_sec\":20}");
    HAS(said, "{\"iaid\":8,\"kind\":\"pd\",\"status\":\"NoPrefixAvail\"}");
    HAS(said, "\"status\":\"NoPrefixAvail\",\"status_code\":6,\"status_message\":\"sorry\"");
    HAS(said, "\"dns_servers\":[\"2001:db8::35\"],\"domain_search\":[\"example.test\"]");
    HAS(said, "\"status\":\"Error\"");
    assert_int_equal(stats.failures, 1);
    json_done(&json);
}

static void reads_through_relays(void **state)
{
    (void)state;
    static const char relayed[] =
        "\x0c\1" ADDRESS("\1") ADDRESS("\2") "\0\x12\0\2ab\0\x09\0\x4a"
        "\x0c\0" ADDRESS("\3") ADDRESS("\4") "\0\x09\0\x24"
        "\x0b\0\0\5" DUID "\0\6\0\4\0\x17\1\0\0\x08\0\2\0\x64";
    struct dhcpv6_stats stats = {0};
    struct json json;
    const char *said = said_of(TEXT(relayed), &json, &stats);
    HAS(said, "\"message_type\":\"information-request\"");
    HAS(said, "{\"hops\":1,\"interface_id\":\"6162\",\"link_ip\":\"2001:db8::1\"");
    HAS(said, "{\"hops\":0,\"link_ip\":\"2001:db8::3\",\"peer_ip\":\"2001:db8::4\"}");
    HAS(said, "\"request_list\":[\"DNS Recursive Name Servers\",\"unknown (256)\"]");
    HAS(said, "\"elapsed_time_ms\":1000");
    assert_int_equal(stats.relayed, 1);
    json_done(&json);
}

/* Relays within relays end somewhere. */
static void bounds_relays(void **state)
{
    (void)state;
    uint8_t bytes[38 * 40];
    for (unsigned i = 0; i < 40; i++) {
        uint8_t *relay = bytes + (size_t)38 * i;
        size_t rest = sizeof bytes - 38 * ((size_t)i + 1);
        memset(relay, 0, 38);
        relay[0] = DHCPV6_RELAY_FORWARD;
        relay[35] = DHCPV6_RELAYED;
        relay[36] = (uint8_t)(rest >> 8);
        relay[37] = (uint8_t)rest;
    }
    struct dhcpv6_message m;
    assert_false(dhcpv6_message_read(span_of(bytes, sizeof bytes), &m));
    assert_int_equal(m.relay_count, DHCPV6_RELAYS_MAX);
}

/* A list of time servers that is cut short (option 56): it ends. */
static void ends_at_half_an_option(void **state)
{
    (void)state;
    struct dhcpv6_stats stats = {0};
    struct json json;
    HAS(said_of(TEXT("\7\1\2\3" DUID "\0\x38\0\3\0\1\0"), &json, &stats), "\"reply\"");
    json_done(&json);
}

static void refuses_what_is_none(void **state)
{
    (void)state;
    struct dhcpv6_message m;
    struct span good = TEXT(reply);
    assert_int_equal(proto_dhcpv6.probe(good, 0), PROTO_YES);
    for (size_t size = 0; size < good.size; size++) {
        (void)dhcpv6_message_read(span_head(good, size), &m);
        (void)dhcpv6_looks_like(span_head(good, size));
    }
    assert_false(dhcpv6_message_read(span_head(good, good.size - 1), &m));
    assert_false(dhcpv6_looks_like(TEXT("\x40\1\2\3" DUID)));
    assert_false(dhcpv6_looks_like(TEXT("\1\1\2\3\0\6\0\0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(reads_a_reply),
        cmocka_unit_test(reads_through_relays),
        cmocka_unit_test(bounds_relays),
        cmocka_unit_test(ends_at_half_an_option),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
