// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "event/transaction.h"
#include "proto/quic/quic_flow.h"
#include "proto/quic/quic_seal.h"

extern const struct proto proto_quic;

static const uint8_t first_id[8] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};

struct scene {
    struct slab *slab;
    struct quic_options options;
    struct quic_stats stats;
    struct quic_flow flow;
    struct event_log log;
    struct proto_context context;
    struct json said;
    uint8_t hello[600];
    size_t hello_size;
    _Alignas(8) uint8_t memory[1 << 16];
};

static int set_up(void **state)
{
    struct scene *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
    memset(s, 0, sizeof *s);
    s->slab = slab_new(1 << 20);
    proto_options_default(&proto_quic, &s->options);
    s->log = (struct event_log){.memory = s->memory, .capacity = sizeof s->memory, .text_max = 999};
    s->context = (struct proto_context){.block = &s->stats, .state = &s->flow, .memory = s->slab,
                                        .events = &s->log, .now_ns = 1,
                                        .settings = &s->options.settings};
    json_init(&s->said);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    proto_quic.on_close(&s->context, PROTO_TIMEOUT);
    bool is_clean = slab_used(s->slab) == 0;
    json_done(&s->said);
    slab_free(s->slab);
    free(s);
    return is_clean ? 0 : -1;
}

/* A ClientHello with a long extension, so that it takes some frames. */
static void make_hello(struct scene *s)
{
    uint8_t *at = s->hello + 4;
    memcpy(at, "\3\3", 2);
    memset(at + 2, 'r', 32);
    memcpy(at + 34, "\0\0\2\x13\1\1\0\1\x94\x12\x34\1\x90", 13);
    memset(at + 47, 0, 400);
    s->hello_size = 4 + 447;
    s->hello[0] = 1;
    s->hello[1] = 0;
    s->hello[2] = 447 >> 8;
    s->hello[3] = 447 & 0xff;
}

/* Sends bytes [from, to) of the hello in a packet of its own, to that id. */
static void send_to(struct scene *s, const uint8_t id[8], size_t from, size_t to)
{
    uint8_t frames[1000], sealed[SEAL_ROOM];
    size_t size = to - from;
    frames[0] = 6;
    frames[1] = (uint8_t)(0x40 | from >> 8);
    frames[2] = (uint8_t)from;
    frames[3] = (uint8_t)(0x40 | size >> 8);
    frames[4] = (uint8_t)size;
    memcpy(frames + 5, s->hello + from, size);
    size_t whole = seal_initial(sealed, id, false, span_of(frames, 5 + size), 1200);
    assert_int_equal(proto_quic.probe(span_of(sealed, whole), 0), PROTO_YES);
    quic_flow_take(&s->context, span_of(sealed, whole), 0);
}

static void send_piece(struct scene *s, size_t from, size_t to)
{
    send_to(s, first_id, from, to);
}

static void puts_frames_together_in_any_order(void **state)
{
    struct scene *s = *state;
    struct span body;
    make_hello(s);
    send_piece(s, 300, s->hello_size);
    send_piece(s, 100, 200);
    send_piece(s, 150, 310);
    assert_false(quic_flow_message(&s->flow.crypto[0], 1, &body));
    assert_int_equal(s->flow.crypto[0].count, 1);
    send_piece(s, 0, 101);
    assert_true(quic_flow_message(&s->flow.crypto[0], 1, &body));
    assert_int_equal(body.size, s->hello_size - 4);
    assert_memory_equal(body.data, s->hello + 4, body.size);
    assert_int_equal(s->stats.unopened, 0);
}

static void bounds_pieces(void **state)
{
    struct scene *s = *state;
    make_hello(s);
    for (size_t i = 0; i < QUIC_PIECES_MAX + 3; i++) {
        send_piece(s, 400 - 4 * i, 401 - 4 * i);
    }
    assert_int_equal(s->flow.crypto[0].count, QUIC_PIECES_MAX);
    assert_int_equal(s->stats.not_kept, 3);
}

