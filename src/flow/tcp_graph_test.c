// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/tcp_graph.h"

#include <string.h>

enum { CLIENT, SERVER, FLOW = 3, TCP_SIZE = 32, SEGMENT = 1000, MSEC = 1000000 };

/* A connection that goes by; `at` is when the next packet passes. */
struct scene {
    struct health_book *book;
    struct tcp_graph *graph;
    uint64_t at;
    uint16_t ident;
};

static struct scene begin(void)
{
    struct err err = {0};
    struct scene s = {.at = UINT64_C(1700000000) * 1000 * MSEC};
    s.book = health_book_new(&(struct health_options){.flows = 10, .details = 10}, &err);
    s.graph = tcp_graph_new(1000, &err);
    assert_non_null(s.book);
    assert_non_null(s.graph);
    tcp_graph_begin(s.graph, s.book, FLOW);
    return s;
}

static void end(struct scene *s)
{
    tcp_graph_free(s->graph);
    health_book_free(s->book);
}

static void put32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
}

/* Passes a packet `wait` ms after the last one, with a SACK block if it is not empty. */
static void pass(struct scene *s, unsigned wait, unsigned side, uint8_t flags, uint32_t seq,
                 uint32_t ack, uint32_t length, const uint32_t sack[2])
{
    uint8_t ip[20] = {0};
    uint8_t tcp[TCP_SIZE];
    memset(tcp, 1, sizeof tcp);
    tcp[12] = TCP_SIZE / 4 << 4;
    ip[4] = (uint8_t)(++s->ident >> 8);
    ip[5] = (uint8_t)s->ident;
    if (flags & TCP_SYN) {
        static const uint8_t offer[] = {2, 4, 5, 180, 3, 3, 0, 4, 2};
        memcpy(tcp + 20, offer, sizeof offer);
    } else if (sack != NULL) {
        tcp[20] = 5;
        tcp[21] = 10;
        put32(tcp + 22, sack[0]);
        put32(tcp + 26, sack[1]);
    }
    s->at += (uint64_t)wait * MSEC;
    struct packet p = {
        .time_ns = s->at, .ip = ip, .l4 = tcp, .payload = tcp + TCP_SIZE, .end = tcp + TCP_SIZE,
        .frames = 1, .payload_len = length, .seq = seq, .ack = ack, .window = 60000,
        .version = 4, .protocol = 6, .tcp_flags = flags, .class = PACKET_TCP, .has_ports = true,
    };
    health_packet(s->book, FLOW, &p, side);
    tcp_graph_packet(s->graph, s->book, FLOW, &p, side);
}

/* SYN and so on; the tap is 3 ms from the server and 7 ms from the client. */
static void shake_hands(struct scene *s, uint32_t client, uint32_t server)
{
    pass(s, 0, CLIENT, TCP_SYN, client, 0, 0, NULL);
    pass(s, 6, SERVER, TCP_SYN | TCP_ACK, server, client + 1, 0, NULL);
    pass(s, 14, CLIENT, TCP_ACK, client + 1, server + 1, 0, NULL);
}

static const struct tcp_mark *find(const struct scene *s, unsigned kind, unsigned way, unsigned n)
{
    const struct tcp_marks *marks = tcp_graph_marks(s->graph);
    for (uint32_t i = 0; i < marks->count; i++) {
        const struct tcp_mark *m = &marks->marks[i];
        if (m->kind == kind && m->way == way && n-- == 0) {
            return m;
        }
    }
    return NULL;
}

static void assert_mark(const struct scene *s, unsigned kind, unsigned way, unsigned n, int64_t from,
                        int64_t to)
{
    const struct tcp_mark *m = find(s, kind, way, n);
    assert_non_null(m);
    assert_int_equal(m->from, from);
    assert_int_equal(m->to, to);
}

static void draws_segments_and_lines(void **state)
{
    (void)state;
    struct scene s = begin();
    shake_hands(&s, 100, 9000);
    pass(&s, 1, SERVER, TCP_ACK, 9001, 101, SEGMENT, NULL);
    pass(&s, 0, SERVER, TCP_ACK, 9001 + SEGMENT, 101, SEGMENT, NULL);
    pass(&s, 14, CLIENT, TCP_ACK, 101, 9001 + 2 * SEGMENT, 0, NULL);
    pass(&s, 20, SERVER, TCP_FIN | TCP_ACK, 9001 + 2 * SEGMENT, 101, 0, NULL);
    assert_mark(&s, TCP_MARK_SYN, CLIENT, 0, 0, 0);
    assert_mark(&s, TCP_MARK_DATA, SERVER, 0, 0, SEGMENT);
    assert_mark(&s, TCP_MARK_DATA, SERVER, 1, SEGMENT, 2 * SEGMENT);
    assert_mark(&s, TCP_MARK_ACK, SERVER, 1, 2 * SEGMENT, 2 * SEGMENT);
    assert_mark(&s, TCP_MARK_WINDOW, SERVER, 1, 2 * SEGMENT + 60000, 2 * SEGMENT + 60000);
    assert_mark(&s, TCP_MARK_FIN, SERVER, 0, 2 * SEGMENT, 2 * SEGMENT);
    assert_mark(&s, TCP_MARK_ROUND_TRIP, SERVER, 0, 14000, 14000);
    assert_null(find(&s, TCP_MARK_REPEAT, SERVER, 0));
    end(&s);
}

