// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_tcp.h"

#include "wire/wire.h"

#include <netinet/in.h>

/* A connection that was quiet for this long may have ended unseen; then a SYN begins a new one. */
#define REOPEN_IDLE_NS (60 * UINT64_C(1000000000))

static bool has_flags(const struct packet *p, uint8_t flags)
{
    return (p->tcp_flags & flags) == flags;
}

static bool is_in_handshake(uint8_t state)
{
    return state == FLOW_TCP_SYN_SENT || state == FLOW_TCP_SYN_ACK_SENT;
}

/* ---- Sequence ------------------------------------------------------------------------------ */

static uint32_t sequence_end(const struct packet *p)
{
    return p->seq + p->payload_len + has_flags(p, TCP_SYN) + has_flags(p, TCP_FIN);
}

/* ---- Windows ------------------------------------------------------------------------------- */

enum {
    WINDOW_LEAST = 65536, /* octets that are allowed for, however small the window is */
    SCALE_MAX = 14,       /* RFC 7323 §2.3 */
    SCALE_NONE = 31,      /* the first SYN offers none */
    OPENING_MAX = 65536,  /* octets that a SYN carries, at most (RFC 7413) */
    MISSED_MAX = 1 << 26, /* octets that a capture may have missed in a row, and still be believed */
};

/* Windows are scaled if both SYNs offer it (RFC 7323 §1.3); by how much, is the larger of both here.
 * Where options were cut off, by as much as can be. */
static void note_scale(struct flow *flow, const struct packet *p, unsigned side)
{
    if (p->payload == NULL) {
        flow->window_scale = SCALE_MAX;
        return;
    }
    struct wire_tcp_options options;
    wire_tcp_options(p, &options);
    unsigned scale = options.window_scale < 0 ? SCALE_NONE : (unsigned)options.window_scale;
    if (side == 1) {
        bool is_scaled = scale != SCALE_NONE && flow->window_scale != SCALE_NONE;
        scale = !is_scaled ? 0 : scale > flow->window_scale ? scale : flow->window_scale;
    }
    flow->window_scale = scale & SCALE_NONE;
}

static void note_window_offered(struct flow *flow, const struct packet *p, unsigned side)
{
    if (has_flags(p, TCP_SYN)) {
        note_scale(flow, p, side);
    } else if (p->window != 0 && !has_flags(p, TCP_RST) &&
               flow_tcp_window_class(p) > flow->window_top) {
        flow->window_top = (uint8_t)flow_tcp_window_class(p);
    }
}

/* Both SYNs were seen, and the initiator has spoken since: numbers and windows are known. */
static bool is_synchronized(const struct flow *flow)
{
    return (flow->tcp_flags[0] & flow->tcp_flags[1] & TCP_SYN) != 0 &&
           (flow_history_seen(flow, 0, HISTORY_ACK) || flow_history_seen(flow, 0, HISTORY_DATA));
}

/* Whether a number of a synchronized connection is further than two windows from what its side sent
 * last. */
static bool is_far(const struct flow *flow, unsigned side, uint32_t seq)
{
    int64_t distance = flow_tcp_distance(seq, flow->next_seq[side]);
    int64_t window = (int64_t)(flow->window_top + 1) << (8 + flow->window_scale % SCALE_NONE);
    window = window > WINDOW_LEAST ? window : WINDOW_LEAST;
    return distance > 2 * window || distance < -2 * window;
}

/* A RST to a SYN has to acknowledge it. */
static bool is_no_refusal(const struct flow *flow, const struct packet *p, unsigned side)
{
    if (side == 0 || flow->tcp_state[0] != FLOW_TCP_SYN_SENT ||
        flow->tcp_state[1] != FLOW_TCP_INACTIVE) {
        return false;
    }
    int32_t ahead = flow_tcp_distance(p->ack, flow->next_seq[0]);
    return !has_flags(p, TCP_ACK) || ahead > 0 || ahead < -OPENING_MAX;
}

