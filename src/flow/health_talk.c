// SPDX-License-Identifier: Apache-2.0
/* Who said what when: handshake, turns of request and response, TLS, resets. */
#include "flow/health_clock.h"
#include "flow/health_shift.h"

#include "base/cursor.h"

enum {
    ECN_BITS = TCP_ECE | TCP_CWR,
    RECORD_HANDSHAKE = 22,
    RECORD_CIPHER = 20, /* ChangeCipherSpec, six bytes with its header */
    RECORD_DATA = 23,
    RECORD_CIPHER_SIZE = 6,
    HELLO_CLIENT = 1,
    RECORD_HEADER = 5,
    TICKET_MAX = 400,         /* bytes of a record: OpenSSL's has 250 */
    TICKET_LATE_US = 60000,   /* the second one waits for a delayed ACK, of 40 ms */
    TICKET_ALIKE_US = 250000, /* or more, if it is as long as the first */
    TLS_LENGTH_SHIFT = 4,     /* in TLS_TICKET: the last bits of the first one's length */
};

/* ---- Handshake ------------------------------------------------------------------------------- */

static void read_offer(const struct health_step *s, struct health_half *half)
{
    if (s->truncated) {
        return;
    }
    const struct wire_tcp_options *o = &s->options;
    half->mss = o->mss;
    half->window_scale = o->window_scale < 0 ? UINT8_MAX : (uint8_t)o->window_scale;
    half->flags |= o->has_timestamps ? HALF_TIMESTAMPS : 0;
    half->flags |= o->sack_permitted ? HALF_SACK : 0;
}

/* Both have offered: what neither or only one wants is not used (RFC 7323 §1.3, RFC 2018 §2). */
static void agree(struct health *h)
{
    struct health_half *a = &h->halves[0];
    struct health_half *b = &h->halves[1];
    if (h->flags & HEALTH_TRUNCATED) {
        return;
    }
    if (a->window_scale == UINT8_MAX || b->window_scale == UINT8_MAX) {
        a->window_scale = b->window_scale = 0;
    }
    a->flags |= HALF_SCALE;
    b->flags |= HALF_SCALE;
}

static void begin_half(struct health_step *s, struct health_half *half)
{
    struct health_detail *d = health_step_detail(s, half);
    if (d != NULL) {
        health_clock_run(half, d, s->now_us);
        health_detail_forget(d);
        d->acked_there = d->origin = s->start;
        d->is_joined = false;
    }
    half->next = s->start;
    half->acked = half->flags & HALF_ACKED && health_distance(half->acked, s->start) > 0
                      ? half->acked : s->start;
    half->flags |= HALF_SYN | HALF_NEXT | HALF_ACKED | HALF_CLEAN;
    half->flags &= (uint16_t)~HALF_SCALE;
    read_offer(s, half);
    if (s->health->halves[0].flags & s->health->halves[1].flags & HALF_SYN) {
        agree(s->health);
    }
}

static void take_syn(struct health_step *s)
{
    struct health *h = s->health;
    struct health_half *half = s->half;
    /* It may ask again without the data that it had (RFC 7413 §4.1.3). */
    const bool took_none = h->answers == 0 && half->acked == s->start;
    bool is_same = half->flags & HALF_SYN && (half->next == s->start || took_none);
    if (half->flags & HALF_SYN && !is_same && (h->answers > 0 || half->data_packets > 0)) {
        return; /* of somebody who knows nothing of this connection (RFC 9293 §3.5.1) */
    }
    if (!is_same) {
        h->syns = s->side == 0 ? 0 : h->syns;
        half->flags &= (uint16_t)~HALF_SYN;
        begin_half(s, half);
    }
    half->flags |= HALF_OPENER | ((s->flags & ECN_BITS) == ECN_BITS ? HALF_ECN : 0);
    if (h->halves[0].flags & h->halves[1].flags & HALF_OPENER) {
        if (!(h->flags & (HEALTH_SIMULTANEOUS | HEALTH_MEASURES))) {
            h->answer_us = s->now_us; /* of the other SYN */
        }
        h->flags |= HEALTH_SIMULTANEOUS;
        return;
    }
    if (h->flags & HEALTH_MEASURES) {
        return;
    }
    if (s->length > 0) {
        health_talk_turn(h, s->side, s->now_us); /* TCP Fast Open, RFC 7413 */
    }
    health_count8(&h->syns);
    h->again_us = s->now_us;
    if (h->syns == 1) {
        h->syn_us = s->now_us;
        h->syn_ts = s->options.ts_value;
    }
}

