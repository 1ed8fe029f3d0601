// SPDX-License-Identifier: Apache-2.0
/* Frames are written, walked through the front in chunks of any size, and what came out is kept:
 * marks and units in the order of their steps. */
#include "engine/front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

enum { LINGER = 30, FRAMES_MAX = 64, SEEN_MAX = 1024, WORKERS = 4, UDP_HEADER = 8, IP_HEADER = 20 };

/* A mark or a unit, as a worker would meet it. */
struct seen {
    uint64_t step;
    uint64_t time_ns;
    uint64_t hash;
    uint32_t frames;
    uint32_t wire_len;
    uint16_t port; /* destination */
    uint8_t flags; /* of a unit; 0: it is a mark */
    uint8_t mark;
    uint8_t list;
};

struct lab {
    struct front_options options;
    struct front *front;
    struct chunk chunk;
    struct seen seen[SEEN_MAX];
    uint32_t count;
    uint32_t rounds;  /* chunks that it took */
    uint32_t at_once; /* frames in one batch; 0: all */
    struct frame frames[FRAMES_MAX];
    uint32_t frame_count;
    uint8_t bytes[FRAMES_MAX][128];
};

static struct lab *lab_with(const struct chunk_options *chunk, bool is_live)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    lab->options = (struct front_options){.seed = 7,
                                          .fragments_memory = DEFRAG_MEMORY_MIN,
                                          .linger_ns = LINGER * SECOND,
                                          .is_live = is_live};
    struct err err = {0};
    lab->front = front_new(&lab->options, &err);
    assert_non_null(lab->front);
    chunk_init(&lab->chunk, chunk);
    return lab;
}

static const struct chunk_options roomy = {
    .frames = FRAMES_MAX, .extras = 64, .marks = 512, .workers = 1,
    .arena = 64 * DEFRAG_DATAGRAM_MAX,
};

static int set_up(void **state)
{
    *state = lab_with(&roomy, false);
    return 0;
}

static int set_up_live(void **state)
{
    *state = lab_with(&roomy, true);
    return 0;
}

static void lab_free(struct lab *lab)
{
    front_free(lab->front);
    chunk_done(&lab->chunk);
    free(lab);
}

static int tear_down(void **state)
{
    lab_free(*state);
    return 0;
}

/* ---- Frames --------------------------------------------------------------------------------- */

/* An IPv4 packet of host .client to 10.0.0.200; returns its bytes behind the header. */
static uint8_t *add_ip(struct lab *lab, uint64_t time_ns, uint8_t client, uint8_t protocol,
                       uint8_t size)
{
    assert_true(lab->frame_count < FRAMES_MAX);
    uint8_t *at = lab->bytes[lab->frame_count];
    uint8_t total = (uint8_t)(IP_HEADER + size);
    const uint8_t ip[IP_HEADER] = {0x45, 0,        0, total, 0, 9, 0, 0, 64,  protocol,
                                   0,    0,        10, 0,    0, client, 10, 0, 0, 200};
    memset(at, 0, sizeof *lab->bytes);
    memcpy(at, ip, sizeof ip);
    lab->frames[lab->frame_count++] = (struct frame){
        .time_ns = time_ns, .data = at, .cap_len = total, .wire_len = total,
        .link = FRAME_LINK_RAW,
    };
    return at + IP_HEADER;
}

/* A UDP datagram to port 53 without a payload. */
static void add_udp(struct lab *lab, uint64_t time_ns, uint8_t client)
{
    const uint8_t udp[UDP_HEADER] = {0x13, 0x88, 0, 53, 0, UDP_HEADER};
    memcpy(add_ip(lab, time_ns, client, 17, sizeof udp), udp, sizeof udp);
}

/* Part 0, 1 or 2 of a UDP datagram of 8 and 40 bytes, in pieces of 16. */
static void add_fragment(struct lab *lab, uint64_t time_ns, uint8_t client, unsigned part)
{
    uint8_t *data = add_ip(lab, time_ns, client, 17, 16);
    if (part == 0) {
        memcpy(data, (const uint8_t[]){0x13, 0x88, 0, 53, 0, 48}, 6);
    }
    data[6 - IP_HEADER] = part < 2 ? 0x20 : 0;
    data[7 - IP_HEADER] = (uint8_t)(part * 2);
}

