// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "flow/tcp_stream.h"

/* A connection, and what its stream says of it: bytes as they are, "[n]" for a gap, "." for the end
 * and "!" for a reset; a side's number in front where the side changes. */
struct world {
    struct slab *slab;
    struct tcp_stream stream;
    struct tcp_stream_stats stats;
    uint64_t now_ns;
    size_t snap; /* bytes of a payload that are captured, at most */
    char said[4096];
    size_t size;
    int side;
};

enum { MS = 1000000, ISN_0 = 1000, ISN_1 = -3 }; /* the responder's numbers wrap */

static uint32_t isn_of(unsigned side)
{
    return side == 0 ? ISN_0 : (uint32_t)ISN_1;
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    w->slab = slab_new(16 << 20);
    w->now_ns = 1000 * (uint64_t)MS;
    w->side = -1;
    w->snap = SIZE_MAX;
    tcp_stream_init(&w->stream);
    return w;
}

static void note(struct world *w, const struct tcp_stream_piece *piece)
{
    char *to = w->said + w->size;
    size_t room = sizeof w->said - w->size;
    int n = 0;
    if (w->side != piece->side) {
        w->side = piece->side;
        n = snprintf(to, room, "%u", piece->side);
    }
    to += n;
    switch (piece->kind) {
    case TCP_STREAM_DATA:
        assert_true(piece->data.size > 0);
        n += sprintf(to, "%.*s", (int)piece->data.size, (const char *)piece->data.data);
        break;
    case TCP_STREAM_GAP:
        n += sprintf(to, "[%u]", piece->length);
        break;
    case TCP_STREAM_END:
        n += sprintf(to, ".");
        break;
    case TCP_STREAM_RESET:
        n += sprintf(to, "!");
        break;
    case TCP_STREAM_NOTHING:
        break;
    }
    w->size += (size_t)n;
    assert_true(w->size < sizeof w->said - 1500);
}

static void drain(struct world *w)
{
    for (;;) {
        struct tcp_stream_piece piece = tcp_stream_next(&w->stream, w->slab, &w->stats);
        if (piece.kind == TCP_STREAM_NOTHING) {
            break;
        }
        note(w, &piece);
    }
    assert_int_equal(tcp_stream_next(&w->stream, w->slab, &w->stats).kind, TCP_STREAM_NOTHING);
}

/* Numbers count from the side's SYN, which is 0; the acknowledged ones from the other's; -1: no ACK. */
static void send(struct world *w, unsigned side, uint8_t flags, int64_t seq, int64_t ack,
                 const char *text)
{
    char copy[2048]; /* nobody may keep it */
    size_t size = strlen(text);
    memcpy(copy, text, size);
    struct packet p = {
        .time_ns = w->now_ns,
        .class = PACKET_TCP,
        .tcp_flags = (uint8_t)(flags | (ack >= 0 ? TCP_ACK : 0)),
        .seq = isn_of(side) + (uint32_t)seq,
        .ack = isn_of(1 - side) + (uint32_t)ack,
        .l4 = (const uint8_t *)copy,
        .payload = (const uint8_t *)copy,
        .end = (const uint8_t *)copy + (size < w->snap ? size : w->snap),
        .payload_len = (uint32_t)size,
    };
    tcp_stream_push(&w->stream, w->slab, &p, side, &w->stats);
    tcp_stream_age(&w->stream, w->now_ns);
    drain(w);
    memset(copy, '?', sizeof copy);
}

static void shake_hands(struct world *w)
{
    send(w, 0, TCP_SYN, 0, -1, "");
    send(w, 1, TCP_SYN, 0, 1, "");
    send(w, 0, 0, 1, 1, "");
}

/* The flow ends; what was said in all is this. */
static void expect(struct world *w, const char *text)
{
    tcp_stream_age(&w->stream, UINT64_MAX);
    drain(w);
    assert_string_equal(w->said, text);
    assert_int_equal(slab_used(w->slab), 0);
    tcp_stream_done(&w->stream, w->slab);
    slab_free(w->slab);
    free(w);
}

/* What was said so far is this. */
#define so_far(w, text) assert_string_equal((w)->said, text)

