// SPDX-License-Identifier: Apache-2.0
/* Events are put into outboxes as workers do it, and read back from the list of recent flows, which
 * keeps them in the order in which they went out. */
#include "engine/output.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RECENT = 64, WORKERS = 3, THREAD_EVENTS = 3000 };

static const struct config no_sinks;

static struct output *output_with(uint32_t workers, enum outbox_mode mode, bool ordered,
                                  uint32_t recent)
{
    struct err err = {0};
    struct output_options options = {.config = &no_sinks, .workers = workers, .mode = mode,
                                     .ordered = ordered, .recent = recent};
    struct output *output = output_new(&options, &err);
    assert_non_null(output);
    return output;
}

/* The last report of a flow that began at `order` and `suborder`; false: it was dropped. */
static bool put(struct output *output, uint32_t worker, uint64_t order, uint64_t suborder)
{
    struct outbox *outbox = output_outbox(output, worker);
    struct flow_event *event = outbox_reserve(outbox, sizeof *event);
    if (event == NULL) {
        return false;
    }
    *event = (struct flow_event){
        .head = {.type = &flow_event_type, .order = order, .suborder = suborder}, .final = true};
    outbox_commit(outbox);
    return true;
}

/* What went out so far, oldest first, is exactly this, by order * 10 + suborder. */
static void assert_went(struct output *output, const uint64_t *numbers, uint32_t count)
{
    struct flow_event events[RECENT];
    assert_int_equal(output_recent(output, events, RECENT), count);
    for (uint32_t i = 0; i < count; i++) {
        const struct event_head *head = &events[count - 1 - i].head;
        assert_int_equal(head->order * 10 + head->suborder, numbers[i]);
    }
}

static void events_are_merged_by_order_and_suborder(void **state)
{
    (void)state;
    struct output *output = output_with(WORKERS, OUTBOX_WAIT, true, RECENT);
    put(output, 0, 1, 0);
    put(output, 0, 4, 2);
    put(output, 0, 4, 5);
    put(output, 1, 2, 0);
    put(output, 1, 4, 1);
    put(output, 2, 3, 0);
    put(output, 2, 4, 3);
    assert_int_equal(output_drain(output, true), 7);
    assert_went(output, (const uint64_t[]){10, 20, 30, 41, 42, 43, 45}, 7);
    output_free(output);
}

static void an_event_waits_for_those_that_may_come_before_it(void **state)
{
    (void)state;
    struct output *output = output_with(2, OUTBOX_WAIT, true, RECENT);
    put(output, 0, 5, 0);
    put(output, 0, 9, 0);
    assert_int_equal(output_drain(output, false), 0);
    outbox_pass(output_outbox(output, 1), 5); /* it may still bring a 5 */
    assert_int_equal(output_drain(output, false), 0);
    outbox_pass(output_outbox(output, 1), 6);
    assert_int_equal(output_drain(output, false), 1);
    put(output, 1, 7, 0);
    outbox_pass(output_outbox(output, 1), 8);
    assert_int_equal(output_drain(output, false), 1);
    assert_went(output, (const uint64_t[]){50, 70}, 2);
    assert_int_equal(output_drain(output, true), 1);
    assert_went(output, (const uint64_t[]){50, 70, 90}, 3);
    output_free(output);
}

/* What an outbox holds is as good as a promise: nothing earlier comes behind it. */
static void outboxes_with_events_hold_nobody_up(void **state)
{
    (void)state;
    struct output *output = output_with(2, OUTBOX_WAIT, true, RECENT);
    put(output, 0, 5, 0);
    put(output, 1, 6, 0);
    assert_int_equal(output_drain(output, false), 1);
    assert_went(output, (const uint64_t[]){50}, 1);
    output_free(output);
}

static void without_an_order_they_go_as_they_come(void **state)
{
    (void)state;
    struct output *output = output_with(2, OUTBOX_DROP, false, RECENT);
    put(output, 1, 9, 0);
    assert_int_equal(output_drain(output, false), 1);
    put(output, 0, 3, 0);
    assert_int_equal(output_drain(output, false), 1);
    assert_went(output, (const uint64_t[]){90, 30}, 2);
    output_free(output);
}

static void a_full_outbox_drops_and_counts(void **state)
{
    (void)state;
    struct output *output = output_with(1, OUTBOX_DROP, false, RECENT);
    uint64_t held = 0;
    while (put(output, 0, held, 0)) {
        held++;
        assert_true(held < 100000);
    }
    assert_false(put(output, 0, held, 0));
    assert_int_equal(atomic_load(&output_outbox(output, 0)->dropped), 2);
    assert_int_equal(output_drain(output, false), held);
    assert_true(put(output, 0, held, 0));
    assert_int_equal(output_drain(output, true), 1);
    assert_int_equal(atomic_load(&output_outbox(output, 0)->dropped), 2);
    output_free(output);
}