/* "Port unreachable" for the datagram of add_udp(): from its receiver, of the same packet. */
static void add_unreachable(struct lab *lab, uint64_t time_ns, uint8_t client)
{
    uint8_t *data = add_ip(lab, time_ns, 200, 1, 8 + IP_HEADER + UDP_HEADER);
    data[19 - IP_HEADER] = client;
    data[0] = 3;
    data[1] = 3;
    const uint8_t quoted[] = {0x45, 0, 0, IP_HEADER + UDP_HEADER, 0, 9, 0, 0, 64, 17, 0, 0,
                              10, 0, 0, client, 10, 0, 0, 200, 0x13, 0x88, 0, 53, 0, UDP_HEADER};
    memcpy(data + 8, quoted, sizeof quoted);
}

/* ---- Walking -------------------------------------------------------------------------------- */

static void see_unit(struct lab *lab, const struct unit *unit, uint32_t list)
{
    assert_true(lab->count < SEEN_MAX && unit->flags != 0);
    lab->seen[lab->count++] = (struct seen){
        .step = unit->step, .time_ns = unit->packet.time_ns, .hash = unit->hash,
        .frames = unit->packet.frames, .wire_len = unit->packet.wire_len,
        .port = unit->packet.destination_port, .flags = unit->flags, .list = (uint8_t)list,
    };
}

static int by_step(const void *a, const void *b)
{
    uint64_t x = ((const struct seen *)a)->step, y = ((const struct seen *)b)->step;
    return (x > y) - (x < y);
}

/* Takes note of a chunk and empties it. */
static void see(struct lab *lab)
{
    const struct chunk *chunk = &lab->chunk;
    uint32_t first = lab->count;
    for (uint32_t i = 0; i < chunk->mark_count; i++) {
        assert_true(lab->count < SEEN_MAX);
        lab->seen[lab->count++] = (struct seen){.step = chunk->marks[i].step,
                                                .time_ns = chunk->marks[i].time_ns,
                                                .mark = chunk->marks[i].kind};
    }
    for (uint32_t list = 0; list < chunk->list_count; list++) {
        for (uint32_t i = 0; i < chunk->lists[list].count; i++) {
            see_unit(lab, &chunk->units[chunk->lists[list].indices[i]], list);
        }
    }
    qsort(lab->seen + first, lab->count - first, sizeof *lab->seen, by_step);
    assert_true(lab->count == first || lab->seen[lab->count - 1].step == chunk->last_step);
    lab->rounds++;
    chunk_clear(&lab->chunk);
}

/* Walks the frames that were added since the last walk. */
static void walk(struct lab *lab)
{
    uint32_t step = lab->at_once > 0 ? lab->at_once : lab->frame_count;
    for (uint32_t from = 0; from < lab->frame_count; from += step) {
        uint32_t left = lab->frame_count - from;
        uint32_t count = left < step ? left : step;
        front_decode(&lab->options, lab->frames + from, count, &lab->chunk, NULL);
        for (uint32_t at = 0; at < count;) {
            at = front_stitch(lab->front, lab->frames + from, at, &lab->chunk);
            assert_true(lab->rounds < SEEN_MAX);
            see(lab);
        }
    }
    lab->frame_count = 0;
}

static void end(struct lab *lab)
{
    bool done;
    do {
        done = front_end(lab->front, &lab->chunk);
        see(lab);
    } while (!done);
}

static void advance(struct lab *lab, uint64_t now_ns)
{
    bool done;
    do {
        done = front_advance(lab->front, now_ns, &lab->chunk);
        see(lab);
    } while (!done);
}

static uint32_t marks(const struct lab *lab, enum mark_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < lab->count; i++) {
        count += lab->seen[i].flags == 0 && lab->seen[i].mark == kind;
    }
    return count;
}

/* Units with all of these flags; the last of them. */
static uint32_t units(const struct lab *lab, uint8_t flags, struct seen *ret_last)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < lab->count; i++) {
        if ((lab->seen[i].flags & flags) == flags) {
            count++;
            *ret_last = lab->seen[i];
        }
    }
    return count;
}

/* ---- Time ----------------------------------------------------------------------------------- */

static void assert_ticks(const struct lab *lab, const uint64_t *seconds, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < lab->count; i++) {
        assert_true(i == 0 || lab->seen[i].step > lab->seen[i - 1].step);
        if (lab->seen[i].flags == 0 && lab->seen[i].mark == MARK_TICK) {
            assert_true(n < count);
            assert_int_equal(lab->seen[i].time_ns, seconds[n] * SECOND);
            n++;
        }
    }
    assert_int_equal(n, count);
}