static void lends_bytes_in_order(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "hello ");
    send(w, 0, 0, 7, 1, "you");
    send(w, 1, 0, 1, 10, "yes?");
    send(w, 0, TCP_FIN, 10, 5, "");
    send(w, 1, 0, 5, 11, "bye");
    send(w, 1, TCP_FIN, 8, 11, "");
    send(w, 0, 0, 11, 9, "");
    assert_int_equal(w->stats.early_segments + w->stats.strays + w->stats.repeated_bytes, 0);
    expect(w, "0hello you1yes?0.1bye.");
}

static void orders_what_comes_early(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 1, 0, 7, 1, "gh");
    send(w, 1, 0, 3, 1, "cd");
    send(w, 1, 0, 5, 1, "ef");
    send(w, 1, TCP_FIN, 9, 1, "i");
    so_far(w, "");
    send(w, 1, 0, 1, 1, "ab");
    assert_int_equal(w->stats.early_segments, 4);
    assert_int_equal(w->stats.gaps, 0);
    expect(w, "1abcdefghi.");
}

static void drops_what_it_has(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "abcd");
    send(w, 0, 0, 1, 1, "abcd");
    send(w, 0, 0, 3, 1, "cdef");
    assert_int_equal(w->stats.repeated_bytes, 6);
    send(w, 0, 0, 9, 1, "ij");
    send(w, 0, 0, 9, 1, "ijk");
    assert_int_equal(w->stats.repeated_bytes, 8);
    send(w, 0, 0, 5, 1, "efghij");
    expect(w, "0abcdefghijk");
}

static void believes_the_first(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 3, 1, "cd");
    send(w, 0, 0, 7, 1, "gh");
    send(w, 0, 0, 2, 1, "BCDEFGHI");
    send(w, 0, 0, 1, 1, "abcdefghijk");
    send(w, 0, 0, 1, 1, "XXXXXXXXXXX");
    expect(w, "0aBcdEFghIjk");
}

static void tells_a_gap_that_both_ends_show(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "ab");
    send(w, 0, 0, 6, 1, "fg");
    so_far(w, "0ab");
    send(w, 1, 0, 1, 3, ""); /* it misses them, too */
    so_far(w, "0ab");
    send(w, 1, 0, 1, 8, "yes");
    so_far(w, "0ab[3]fg1yes"); /* what it had before it spoke comes first */
    send(w, 0, TCP_FIN, 11, 4, "");
    send(w, 1, 0, 4, 12, "");
    expect(w, "0ab[3]fg1yes0[3].");
}

/* The last bytes of an answer are missing: the next request shows it, by number, with the answer's
 * acknowledgement; the request waits for that no longer than it must. */
static void tells_a_lost_answer_before_the_next_request(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "one");
    send(w, 0, 0, 4, 9, "two"); /* the answer, of 8 bytes, is not seen */
    so_far(w, "0one");
    send(w, 1, 0, 9, 7, "");
    so_far(w, "0one1[8]0two");
    send(w, 1, 0, 9, 7, "ok");
    expect(w, "0one1[8]0two1ok");
}

static void puts_swapped_directions_right(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "one");
    send(w, 0, 0, 4, 3, "two");
    send(w, 0, 0, 7, 5, "end");
    so_far(w, "0one");
    send(w, 1, 0, 1, 4, "ok");
    send(w, 1, 0, 3, 7, "no");
    assert_int_equal(w->stats.gaps, 0);
    expect(w, "0one1ok0two1no0end");
}

static void waits_for_the_other_side_no_longer_than_it_must(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "one");
    send(w, 0, 0, 4, 3, "two");
    so_far(w, "0one");
    w->now_ns += 12 * MS;
    tcp_stream_age(&w->stream, w->now_ns);
    drain(w);
    so_far(w, "0onetwo");
    send(w, 0, 0, 7, 5, "six"); /* the other one is absent */
    so_far(w, "0onetwosix");
    send(w, 1, 0, 1, 4, "oknono"); /* and comes after all */
    expect(w, "0onetwosix1oknono");
}