static void refuses_forged_packets(void **state)
{
    struct scene *s = *state;
    uint8_t sealed[SEAL_ROOM], open[QUIC_INITIAL_MAX];
    size_t whole = seal_initial(sealed, first_id, false, span_str("\6\0\1x"), 1200);
    for (size_t i = 0; i < whole; i += 97) {
        struct quic_packet packet;
        sealed[i] ^= 0x10;
        struct cursor at = cursor_of(span_of(sealed, whole));
        if (quic_next_packet(&at, &packet) && packet.type == QUIC_INITIAL && packet.number_at > 0) {
            assert_int_equal(quic_open(&packet, span_of(first_id, 8), false, NULL, open).size, 0);
        }
        sealed[i] ^= 0x10;
    }
    quic_flow_take(&s->context, span_of(sealed, whole), 0);
    assert_int_equal(s->stats.unopened, 0);
}

static void opens_only_so_many(void **state)
{
    struct scene *s = *state;
    make_hello(s);
    for (unsigned i = 0; i < 2 * QUIC_OPENED_MAX; i++) {
        send_piece(s, 0, 10);
    }
    assert_int_equal(s->flow.opened, QUIC_OPENED_MAX);
}

static void tells_connections_on_the_same_ports_apart(void **state)
{
    struct scene *s = *state;
    static const uint8_t other_id[8] = "another";
    make_hello(s);
    send_piece(s, 0, s->hello_size);
    send_to(s, other_id, 0, s->hello_size); /* its client gave up, or closed it unseen */
    assert_int_equal(s->stats.handshakes, 1);
    assert_memory_equal(s->flow.first_id.bytes, other_id, sizeof other_id);
    quic_flow_end(&s->context, NULL);
    send_to(s, other_id, 0, s->hello_size); /* a copy */
    assert_true(s->flow.is_over);
    send_piece(s, 0, s->hello_size);
    assert_false(s->flow.is_over);
    assert_int_equal(s->stats.handshakes, 2);
    assert_int_equal(s->stats.unopened, 0);
}

/* Forged ones open nothing. */
static void is_not_renewed_by_what_opens_nothing(void **state)
{
    struct scene *s = *state;
    uint8_t sealed[SEAL_ROOM];
    make_hello(s);
    send_piece(s, 0, 100);
    size_t whole = seal_initial(sealed, first_id, false, span_str("\6\0\1x"), 1200);
    for (uint8_t i = 1; i < 2 * QUIC_OPENED_MAX; i++) {
        sealed[6] = i; /* of the id */
        quic_flow_take(&s->context, span_of(sealed, whole), 0);
    }
    assert_int_equal(s->stats.handshakes, 0);
    assert_int_equal(s->flow.opened, QUIC_OPENED_MAX);
}

static void knows_its_beginning(void **state)
{
    (void)state;
    static uint8_t data[1200] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8};
    assert_int_equal(proto_quic.probe(span_of(data, sizeof data), 0), PROTO_YES);
    assert_int_equal(proto_quic.probe(span_of(data, 1199), 0), PROTO_NO);
    data[1] = 0;
    assert_int_equal(proto_quic.probe(span_of(data, sizeof data), 0), PROTO_NO);
    assert_int_equal(proto_quic.probe(span_of("", 0), 0), PROTO_NO);
}

static void survives_all_cuts(void **state)
{
    struct scene *s = *state;
    uint8_t sealed[SEAL_ROOM];
    size_t whole = seal_initial(sealed, first_id, false, span_str("\6\0\1x"), 200);
    for (size_t size = 0; size <= whole; size++) {
        quic_flow_take(&s->context, span_of(sealed, size), 0);
    }
}

static void has_a_sound_table(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(metric_set_check(proto_quic.metrics, &err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(puts_frames_together_in_any_order),
        TEST(bounds_pieces),
        TEST(refuses_forged_packets),
        TEST(opens_only_so_many),
        TEST(tells_connections_on_the_same_ports_apart),
        TEST(is_not_renewed_by_what_opens_nothing),
        TEST(survives_all_cuts),
        cmocka_unit_test(knows_its_beginning),
        cmocka_unit_test(has_a_sound_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
