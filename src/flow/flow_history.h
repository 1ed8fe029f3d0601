// SPDX-License-Identifier: Apache-2.0
/* The history of a TCP connection in Zeek's letters (docs.zeek.org base/protocols/conn), private to
 * flow/. Letters are kept in the cold half, in the order in which they came up; what most packets
 * are, an ACK or data again, is known from bits in the hot half: they touch no cold line. */
#pragma once

#include "flow/flow.h"

/* Bits of flow.history_seen, a nibble a side. */
enum {
    HISTORY_ACK = 1,    /* the letter A is there */
    HISTORY_DATA = 2,   /* the letter D is there */
    HISTORY_HOLE = 4,   /* bytes of this side are missing before its next_seq */
    HISTORY_FILLED = 8, /* some segment has come into that hole */
    HISTORY_SIDE_SHIFT = 4,
};

/* Whether all of these bits are set for the side. */
static inline bool flow_history_seen(const struct flow *flow, unsigned side, unsigned bits)
{
    return (flow->history_seen >> HISTORY_SIDE_SHIFT * side & bits) == bits;
}

static inline void flow_history_see(struct flow *flow, unsigned side, unsigned bits)
{
    flow->history_seen |= (uint8_t)(bits << HISTORY_SIDE_SHIFT * side);
}

static inline void flow_history_forget(struct flow *flow, unsigned side, unsigned bits)
{
    flow->history_seen &= (uint8_t) ~(bits << HISTORY_SIDE_SHIFT * side);
}

/* Adds an upper-case letter for this side, in its case; once there is no room left, nothing. */
void flow_history_add(struct flow_cold *cold, unsigned side, char letter);

/* The same, if the side has not got that letter yet. */
void flow_history_once(struct flow_cold *cold, unsigned side, char letter);

/* Notes what a segment is: S H F R I Q, D for data and A for a pure ACK. */
void flow_history_note(struct flow *flow, struct flow_cold *cold, unsigned side,
                       const struct packet *p);

/* Counts a segment that advertises no window; W is added at the first and the tenth. */
void flow_history_zero_window(struct flow_cold *cold, unsigned side);

/* Counts a segment that was seen before; T is added at the first, the tenth and the hundredth. */
void flow_history_retransmission(struct flow_cold *cold, unsigned side);
