// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_history.h"

enum { LETTERS = sizeof((struct flow_cold){0}.history), NIBBLE_MAX = 15 };

static char in_case(unsigned side, char letter)
{
    return (char)(side == 0 ? letter : letter - 'A' + 'a');
}

static bool has(const struct flow_cold *cold, unsigned side, char letter)
{
    if (cold->history[0] == '\0') {
        return false; /* most are asked about once, when they begin */
    }
    return memchr(cold->history, in_case(side, letter), LETTERS) != NULL;
}

void flow_history_add(struct flow_cold *cold, unsigned side, char letter)
{
    size_t length = cold->history[0] != '\0' ? strnlen(cold->history, LETTERS) : 0;
    if (length < LETTERS) {
        cold->history[length] = in_case(side, letter);
    }
}

void flow_history_once(struct flow_cold *cold, unsigned side, char letter)
{
    if (!has(cold, side, letter)) {
        flow_history_add(cold, side, letter);
    }
}

/* A SYN-ACK of a side that sent a SYN before repeats it (simultaneous open): no new letter. */
static void note_syn(struct flow_cold *cold, unsigned side, bool ack)
{
    if (!has(cold, side, 'S') && !has(cold, side, 'H')) {
        flow_history_add(cold, side, ack ? 'H' : 'S');
    }
}

static void note_plain(struct flow *flow, struct flow_cold *cold, unsigned side,
                       const struct packet *p)
{
    bool data = p->payload_len > 0;
    unsigned bit = data ? HISTORY_DATA : HISTORY_ACK;
    if ((data || p->tcp_flags & TCP_ACK) && !flow_history_seen(flow, side, bit)) {
        flow_history_see(flow, side, bit);
        flow_history_add(cold, side, data ? 'D' : 'A');
    }
}

void flow_history_note(struct flow *flow, struct flow_cold *cold, unsigned side,
                       const struct packet *p)
{
    switch (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
    case 0:
        note_plain(flow, cold, side, p);
        break;
    case TCP_SYN:
        note_syn(cold, side, p->tcp_flags & TCP_ACK);
        break;
    case TCP_FIN:
        flow_history_once(cold, side, 'F');
        break;
    case TCP_RST:
        flow_history_once(cold, side, 'R');
        break;
    case TCP_SYN | TCP_FIN:
    case TCP_SYN | TCP_RST:
        flow_history_once(cold, side, 'Q');
        break;
    default:
        flow_history_once(cold, side, 'I');
        break;
    }
}

static bool is_milestone(unsigned count)
{
    return count == 1 || count == 10 || count == 100;
}

void flow_history_zero_window(struct flow_cold *cold, unsigned side)
{
    unsigned shift = HISTORY_SIDE_SHIFT * side;
    unsigned count = cold->zero_windows >> shift & NIBBLE_MAX;
    if (count == NIBBLE_MAX) {
        return;
    }
    cold->zero_windows = (uint8_t)(cold->zero_windows + (1U << shift));
    if (is_milestone(count + 1)) {
        flow_history_add(cold, side, 'W');
    }
}

void flow_history_retransmission(struct flow_cold *cold, unsigned side)
{
    if (cold->retransmissions[side] == UINT8_MAX) {
        return;
    }
    cold->retransmissions[side]++;
    if (is_milestone(cold->retransmissions[side])) {
        flow_history_add(cold, side, 'T');
    }
}

void flow_history_text(const struct flow *flow, const struct flow_cold *cold, char ret[16])
{
    size_t length = strnlen(cold->history, LETTERS);
    if (length > 0 && flow->flags & FLOW_FLIPPED) {
        *ret++ = '^';
    }
    memcpy(ret, cold->history, length);
    ret[length] = '\0';
}
