// SPDX-License-Identifier: Apache-2.0
/* TCP reassembly: the segments of one connection in, the bytes of its two directions out, in order.
 * It is flow/'s third door; a stream belongs to one worker and lives beside its flow.
 *
 * Bytes in order are lent straight from the packet and never copied. What comes early (behind a hole)
 * is copied into slab blocks until the hole is filled or known to stay. A hole that stays is told as a
 * gap with its length. It stays
 *  - when the receiver has acknowledged bytes in or behind it while the sender has shown that it went
 *    on behind it: they were there, the capture missed them. An acknowledgement alone does not do: the
 *    bytes may still come where the tap swapped the directions, or never, where it is forged;
 *  - when TCP_STREAM_WAIT_NS of packet time have gone by without a byte to fill it;
 *  - when there is no room for what waits behind it: TCP_STREAM_EARLY_MAX bytes,
 *    TCP_STREAM_SEGMENTS_MAX segments a side, or the slab's budget. What came is never thrown away
 *    for want of memory, but no longer waits;
 *  - when the connection ends.
 * Bytes that the snap length cut are a gap at once. Where the other side has said something between, a
 * hole is told in parts, before and behind that.
 *
 * The two directions come as their ends saw them: who acknowledges bytes had them before it sent
 * what the segment carries. So what an acknowledgement settles of the other side comes first, and data
 * that acknowledge bytes that have not come wait for those, TCP_STREAM_LATE_NS at most: taps with a
 * queue for each direction swap answers and the questions that follow them.
 *
 * What was delivered is never delivered again: retransmissions and the overlapping part of a segment
 * are dropped and counted. Of overlapping segments that wait, and of what fills the hole in front of
 * them, the bytes that came first stay. Sequence numbers wrap (RFC 9293 §3.4); those further than the
 * largest window (2^30, RFC 7323 §2.3) from what is expected belong to no segment of this connection,
 * and are ignored with it. Segments with neither ACK, SYN nor RST are ignored as receivers do (RFC
 * 9293 §3.10.7.4), as is data behind a FIN and in a RST. Keep-alives and window probes (§3.8.4,
 * §3.8.6.1) carry no new bytes. Urgent bytes are bytes of the stream (RFC 6093 §3). Connections met
 * midway begin with the first byte seen of each direction.
 *
 * A stream costs its own 80 bytes, and memory of the slab only while something waits. A segment in
 * order takes some nanoseconds, any other the time of copying it, plus, at most, of moving 16 KiB. */
#pragma once

#include "base/slab.h"
#include "wire/packet.h"

enum {
    TCP_STREAM_EARLY_MAX = 1 << 20, /* bytes that may wait behind holes of one direction */
    TCP_STREAM_SEGMENTS_MAX = 1024, /* segments that may */
};
#define TCP_STREAM_WAIT_NS UINT64_C(5000000000)
#define TCP_STREAM_LATE_NS UINT64_C(10000000)

struct tcp_early; /* private: segments that wait */

/* One direction; private. */
struct tcp_stream_side {
    uint32_t next;         /* sequence number of the byte to be delivered next */
    uint32_t fin;          /* of the FIN, when has_fin */
    uint32_t acknowledged; /* by the other side, at most */
    uint32_t hole_tick;    /* since when the first hole has been there, and nothing came into it */
    uint8_t state;         /* not begun, begun, open, ended */
    bool has_fin;
    bool absent; /* the other side acknowledges bytes of this one, and they do not come */
};

/* Zeroes are an empty stream; the members are private. Ticks are 2^20 ns. */
struct tcp_stream {
    struct tcp_early *early[2];     /* by side, NULL: none */
    struct tcp_stream_side side[2]; /* 0: from the initiator */
    const struct packet *packet;    /* the one at hand, until all pieces were taken */
    uint32_t seq;                   /* what is left of it: from here on */
    uint32_t left;                  /* so many bytes */
    uint32_t tick;
    uint8_t step;
    uint8_t turn;           /* the packet's side */
    uint8_t is_reset : 1;   /* a RST has come, and was not told yet */
    uint8_t is_over : 1;    /* the flow ends: nothing waits */
    uint8_t is_forced : 1;  /* no room: nothing waits */
    uint8_t is_refused : 1; /* and that was counted */
};

enum tcp_stream_kind {
    TCP_STREAM_NOTHING, /* nothing more to deliver now */
    TCP_STREAM_DATA,    /* `data`: borrowed until the next call on this stream */
    TCP_STREAM_GAP,     /* `length` bytes will never come */
    TCP_STREAM_END,     /* FIN: no more bytes of this side; once */
    TCP_STREAM_RESET,   /* RST, from `side`: no more of either; once, not after both have ended */
};

struct tcp_stream_piece {
    enum tcp_stream_kind kind;
    uint8_t side;
    uint64_t time_ns; /* DATA: of the packet that brought the bytes */
    struct span data;
    uint32_t length; /* of the gap */
};

/* Counters that the caller owns; of as many streams as it likes. */
struct tcp_stream_stats {
    uint64_t repeated_bytes; /* seen before, or come after they were told as a gap: dropped */
    uint64_t early_segments; /* had to wait, or would have */
    uint64_t gaps;
    uint64_t gap_bytes;
    uint64_t refused; /* early segments for which there was no room: the holes became gaps */
    uint64_t strays;  /* segments ignored: impossible numbers, no ACK, data behind a FIN or RST */
};

/* An empty stream. */
void tcp_stream_init(struct tcp_stream *stream);
/* Gives all early segments back. */
void tcp_stream_done(struct tcp_stream *stream, struct slab *slab);

/* The next byte of a side that has not begun is known to have this number, by its SYN or because its
 * bytes before were not of interest. (A pure acknowledgement's number is no such knowledge: in a
 * keep-alive it is one too low.) */
void tcp_stream_expect(struct tcp_stream *stream, unsigned side, uint32_t next);

/* Takes a packet of the connection from `side`; it is borrowed until tcp_stream_next() says
 * TCP_STREAM_NOTHING. Call that until then: what was not taken by the next push, or before the end
 * of the flow, is forgotten. */
void tcp_stream_push(struct tcp_stream *stream, struct slab *slab, const struct packet *packet,
                     unsigned side, struct tcp_stream_stats *stats);

/* Whether tcp_stream_next() would say TCP_STREAM_NOTHING, as after most acknowledgements. */
static inline bool tcp_stream_is_idle(const struct tcp_stream *stream)
{
    return stream->step == 0;
}

/* The next piece, or TCP_STREAM_NOTHING. Pieces of a side come in the order of its bytes, data and
 * gaps without a break between them. */
struct tcp_stream_piece tcp_stream_next(struct tcp_stream *stream, struct slab *slab,
                                        struct tcp_stream_stats *stats);

/* Time has come to `now_ns`, or the flow ends (UINT64_MAX): what has waited long enough waits no
 * longer. Then call tcp_stream_next() until TCP_STREAM_NOTHING. Costs nothing while nothing waits;
 * a push has said the packet's time already. */
void tcp_stream_age(struct tcp_stream *stream, uint64_t now_ns);