static void every_second_is_marked_before_what_comes_in_it(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 10 * SECOND + 200, 1);
    add_udp(lab, 10 * SECOND + 900, 1);
    add_udp(lab, 13 * SECOND, 1);
    walk(lab);
    assert_ticks(lab, (const uint64_t[]){10, 11, 12, 13}, 4);
    assert_int_equal(lab->seen[0].mark, MARK_TICK);
    assert_int_equal(lab->seen[0].flags, 0);
    assert_true(lab->seen[lab->count - 1].flags & UNIT_FRAME);
    assert_int_equal(front_now(lab->front), 13 * SECOND);
}

/* Captures made by hand begin at 0. */
static void a_capture_may_begin_in_the_first_second_of_1970(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 0, 1);
    add_udp(lab, SECOND / 2, 1);
    add_udp(lab, 2 * SECOND, 1);
    walk(lab);
    assert_ticks(lab, (const uint64_t[]){1, 2}, 2);
    assert_int_equal(front_totals(lab->front)->first_ns, 0);
}

static void a_long_silence_costs_no_more_than_a_time_out(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 1000 * SECOND, 1);
    add_udp(lab, 1000000 * SECOND, 1);
    walk(lab);
    uint32_t ticks = marks(lab, MARK_TICK);
    assert_true(ticks > LINGER && ticks <= LINGER + 6);
    assert_true(marks(lab, MARK_FLUSH) <= LINGER + 6);
    bool ends_there = false;
    for (uint32_t i = 0; i < lab->count; i++) {
        ends_there |= lab->seen[i].mark == MARK_TICK && lab->seen[i].flags == 0 &&
                      lab->seen[i].time_ns == 1000000 * SECOND;
    }
    assert_true(ends_there);
}

static void a_frame_without_a_time_has_that_of_the_one_before(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, FRAME_NO_TIME, 1);
    add_udp(lab, 50 * SECOND, 1);
    add_udp(lab, FRAME_NO_TIME, 1);
    walk(lab);
    end(lab);
    struct seen last;
    assert_int_equal(units(lab, UNIT_FRAME, &last), 3);
    assert_int_equal(last.time_ns, 50 * SECOND);
    assert_int_equal(front_totals(lab->front)->first_ns, 50 * SECOND);
    assert_int_equal(front_totals(lab->front)->last_ns, 50 * SECOND);
    assert_int_equal(front_totals(lab->front)->frames, 3);
}

static void frames_from_the_past_are_counted(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 50 * SECOND, 1);
    add_udp(lab, 49 * SECOND, 1); /* a second is nothing */
    add_udp(lab, FRAME_NO_TIME, 1);
    add_udp(lab, 49 * SECOND - 1, 1);
    add_udp(lab, 10 * SECOND, 1);
    add_udp(lab, 51 * SECOND, 1);
    walk(lab);
    end(lab);
    assert_int_equal(front_totals(lab->front)->past, 2);
}

static void without_any_time_there_is_no_span(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, FRAME_NO_TIME, 1);
    walk(lab);
    end(lab);
    const struct front_totals *totals = front_totals(lab->front);
    assert_true(totals->first_ns > totals->last_ns);
    assert_int_equal(marks(lab, MARK_FLUSH), 1);
}

static void absurd_times_are_cut(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 5 * SECOND, 1);
    add_udp(lab, UINT64_MAX - 1, 1);
    add_udp(lab, UINT64_MAX - 2, 1);
    add_udp(lab, 6 * SECOND, 1);
    walk(lab);
    end(lab);
    assert_true(front_now(lab->front) <= UINT64_C(1) << 62);
    assert_true(marks(lab, MARK_TICK) <= LINGER + 6);
    struct seen last;
    assert_int_equal(units(lab, UNIT_FRAME, &last), 4);
    assert_int_equal(last.time_ns, 6 * SECOND); /* its own, but packet time stays */
    assert_true(front_now(lab->front) > UINT64_C(1) << 61);
}

