// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "event/event_ends.h"
#include "event/event_writer.h"
#include "event/transaction.h"

static const struct event_field fields[] = {{0}};
static const struct event_type question = {.dataset = "question", .help = "x",
                                           .size = sizeof(struct transaction), .fields = fields,
                                           .common = transaction_fields};
static const struct event_type message = {.dataset = "message", .help = "x",
                                          .size = sizeof(struct transaction), .fields = fields,
                                          .common = transaction_reply_fields};

/* The events of flow `flow`, in a direction, with something of their own. */
static struct transaction transaction_of(unsigned flow, bool back, uint64_t number)
{
    struct transaction t = {
        .head = {.type = flow % 2 == 0 ? &question : &message},
        .start_ns = 1000000000 * number, .end_ns = 1000000000 * number + 5,
        .source_bytes = number % 7, .destination_bytes = number,
        .query = span_str("what?"), .source_port = 1024 + flow, .destination_port = 53,
        .source = {4, {10, 0, 0, 1}}, .destination = {4, {10, 0, 0, 2}},
        .community_id = "1:x", .network_type = "ipv4", .transport = "tcp",
    };
    t.destination.bytes[3] = flow == 3 ? 1 : 2; /* one talks to himself */
    if (back) {
        struct event_address source = t.source;
        t.source = t.destination;
        t.destination = source;
        t.source_port = 53;
        t.destination_port = 1024 + flow;
    }
    if (flow == 5) { /* what nobody knows the ends of */
        t.source = t.destination = (struct event_address){0};
        t.community_id[0] = '\0';
    }
    return t;
}

/* Says the same as who has never seen another event. */
static void assert_written(struct event_writer *writer, const struct event_head *event)
{
    struct json said, expected;
    json_init(&said);
    json_init(&expected);
    event_writer_put(writer, &said, event);
    event_json(&expected, event);
    assert_false(said.failed);
    assert_int_equal(said.size, expected.size);
    assert_memory_equal(said.data, expected.data, said.size);
    json_done(&expected);
    json_done(&said);
}

/* Many events of one flow; every fifth names more addresses than those of its ends. */
static void assert_written_of(struct event_writer *writer, unsigned flow, bool back)
{
    for (unsigned i = 0; i < 3 * EVENT_ENDS_SEEN; i++) {
        struct transaction t = transaction_of(flow, back, i);
        struct event_address named[3] = {{0}, {0}, {6, {[15] = (uint8_t)i}}};
        if (i % 5 == 0) {
            t.related_ip = (struct event_addresses){3, named};
        }
        transaction_finish(&t);
        assert_written(writer, &t.head);
    }
}

static void says_the_same_of_ends_it_knows(void **state)
{
    struct event_writer *writer = event_writer_new(0);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned flow = 0; flow < 6; flow++) {
            assert_written_of(writer, flow, round % 2 != 0);
        }
    }
    event_writer_free(writer);
}

/* Of more than there are places for, some go. */
static void says_the_same_of_many(void **state)
{
    struct event_writer *writer = event_writer_new(0);
    struct json json;
    json_init(&json);
    for (unsigned flow = 6; flow < 2 * EVENT_ENDS_MOST; flow++) {
        for (unsigned i = 0; i < EVENT_ENDS_SEEN + 2; i++) {
            struct transaction t = transaction_of(flow, false, i);
            transaction_finish(&t);
            json_reset(&json);
            event_writer_put(writer, &json, &t.head);
        }
        struct transaction t = transaction_of(flow / 2, false, flow);
        transaction_finish(&t);
        assert_written(writer, &t.head);
    }
    json_done(&json);
    event_writer_free(writer);
}

static void gives_templates_to_who_comes_often(void **state)
{
    struct event_ends *ends = event_ends_new(0);
    const struct event_plan *plan = event_plan_of(&question);
    struct transaction t = transaction_of(0, false, 1);
    struct event_shape shape;
    transaction_finish(&t);
    uint64_t hash = event_plan_shape(plan, &t, &shape);
    assert_true(plan->has_ends);
    for (unsigned i = 1; i < EVENT_ENDS_SEEN; i++) {
        assert_null(event_ends_find(ends, plan, &shape, hash, &t));
    }
    const struct event_template *made = event_ends_find(ends, plan, &shape, hash, &t);
    assert_non_null(made);
    assert_ptr_equal(event_ends_find(ends, plan, &shape, hash, &t), made);
    t.destination_port++;
    assert_null(event_ends_find(ends, plan, &shape, hash, &t));
    t.destination_port--;
    t.related_ip.count = 1;
    assert_null(event_ends_find(ends, plan, &shape, hash, &t));
    event_ends_free(ends);
}

static void has_sound_tables(void **state)
{
    struct err err = {0};
    if (!event_type_check(&question, &err) || !event_type_check(&message, &err)) {
        fail_msg("%s", err.text);
    }
    const struct event_field odd[] = {
        {.name = "status", .kind = EVENT_TEXT, .flags = EVENT_ENDS, .help = "x",
         .offset = offsetof(struct transaction, status_text)},
        {0}};
    struct event_type type = question;
    type.fields = odd;
    type.common = NULL;
    assert_false(event_type_check(&type, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_the_same_of_ends_it_knows),
        cmocka_unit_test(says_the_same_of_many),
        cmocka_unit_test(gives_templates_to_who_comes_often),
        cmocka_unit_test(has_sound_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
