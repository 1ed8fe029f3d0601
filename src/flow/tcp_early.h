// SPDX-License-Identifier: Apache-2.0
/* Segments of one direction that wait, private to flow/: those that came before the bytes in front of
 * them. A sorted array that never overlaps, in one slab block that grows, and a slab block of bytes
 * for each entry. Of overlapping segments the bytes that came first stay. To find a place is a binary
 * search, to make one moves at most 16 KiB, whatever the order of the segments: no sender can make it
 * quadratic. It holds TCP_STREAM_EARLY_MAX
 * bytes in TCP_STREAM_SEGMENTS_MAX entries at most. The caller owns the queue; NULL is an empty one. All sequence numbers of a queue lie
 * within 2^30 of each other. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

struct tcp_early;

/* The bytes of a segment, with what is told of them when they are delivered. */
struct tcp_early_bytes {
    uint64_t time_ns;
    uint32_t acknowledged; /* what the segment's sender had got of the other side when it sent it */
    uint8_t data[];
};

struct tcp_early_entry {
    uint32_t seq;
    uint32_t size;
    struct tcp_early_bytes *bytes; /* NULL: the capture cut them off, they will not come */
};

/* A segment to be kept: `data.size` bytes from `seq`, and `cut` more that were not captured. */
struct tcp_early_segment {
    struct span data;
    uint64_t time_ns;
    uint32_t seq;
    uint32_t cut;
    uint32_t acknowledged;
};

/* The distance from sequence number `b` to `a`, modulo 2^32 (RFC 9293 §3.4). */
static inline int32_t tcp_early_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* Takes `n` bytes off the front of a segment; as many as it has at most. */
void tcp_early_trim(struct tcp_early_segment *segment, uint32_t n);

/* The entry with the lowest sequence number; NULL when there is none. */
const struct tcp_early_entry *tcp_early_head(const struct tcp_early *queue);

/* Takes n bytes off the front of the head, which has none that were captured, and more than n. */
void tcp_early_skip(struct tcp_early *queue, uint32_t n);

/* Drops the head. */
void tcp_early_pop(struct tcp_early **queue, struct slab *slab);

/* Keeps what of the segment the queue does not have. Returns how many bytes it had; the segment is
 * empty then, or holds from the first byte on for which there was no room. */
uint32_t tcp_early_put(struct tcp_early **queue, struct slab *slab,
                       struct tcp_early_segment *segment);

/* Drops all. */
void tcp_early_clear(struct tcp_early **queue, struct slab *slab);
