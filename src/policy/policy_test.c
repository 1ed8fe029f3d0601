// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "policy/policy.h"

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(28333334) * 60 * SECOND) /* a whole minute, in 2023 */

static const char yaml[] =
    "visor:\n"
    "  taps:\n"
    "    t: {input_type: pcap, config: {iface: none, host_spec: 10.0.0.0/8}, tags: {a: 1}}\n"
    "  policies:\n"
    "    one: {kind: collection, input: {tap: t, input_type: pcap},\n"
    "          handlers: {window_config: {num_periods: 3}, modules: {net: {type: net}}}}\n"
    "    two: {kind: collection, input: {tap_selector: {all: [a: 1]}, input_type: pcap},\n"
    "          handlers: {modules: {net: {type: net, config: {topn_count: 3}}}}}\n";

struct scene {
    struct policies *set;
    struct intake *intake;
};

static struct scene begin(void)
{
    struct policies_options options = {.slots = 1};
    struct err err = {0};
    struct scene s = {.set = policies_new(&options)};
    assert_int_equal(policies_load_text(s.set, span_str(yaml), POLICIES_ALL, NULL, &err), 0);
    assert_string_equal(err.text, "");
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

/* A UDP packet from 10.0.0.1 to 192.0.2.1. */
static void send_at(struct scene *s, uint64_t time_ns)
{
    static const uint8_t ip[20] = {0x45, [12] = 10, 0, 0, 1, 192, 0, 2, 1};
    struct packet packet = {.time_ns = time_ns, .ip = ip, .version = 4, .protocol = 17,
                            .class = PACKET_UDP, .wire_len = 100, .frames = 1};
    struct frame frame = {.link = FRAME_LINK_ETHERNET};
    struct intake_packet p = {.packet = &packet, .frame = &frame};
    intake_packet(s->intake, &p);
    policies_collect(s->set); /* as the office does, all the time */
}

static char *metrics(struct scene *s, const char *policy, uint64_t bucket, struct json *to)
{
    policies_collect(s->set);
    json_init(to);
    policies_metrics_json(s->set, policy, POLICIES_BUCKET, bucket, to, NULL);
    json_append(to, "", 1);
    return to->data;
}

static uint64_t total(struct scene *s, const char *policy, uint64_t bucket)
{
    struct json text;
    char *at = strstr(metrics(s, policy, bucket, &text), "\"total\":");
    uint64_t value = at != NULL ? strtoull(at + 8, NULL, 10) : UINT64_MAX;
    json_done(&text);
    return value;
}

static void minutes_have_buckets(void **state)
{
    struct scene s = begin();
    for (unsigned i = 0; i < 10; i++) {
        send_at(&s, START + i * 10 * SECOND); /* six in the first minute, four in the second */
    }
    send_at(&s, START + 59 * SECOND); /* late: to its own */
    intake_flush(s.intake, START + 101 * SECOND);
    assert_int_equal(total(&s, "one", 0), 4);
    assert_int_equal(total(&s, "one", 1), 7);
    assert_int_equal(total(&s, "two", 1), 7); /* it let the other one count */
    assert_int_equal(total(&s, "one", 2), UINT64_MAX);
    end(&s);
}

static void one_packet_from_the_future_turns_nothing_over(void **state)
{
    struct scene s = begin();
    struct json text;
    send_at(&s, START);
    send_at(&s, START + UINT64_C(1000000) * SECOND);
    send_at(&s, START + SECOND);
    send_at(&s, START + 61 * SECOND);
    send_at(&s, START - 61 * SECOND); /* much too late */
    intake_flush(s.intake, START + 62 * SECOND);
    assert_int_equal(total(&s, "one", 0), 1);
    assert_int_equal(total(&s, "one", 1), 2);
    json_init(&text);
    policies_policy_json(s.set, "one", &text);
    json_append(&text, "", 1);
    assert_non_null(strstr(text.data, "\"late_events\":1,\"future_events\":1"));
    json_done(&text);
    send_at(&s, START + UINT64_C(1000000) * SECOND); /* two in a row: so it is that late */
    send_at(&s, START + UINT64_C(1000001) * SECOND);
    intake_flush(s.intake, START + UINT64_C(1000002) * SECOND);
    assert_int_equal(total(&s, "one", 0), 1);
    end(&s);
}

static void policies_come_and_go(void **state)
{
    struct scene s = begin();
    struct err err = {0};
    char name[160];
    send_at(&s, START);
    intake_end(s.intake); /* no worker to wait for */
    assert_int_equal(policies_drop(s.set, "one"), POLICIES_DONE);
    assert_int_equal(policies_drop(s.set, "one"), POLICIES_UNKNOWN);
    intake_poll(s.intake);
    send_at(&s, START + SECOND);
    intake_flush(s.intake, START + 2 * SECOND);
    assert_int_equal(total(&s, "two", 0), 2); /* goes on with what the other one counted */
    intake_end(s.intake);
    assert_int_equal(policies_load_text(s.set, span_str(yaml), POLICIES_ALL, name, &err),
                     POLICIES_CONFLICT);
    assert_string_equal(err.text, "tap with name 't' already defined");
    intake_poll(s.intake);
    end(&s);
}

static void refuses(const char *text, enum policies_status status, const char *why)
{
    struct policies_options options = {.slots = 1, .is_recorded = true};
    struct policies *set = policies_new(&options);
    struct err err = {0};
    char name[160];
    assert_int_equal(policies_load_text(set, span_str(text), POLICIES_POLICY, name, &err), status);
    assert_string_equal(err.text, why);
    policies_free(set);
}

static void says_what_is_wrong(void **state)
{
    refuses("", POLICIES_INVALID, "empty data");
    refuses("a: b", POLICIES_INVALID, "invalid schema");
    refuses("version: '2'\nvisor: {a: b}", POLICIES_INVALID, "unsupported version");
    refuses("visor: {taps: {}}", POLICIES_INVALID, "no policies found in schema");
    refuses("visor: {policies: {a: {}, b: {}}}", POLICIES_INVALID,
            "only a single policy expected but got 2");
    refuses("visor: {policies: {a: {kind: x}}}", POLICIES_INVALID, "unknown policy kind: x");
    refuses("visor: {policies: {a: {kind: collection, input: {tap_selector: {any: [b: c]}, "
            "input_type: pcap}, handlers: {modules: {}}}}}",
            POLICIES_UNMATCHED, "no tap match found for specified 'input.tap_selector' tags");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minutes_have_buckets),
        cmocka_unit_test(one_packet_from_the_future_turns_nothing_over),
        cmocka_unit_test(policies_come_and_go),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