/* What is in flight falls when the sender has the acknowledgment, a trip after it passed. */
static void counts_the_flight_on_the_senders_clock(void **state)
{
    (void)state;
    struct scene s = begin();
    shake_hands(&s, 100, 9000);
    pass(&s, 1, SERVER, TCP_ACK, 9001, 101, SEGMENT, NULL);
    pass(&s, 14, CLIENT, TCP_ACK, 101, 9001 + SEGMENT, 0, NULL);
    uint64_t acked_ns = s.at;
    pass(&s, 500, SERVER, TCP_ACK, 9001 + SEGMENT, 101, SEGMENT, NULL);
    assert_mark(&s, TCP_MARK_FLIGHT, SERVER, 0, SEGMENT, SEGMENT);
    assert_mark(&s, TCP_MARK_FLIGHT, SERVER, 1, 0, 0);
    assert_int_equal(find(&s, TCP_MARK_FLIGHT, SERVER, 1)->time_ns, acked_ns + 6 * MSEC);
    assert_mark(&s, TCP_MARK_FLIGHT, SERVER, 2, SEGMENT, SEGMENT);
    end(&s);
}

static void tells_losses_and_sacks(void **state)
{
    (void)state;
    struct scene s = begin();
    shake_hands(&s, 100, 9000);
    pass(&s, 1, SERVER, TCP_ACK, 9001, 101, SEGMENT, NULL);
    pass(&s, 1, SERVER, TCP_ACK, 9001 + 2 * SEGMENT, 101, SEGMENT, NULL); /* one is missing */
    pass(&s, 14, CLIENT, TCP_ACK, 101, 9001 + SEGMENT, 0,
         (const uint32_t[]){9001 + 2 * SEGMENT, 9001 + 3 * SEGMENT});
    pass(&s, 40, SERVER, TCP_ACK, 9001 + SEGMENT, 101, SEGMENT, NULL);    /* fills the hole */
    pass(&s, 300, SERVER, TCP_ACK, 9001 + SEGMENT, 101, SEGMENT, NULL);   /* had passed */
    pass(&s, 14, CLIENT, TCP_ACK, 101, 9001 + 3 * SEGMENT, 0,
         (const uint32_t[]){9001 + SEGMENT, 9001 + 2 * SEGMENT});
    assert_mark(&s, TCP_MARK_SACK, SERVER, 0, 2 * SEGMENT, 3 * SEGMENT);
    assert_mark(&s, TCP_MARK_FILL, SERVER, 0, SEGMENT, 2 * SEGMENT);
    assert_mark(&s, TCP_MARK_REPEAT, SERVER, 0, SEGMENT, 2 * SEGMENT);
    assert_mark(&s, TCP_MARK_DSACK, SERVER, 0, SEGMENT, 2 * SEGMENT);
    end(&s);
}

/* Sequence numbers go round; so does the middle of a connection, of which the SYN was not seen. */
static void unwraps_sequence_numbers(void **state)
{
    (void)state;
    struct scene s = begin();
    uint32_t first = UINT32_MAX - SEGMENT / 2;
    pass(&s, 0, CLIENT, TCP_ACK, 50, first, 0, NULL);
    for (unsigned i = 0; i < 5; i++) {
        pass(&s, 1, SERVER, TCP_ACK, first + i * SEGMENT, 50, SEGMENT, NULL);
    }
    pass(&s, 14, CLIENT, TCP_ACK, 50, first + 5 * SEGMENT, 0, NULL);
    assert_mark(&s, TCP_MARK_DATA, SERVER, 4, 4 * SEGMENT, 5 * SEGMENT);
    assert_mark(&s, TCP_MARK_ACK, SERVER, 1, 5 * SEGMENT, 5 * SEGMENT);
    assert_null(find(&s, TCP_MARK_WINDOW, SERVER, 0)); /* its scale is not known */
    end(&s);
}

/* Segments that offload has glued together, larger than any that crosses a wire. */
static void draws_super_segments(void **state)
{
    (void)state;
    struct scene s = begin();
    shake_hands(&s, 100, 9000);
    pass(&s, 1, SERVER, TCP_ACK, 9001, 101, 60000, NULL);
    pass(&s, 1, SERVER, TCP_ACK, 69001, 101, 200000, NULL);
    assert_mark(&s, TCP_MARK_DATA, SERVER, 1, 60000, 260000);
    end(&s);
}

static void draws_resets_wherever_they_claim_to_be(void **state)
{
    (void)state;
    struct scene s = begin();
    pass(&s, 0, CLIENT, TCP_SYN, 100, 0, 0, NULL);
    pass(&s, 6, SERVER, TCP_RST | TCP_ACK, 0, 101, 0, NULL);
    assert_mark(&s, TCP_MARK_RST, SERVER, 0, 0, 0);
    end(&s);
}

/* Joined while it goes on: what was before is not drawn as if it had come now. */
static void can_begin_late(void **state)
{
    (void)state;
    struct scene s = begin();
    shake_hands(&s, 100, 9000);
    pass(&s, 1, SERVER, TCP_ACK, 9001 + SEGMENT, 101, SEGMENT, NULL);
    pass(&s, 40, SERVER, TCP_ACK, 9001, 101, SEGMENT, NULL);
    tcp_graph_begin(s.graph, s.book, FLOW);
    assert_int_equal(tcp_graph_marks(s.graph)->count, 0);
    pass(&s, 1, SERVER, TCP_ACK, 9001 + 2 * SEGMENT, 101, SEGMENT, NULL);
    assert_mark(&s, TCP_MARK_DATA, SERVER, 0, 0, SEGMENT);
    assert_null(find(&s, TCP_MARK_FILL, SERVER, 0));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_segments_and_lines),
        cmocka_unit_test(counts_the_flight_on_the_senders_clock),
        cmocka_unit_test(tells_losses_and_sacks),
        cmocka_unit_test(unwraps_sequence_numbers),
        cmocka_unit_test(draws_super_segments),
        cmocka_unit_test(draws_resets_wherever_they_claim_to_be),
        cmocka_unit_test(can_begin_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
