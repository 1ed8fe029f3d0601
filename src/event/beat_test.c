// SPDX-License-Identifier: Apache-2.0
/* Which way a conversation goes, as Packetbeat tells it, and what is dropped for that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/node_json.h"
#include "event/beat.h"
#include "event/transaction.h"

static struct nodes tree;

static struct beat_options options(const char *internal, const char *local)
{
    struct beat_options beat = {.name = "n", .hostname = "h", .id = "i", .ephemeral_id = "e"};
    struct err err = {0};
    beat.has_internal = internal != NULL;
    assert_true(internal == NULL || networks_add(&beat.internal, span_str(internal), &err));
    assert_true(local == NULL || networks_add(&beat.local, span_str(local), &err));
    return beat;
}

/* The direction between two addresses; NULL when the event is dropped. */
static struct span direction(const struct beat_options *beat, const char *source,
                             const char *destination)
{
    struct span json = node_format(&tree, "{\"@timestamp\":\"2026-11-20T23:58:49.123456789Z\","
                                          "\"source\":{\"ip\":\"%s\"},\"destination\":{\"ip\":\"%s\"}}",
                                   source, destination);
    struct node *event = node_json_parse(&tree, json);
    if (!beat_shape(beat, &tree, event)) {
        return (struct span){0};
    }
    const struct node *node = node_find(event, span_str("network.direction"));
    return node != NULL ? node->text : span_str("none");
}

static void goes(const struct beat_options *beat, const char *source, const char *destination,
                 const char *expected)
{
    struct span got = direction(beat, source, destination);
    if (!span_equal(got, span_str(expected))) {
        fail_msg("%s to %s is %.*s, not %s", source, destination, (int)got.size, got.data, expected);
    }
}

static void this_machine_goes_before_networks(void **state)
{
    struct beat_options beat = options("private", "192.0.2.1");
    goes(&beat, "127.0.0.1", "127.0.0.1", "ingress");
    goes(&beat, "fe80::1", "::1", "ingress");
    goes(&beat, "10.0.0.1", "192.0.2.1", "ingress");
    goes(&beat, "192.0.2.1", "10.0.0.1", "egress");
    goes(&beat, "127.0.0.1", "8.8.8.8", "external"); /* one end only is loopback */
    node_reset(&tree);
}

static void networks_tell_inside_from_outside(void **state)
{
    struct beat_options beat = options("10.0.0.0/8", NULL);
    goes(&beat, "10.0.0.1", "10.9.9.9", "internal");
    goes(&beat, "10.0.0.1", "8.8.8.8", "outbound");
    goes(&beat, "8.8.8.8", "10.0.0.1", "inbound");
    goes(&beat, "8.8.8.8", "192.168.0.1", "external");
    struct beat_options none = options(NULL, NULL);
    goes(&none, "10.0.0.1", "8.8.8.8", "unknown");
    node_reset(&tree);
}

static void what_goes_out_can_be_left_out(void **state)
{
    struct beat_options beat = options(NULL, "192.0.2.1");
    beat.ignore_outgoing = true;
    assert_null(direction(&beat, "192.0.2.1", "8.8.8.8").data);
    goes(&beat, "8.8.8.8", "192.0.2.1", "ingress");
    node_reset(&tree);
}

static void ends_with_the_first_packet_of_a_response(void **state)
{
    const struct event_type type = {.common = transaction_fields};
    struct transaction t = {.head.type = &type, .response_ns = 1700000000123456789,
                            .duration = {.value = 500, .present = true},
                            .transfer = {.value = 300, .present = true}};
    struct node *event = node_json_parse(&tree, span_str("{\"event\":{\"duration\":500,\"end\":\"\"}}"));
    beat_measure(&tree, event, &t.head);
    assert_true(span_equal(node_find(event, span_str("event.duration"))->text, span_str("200")));
    assert_true(span_equal(node_find(event, span_str("event.end"))->text,
                           span_str("2023-11-14T22:13:20.123456789Z")));
    node_reset(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_goes_before_networks),
        cmocka_unit_test(networks_tell_inside_from_outside),
        cmocka_unit_test(what_goes_out_can_be_left_out),
        cmocka_unit_test(ends_with_the_first_packet_of_a_response),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    node_done(&tree);
    return failed;
}