static void forged_acknowledgements_hide_nothing(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 60000, "");
    w->now_ns += 7000 * (uint64_t)MS;
    send(w, 0, 0, 1, 2000000000, "");
    send(w, 1, 0, 1, 1, "secret");
    expect(w, "1secret");
}

static void gives_a_hole_up_in_time(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 3, 1, "cd");
    w->now_ns += 4000 * (uint64_t)MS;
    send(w, 0, 0, 6, 1, "fg");
    so_far(w, "");
    w->now_ns += 1500 * (uint64_t)MS;
    tcp_stream_age(&w->stream, w->now_ns);
    drain(w);
    so_far(w, "0[2]cd");
    w->now_ns += 4000 * (uint64_t)MS;
    send(w, 0, 0, 5, 1, "e"); /* in time after all */
    so_far(w, "0[2]cdefg");
    send(w, 0, 0, 1, 1, "ab"); /* not this one */
    send(w, 0, TCP_FIN, 9, 1, "");
    w->now_ns += 6000 * (uint64_t)MS;
    tcp_stream_age(&w->stream, w->now_ns);
    drain(w);
    expect(w, "0[2]cdefg[1].");
}

static void begins_midway(void **state)
{
    struct world *w = world_new();
    send(w, 0, 0, 500, 700, "");
    send(w, 0, 0, 501, 700, "GET");
    send(w, 1, 0, 690, 504, "late, then ok");
    send(w, 0, 0, 504, 703, "again");
    expect(w, "0GET1late, then ok0again");
}

static void does_with_one_direction(void **state)
{
    struct world *w = world_new();
    send(w, 1, TCP_SYN, 0, 1, "");
    send(w, 1, 0, 1, 100, "ab");
    send(w, 1, 0, 3, 900, "cd");
    send(w, 1, 0, 8, 5000, "hi");
    send(w, 1, 0, 10, 5000, "jk");
    expect(w, "1abcd[3]hijk");
}

static void takes_what_a_syn_brings(void **state)
{
    struct world *w = world_new(); /* RFC 7413 */
    send(w, 0, TCP_SYN, 0, -1, "GET");
    send(w, 0, TCP_SYN, 0, -1, "GET");
    send(w, 1, TCP_SYN, 0, 4, "yes");
    send(w, 0, 0, 4, 4, " me");
    expect(w, "0GET1yes0 me");
    w = world_new(); /* the data was not taken, and comes again */
    send(w, 0, TCP_SYN, 0, -1, "GET");
    send(w, 1, TCP_SYN, 0, 1, "");
    send(w, 0, 0, 1, 1, "GET me");
    expect(w, "0GET me");
}

static void does_not_need_the_syn_in_time(void **state)
{
    struct world *w = world_new();
    send(w, 0, TCP_SYN, 0, -1, "");
    send(w, 0, 0, 1, 1, "ask");
    send(w, 1, 0, 1, 4, "ans");
    send(w, 1, TCP_SYN, 0, 1, "");
    send(w, 1, 0, 4, 4, "wer");
    expect(w, "0ask1answer");
    w = world_new(); /* both at once: RFC 9293 §3.5 */
    send(w, 0, TCP_SYN, 0, -1, "");
    send(w, 1, TCP_SYN, 0, -1, "");
    send(w, 0, TCP_SYN, 0, 1, "");
    send(w, 1, TCP_SYN, 0, 1, "");
    send(w, 1, 0, 1, 1, "a");
    send(w, 0, 0, 1, 2, "b");
    expect(w, "1a0b");
    w = world_new(); /* nobody answered the first SYN */
    send(w, 0, TCP_SYN, 77000, -1, "");
    send(w, 0, TCP_SYN, 0, -1, "");
    send(w, 0, TCP_SYN, 0, -1, "");
    send(w, 0, 0, 1, 1, "hi");
    send(w, 0, TCP_SYN, 90000, -1, "");
    assert_int_equal(w->stats.strays, 1);
    expect(w, "0hi");
}

