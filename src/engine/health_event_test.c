// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "engine/health_list.h"

#include <stdlib.h>
#include <string.h>

static void has_a_sound_table(void **state)
{
    (void)state;
    struct err err = {0};
    if (!event_type_check(&health_event_type, &err)) {
        fail_msg("%s", err.text);
    }
}

/* An event of a connection with one verdict. */
static struct health_event *make(enum health_verdict verdict, float confidence, uint64_t start)
{
    struct health_event *e = calloc(1, sizeof *e);
    assert_non_null(e);
    struct flow flow = {.key = {.version = 4, .protocol = 6}, .first_ns = start, .last_ns = start};
    struct flow_cold cold = {0};
    health_event_fill(e, &flow, &cold, FLOW_REASON_END, start);
    e->record.server_response_ms = NAN;
    e->record.ttfb_ms = 12.3456;
    e->record.findings[verdict] =
        (struct health_finding){HEALTH_TRUE, confidence, {12, 34, 56}};
    health_event_finish(e);
    return e;
}

static void says_what_it_knows_and_no_more(void **state)
{
    (void)state;
    struct health_event *e = make(HEALTH_BUFFERBLOAT, 0.75f, 1000);
    struct json json;
    json_init(&json);
    event_json(&json, &e->flow.head);
    json_append(&json, "", 1);
    assert_non_null(strstr(json.data, "\"ttfb_ms\":12.346"));
    assert_null(strstr(json.data, "server_response_ms"));
    assert_non_null(strstr(json.data, "\"bufferbloat\":true"));
    assert_null(strstr(json.data, "\"blackholed\""));
    assert_non_null(strstr(json.data, "\"confidence\":0.75"));
    assert_non_null(strstr(json.data, "12 of 34 intervals"));
    assert_non_null(strstr(json.data, "\"verdicts\":\"bufferbloat\""));
    json_done(&json);
    free(e);
}

static void keeps_the_worst(void **state)
{
    (void)state;
    enum { ROOM = 3, MADE = 50 };
    struct health_list *list = health_list_new(ROOM);
    assert_non_null(list);
    for (unsigned i = 0; i < MADE; i++) {
        unsigned shuffled = i * 17 % MADE;
        struct health_event *e = make(HEALTH_LOSSY, (float)shuffled / MADE, shuffled);
        health_list_add(list, e);
        free(e);
    }
    const struct health_event *const *rows;
    uint64_t total;
    assert_int_equal(health_list_sort(list, &rows, &total), ROOM);
    assert_int_equal(total, MADE);
    for (unsigned i = 0; i < ROOM; i++) {
        assert_int_equal(rows[i]->flow.start_ns, MADE - 1 - i);
    }
    health_list_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_sound_table),
        cmocka_unit_test(says_what_it_knows_and_no_more),
        cmocka_unit_test(keeps_the_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