static void a_single_thread_empties_its_own_outbox(void **state)
{
    (void)state;
    struct output *output = output_with(1, OUTBOX_DRAIN, true, RECENT);
    for (uint64_t i = 0; i < 20000; i++) {
        assert_true(put(output, 0, i, 0));
    }
    output_drain(output, true);
    assert_int_equal(atomic_load(&output_outbox(output, 0)->dropped), 0);
    struct flow_event newest;
    assert_int_equal(output_recent(output, &newest, 1), 1);
    assert_int_equal(newest.head.order, 19999);
    output_free(output);
}

static void the_newest_of_recent_flows_come_first(void **state)
{
    (void)state;
    struct output *output = output_with(1, OUTBOX_DRAIN, true, 4);
    struct flow_event events[RECENT];
    assert_int_equal(output_recent(output, events, RECENT), 0);
    for (uint64_t i = 1; i <= 6; i++) {
        put(output, 0, i, 0);
        struct flow_event *going_on = outbox_reserve(output_outbox(output, 0), sizeof *going_on);
        *going_on = (struct flow_event){.head = {.type = &flow_event_type, .order = i}};
        outbox_commit(output_outbox(output, 0));
    }
    assert_int_equal(output_drain(output, true), 12);
    assert_int_equal(output_recent(output, events, RECENT), 4);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(events[i].head.order, 6 - i);
        assert_true(events[i].final);
        assert_int_not_equal(events[i].flow_id[0], 0); /* finished */
    }
    assert_int_equal(output_recent(output, events, 2), 2);
    assert_int_equal(events[1].head.order, 5);
    output_free(output);
}

static void it_tells_whether_anybody_listens(void **state)
{
    (void)state;
    struct output *deaf = output_with(1, OUTBOX_DRAIN, true, 0);
    struct output *keeps = output_with(1, OUTBOX_DRAIN, true, 1);
    assert_false(output_is_wanted(deaf));
    assert_true(output_is_wanted(keeps));
    struct err err = {0};
    assert_false(output_failure(keeps, &err));
    put(deaf, 0, 1, 0);
    assert_int_equal(output_drain(deaf, true), 1);
    struct flow_event event;
    assert_int_equal(output_recent(deaf, &event, 1), 0);
    output_free(deaf);
    output_free(keeps);
}

static void an_unknown_sink_is_refused(void **state)
{
    (void)state;
    struct config_output pigeon = {.kind = "pigeon"};
    struct config config = {.outputs = &pigeon, .output_count = 1};
    struct output_options options = {.config = &config, .workers = 1};
    struct err err = {0};
    assert_null(output_new(&options, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

/* ---- Threads -------------------------------------------------------------------------------- */

struct producer {
    struct output *output;
    uint32_t worker;
    _Atomic bool done;
};

/* Every WORKERS-th number is its own. */
static void *produce(void *argument)
{
    struct producer *p = argument;
    for (uint64_t i = 0; i < THREAD_EVENTS; i++) {
        uint64_t order = i * WORKERS + p->worker;
        put(p->output, p->worker, order, 0);
        outbox_pass(output_outbox(p->output, p->worker), order + 1);
    }
    atomic_store(&p->done, true);
    return NULL;
}

static bool all_done(struct producer *producers)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (!atomic_load(&producers[i].done)) {
            return false;
        }
    }
    return true;
}

static void threads_give_one_order(void **state)
{
    (void)state;
    enum { ALL = WORKERS * THREAD_EVENTS };
    struct output *output = output_with(WORKERS, OUTBOX_WAIT, true, ALL);
    struct producer producers[WORKERS];
    pthread_t threads[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++) {
        producers[i].output = output;
        producers[i].worker = i;
        atomic_init(&producers[i].done, false);
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    uint32_t moved = 0;
    while (!all_done(producers)) {
        moved += output_drain(output, false);
    }
    moved += output_drain(output, true);
    for (uint32_t i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(moved, ALL);
    struct flow_event *events = calloc(ALL, sizeof *events);
    assert_int_equal(output_recent(output, events, ALL), ALL);
    for (uint64_t i = 0; i < ALL; i++) {
        assert_int_equal(events[i].head.order, ALL - 1 - i);
    }
    free(events);
    output_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_merged_by_order_and_suborder),
        cmocka_unit_test(an_event_waits_for_those_that_may_come_before_it),
        cmocka_unit_test(outboxes_with_events_hold_nobody_up),
        cmocka_unit_test(without_an_order_they_go_as_they_come),
        cmocka_unit_test(a_full_outbox_drops_and_counts),
        cmocka_unit_test(a_single_thread_empties_its_own_outbox),
        cmocka_unit_test(the_newest_of_recent_flows_come_first),
        cmocka_unit_test(it_tells_whether_anybody_listens),
        cmocka_unit_test(an_unknown_sink_is_refused),
        cmocka_unit_test(threads_give_one_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