static void probes_say_nothing_new(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "ab");
    send(w, 0, 0, 2, 1, "");
    send(w, 0, 0, 2, 1, "\x01");
    assert_int_equal(w->stats.repeated_bytes, 0);
    send(w, 0, 0, 3, 1, "c"); /* a probe of a closed window: its byte is the next one */
    send(w, 0, 0, 3, 1, "cd");
    expect(w, "0abcd");
}

static void a_reset_ends_both(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, 1, "ab");
    send(w, 0, 0, 4, 1, "d");
    send(w, 1, 0, 2, 3, "y");
    send(w, 0, TCP_RST, 2100000000, 3, ""); /* a guess */
    so_far(w, "0ab");
    send(w, 0, TCP_RST, 5, 3, "reason");
    send(w, 0, 0, 3, 3, "c");
    send(w, 1, 0, 3, 3, "z");
    assert_int_equal(w->stats.strays, 2); /* the guess, and z; c is seen to be no news */
    expect(w, "0ab1[1]y0[1]d!");
    w = world_new();
    send(w, 0, TCP_SYN, 0, -1, "");
    send(w, 1, TCP_RST, 77, 1, "");
    expect(w, "1!");
    w = world_new(); /* all was said before */
    shake_hands(w);
    send(w, 0, TCP_FIN, 1, 1, "");
    send(w, 1, TCP_FIN, 1, 2, "");
    send(w, 0, TCP_RST, 2, -1, "");
    expect(w, "0.1.");
}

static void a_fin_is_the_end(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, TCP_FIN, 1, 1, "ab");
    send(w, 0, 0, 3, 1, "more");
    send(w, 0, TCP_FIN, 3, 1, "");
    assert_int_equal(w->stats.strays, 1);
    expect(w, "0ab.");
    w = world_new(); /* what lies behind it waits already */
    shake_hands(w);
    send(w, 0, 0, 3, 1, "cdef");
    send(w, 0, 0, 9, 1, "xyz");
    send(w, 0, TCP_FIN, 5, 1, "");
    send(w, 0, 0, 1, 1, "abXX");
    expect(w, "0abcd.");
}

static void tells_what_the_capture_cut(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    w->snap = 4;
    send(w, 0, 0, 1, 1, "abcdef");
    so_far(w, "0abcd[2]");
    send(w, 0, 0, 13, 1, "mnopqr");
    w->snap = 0;
    send(w, 0, 0, 7, 1, "ghijkl");
    expect(w, "0abcd[2][6]mnop[2]");
}

static void ignores_garbage(void **state)
{
    struct world *w = world_new();
    shake_hands(w);
    send(w, 0, 0, 1, -1, "no flags");
    send(w, 0, TCP_PSH, 1, -1, "no ack");
    send(w, 0, 0, 2000000000, 1, "far");
    struct packet p = {.class = PACKET_MALFORMED, .malformed = PACKET_BAD_TCP, .tcp_flags = 0xff};
    tcp_stream_push(&w->stream, w->slab, &p, 0, &w->stats);
    drain(w);
    assert_int_equal(w->stats.strays, 4);
    send(w, 0, TCP_URG, 1, 1, "ok");
    expect(w, "0ok");
}

/* Single bytes behind a hole, every other one, backwards: no more than may wait do, and none of
 * those that came is lost. */
static void bounds_what_waits(void **state)
{
    struct world *w = world_new();
    enum { COUNT = 3 * TCP_STREAM_SEGMENTS_MAX };
    shake_hands(w);
    for (unsigned i = 0; i < TCP_STREAM_SEGMENTS_MAX; i++) {
        send(w, 0, 0, 2 * COUNT - 2 * (int)i, 1, "x");
    }
    so_far(w, "");
    assert_int_equal(w->stats.refused, 0);
    assert_true(slab_used(w->slab) < 200 << 10);
    send(w, 0, 0, 2 * COUNT + 2, 1, "x");
    assert_int_equal(w->stats.refused, 1);
    assert_int_equal(w->stats.gaps, 1); /* one hole is enough */
    tcp_stream_done(&w->stream, w->slab);
    assert_int_equal(slab_used(w->slab), 0);
    slab_free(w->slab);
    free(w);
}

