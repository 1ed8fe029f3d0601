// SPDX-License-Identifier: Apache-2.0
/* Following a TCP connection by its headers alone, private to flow/: Zeek's endpoint states, what
 * was seen before and what is missing, when it opened and closed. No payload, no options. Most
 * segments of a connection change nothing but a sequence number; a test of some hot fields finds
 * them, and only the others come to flow_tcp_follow(). */
#pragma once

#include "flow/flow_history.h"

enum { TCP_HEADER_SIZE = 20 };

static inline unsigned flow_tcp_other(unsigned side)
{
    return 1 - side;
}

/* The distance from sequence number `b` to `a`, modulo 2^32 (RFC 9293 §3.4). */
static inline int32_t flow_tcp_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* Whether the header of this packet can be followed: TCP, not in pieces, not cut off. */
static inline bool flow_tcp_is_legible(const struct packet *p)
{
    return p->class == PACKET_TCP && p->fragment == FRAGMENT_NONE &&
           p->end - p->l4 >= TCP_HEADER_SIZE;
}

/* A window in units of 256 octets, less one; that of none is larger than all. */
static inline uint32_t flow_tcp_window_class(const struct packet *p)
{
    return ((uint32_t)p->window - 1) >> 8;
}

/* An expected segment of a side whose handshake is over, like others before it, that acknowledges
 * nothing unexpected, with a window that is neither closed nor larger than all before. */
static inline bool flow_tcp_is_plain(const struct flow *flow, unsigned side, const struct packet *p)
{
    const unsigned holes = HISTORY_HOLE | HISTORY_HOLE << HISTORY_SIDE_SHIFT;
    uint8_t state = flow->tcp_state[side];
    return (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           (flow->tcp_flags[side] & TCP_ACK) != 0 &&
           (state == FLOW_TCP_ESTABLISHED || state == FLOW_TCP_PARTIAL) &&
           p->seq == flow->next_seq[side] && flow_tcp_window_class(p) <= flow->window_top &&
           flow_tcp_distance(p->ack, flow->next_seq[flow_tcp_other(side)]) <= 0 &&
           (flow->history_seen & holes) == 0 &&
           flow_history_seen(flow, side, p->payload_len > 0 ? HISTORY_DATA : HISTORY_ACK);
}

/* Takes any other segment in: history, sequence, state, opened and closed. */
void flow_tcp_follow(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                     struct flow_update *update);
