// SPDX-License-Identifier: Apache-2.0
/* A protocol that begins in connections that nobody wanted: "HAIL" says so. */
#include "engine/conversation_stage.h"

static enum proto_guess lines_probe_late(struct span data, unsigned side)
{
    (void)side;
    static const char hail[] = "HAIL";
    size_t known = data.size < 4 ? data.size : 4;
    return memcmp(data.data, hail, known) != 0 ? PROTO_NO : known < 4 ? PROTO_UNSURE : PROTO_YES;
}

static const struct proto late_lines = {
    .name = "lines",
    .metrics = &lines_set,
    .flow_size = sizeof(struct lines_state),
    .probe = lines_probe,
    .probe_late = lines_probe_late,
    .on_chunk = lines_on_chunk,
    .on_gap = lines_on_gap,
    .on_fin = lines_on_fin,
    .on_close = lines_on_close,
};
static const struct listeners late_listeners = {
    .count = 1,
    .has_tcp = true,
    .reads_tcp = 1,
    .reads_anywhere = 1,
    .begins_late = 1,
    .items = {{.proto = &late_lines, .settings = &settings}}};

static int set_up_late(void **state)
{
    int ret = stage_set_up(state);
    struct lab *lab = *state;
    struct err err = {0};
    struct conversation_options options = {.listeners = &late_listeners,
                                           .outbox = output_outbox(lab->output, 0),
                                           .capacity = CAPACITY,
                                           .memory = 4 << 20,
                                           .wants_events = true,
                                           .text_max = 64};
    conversations_free(lab->all);
    lab->all = conversations_new(&options, &err);
    assert_non_null(lab->all);
    for (unsigned side = 0; side < 2; side++) {
        lab->flows[1].tcp_flags[side] = TCP_SYN;
        lab->flows[1].next_seq[side] = FIRST;
    }
    return ret;
}

static void say_bytes(struct lab *lab, unsigned side, const char *text)
{
    for (; *text != '\0'; text++) {
        say(lab, side, (const char[]){*text, '\0'});
    }
}

static void another_may_begin_behind_what_nobody_wants(void **state)
{
    struct lab *lab = *state;
    say(lab, 1, "220 ready\n");
    say(lab, 0, "STARTTLS\n");
    say(lab, 1, "220 go on\n");
    say(lab, 0, "HAIL\nthere\n");
    say(lab, 1, "answer\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HAIL 0there 1answer 9timeout ");
}

static void it_may_come_in_any_pieces(void **state)
{
    struct lab *lab = *state;
    struct transaction t;
    char query[100];
    say_bytes(lab, 1, "220 ready\n");
    say_bytes(lab, 0, "HASTARTTLS\n");
    say_bytes(lab, 1, "220 go on\n");
    lab->moment.now_ns = 300;
    say_bytes(lab, 0, "HA");
    lab->moment.now_ns = 400;
    say_bytes(lab, 0, "IL\nthere\n");
    say_bytes(lab, 1, "answer\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HAIL 0there 1answer 9timeout ");
    assert_true(next_event(lab, &t, query, sizeof query));
    assert_int_equal(t.start_ns, 400);
}

/* In the middle of what a side says there is no beginning, however it is cut. */
static void it_begins_only_where_the_other_side_has_spoken(void **state)
{
    struct lab *lab = *state;
    say(lab, 1, "220 ready\n");
    say(lab, 0, "say\n");
    say(lab, 0, "HAIL\n");
    assert_true(lab->flows[1].flags & FLOW_HEARD);
    close_flow(lab);
    assert_string_equal(lab->record.text, "");
}

/* What came before it may be missing, in part or whole. */
static void it_may_begin_behind_a_hole(void **state)
{
    struct lab *lab = *state;
    say(lab, 1, "220 ready\n");
    say(lab, 0, "STARTTLS\n");
    lab->next[0] += 10;
    say(lab, 0, "HAIL\n");
    close_flow(lab);
    assert_string_equal(lab->record.text, "0HAIL 9timeout ");
}

static void strangers_are_let_go_of_by_and_by(void **state)
{
    struct lab *lab = *state;
    char kilobyte[1025] = {0};
    memset(kilobyte, 'x', 1024);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(lab->flows[1].flags & FLOW_UNHEARD, 0);
        say(lab, 0, kilobyte);
    }
    say(lab, 0, "x");
    assert_true(lab->flows[1].flags & FLOW_UNHEARD);
    assert_false(lab->flows[1].flags & FLOW_HEARD);
    assert_int_equal(conversations_stats(lab->all)->let_go, 0); /* it never had a protocol */
}

static void so_are_those_who_talk_for_ever(void **state)
{
    struct lab *lab = *state;
    for (unsigned i = 0; i < 40; i++) {
        say(lab, i % 2, "x");
    }
    assert_true(lab->flows[1].flags & FLOW_UNHEARD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_late, stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_may_begin_behind_what_nobody_wants),
        TEST(it_may_come_in_any_pieces),
        TEST(it_begins_only_where_the_other_side_has_spoken),
        TEST(it_may_begin_behind_a_hole),
        TEST(strangers_are_let_go_of_by_and_by),
        TEST(so_are_those_who_talk_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