static void goes_on_without_memory(void **state)
{
    struct world *w = world_new();
    struct slab *none = slab_new(64);
    struct slab *some = w->slab;
    w->slab = none;
    shake_hands(w);
    send(w, 0, 0, 3, 1, "cdefghijklmnopqrstuvwxyz-------------------------------------------");
    send(w, 0, 0, 1, 1, "ab");
    send(w, 0, 0, 70, 1, "0");
    assert_int_equal(w->stats.refused, 1);
    w->slab = some;
    slab_free(none);
    expect(w, "0[2]cdefghijklmnopqrstuvwxyz-------------------------------------------0");
}

/* One direction, 6 GiB of it, of which the capture kept the headers: a hole is a hole still. */
static void old_numbers_do_not_look_new(void **state)
{
    struct world *w = world_new();
    uint8_t byte = 'x';
    send(w, 0, TCP_SYN, 0, -1, "");
    struct packet p = {.class = PACKET_TCP, .tcp_flags = TCP_ACK, .payload_len = 1 << 28};
    p.seq = isn_of(0) + 1;
    for (unsigned i = 0; i < 24; i++) {
        tcp_stream_push(&w->stream, w->slab, &p, 0, &w->stats);
        assert_int_equal(tcp_stream_next(&w->stream, w->slab, &w->stats).length, p.payload_len);
        drain(w);
        p.seq += p.payload_len;
        struct packet early = p;
        early.seq += 1;
        early.payload_len = 1;
        early.payload = &byte;
        early.end = &byte + 1;
        tcp_stream_push(&w->stream, w->slab, &early, 0, &w->stats);
        drain(w);
        early.seq -= 1;
        tcp_stream_push(&w->stream, w->slab, &early, 0, &w->stats);
        drain(w);
        p.seq += 2;
    }
    assert_int_equal(w->stats.gaps, 24);
    w->size = 0;
    w->said[0] = 0;
    expect(w, "");
}

static void takes_up_where_it_is_told(void **state)
{
    struct world *w = world_new();
    tcp_stream_expect(&w->stream, 1, isn_of(1) + 1);
    send(w, 1, 0, 3, 1, "c");
    send(w, 1, 0, 1, 1, "ab");
    tcp_stream_expect(&w->stream, 1, 77);
    send(w, 1, 0, 4, 1, "d");
    expect(w, "1abcd");
}

/* ---- The streaming law ------------------------------------------------------------------------ */

/* Both sides say random bytes. The network cuts, repeats, overlaps and reorders them; receivers
 * acknowledge what they have without a hole. The capture swaps the directions, or loses segments.
 * What comes out is what was said, but for gaps where it was lost. */
enum { SAID_MAX = 30000, SEGMENTS_MAX = 4000, STEP_NS = 20000 };

struct sent {
    uint32_t start; /* of the payload in the side's bytes */
    uint32_t end;
    uint32_t ack;   /* as an offset in the other's bytes */
    uint32_t key;   /* the place in the order of arrival */
    uint8_t side;
    bool fin;
};

struct law {
    uint32_t random;
    uint32_t window; /* the network reorders so many segments */
    uint32_t lost;   /* of a thousand segments, by the capture */
    uint8_t said[2][SAID_MAX];
    uint32_t size[2];
    uint32_t isn[2];
    struct sent sent[SEGMENTS_MAX];
    unsigned count;
    uint8_t has[2][SAID_MAX + 1]; /* what the receivers have */
    uint32_t got[2];              /* without a hole */
    uint32_t told[2];             /* by the stream */
    uint64_t gap_bytes;
    bool ended[2];
};

static uint32_t chance(struct law *law, uint32_t below)
{
    law->random = law->random * 1664525 + 1013904223;
    return (law->random >> 8) % below;
}

static void add_segment(struct law *law, unsigned side, uint32_t start, uint32_t end)
{
    struct sent s = {.start = start, .end = end, .side = (uint8_t)side};
    s.fin = end == law->size[side];
    s.key = law->count + chance(law, law->window);
    assert_true(law->count < SEGMENTS_MAX);
    law->sent[law->count++] = s;
}

