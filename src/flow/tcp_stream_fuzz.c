// SPDX-License-Identifier: Apache-2.0
/* Segments as the input says, near and far from what is expected. Whatever comes, the pieces of a side
 * join without a break, nothing comes behind its end, no call goes on for ever, and all memory is
 * given back. The bytes of a stream are a function of their numbers, so that they are known when they
 * come out, unless the input asks for segments that contradict each other. The first byte says how
 * much memory there is and whether segments are true; then steps of eight. */
#include "flow/tcp_stream.h"

#include "base/cursor.h"

#include <assert.h>
#include <stdlib.h>

enum { STEP = 8, PIECES_MAX = 4 * TCP_STREAM_SEGMENTS_MAX };

struct run {
    struct slab *slab;
    struct tcp_stream stream;
    struct tcp_stream_stats stats;
    uint64_t now_ns;
    bool is_true;
    bool has_begun[2];
    bool has_ended[2];
    uint32_t at[2];
    uint64_t gap_bytes;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t byte_at(unsigned side, uint32_t seq)
{
    return (uint8_t)((seq * 2654435761U) >> 24 ^ side);
}

static void check_piece(struct run *run, const struct tcp_stream_piece *piece)
{
    unsigned side = piece->side;
    uint32_t length = piece->kind == TCP_STREAM_DATA ? (uint32_t)piece->data.size : piece->length;
    assert(!run->has_ended[side]);
    if (piece->kind == TCP_STREAM_RESET) {
        run->has_ended[0] = run->has_ended[1] = true;
        return;
    }
    assert((piece->kind == TCP_STREAM_END) == (length == 0));
    if (!run->has_begun[side]) {
        run->has_begun[side] = true;
        run->at[side] = run->stream.side[side].next - length;
    }
    for (uint32_t i = 0; run->is_true && i < piece->data.size; i++) {
        assert(piece->data.data[i] == byte_at(side, run->at[side] + i));
    }
    run->at[side] += length;
    run->gap_bytes += piece->kind == TCP_STREAM_GAP ? length : 0;
    run->has_ended[side] = piece->kind == TCP_STREAM_END;
    assert(run->at[side] == run->stream.side[side].next);
}

static void drain(struct run *run)
{
    for (unsigned i = 0;; i++) {
        struct tcp_stream_piece piece = tcp_stream_next(&run->stream, run->slab, &run->stats);
        if (piece.kind == TCP_STREAM_NOTHING) {
            break;
        }
        if (piece.kind == TCP_STREAM_RESET) {
            assert(!run->has_ended[0] || !run->has_ended[1]);
            run->has_ended[piece.side] = false; /* one of them may have */
        }
        check_piece(run, &piece);
        assert(i < PIECES_MAX);
    }
    assert(run->gap_bytes == run->stats.gap_bytes);
    assert(run->stats.refused <= run->stats.early_segments);
}

/* A number near the one expected, or anywhere. */
static uint32_t number_near(uint32_t next, uint8_t how, uint16_t offset)
{
    static const uint8_t shifts[4] = {0, 0, 6, 16};
    uint32_t distance = (uint32_t)(how & 4 ? offset & 15 : offset) << shifts[how & 3];
    return how & 8 ? next - distance : next + distance;
}

/* What it points to is on the heap, and gone when it was taken. */
static void step_of(struct run *run, const uint8_t *step)
{
    static const uint8_t flags[8] = {TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK | TCP_FIN,
                                     TCP_SYN, TCP_SYN | TCP_ACK, 0};
    unsigned side = step[0] & 1;
    uint32_t size = step[3] & 0x80 ? (uint32_t)step[3] << 5 : step[3] & 0x3f;
    uint32_t captured = step[3] & 0x40 ? size * (step[6] & 15) / 15 : size;
    uint8_t *bytes = malloc(captured + 1);
    struct packet p = {
        .time_ns = run->now_ns,
        .class = PACKET_TCP,
        .tcp_flags = step[7] == 0xff ? TCP_RST : flags[step[7] & 7],
        .seq = number_near(run->stream.side[side].next, step[0] >> 1, load_be16(step + 1)),
        .ack = number_near(run->stream.side[1 - side].next, step[4], step[5]),
        .l4 = bytes,
        .payload = bytes,
        .end = bytes + captured,
        .payload_len = size,
    };
    p.seq -= p.tcp_flags & TCP_SYN ? 1 : 0;
    for (uint32_t i = 0; i < captured; i++) {
        uint32_t seq = p.seq + i + (p.tcp_flags & TCP_SYN ? 1 : 0);
        bytes[i] = run->is_true ? byte_at(side, seq) : step[6];
    }
    tcp_stream_push(&run->stream, run->slab, &p, side, &run->stats);
    drain(run);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct run run = {.is_true = data[0] & 1, .now_ns = UINT64_C(1) << 60};
    run.slab = slab_new(data[0] & 2 ? 64U << (data[0] >> 4) : 4U << 20);
    tcp_stream_init(&run.stream);
    if (data[0] & 4) {
        tcp_stream_expect(&run.stream, 0, UINT32_MAX - 3);
        tcp_stream_expect(&run.stream, 1, 1U << 31);
    }
    for (data++, size--; size >= STEP; data += STEP, size -= STEP) {
        run.now_ns += (uint64_t)(data[6] >> 4) * (data[7] & 0x80 ? 1000000000 : 1000000);
        if (data[7] & 0x40) {
            tcp_stream_age(&run.stream, run.now_ns);
            drain(&run);
        }
        step_of(&run, data);
    }
    tcp_stream_age(&run.stream, UINT64_MAX);
    drain(&run);
    assert(slab_used(run.slab) == 0);
    tcp_stream_done(&run.stream, run.slab);
    slab_free(run.slab);
    return 0;
}