static bool is_control(const struct packet *p)
{
    return (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
}

/* A FIN that is far from what was seen, while it acknowledges what the other side just sent: no guess hits
 * both (RFC 5961 §5), the capture has missed what was before it. */
static bool is_last_of_missed(const struct flow *flow, const struct packet *p, unsigned side)
{
    return (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == (TCP_FIN | TCP_ACK) &&
           !is_far(flow, flow_tcp_other(side), p->ack);
}

/* Of such a one. */
static bool is_stray(const struct flow *flow, const struct packet *p, unsigned side)
{
    if (!is_synchronized(flow)) {
        return has_flags(p, TCP_RST) && is_no_refusal(flow, p, side);
    }
    if (flow->tcp_state[0] == FLOW_TCP_RESET || flow->tcp_state[1] == FLOW_TCP_RESET) {
        return false; /* nothing is left to be ended, and hosts say anything then */
    }
    return (is_far(flow, side, p->seq) && !is_last_of_missed(flow, p, side)) ||
           (has_flags(p, TCP_SYN) && flow_tcp_distance(sequence_end(p), flow->next_seq[side]) > 0);
}

bool flow_is_stray(const struct flow *flow, const struct packet *p, int end)
{
    return is_control(p) && flow->key.protocol == IPPROTO_TCP && flow_tcp_is_legible(p) &&
           is_stray(flow, p, (unsigned)end ^ flow->initiator);
}

/* ---- Following ----------------------------------------------------------------------------- */

static void saturate(uint16_t *counter)
{
    *counter = (uint16_t)(*counter + (*counter < UINT16_MAX));
}

/* A keep-alive repeats the octet before the next one, or none (RFC 9293 §3.8.4); probes of a closed
 * window look the same (§3.8.6.1). They are no sign of loss. */
static bool is_probe(const struct packet *p, uint32_t next)
{
    return p->payload_len <= 1 && p->seq == next - 1;
}

/* Payload that ends before what is expected: with a hole behind us it comes late, else again. One
 * number a side cannot tell the rest of a hole from its copy, so that copies among late segments
 * count as late. */
static void note_old_payload(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                             struct flow_update *update)
{
    unsigned side = update->side;
    if (p->payload_len == 0 || is_probe(p, flow->next_seq[side])) {
        return;
    }
    if (flow_history_seen(flow, side, HISTORY_HOLE)) {
        flow_history_see(flow, side, HISTORY_FILLED);
        saturate(&flow->out_of_order);
        update->out_of_order = true;
        return;
    }
    saturate(&flow->retransmissions);
    flow_history_retransmission(cold, side);
    update->retransmission = true;
}

/* Whether the number of a segment lies far from all that its side sent. The first such segment is passed
 * over. A second one shows that the side has gone on unseen, unless an unusual segment (plain ones do
 * not come here) has been between them that was none. Two guesses are believed so, and two segments
 * of the side itself put it right again, or its FIN. */
static bool leaps(struct flow *flow, struct flow_cold *cold, const struct packet *p, unsigned side)
{
    unsigned bit = 1U << side;
    if (!is_synchronized(flow) || !is_far(flow, side, p->seq)) {
        cold->leapt &= ~bit & 3U;
        return false;
    }
    cold->leapt = (cold->leapt ^ bit) & 3U;
    if (!(cold->leapt & bit) || has_flags(p, TCP_FIN)) {
        cold->leapt &= ~bit & 3U;
        flow->next_seq[side] = sequence_end(p);
        flow_history_see(flow, side, HISTORY_HOLE);
        flow_history_forget(flow, side, HISTORY_FILLED);
    }
    return true;
}

/* Numbers of resets, and of what follows one, mean nothing (RFC 9293 §3.10.7.1 lets a RST carry 0,
 * RFC 5961 §3 tells why many do not fit). */
static void follow_sequence(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                            struct flow_update *update)
{
    unsigned side = update->side;
    uint8_t state = flow->tcp_state[side];
    uint32_t end = sequence_end(p);
    uint32_t *next = &flow->next_seq[side];
    if (state == FLOW_TCP_RESET || has_flags(p, TCP_RST)) {
        return;
    }
    if (state == FLOW_TCP_INACTIVE ||
        (has_flags(p, TCP_SYN) && (is_in_handshake(state) || state == FLOW_TCP_PARTIAL))) {
        *next = end;
        return;
    }
    if (leaps(flow, cold, p, side)) {
        return;
    }
    if (flow_tcp_distance(end, *next) <= 0) {
        note_old_payload(flow, cold, p, update);
        return;
    }
    if (flow_tcp_distance(p->seq, *next) > 0 && !has_flags(p, TCP_SYN)) {
        flow_history_see(flow, side, HISTORY_HOLE);
        flow_history_forget(flow, side, HISTORY_FILLED);
    }
    *next = end;
}

/* Bytes of the other side that this acknowledgement proves to have existed and that were not seen:
 * the capture missed them. Only where both SYNs were seen are numbers trusted that far. What is farther
 * off acknowledges another connection's bytes: a guess's, or those of the other face of a middlebox that
 * changes sequence numbers, where it is captured on both. */
static void follow_acknowledgement(struct flow *flow, struct flow_cold *cold,
                                   const struct packet *p, unsigned side)
{
    unsigned other = flow_tcp_other(side);
    uint32_t *next = &flow->next_seq[other];
    if (!has_flags(p, TCP_ACK) || has_flags(p, TCP_RST) ||
        flow->tcp_state[other] == FLOW_TCP_RESET) {
        return;
    }
    if (flow->tcp_state[other] == FLOW_TCP_INACTIVE) {
        *next = p->ack; /* the best guess until it sends */
        return;
    }
    int32_t beyond = flow_tcp_distance(p->ack, *next);
    if (beyond < 0 || (beyond > MISSED_MAX && is_synchronized(flow))) {
        return;
    }
    bool from_start = (flow->tcp_flags[0] & flow->tcp_flags[1] & TCP_SYN) != 0;
    bool unfilled = flow_history_seen(flow, other, HISTORY_HOLE) &&
                    !flow_history_seen(flow, other, HISTORY_FILLED);
    if (from_start && (beyond > 0 || unfilled)) {
        flow_history_once(cold, other, 'G');
        flow->flags |= FLOW_INCOMPLETE;
    }
    if (from_start && beyond > 0) {
        if (flow_history_seen(flow, other, HISTORY_DATA)) {
            *next = p->ack; /* should it come late after all, it is out of order, not repeated */
        } /* else where its bytes begin stays known, for whoever puts them in order */
        flow_history_see(flow, other, HISTORY_HOLE | HISTORY_FILLED);
    } else {
        flow_history_forget(flow, other, HISTORY_HOLE | HISTORY_FILLED);
    }
}

/* The first bytes of a side, which were acknowledged before they were seen: they come late. */
static void note_late_start(struct flow *flow, const struct packet *p, struct flow_update *update)
{
    unsigned side = update->side;
    if (p->payload_len > 0 && p->seq == flow->next_seq[side] &&
        (p->tcp_flags & (TCP_SYN | TCP_RST)) == 0 &&
        flow_history_seen(flow, side, HISTORY_HOLE | HISTORY_FILLED) &&
        !flow_history_seen(flow, side, HISTORY_DATA)) {
        saturate(&flow->out_of_order);
        update->out_of_order = true;
    }
}

/* A window of zero says something while the peer may send: not in or after a RST, nor once the peer
 * has sent its FIN. */
static void note_window(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                        unsigned side)
{
    if (p->window == 0 && !has_flags(p, TCP_RST) &&
        flow->tcp_state[flow_tcp_other(side)] != FLOW_TCP_CLOSED &&
        flow->tcp_state[side] != FLOW_TCP_RESET) {
        flow_history_zero_window(cold, side);
    }
}

/* ---- States -------------------------------------------------------------------------------- */

/* The first SYN of a side. The responder's answers one, or crosses it (simultaneous open, RFC 9293
 * §3.5); where the initiator's comes after the answer, the capture has swapped them. */
static void first_syn(struct flow *flow, const struct packet *p, unsigned side)
{
    uint8_t *mine = &flow->tcp_state[side];
    uint8_t *theirs = &flow->tcp_state[flow_tcp_other(side)];
    if (side == 1) {
        *mine = FLOW_TCP_ESTABLISHED;
        if (*theirs == FLOW_TCP_SYN_SENT) {
            *theirs = FLOW_TCP_ESTABLISHED;
        }
    } else if (*theirs == FLOW_TCP_ESTABLISHED) {
        *mine = FLOW_TCP_ESTABLISHED;
    } else {
        *mine = has_flags(p, TCP_ACK) ? FLOW_TCP_SYN_ACK_SENT : FLOW_TCP_SYN_SENT;
    }
}

/* The first segment of a side, without SYN, FIN and RST: joined midway, or its SYN was missed. Some
 * responders acknowledge a SYN before they answer it. */
static void first_plain(struct flow *flow, const struct packet *p, unsigned side)
{
    uint8_t theirs = flow->tcp_state[flow_tcp_other(side)];
    if (side == 1 && p->payload_len == 0 && theirs == FLOW_TCP_SYN_SENT) {
        return;
    }
    bool syn_missed = has_flags(p, TCP_ACK) && theirs == FLOW_TCP_ESTABLISHED;
    flow->tcp_state[side] = syn_missed ? FLOW_TCP_ESTABLISHED : FLOW_TCP_PARTIAL;
}

static void from_inactive(struct flow *flow, const struct packet *p, unsigned side)
{
    if (has_flags(p, TCP_RST)) {
        flow->tcp_state[side] = FLOW_TCP_RESET;
    } else if (has_flags(p, TCP_FIN)) {
        flow->tcp_state[side] = FLOW_TCP_CLOSED;
    } else if (has_flags(p, TCP_SYN)) {
        first_syn(flow, p, side);
    } else {
        first_plain(flow, p, side);
    }
}

static void from_handshake(struct flow *flow, const struct packet *p, unsigned side)
{
    if (has_flags(p, TCP_RST)) {
        flow->tcp_state[side] = FLOW_TCP_RESET;
    } else if (has_flags(p, TCP_FIN)) {
        flow->tcp_state[side] = FLOW_TCP_CLOSED;
    }
}

static void from_established(struct flow *flow, const struct packet *p, unsigned side)
{
    uint8_t *mine = &flow->tcp_state[side];
    unsigned other = flow_tcp_other(side);
    if (has_flags(p, TCP_RST)) {
        *mine = FLOW_TCP_RESET;
    } else if (has_flags(p, TCP_FIN)) {
        *mine = FLOW_TCP_CLOSED;
        if (flow->tcp_state[other] == FLOW_TCP_RESET && flow->tcp_flags[other] & TCP_FIN) {
            flow->tcp_state[other] = FLOW_TCP_CLOSED; /* FIN, then RST: it had ended as it should */
        }
    } else if (has_flags(p, TCP_SYN) && !has_flags(p, TCP_ACK) && *mine == FLOW_TCP_PARTIAL &&
               flow->tcp_state[other] == FLOW_TCP_INACTIVE) {
        *mine = FLOW_TCP_SYN_SENT;
    }
}

static void move_state(struct flow *flow, const struct packet *p, unsigned side)
{
    switch ((enum flow_tcp_state)flow->tcp_state[side]) {
    case FLOW_TCP_INACTIVE:
        from_inactive(flow, p, side);
        break;
    case FLOW_TCP_SYN_SENT:
    case FLOW_TCP_SYN_ACK_SENT:
        from_handshake(flow, p, side);
        break;
    case FLOW_TCP_PARTIAL:
    case FLOW_TCP_ESTABLISHED:
        from_established(flow, p, side);
        break;
    case FLOW_TCP_CLOSED:
        if (has_flags(p, TCP_RST) && flow->tcp_state[flow_tcp_other(side)] != FLOW_TCP_CLOSED) {
            flow->tcp_state[side] = FLOW_TCP_RESET;
        }
        break;
    case FLOW_TCP_RESET:
        break;
    }
}

/* ---- Open and closed ----------------------------------------------------------------------- */

/* The handshake is over with the initiator's first ACK, or with a SYN of the responder's that the
 * capture put behind it; then nobody knows how long it took. */
static bool completes_handshake(const struct flow *flow, const struct packet *p, unsigned side)
{
    if (has_flags(p, TCP_RST) || !has_flags(p, TCP_ACK) || !(flow->tcp_flags[0] & TCP_SYN)) {
        return false;
    }
    if (side == 0) {
        return !(flow->tcp_flags[0] & TCP_ACK) && flow->tcp_flags[1] & TCP_SYN;
    }
    return has_flags(p, TCP_SYN) && flow->tcp_flags[0] & TCP_ACK &&
           !(flow->tcp_flags[1] & TCP_SYN);
}

enum { HANDSHAKE_US_MAX = (1 << 25) - 1, SHARE_LOW = 6, SHARE_MAX = (1 << 13) - 2 };

/* What of the handshake passed until the SYN-ACK, if there were three packets and no more: others were
 * sent again, and nobody knows which of them was answered. Kept as a share, plus 1. */
static void note_share(const struct flow *flow, struct flow_cold *cold, const struct packet *p,
                       uint64_t before_ns)
{
    uint64_t all = p->time_ns - flow->first_ns;
    bool is_plain = flow->packets[0] == 2 && flow->packets[1] == 1 && flow->tcp_flags[1] & TCP_ACK;
    if (!is_plain || all == 0 || before_ns < flow->first_ns || before_ns > p->time_ns) {
        return;
    }
    uint64_t share = (before_ns - flow->first_ns) * SHARE_MAX / all + 1;
    cold->handshake_share = (uint32_t)(share >> SHARE_LOW) & 127U;
    cold->handshake_share_low = (uint8_t)(share & 63U);
}

uint64_t flow_round_trip_ns(const struct flow_cold *cold, unsigned side)
{
    unsigned share = (unsigned)cold->handshake_share << SHARE_LOW | cold->handshake_share_low;
    if (share == 0 || cold->handshake_us == HANDSHAKE_US_MAX) {
        return 0;
    }
    unsigned part = side == 1 ? share - 1 : SHARE_MAX - (share - 1);
    return (uint64_t)cold->handshake_us * 1000 * part / SHARE_MAX;
}

static void note_opened(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                        struct flow_update *update)
{
    if (!completes_handshake(flow, p, update->side)) {
        return;
    }
    update->opened = true;
    uint32_t *next = &flow->next_seq[flow_tcp_other(update->side)];
    if (update->side == 0 && !flow_history_seen(flow, 1, HISTORY_DATA) &&
        flow_tcp_distance(p->ack, *next) < 0) {
        *next = p->ack; /* of several answers it took another one than the latest */
    }
    if (update->side == 0 && cold->history[0] == 'S' && p->time_ns >= flow->first_ns) {
        uint64_t microseconds = (p->time_ns - flow->first_ns) / 1000;
        microseconds = microseconds > HANDSHAKE_US_MAX ? HANDSHAKE_US_MAX : microseconds;
        cold->handshake_us = microseconds == 0 ? 1 : (uint32_t)microseconds & HANDSHAKE_US_MAX;
        note_share(flow, cold, p, update->before_ns);
    }
}

/* `fins`: both sides had sent their FIN before this packet. */
static void note_closed(struct flow *flow, const struct packet *p, bool fins,
                        struct flow_update *update)
{
    unsigned other = flow_tcp_other(update->side);
    bool reset = flow->tcp_state[0] == FLOW_TCP_RESET || flow->tcp_state[1] == FLOW_TCP_RESET;
    bool last_ack = fins && has_flags(p, TCP_ACK) && !has_flags(p, TCP_FIN) &&
                    flow_tcp_distance(p->ack, flow->next_seq[other]) >= 0;
    if ((reset || last_ack) && !(flow->flags & FLOW_CLOSED)) {
        flow->flags |= FLOW_CLOSED;
        update->closed = true;
    }
}

void flow_tcp_follow(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                     struct flow_update *update)
{
    unsigned side = update->side;
    if (is_control(p) && is_stray(flow, p, side)) {
        update->stray = true;
        return;
    }
    note_window_offered(flow, p, side);
    bool fins = flow->tcp_state[0] == FLOW_TCP_CLOSED && flow->tcp_state[1] == FLOW_TCP_CLOSED;
    note_late_start(flow, p, update);
    flow_history_note(flow, cold, side, p);
    note_window(flow, cold, p, side);
    follow_sequence(flow, cold, p, update);
    note_opened(flow, cold, p, update);
    move_state(flow, p, side);
    follow_acknowledgement(flow, cold, p, side);
    note_closed(flow, p, fins, update);
    flow->tcp_flags[side] |= p->tcp_flags;
}

/* ---- Questions ----------------------------------------------------------------------------- */

/* A host that was refused may send the very same SYN again, and the network may double one: those
 * belong to the old connection, as does a copy that comes late with the time of the first packet (in
 * captures that were put together). A SYN amid a live one is a half-open connection of which the peer
 * will ask and the sender reset (RFC 9293 §3.5.1); the SYN that follows that reset is new. */
bool flow_is_reopened(const struct flow *flow, const struct packet *p, int end)
{
    const uint8_t control = TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN;
    if ((p->tcp_flags & control) != TCP_SYN || flow->key.protocol != IPPROTO_TCP ||
        !flow_tcp_is_legible(p)) {
        return false;
    }
    unsigned side = (unsigned)end ^ flow->initiator;
    uint8_t state = flow->tcp_state[side];
    if (state == FLOW_TCP_RESET) {
        return true;
    }
    if (state == FLOW_TCP_INACTIVE) {
        return flow->flags & FLOW_CLOSED;
    }
    if (sequence_end(p) == flow->next_seq[side] || p->time_ns <= flow->first_ns) {
        return false;
    }
    return flow->flags & FLOW_CLOSED || state == FLOW_TCP_CLOSED ||
           p->time_ns > flow->last_ns + REOPEN_IDLE_NS;
}

static bool is_inactive(uint8_t state)
{
    return state == FLOW_TCP_INACTIVE || state == FLOW_TCP_PARTIAL;
}

static bool has_data(const struct flow *flow)
{
    return flow_history_seen(flow, 0, HISTORY_DATA) || flow_history_seen(flow, 1, HISTORY_DATA);
}

/* The initiator took its SYN back: nothing of it but that and a RST, in this order. */
static bool is_withdrawn(const struct flow *flow)
{
    return (flow->tcp_flags[0] & (TCP_SYN | TCP_FIN)) == TCP_SYN && flow->packets[0] > 1 &&
           !flow_history_seen(flow, 0, HISTORY_ACK);
}

static const char *reset_state(const struct flow *flow)
{
    uint8_t initiator = flow->tcp_state[0];
    uint8_t responder = flow->tcp_state[1];
    if (responder != FLOW_TCP_RESET) {
        if (!is_inactive(responder)) {
            return "RSTO";
        }
        return is_withdrawn(flow) ? "RSTOS0" : "OTH";
    }
    if (is_in_handshake(initiator) || (initiator == FLOW_TCP_RESET && !has_data(flow))) {
        return "REJ";
    }
    return is_inactive(initiator) ? "RSTRH" : "RSTR";
}

static const char *closed_state(const struct flow *flow)
{
    uint8_t initiator = flow->tcp_state[0];
    uint8_t responder = flow->tcp_state[1];
    if (initiator == FLOW_TCP_CLOSED && responder == FLOW_TCP_CLOSED) {
        return "SF";
    }
    if (initiator == FLOW_TCP_CLOSED) {
        return is_inactive(responder) ? "SH" : "S2";
    }
    return is_inactive(initiator) ? "SHR" : "S3";
}

/* Of UDP Zeek says who has spoken. */
static const char *udp_state(const struct flow *flow)
{
    if (flow->packets[0] > 0) {
        return flow->packets[1] > 0 ? "SF" : "S0";
    }
    return "SHR";
}

const char *flow_connection_state(const struct flow *flow)
{
    uint8_t initiator = flow->tcp_state[0];
    uint8_t responder = flow->tcp_state[1];
    if (flow->key.version != 0 && flow->key.protocol == IPPROTO_UDP) {
        return udp_state(flow);
    }
    if (flow->key.version == 0 || flow->key.protocol != IPPROTO_TCP) {
        return "";
    }
    if (initiator == FLOW_TCP_RESET || responder == FLOW_TCP_RESET) {
        return reset_state(flow);
    }
    if (initiator == FLOW_TCP_CLOSED || responder == FLOW_TCP_CLOSED) {
        return closed_state(flow);
    }
    if (initiator == FLOW_TCP_SYN_SENT && responder == FLOW_TCP_INACTIVE) {
        return "S0";
    }
    bool established = initiator == FLOW_TCP_ESTABLISHED && responder == FLOW_TCP_ESTABLISHED;
    return established ? "S1" : "OTH";
}