/* Both sides' bytes in segments, some again, some with more than is new. */
static void cut_in_segments(struct law *law)
{
    uint32_t at[2] = {0, 0};
    while (at[0] < law->size[0] || at[1] < law->size[1]) {
        unsigned side = at[0] == law->size[0] ? 1 : at[1] == law->size[1] ? 0 : chance(law, 2);
        uint32_t left = law->size[side] - at[side];
        uint32_t n = 1 + chance(law, chance(law, 4) == 0 ? 3 : 200);
        n = n < left ? n : left;
        uint32_t back = chance(law, 3) == 0 ? chance(law, 30) : 0;
        back = back < at[side] ? back : at[side];
        add_segment(law, side, at[side] - back, at[side] + n);
        if (chance(law, 8) == 0) {
            add_segment(law, side, at[side], at[side] + n);
        }
        at[side] += n;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct sent *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->start < y->start ? -1 : x->start > y->start;
}

/* In the order of arrival; each segment acknowledges what its sender has by then. */
static void arrive(struct law *law)
{
    qsort(law->sent, law->count, sizeof law->sent[0], by_key);
    for (unsigned i = 0; i < law->count; i++) {
        struct sent *s = &law->sent[i];
        unsigned other = 1 - s->side;
        s->ack = law->got[other];
        memset(law->has[s->side] + s->start, 1, s->end - s->start);
        while (law->has[s->side][law->got[s->side]]) {
            law->got[s->side]++;
        }
    }
}

/* The capture sees one direction up to some segments later than the other; order within each stays. */
static void swap_directions(struct law *law)
{
    uint32_t late[2] = {0, 0};
    for (unsigned i = 0; i < law->count; i++) {
        struct sent *s = &law->sent[i];
        uint32_t key = 10 * i + chance(law, 100);
        late[s->side] = key > late[s->side] ? key : late[s->side] + 1;
        s->key = late[s->side];
    }
    qsort(law->sent, law->count, sizeof law->sent[0], by_key);
}

/* Where nothing is lost, data come when all has come that their sender had. */
static void check_cause(const struct law *law, const struct tcp_stream_piece *piece)
{
    uint64_t number = (piece->time_ns - 1000 * (uint64_t)MS) / STEP_NS;
    if (number > 0 && law->lost == 0) {
        const struct sent *s = &law->sent[number - 1];
        assert_int_equal(s->side, piece->side);
        assert_true(law->told[1 - s->side] >= s->ack);
    }
}

static void check_pieces(struct law *law, struct world *w)
{
    for (;;) {
        struct tcp_stream_piece piece = tcp_stream_next(&w->stream, w->slab, &w->stats);
        uint32_t *told = &law->told[piece.side];
        switch (piece.kind) {
        case TCP_STREAM_NOTHING:
            return;
        case TCP_STREAM_DATA:
            check_cause(law, &piece);
            assert_true(*told + piece.data.size <= law->size[piece.side]);
            assert_memory_equal(piece.data.data, law->said[piece.side] + *told, piece.data.size);
            *told += (uint32_t)piece.data.size;
            break;
        case TCP_STREAM_GAP:
            *told += piece.length;
            law->gap_bytes += piece.length;
            break;
        case TCP_STREAM_END:
            assert_int_equal(*told, law->size[piece.side]);
            law->ended[piece.side] = true;
            break;
        case TCP_STREAM_RESET:
            fail();
        }
    }
}

static void push_sent(struct law *law, struct world *w, const struct sent *s, uint8_t flags)
{
    const uint8_t *from = law->said[s->side] + s->start;
    struct packet p = {
        .time_ns = w->now_ns,
        .class = PACKET_TCP,
        .tcp_flags = (uint8_t)(TCP_ACK | flags | (s->fin ? TCP_FIN : 0)),
        .seq = law->isn[s->side] + s->start + !(flags & TCP_SYN),
        .ack = law->isn[1 - s->side] + 1 + s->ack,
        .l4 = from,
        .payload = from,
        .end = from + (s->end - s->start),
        .payload_len = s->end - s->start,
    };
    tcp_stream_push(&w->stream, w->slab, &p, s->side, &w->stats);
    check_pieces(law, w);
}

/* One connection; returns the bytes lost. */
static uint64_t keeps_the_law(uint32_t seed, uint32_t window, bool swap, uint32_t lost)
{
    static struct law law;
    struct world *w = world_new();
    law = (struct law){.random = seed, .window = window, .lost = lost};
    for (unsigned side = 0; side < 2; side++) {
        law.size[side] = 1 + chance(&law, SAID_MAX - 1);
        law.isn[side] = chance(&law, 2) ? chance(&law, 1 << 24) << 8 : 0 - chance(&law, 20000);
        for (uint32_t i = 0; i < law.size[side]; i++) {
            law.said[side][i] = (uint8_t)chance(&law, 256);
        }
    }
    cut_in_segments(&law);
    arrive(&law);
    if (swap) {
        swap_directions(&law);
    }
    push_sent(&law, w, &(struct sent){.side = 0}, TCP_SYN);
    push_sent(&law, w, &(struct sent){.side = 1}, TCP_SYN);
    for (unsigned i = 0; i < law.count; i++) {
        w->now_ns += STEP_NS;
        if (chance(&law, 1000) >= lost) {
            push_sent(&law, w, &law.sent[i], 0);
        }
    }
    tcp_stream_age(&w->stream, UINT64_MAX);
    check_pieces(&law, w);
    for (unsigned side = 0; side < 2; side++) {
        assert_true(law.ended[side] || lost > 0);
        assert_int_equal(w->stream.side[side].next, law.isn[side] + 1 + law.told[side]);
    }
    assert_int_equal(w->stats.gap_bytes, law.gap_bytes);
    assert_int_equal(w->stats.refused, 0);
    assert_int_equal(slab_used(w->slab), 0);
    tcp_stream_done(&w->stream, w->slab);
    slab_free(w->slab);
    free(w);
    return law.gap_bytes;
}

static void any_segments_say_the_same(void **state)
{
    for (uint32_t seed = 1; seed <= 100; seed++) {
        assert_int_equal(keeps_the_law(seed, 40, false, 0), 0);
    }
}

static void swapped_directions_say_the_same(void **state)
{
    for (uint32_t seed = 1; seed <= 100; seed++) {
        assert_int_equal(keeps_the_law(seed, 1, true, 0), 0);
    }
}

static void lost_segments_are_gaps(void **state)
{
    uint64_t lost = 0;
    for (uint32_t seed = 1; seed <= 100; seed++) {
        lost += keeps_the_law(seed, 1 + seed % 50, seed & 1, 20);
    }
    assert_true(lost > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lends_bytes_in_order),
        cmocka_unit_test(orders_what_comes_early),
        cmocka_unit_test(drops_what_it_has),
        cmocka_unit_test(believes_the_first),
        cmocka_unit_test(tells_a_gap_that_both_ends_show),
        cmocka_unit_test(tells_a_lost_answer_before_the_next_request),
        cmocka_unit_test(puts_swapped_directions_right),
        cmocka_unit_test(waits_for_the_other_side_no_longer_than_it_must),
        cmocka_unit_test(forged_acknowledgements_hide_nothing),
        cmocka_unit_test(gives_a_hole_up_in_time),
        cmocka_unit_test(begins_midway),
        cmocka_unit_test(does_with_one_direction),
        cmocka_unit_test(takes_what_a_syn_brings),
        cmocka_unit_test(does_not_need_the_syn_in_time),
        cmocka_unit_test(probes_say_nothing_new),
        cmocka_unit_test(a_reset_ends_both),
        cmocka_unit_test(a_fin_is_the_end),
        cmocka_unit_test(tells_what_the_capture_cut),
        cmocka_unit_test(ignores_garbage),
        cmocka_unit_test(bounds_what_waits),
        cmocka_unit_test(goes_on_without_memory),
        cmocka_unit_test(old_numbers_do_not_look_new),
        cmocka_unit_test(takes_up_where_it_is_told),
        cmocka_unit_test(any_segments_say_the_same),
        cmocka_unit_test(swapped_directions_say_the_same),
        cmocka_unit_test(lost_segments_are_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