static void the_longer_a_capture_the_rarer_its_flushes(void **state)
{
    (void)state;
    for (uint64_t gap = 100000; gap <= 100 * SECOND; gap *= 10) {
        struct lab *lab = lab_with(&roomy, false);
        uint32_t flushes = 0;
        for (unsigned i = 0; i < 4000; i++) {
            add_udp(lab, 77 * SECOND + i * gap, 1);
            if (lab->frame_count == 8) {
                walk(lab);
                flushes += marks(lab, MARK_FLUSH);
                lab->count = lab->rounds = 0;
            }
        }
        /* Widths double: 64 flushes of the first, half as many of each of the others. */
        assert_in_range(flushes, 32, 400);
        lab_free(lab);
    }
}

static void live_time_goes_on_without_packets(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 100 * SECOND, 1);
    walk(lab);
    lab->count = 0;
    for (unsigned i = 1; i <= 30; i++) {
        advance(lab, 100 * SECOND + i * SECOND / 10);
    }
    assert_ticks(lab, (const uint64_t[]){101, 102, 103}, 3);
    assert_true(marks(lab, MARK_FLUSH) >= 3);
    advance(lab, 90 * SECOND);
    assert_int_equal(front_now(lab->front), 103 * SECOND);
}

static void the_end_is_marked_once(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 100 * SECOND, 1);
    walk(lab);
    lab->count = 0;
    end(lab);
    end(lab);
    assert_int_equal(marks(lab, MARK_FLUSH), 1);
    assert_int_equal(lab->count, 1);
}

/* ---- Fragments ------------------------------------------------------------------------------ */

static void a_whole_datagram_stands_for_its_frames(void **state)
{
    struct lab *lab = *state;
    add_fragment(lab, 100 * SECOND, 1, 2);
    add_fragment(lab, 100 * SECOND, 1, 0);
    add_fragment(lab, 100 * SECOND, 1, 1);
    walk(lab);
    end(lab);
    struct seen frame, flow;
    assert_int_equal(units(lab, UNIT_FRAME, &frame), 3);
    assert_int_equal(units(lab, UNIT_FLOW, &flow), 1);
    assert_int_equal(units(lab, UNIT_FRAME | UNIT_FLOW, &frame), 0);
    assert_int_equal(flow.frames, 3);
    assert_int_equal(flow.wire_len, 3 * (IP_HEADER + 16));
    assert_int_equal(flow.port, 53);
    assert_int_equal(front_fragments(lab->front)->timed_out, 0);
}

static void a_datagram_that_stays_incomplete_is_counted_once(void **state)
{
    struct lab *lab = *state;
    add_fragment(lab, 100 * SECOND, 1, 0);
    add_fragment(lab, 100 * SECOND, 1, 1);
    add_udp(lab, 120 * SECOND, 2);
    walk(lab);
    struct seen flow;
    assert_int_equal(units(lab, UNIT_FLOW, &flow), 1);
    add_udp(lab, 140 * SECOND, 2);
    walk(lab);
    assert_int_equal(units(lab, UNIT_FLOW, &flow), 3);
    uint32_t frames = 0;
    for (uint32_t i = 0; i < lab->count; i++) {
        frames += lab->seen[i].flags & UNIT_FLOW ? lab->seen[i].frames : 0;
    }
    assert_int_equal(frames, 4);
    assert_int_equal(front_fragments(lab->front)->timed_out, 1);
    end(lab);
    assert_int_equal(units(lab, UNIT_FLOW, &flow), 3);
}

static void the_end_lets_go_of_what_waits(void **state)
{
    struct lab *lab = *state;
    add_fragment(lab, 100 * SECOND, 1, 0);
    add_fragment(lab, 100 * SECOND, 2, 1);
    walk(lab);
    struct seen last;
    assert_int_equal(units(lab, UNIT_FLOW, &last), 0);
    end(lab);
    assert_int_equal(units(lab, UNIT_FLOW, &last), 2);
    assert_int_equal(lab->seen[lab->count - 1].mark, MARK_FLUSH); /* behind them */
    assert_int_equal(lab->seen[lab->count - 1].flags, 0);
}

/* ---- ICMP errors, chunks, workers ------------------------------------------------------------- */

static void an_icmp_error_travels_to_the_flow_it_quotes(void **state)
{
    struct lab *lab = *state;
    add_udp(lab, 100 * SECOND, 1);
    walk(lab);
    struct seen question, note, error;
    assert_int_equal(units(lab, UNIT_FLOW, &question), 1);
    add_unreachable(lab, 100 * SECOND, 1);
    walk(lab);
    assert_int_equal(units(lab, UNIT_NOTE, &note), 1);
    assert_int_equal(note.flags, UNIT_NOTE); /* neither a frame nor a packet of the flow */
    assert_true(note.hash == question.hash);
    assert_int_equal(units(lab, UNIT_FRAME, &error), 2);
    assert_true(error.step < note.step && error.hash != note.hash);
}