/* SYN to SYN-ACK; of several SYNs the latest. As the least round trip it counts only if the answer's
 * time stamp does not name the first: what answers that may be a repeat of what got lost, or be late. */
static void measure_to_server(struct health_step *s)
{
    struct health *h = s->health;
    bool names_later = s->options.has_timestamps && h->syn_ts != 0 &&
                       s->options.ts_echo != h->syn_ts;
    h->to_server_us = health_elapsed(s->now_us, h->again_us);
    if (h->syns == 1 || names_later) {
        h->halves[0].min_rtt_us = h->to_server_us;
    }
}

static void take_answer(struct health_step *s)
{
    struct health *h = s->health;
    struct health_half *half = s->half;
    struct health_half *other = s->other;
    if (!(half->flags & HALF_SYN)) {
        begin_half(s, half);
        if ((s->flags & ECN_BITS) == TCP_ECE) {
            half->flags |= HALF_ECN;
        }
    }
    if (h->flags & HEALTH_SIMULTANEOUS && !(h->flags & HEALTH_MEASURES) && h->syns == 1) {
        /* Each end answers the other's SYN at once (RFC 9293 §3.5). */
        uint32_t syn_us = s->side == 1 ? h->syn_us : h->answer_us;
        other->min_rtt_us = health_elapsed(s->now_us, syn_us);
    }
    if (h->flags & (HEALTH_SIMULTANEOUS | HEALTH_MEASURES) || s->side == 0) {
        return;
    }
    if (h->answers == 0 && h->syns > 0) {
        measure_to_server(s);
    }
    if (s->p->ack != other->next) {
        h->flags &= ~(uint32_t)HEALTH_CLIENT_SPOKE; /* the SYN's data were not taken */
    }
    health_count8(&h->answers);
    h->answer_us = s->now_us;
    h->syn_ts = s->options.has_timestamps ? s->options.ts_value : 0; /* of the answer, from now on */
}

/* The handshake's third segment, after which the union holds measures. */
static void take_third(struct health_step *s)
{
    struct health *h = s->health;
    bool answered = h->halves[1].flags & HALF_SYN && s->p->ack == h->halves[1].next;
    if (s->side != 0 || !answered) {
        return;
    }
    bool whole = h->halves[0].flags & HALF_SYN;
    if (whole && h->answers > 0) {
        h->to_client_us = health_elapsed(s->now_us, h->answer_us);
        bool names_latest = s->options.has_timestamps && h->syn_ts != 0 &&
                            s->options.ts_echo == h->syn_ts;
        if (h->answers == 1 || names_latest) { /* else it may be of an earlier answer */
            h->halves[1].min_rtt_us = h->to_client_us;
        }
        h->flags |= HEALTH_SPLIT;
    }
    if (whole && h->syns > 1) {
        h->first_us = h->again_us; /* before, nobody heard it, and nothing could be said */
    }
    if (whole) {
        h->flags |= HEALTH_ESTABLISHED;
    }
}

