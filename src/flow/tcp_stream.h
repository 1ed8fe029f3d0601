// SPDX-License-Identifier: Apache-2.0
/* TCP reassembly: the segments of one connection in, the bytes of its two directions out, in order.
 * It is flow/'s third door; a stream belongs to one worker and lives beside its flow.
 *
 * Bytes in order are lent straight from the packet and never copied. What comes early (behind a hole)
 * is copied into slab blocks until the hole is filled, is known to be lost, or the budget is spent.
 * A hole that stays is told as a gap with its length: it stays when the receiver has acknowledged bytes
 * behind it (they were there, the capture missed them), when TCP_STREAM_WAIT_NS of packet time have gone
 * by, when more than TCP_STREAM_EARLY_MAX bytes wait behind it, or when the connection ends.
 *
 * What was delivered is never delivered again: retransmissions and the overlapping part of a segment
 * are dropped and counted; of overlapping early segments the first that came wins (as Linux does for
 * what it has queued). Sequence numbers wrap (RFC 9293 §3.4). Keep-alives and window probes carry no
 * new bytes. Connections met midway begin with the first byte seen of each direction. */
#pragma once

#include "base/slab.h"
#include "wire/packet.h"

enum {
    TCP_STREAM_EARLY_MAX = 1 << 20,  /* bytes that may wait behind holes of one direction */
    TCP_STREAM_SEGMENTS_MAX = 1024,  /* segments that may */
};
#define TCP_STREAM_WAIT_NS UINT64_C(5000000000)

struct tcp_stream_segment; /* private: an early segment in a slab block */

/* One direction. */
struct tcp_stream_side {
    struct tcp_stream_segment *early; /* by sequence number */
    uint32_t next;       /* sequence number of the byte to be delivered next */
    uint32_t fin;        /* sequence number of the FIN, when has_fin */
    uint32_t early_bytes;
    uint16_t early_count;
    uint8_t state;       /* private: not begun, open, ended */
    bool has_fin;
};

struct tcp_stream {
    struct tcp_stream_side side[2]; /* 0: from the initiator */
};

enum tcp_stream_kind {
    TCP_STREAM_NOTHING, /* nothing more to deliver now */
    TCP_STREAM_DATA,    /* `data`: borrowed until the next call on this stream */
    TCP_STREAM_GAP,     /* `length` bytes will never come */
    TCP_STREAM_END,     /* FIN: no more bytes of this side */
    TCP_STREAM_RESET,   /* RST: no more of either */
};

struct tcp_stream_piece {
    enum tcp_stream_kind kind;
    uint8_t side;
    uint64_t time_ns; /* of the packet that brought the bytes */
    struct span data;
    uint32_t length;  /* of the gap */
};

struct tcp_stream_stats {
    uint64_t repeated_bytes; /* seen before, dropped */
    uint64_t early_segments;
    uint64_t gaps;
    uint64_t gap_bytes;
    uint64_t refused; /* early segments for which there was no room */
};

/* An empty stream. */
void tcp_stream_init(struct tcp_stream *stream);
/* Gives all early segments back. */
void tcp_stream_done(struct tcp_stream *stream, struct slab *slab);

/* Takes a TCP packet of the connection from `side`. Then call tcp_stream_next() until TCP_STREAM_NOTHING:
 * pieces come in the order of the bytes, of the packet's side first, then of the other one, whose
 * holes the packet's acknowledgement may have settled. */
void tcp_stream_push(struct tcp_stream *stream, struct slab *slab, const struct packet *packet,
                 unsigned side, struct tcp_stream_stats *stats);

/* The next piece, or TCP_STREAM_NOTHING. Data that the snap length cut is followed by a gap. */
struct tcp_stream_piece tcp_stream_next(struct tcp_stream *stream, struct slab *slab, struct tcp_stream_stats *stats);

/* Time has come to `now_ns`, or the flow ends (UINT64_MAX): holes that are older than TCP_STREAM_WAIT_NS
 * become gaps. Then call tcp_stream_next() until TCP_STREAM_NOTHING. */
void tcp_stream_age(struct tcp_stream *stream, uint64_t now_ns);