static void add_mixture(struct lab *lab)
{
    static const uint64_t times[] = {100, 101, 101, 103, 500, 500, 501, 540, 540};
    for (uint8_t i = 0; i < sizeof times / sizeof *times; i++) {
        uint64_t time_ns = times[i] * SECOND + i;
        add_udp(lab, time_ns, i);
        add_fragment(lab, time_ns, i, 0);
        add_fragment(lab, time_ns, i, 1);
        if (i % 2 == 0) {
            add_fragment(lab, time_ns, i, 2);
        }
        add_unreachable(lab, time_ns, i);
    }
}

static struct lab *walk_mixture(const struct chunk_options *options, uint32_t at_once)
{
    struct lab *lab = lab_with(options, false);
    lab->at_once = at_once;
    add_mixture(lab);
    walk(lab);
    end(lab);
    return lab;
}

static void assert_same(const struct lab *a, const struct lab *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        struct seen x = a->seen[i], y = b->seen[i];
        x.list = y.list = 0;
        assert_memory_equal(&x, &y, sizeof x);
    }
}

static void chunks_of_any_size_give_the_same(void **state)
{
    (void)state;
    struct lab *whole = walk_mixture(&roomy, 0);
    static const struct chunk_options tight[] = {
        {.frames = FRAMES_MAX, .extras = 2, .marks = 512, .workers = 1,
         .arena = 64 * DEFRAG_DATAGRAM_MAX},
        {.frames = FRAMES_MAX, .extras = 64, .marks = 8, .workers = 1,
         .arena = 64 * DEFRAG_DATAGRAM_MAX},
        {.frames = FRAMES_MAX, .extras = 64, .marks = 512, .workers = 1,
         .arena = DEFRAG_DATAGRAM_MAX},
        {.frames = 3, .extras = 2, .marks = 8, .workers = 1, .arena = DEFRAG_DATAGRAM_MAX},
    };
    for (size_t i = 0; i < sizeof tight / sizeof *tight; i++) {
        struct lab *pieces = walk_mixture(&tight[i], tight[i].frames < FRAMES_MAX ? 3 : 0);
        assert_true(pieces->rounds > whole->rounds);
        assert_same(whole, pieces);
        lab_free(pieces);
    }
    lab_free(whole);
}

static void workers_share_the_units_by_flow(void **state)
{
    (void)state;
    struct chunk_options options = roomy;
    options.workers = WORKERS;
    struct lab *one = walk_mixture(&roomy, 0);
    struct lab *many = walk_mixture(&options, 0);
    assert_same(one, many);
    uint32_t used = 0;
    for (uint32_t i = 0; i < many->count; i++) {
        used |= 1U << many->seen[i].list;
        for (uint32_t k = 0; k < i; k++) {
            assert_true(many->seen[i].hash != many->seen[k].hash || many->seen[k].flags == 0 ||
                        many->seen[i].flags == 0 || many->seen[i].list == many->seen[k].list);
        }
    }
    assert_int_equal(used, (1U << WORKERS) - 1);
    lab_free(one);
    lab_free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_second_is_marked_before_what_comes_in_it),
        TEST(a_capture_may_begin_in_the_first_second_of_1970),
        TEST(a_long_silence_costs_no_more_than_a_time_out),
        TEST(a_frame_without_a_time_has_that_of_the_one_before),
        TEST(frames_from_the_past_are_counted),
        TEST(without_any_time_there_is_no_span),
        TEST(absurd_times_are_cut),
        cmocka_unit_test(the_longer_a_capture_the_rarer_its_flushes),
        cmocka_unit_test_setup_teardown(live_time_goes_on_without_packets, set_up_live, tear_down),
        TEST(the_end_is_marked_once),
        TEST(a_whole_datagram_stands_for_its_frames),
        TEST(a_datagram_that_stays_incomplete_is_counted_once),
        TEST(the_end_lets_go_of_what_waits),
        TEST(an_icmp_error_travels_to_the_flow_it_quotes),
        cmocka_unit_test(chunks_of_any_size_give_the_same),
        cmocka_unit_test(workers_share_the_units_by_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