void health_handshake(struct health_step *s)
{
    struct health *h = s->health;
    if (s->flags & TCP_SYN) {
        if (s->flags & TCP_ACK) {
            take_answer(s);
        } else {
            take_syn(s);
        }
        return;
    }
    if (s->flags & TCP_ACK && !(s->flags & TCP_RST)) {
        bool waits = h->syns > 0 || h->answers > 0;
        if (waits && s->side == 1 && s->length == 0) {
            return; /* a challenge, or the answer's copy: the client has not spoken */
        }
        take_third(s);
        h->ttfb_us = h->tls_us = h->response_us = HEALTH_NO_TIME;
        h->stall_us = 0;
        h->flags |= HEALTH_MEASURES;
    }
}

/* ---- Turns ----------------------------------------------------------------------------------- */

/* The server's part of a time that the client waited, here, for an answer. */
static void note_response(struct health *h, uint32_t waited_us)
{
    uint32_t trip_us = health_trip_us(&h->halves[0]);
    uint32_t response_us = waited_us > trip_us ? waited_us - trip_us : 0;
    if (h->response_us == HEALTH_NO_TIME || response_us > h->response_us) {
        h->response_us = response_us;
    }
}

/* Follows a TLS handshake by the records that segments begin with: in 1.3 it is over with the
 * client's Finished, which follows its ChangeCipherSpec as data; in 1.2 with the server's answer to
 * that. */
static void follow_tls(struct health *h, unsigned side, struct span payload, uint32_t now_us)
{
    if (payload.size < RECORD_CIPHER_SIZE || payload.data[1] != 3) {
        h->tls = h->tls == TLS_WAITS && side == 1 ? h->tls : TLS_DONE;
        if (h->tls == TLS_DONE) {
            return;
        }
    }
    const uint8_t *data = payload.data;
    if (h->tls == TLS_NONE) {
        bool hello = side == 0 && data[0] == RECORD_HANDSHAKE && data[5] == HELLO_CLIENT;
        h->tls = hello ? TLS_HELLO : TLS_DONE;
        h->tls_us = now_us; /* until it is over: when it began */
    } else if (h->tls == TLS_WAITS && side == 1) {
        h->tls_us = health_elapsed(now_us, h->tls_us);
        h->tls = TLS_ENDED;
        h->flags |= HEALTH_TLS;
    } else if (h->tls == TLS_HELLO && side == 0) {
        bool cipher = data[0] == RECORD_CIPHER && payload.size > RECORD_CIPHER_SIZE;
        uint8_t next = cipher ? data[RECORD_CIPHER_SIZE] : data[0];
        if (next == RECORD_DATA) {
            h->tls_us = health_elapsed(now_us, h->tls_us);
            h->tls = TLS_FINISHED;
            h->flags |= HEALTH_TLS;
            h->ttfb_us = HEALTH_NO_TIME; /* that was the handshake's */
        } else {
            h->tls = TLS_WAITS;
        }
    }
}

static uint8_t after_ticket(const struct packet *p)
{
    return (uint8_t)(TLS_TICKET | p->payload_len << TLS_LENGTH_SHIFT);
}

static bool had_ticket(const struct health *h)
{
    return h->tls % (1 << TLS_LENGTH_SHIFT) == TLS_TICKET;
}

/* Whether the server's segment holds session tickets: one or two short records soon after the
 * client's Finished (RFC 8446 §4.6.1), which are no answer to anything. */
static bool has_tickets(const struct health *h, const struct packet *p, uint32_t now_us)
{
    const uint32_t late_us = h->tls == after_ticket(p) ? TICKET_ALIKE_US : TICKET_LATE_US;
    struct span payload = packet_payload(p);
    if (payload.size < RECORD_HEADER || payload.data[0] != RECORD_DATA || h->tls == TLS_TICKETS) {
        return false;
    }
    uint32_t size = load_be16(payload.data + 3);
    uint32_t round_us = health_trip_us(&h->halves[0]) + (h->to_client_us == HEALTH_NO_TIME ? 0 : h->to_client_us);
    return size <= TICKET_MAX && p->payload_len <= 2 * (RECORD_HEADER + TICKET_MAX) &&
           health_elapsed(now_us, h->run_us) <= 2 * round_us + late_us;
}

