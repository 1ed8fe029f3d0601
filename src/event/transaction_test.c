// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "event/transaction.h"

struct sample {
    struct transaction t;
    struct span thing;
};

static const struct event_field fields[] = {
    {.name = "sample.thing", .kind = EVENT_SPAN, .offset = offsetof(struct sample, thing),
     .help = "a field of its own"},
    {0},
};
static const struct event_type type = {.dataset = "sample",
                                       .help = "A transaction",
                                       .size = sizeof(struct sample),
                                       .fields = fields,
                                       .common = transaction_fields};

static void assert_encoded(struct sample *s, const char *expected)
{
    uint64_t room[256];
    transaction_finish(&s->t);
    assert_true(event_pack(room, sizeof room, &s->t.head, 100) <= sizeof room);
    struct json j;
    json_init(&j);
    event_json(&j, (struct event_head *)room);
    json_append(&j, "", 1);
    assert_string_equal(j.data, expected);
    json_done(&j);
}

static void says_all(void **state)
{
    struct err err = {0};
    if (!event_type_check(&type, &err)) {
        fail_msg("%s", err.text);
    }
    struct span notes[] = {span_str("odd"), span_str("odder")};
    struct sample s = {
        .t = {.head = {.type = &type},
              .start_ns = 1000000000, .request_ns = 1000000010, .response_ns = 1000000030,
              .end_ns = 1000000100, .source_bytes = 3, .destination_bytes = 4,
              .status = TRANSACTION_ERROR, .outcome = "failure", .action = span_str("sample.get"),
              .method = span_str("GET"), .query = span_str("get it"), .resource = span_str("it"),
              .path = span_str("/it"), .destination_domain = span_str("host"),
              .user_name = span_str("me"), .notes = {1, notes}, .source = {4, {10, 0, 0, 1}},
              .destination = {4, {10, 0, 0, 2}}, .source_port = 1025, .destination_port = 80,
              .incomplete = true, .round_trip = {15, true}, .network_type = "ipv4", .transport = "tcp",
              .community_id = "1:x"},
        .thing = span_str("own"),
    };
    assert_encoded(
        &s,
        "{\"@timestamp\":\"1970-01-01T00:00:01.000000000Z\","
        "\"client\":{\"bytes\":3,\"ip\":\"10.0.0.1\",\"port\":1025},"
        "\"destination\":{\"bytes\":4,\"domain\":\"host\",\"ip\":\"10.0.0.2\",\"port\":80},"
        "\"error\":{\"message\":\"odd\"},\"event\":{\"action\":\"sample.get\","
        "\"category\":[\"network\"],\"dataset\":\"sample\",\"duration\":100,"
        "\"end\":\"1970-01-01T00:00:01.000000100Z\",\"first_byte\":20,\"incomplete\":true,"
        "\"kind\":\"event\",\"outcome\":\"failure\",\"round_trip\":15,\"start\":"
        "\"1970-01-01T00:00:01.000000000Z\",\"transfer\":70,\"type\":[\"connection\",\"protocol\"]},\"method\":\"GET\",\"network\":{\"bytes\":7,"
        "\"community_id\":\"1:x\",\"protocol\":\"sample\",\"transport\":\"tcp\",\"type\":\"ipv4\"},"
        "\"path\":\"/it\",\"query\":\"get it\",\"related\":{\"ip\":[\"10.0.0.1\",\"10.0.0.2\"]},"
        "\"resource\":\"it\",\"sample\":{\"thing\":\"own\"},\"server\":{\"bytes\":4,\"domain\":"
        "\"host\",\"ip\":\"10.0.0.2\",\"port\":80},\"source\":{\"bytes\":3,\"ip\":\"10.0.0.1\","
        "\"port\":1025},\"status\":\"Error\",\"type\":\"sample\",\"user\":{\"name\":\"me\"}}");
}

static void says_no_more_than_is_known(void **state)
{
    struct span notes[] = {span_str("odd"), span_str("odder")};
    struct sample s = {
        .t = {.head = {.type = &type}, .start_ns = 1000000000, .reason = "timeout",
              .notes = {2, notes}, .source = {6, {[15] = 1}}, .destination = {6, {[15] = 1}},
              .protocol = "other", .status_text = "NO_REPLY"},
    };
    assert_encoded(
        &s, "{\"@timestamp\":\"1970-01-01T00:00:01.000000000Z\",\"client\":{\"ip\":\"::1\"},"
            "\"destination\":{\"ip\":\"::1\"},\"error\":{\"message\":[\"odd\",\"odder\"]},"
            "\"event\":{\"category\":[\"network\"],\"dataset\":\"sample\",\"kind\":\"event\","
            "\"reason\":\"timeout\",\"start\":\"1970-01-01T00:00:01.000000000Z\","
            "\"type\":[\"connection\",\"protocol\"]},\"network\":{\"protocol\":\"other\"},"
            "\"related\":{\"ip\":[\"::1\"]},\"server\":{\"ip\":\"::1\"},\"source\":{\"ip\":"
            "\"::1\"},\"status\":\"NO_REPLY\",\"type\":\"sample\"}");
}

/* A response in the same packet time is 0 ns away, which is said. */
static void says_zero(void **state)
{
    struct sample s = {
        .t = {.head = {.type = &type}, .start_ns = 5, .response_ns = 5, .end_ns = 5}};
    transaction_finish(&s.t);
    assert_true(s.t.duration.present && s.t.duration.value == 0);
    assert_true(s.t.first_byte.present && s.t.first_byte.value == 0);
    s.t.response_ns = 4; /* before the request: capture points differ */
    transaction_finish(&s.t);
    assert_false(s.t.first_byte.present);
}

/* The network takes no longer than until the answer began, or, where that is not told, ended; of what has
 * none, the handshake is all that is known. */
static void bounds_round_trips(void **state)
{
    static const struct {
        uint64_t response_ns, end_ns, expected;
    } cases[] = {{0, 0, 50}, {20, 40, 10}, {70, 90, 50}, {0, 40, 30}, {0, 90, 50}, {10, 40, 0}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s = {.t = {.head = {.type = &type},
                                 .start_ns = 10,
                                 .response_ns = cases[i].response_ns,
                                 .end_ns = cases[i].end_ns,
                                 .round_trip = {50, true}}};
        transaction_finish(&s.t);
        assert_int_equal(s.t.round_trip.value, cases[i].expected);
        assert_int_equal(s.t.round_trip.present, cases[i].expected > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_all),
        cmocka_unit_test(says_no_more_than_is_known),
        cmocka_unit_test(says_zero),
        cmocka_unit_test(bounds_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
