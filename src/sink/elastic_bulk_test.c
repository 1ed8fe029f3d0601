// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "sink/elastic_bulk.h"
#include "sink/line_queue.h"

static void lines_come_out_as_they_went_in(void **state)
{
    struct line_queue *queue = line_queue_new(16, 0, false);
    char batch[64];
    size_t size;
    assert_int_equal(line_queue_put(queue, span_str("ab\n")), 0);
    for (unsigned round = 0; round < 20; round++) { /* around the end of the ring, too */
        assert_int_equal(line_queue_put(queue, span_str("cde\nab\n")), 0);
        assert_int_equal(line_queue_take(queue, batch, sizeof batch, 1, 0, &size), 1);
        assert_memory_equal(batch, "ab\n", 3);
        assert_int_equal(line_queue_take(queue, batch, sizeof batch, 1, 0, &size), 1);
        assert_memory_equal(batch, "cde\n", 4);
    }
    assert_int_equal(line_queue_take(queue, batch, sizeof batch, 9, 0, &size), 1);
    assert_int_equal(line_queue_put(queue, span_str("123456789\n1234\n1\n123\n")), 2);
    assert_int_equal(line_queue_state(queue).lines, 2);
    assert_int_equal(line_queue_state(queue).lost, 2);
    assert_int_equal(line_queue_take(queue, batch, 6, 9, 0, &size), 1); /* too long for it: alone */
    assert_memory_equal(batch, "123456789\n", 10);
    assert_int_equal(line_queue_take(queue, batch, 6, 9, 0, &size), 1);
    assert_memory_equal(batch, "1234\n", 5);
    assert_int_equal(line_queue_state(queue).lost, 2);
    line_queue_end(queue);
    assert_true(line_queue_has_ended(queue));
    line_queue_free(queue);
}

static void a_queue_takes_so_many_lines(void **state)
{
    struct line_queue *queue = line_queue_new(1024, 2, false);
    char batch[64];
    size_t size;
    assert_int_equal(line_queue_put(queue, span_str("a\nb\nc\nd\n")), 2);
    assert_int_equal(line_queue_state(queue).lines, 2);
    assert_int_equal(line_queue_take(queue, batch, sizeof batch, 9, 0, &size), 2);
    assert_int_equal(line_queue_put(queue, span_str("e\n")), 0);
    line_queue_free(queue);
}

static void *put_many(void *of)
{
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(line_queue_put(of, span_str("0123456789\n")), 0);
    }
    line_queue_end(of);
    return NULL;
}

static void who_can_wait_loses_nothing(void **state)
{
    struct line_queue *queue = line_queue_new(64, 0, true);
    pthread_t thread;
    char batch[64];
    size_t size;
    uint32_t count = 0;
    pthread_create(&thread, NULL, put_many, queue);
    while (count < 1000) {
        count += line_queue_take(queue, batch, sizeof batch, 3, 1000, &size);
    }
    pthread_join(thread, NULL);
    assert_int_equal(line_queue_state(queue).lost, 0);
    line_queue_free(queue);
}

static void actions_say_where_documents_go(void **state)
{
    struct elastic_bulk_target target = {.index = "n-%{[type]}", .pipeline = ""};
    struct nodes scratch = {0};
    struct json body;
    json_init(&body);
    assert_true(elastic_bulk_add(&body, span_str("{\"@timestamp\":1,\"@metadata\":{\"beat\":\"b\"},"
                                                 "\"type\":\"x\"}"), &target, &scratch));
    assert_true(elastic_bulk_add(&body, span_str("{\"@metadata\":{\"raw_index\":\"r\",\"_id\":\"7\"}}"),
                                 &target, &scratch));
    assert_false(elastic_bulk_add(&body, span_str("{}"), &target, &scratch)); /* no type */
    assert_false(elastic_bulk_add(&body, span_str("no JSON"), &target, &scratch));
    json_append(&body, "", 1);
    assert_string_equal(body.data, "{\"create\":{\"_index\":\"n-x\"}}\n"
                                   "{\"@timestamp\":1,\"type\":\"x\"}\n"
                                   "{\"create\":{\"_index\":\"r\",\"_id\":\"7\"}}\n{}\n");
    json_done(&body);
    node_done(&scratch);
}

static void answers_are_understood(void **state)
{
    enum elastic_verdict verdicts[5];
    struct nodes scratch = {0};
    char why[100];
    static const char answer[] =
        "{\"took\":1,\"errors\":true,\"items\":[{\"create\":{\"status\":201}},"
        "{\"create\":{\"status\":429,\"error\":{\"type\":\"busy\",\"reason\":\"full\"}}},"
        "{\"create\":{\"status\":400,\"error\":{\"type\":\"t\",\"reason\":\"r\"}}},"
        "{\"create\":{\"status\":409}},{\"index\":{\"status\":503}},{\"create\":{\"status\":201}}]}";
    assert_int_equal(
        elastic_bulk_answer(span_str(answer), verdicts, 5, &scratch, why, sizeof why), 5);
    assert_int_equal(verdicts[0], ELASTIC_TAKEN);
    assert_int_equal(verdicts[1], ELASTIC_AGAIN);
    assert_int_equal(verdicts[2], ELASTIC_REFUSED);
    assert_int_equal(verdicts[3], ELASTIC_TAKEN);
    assert_int_equal(verdicts[4], ELASTIC_AGAIN);
    assert_string_equal(why, "busy: full");
    static const char *const odd[] = {"", "{}", "[]", "{\"items\":1}", "<html>"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_int_equal(
            elastic_bulk_answer(span_str(odd[i]), verdicts, 5, &scratch, why, sizeof why), -1);
    }
    node_done(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_as_they_went_in),
        cmocka_unit_test(a_queue_takes_so_many_lines),
        cmocka_unit_test(who_can_wait_loses_nothing),
        cmocka_unit_test(actions_say_where_documents_go),
        cmocka_unit_test(answers_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