/* The server's first answer after a TLS 1.3 handshake: tickets were taken for it until it comes. */
static void follow_tickets(struct health *h, const struct packet *p, uint32_t now_us)
{
    if (has_tickets(h, p, now_us)) {
        uint32_t first = RECORD_HEADER + (uint32_t)load_be16(packet_payload(p).data + 3);
        bool has_two = p->payload_len > first;
        h->tls = had_ticket(h) || has_two ? TLS_TICKETS : after_ticket(p);
        return;
    }
    if (h->tls != TLS_FINISHED && !(h->flags & HEALTH_CLIENT_SPOKE)) {
        const uint32_t waited_us = health_elapsed(now_us, h->run_us);
        note_response(h, waited_us);
        h->ttfb_us = h->ttfb_us == HEALTH_NO_TIME ? waited_us : h->ttfb_us;
    }
    h->tls = TLS_DONE;
}

void health_talk_begin(struct health *h, unsigned side, const struct packet *p, uint32_t now_us)
{
    if (h->tls < TLS_FINISHED) {
        follow_tls(h, side, packet_payload(p), now_us);
    } else if (h->tls == TLS_ENDED) {
        if (side == 0) { /* the first request; what was answered before was the handshake */
            h->ttfb_us = HEALTH_NO_TIME;
            h->tls = TLS_DONE;
        }
    } else if (side == 1) {
        follow_tickets(h, p, now_us);
    }
}

void health_talk(struct health *h, unsigned side, const struct packet *p, uint32_t now_us)
{
    if (!(h->flags & HEALTH_MEASURES)) {
        return;
    }
    if (h->tls != TLS_DONE) {
        health_talk_begin(h, side, p, now_us);
    }
    health_talk_turn(h, side, now_us);
}

void health_talk_answer(struct health *h, uint32_t now_us)
{
    h->flags &= ~(uint32_t)HEALTH_CLIENT_SPOKE;
    health_count16(&h->turns);
    uint32_t waited = health_elapsed(now_us, h->run_us);
    note_response(h, waited);
    if (h->ttfb_us == HEALTH_NO_TIME && !had_ticket(h) && h->tls != TLS_TICKETS) {
        h->ttfb_us = waited;
    }
}

/* ---- Resets ---------------------------------------------------------------------------------- */

/* A host that knows nothing of the connection answers data with what they acknowledge as sequence
 * number, and without ACK (RFC 9293 §3.10.7.1). */
static bool is_ignorant(const struct health_step *s)
{
    const struct health *h = s->health;
    const struct health_half *half = s->half;
    bool open = h->flags & HEALTH_ESTABLISHED || half->data_packets > 0;
    return open && !(s->flags & TCP_ACK) && !(half->flags & HALF_FIN) &&
           half->flags & HALF_ACKED && s->p->seq == half->acked;
}

void health_reset(struct health_step *s)
{
    struct health *h = s->health;
    health_count16(&s->half->resets);
    if (h->flags & HEALTH_RESET_SEEN) {
        return;
    }
    h->flags |= HEALTH_RESET_SEEN | (s->side == 1 ? HEALTH_RESET_BY_SERVER : 0);
    if ((h->halves[0].flags | h->halves[1].flags) & HALF_FIN) {
        h->flags |= HEALTH_RESET_AFTER_FIN;
    }
    if (health_elapsed(s->now_us, h->last_us) >= HEALTH_SILENCE_US) {
        h->flags |= HEALTH_LATE_RESET;
    }
    if (s->side == 1 && h->halves[0].flags & HALF_SYN && !(h->halves[1].flags & HALF_SYN)) {
        h->flags |= HEALTH_REFUSED;
    } else if (is_ignorant(s)) {
        h->flags |= HEALTH_HALF_OPEN;
    }
}
