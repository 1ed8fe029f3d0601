// SPDX-License-Identifier: Apache-2.0
/* The short way. Of the packets of a connection nearly all are the next data of their sender, or
 * acknowledge the next data of the other, or both, and nothing went wrong before that is not mended
 * yet. What changes seldom is asked after each packet that goes the long way, and kept in flags;
 * what can make this packet another one is asked before anything is changed. The rest is then taken
 * in without looking for what cannot be there. It comes to the same as the long way;
 * health_fuzz.c and health_test.c compare the two. */
#include "flow/health_clock.h"
#include "flow/health_segments.h"

#include "base/cursor.h"

#include "flow/flow_tcp.h"

/* What is needed of a packet; small enough for registers. */
struct plain {
    uint32_t now_us;
    uint32_t ts_value, ts_echo;
    uint32_t edge; /* of the window */
    int32_t moved; /* by how much it acknowledges more than others before */
    uint16_t ip_id;
    bool has_timestamps, is_scaled, widens;
};

/* ---- What may go this way -------------------------------------------------------------------- */

void health_plain_note(struct health_detail *details, struct health *h)
{
    const unsigned seen = HALF_SEEN | HALF_NEXT;
    bool goes = h->flags & HEALTH_MEASURES && h->tls == TLS_DONE &&
                !(h->flags & (HEALTH_AHEAD | HEALTH_AHEAD << 1));
    h->flags &= ~(uint32_t)(HEALTH_PLAIN | HEALTH_PLAIN << 1);
    for (unsigned side = 0; side < 2; side++) {
        struct health_half *half = &h->halves[side];
        const struct health_half *other = &h->halves[1 - side];
        const struct health_detail *d = &details[half->detail];
        bool has = half->detail != 0;
        bool is_plain = goes && (half->flags & other->flags & seen) == seen &&
                        !(half->flags & HALF_FIN) &&
                        (!(half->flags & HALF_SCALE) || other->flags & HALF_EDGE);
        h->flags |= is_plain ? (uint32_t)HEALTH_PLAIN << side : 0;
        half->flags &= (uint16_t)~(HALF_TAKES_DATA | HALF_TAKES_ACKS);
        half->flags |= has && d->oddities == 0 ? HALF_TAKES_DATA : 0;
        half->flags |= has && d->troubles == 0 ? HALF_TAKES_ACKS : 0;
    }
}

/* No options, or time stamps alone as RFC 7323 lays them out; all of it captured. */
static inline bool read_options(const struct packet *p, struct plain *ret)
{
    const ptrdiff_t size = p->payload - p->l4;
    ret->ts_value = ret->ts_echo = 0;
    ret->has_timestamps = size == TCP_HEADER_SIZE + HEALTH_STAMPS_SIZE;
    if (ret->has_timestamps) {
        const uint8_t *at = p->l4 + TCP_HEADER_SIZE;
        ret->ts_value = load_be32(at + 4);
        ret->ts_echo = load_be32(at + 8);
        return load_be32(at) == HEALTH_STAMPS_HEAD;
    }
    return size == TCP_HEADER_SIZE;
}

/* Whether what it acknowledges is no news, or was expected. */
static inline bool is_answer(const struct health_half *other, const struct packet *p,
                             int32_t moved)
{
    if (moved == 0) {
        return p->payload_len > 0; /* otherwise one more of the same, or a copy */
    }
    return (uint32_t)moved <= HEALTH_JUMP_MAX && health_distance(p->ack, other->next) <= 0 &&
           other->flags & HALF_TAKES_ACKS;
}

/* ---- Data ------------------------------------------------------------------------------------ */

static inline void take_clock(struct health_half *half, struct health_detail *d, uint32_t end,
                              uint32_t now_us)
{
    if (health_clock_is_due(d, now_us)) {
        health_clock_hear(half, d, now_us);
    }
    if (!health_clock_stays(half, d, end, d->acked_there, d->edge_there)) {
        health_clock_accrue(half, d, now_us);
        health_clock_keep(half, d);
        health_clock_data(d, now_us, false);
    }
    int32_t flight = health_distance(end, d->acked_there);
    if (flight > (int32_t)d->epoch_flight) {
        d->epoch_flight = (uint32_t)flight;
    }
}

static inline void record(struct health_detail *d, const struct packet *p,
                          const struct plain *plain)
{
    if (d->segment_count == HEALTH_SEGMENTS) {
        if (d->segment_acked == 0) {
            health_segments_merge(d, p->seq + p->payload_len, plain->now_us);
            return;
        }
        health_segments_forget(d);
    }
    struct health_segment *to = health_segment_at(d, d->segment_count++);
    to->start = p->seq;
    to->end = p->seq + p->payload_len;
    to->time_us = plain->now_us;
    to->ts_value = plain->ts_value;
    to->stamp = health_stamp(plain->ts_value, plain->ip_id);
    to->ip_id = plain->ip_id;
    to->sent = 1;
    to->flags = 0;
}

static inline void take_data(struct health *h, struct health_half *half, struct health_detail *d,
                             const struct packet *p, const struct plain *plain)
{
    uint32_t now_us = plain->now_us;
    uint32_t end = p->seq + p->payload_len;
    health_count32(&half->data_packets, 1);
    half->data_bytes += p->payload_len;
    half->unique_bytes += p->payload_len;
    take_clock(half, d, end, now_us);
    if (!plain->has_timestamps) {
        health_data_ip_id(d, plain->ip_id);
    }
    if (half->next == half->acked) {
        d->progress_us = now_us;
    }
    if (d->initial_state == INITIAL_ACKED) {
        health_data_initial(half, d, now_us);
    }
    record(d, p, plain);
    half->next = end;
    if (now_us - d->epoch_us >= HEALTH_ROUND_MIN_US) {
        health_data_round(h, d, now_us);
    }
    if (end == half->edge) {
        d->window_full += half->flags & HALF_EDGE ? 1 : 0;
    }
    if ((p->tos & 3) == 3) {
        d->ce_pkts++;
    }
    d->data_us = d->last_us = now_us;
}

/* ---- Acknowledgments ------------------------------------------------------------------------- */

static inline void take_trip(struct health_half *half, struct health_detail *d,
                             const struct plain *plain, uint32_t ack, uint32_t mss)
{
    const uint32_t least = plain->is_scaled ? half->largest_acked : 1;
    struct health_covered covered = health_cover(half, d, ack, mss);
    if (!covered.clean) {
        return;
    }
    int32_t rtt = health_distance(plain->now_us, covered.last->time_us);
    if (rtt < 0 || !health_delay_is_news(half, d, plain->now_us, (uint32_t)rtt)) {
        return;
    }
    uint32_t length = covered.last->end - covered.last->start;
    bool is_open = plain->edge - ack >= least;
    bool is_lone = covered.count == 1 && ack == half->next && length < 2 * mss;
    health_delay_sample(half, d, plain->now_us, (uint32_t)rtt, is_lone, is_open);
}

/* `other` is the half that is acknowledged, `d` its detail. */
static inline void take_progress(struct health *h, const struct health_half *half,
                                 struct health_half *other, struct health_detail *d,
                                 const struct packet *p, const struct plain *plain)
{
    take_trip(other, d, plain, p->ack, half->mss);
    uint32_t stalled = plain->now_us - d->progress_us;
    h->stall_us = stalled > h->stall_us ? stalled : h->stall_us;
    d->progress_us = plain->now_us;
    other->acked = p->ack;
    if (d->initial_state == INITIAL_SENDING) {
        uint32_t trip_us = half->min_rtt_us == HEALTH_NO_TIME ? 0 : half->min_rtt_us;
        health_acks_initial(d, p->ack, plain->now_us, trip_us);
    }
}

static inline void take_answer(struct health *h, const struct health_half *half,
                               struct health_half *other, struct health_detail *d,
                               const struct packet *p, const struct plain *plain)
{
    if (plain->moved > 0) {
        take_progress(h, half, other, d, p, plain);
    }
    if (plain->is_scaled) {
        if (plain->edge - p->ack > d->max_window) {
            health_clock_window(other, half, d, plain->now_us, plain->edge - p->ack);
        }
        other->edge = plain->edge;
    }
    uint32_t trip_us = half->min_rtt_us == HEALTH_NO_TIME ? 0 : half->min_rtt_us;
    health_clock_ack(other, d, plain->now_us, trip_us, plain->edge);
}

/* ---- Together -------------------------------------------------------------------------------- */

/* Apart from its caller, which has no registers to spare. */
__attribute__((noinline)) bool health_plain(struct health_detail *details, struct health *h,
                                            const struct packet *p, unsigned side)
{
    struct health_half *half = &h->halves[side];
    struct health_half *other = &h->halves[1 - side];
    struct plain plain;
    bool has_data = p->payload_len > 0;
    plain.now_us = (uint32_t)(p->time_ns / 1000);
    plain.moved = health_distance(p->ack, other->acked);
    if (!(h->flags >> side & HEALTH_PLAIN) || p->class != PACKET_TCP || p->fragment ||
        (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) != TCP_ACK ||
        p->seq != half->next || p->window == 0 || !is_answer(other, p, plain.moved) ||
        (has_data && !(half->flags & HALF_TAKES_DATA)) || !read_options(p, &plain) ||
        plain.now_us - h->last_us > HEALTH_FORGET_US) {
        return false;
    }
    plain.is_scaled = half->flags & HALF_SCALE;
    plain.edge = p->ack + ((uint32_t)p->window << (plain.is_scaled ? half->window_scale & 31 : 0));
    plain.widens = plain.is_scaled && plain.edge != other->edge;
    plain.ip_id = p->version == 4 ? load_be16(p->ip + 4) : 0;
    struct health_detail *d = half->detail != 0 ? &details[half->detail] : NULL;
    health_count32(&h->packets, p->frames);
    if (!has_data || (d->segment_count == HEALTH_SEGMENTS && d->segment_acked == 0)) {
        health_remember(h, side, d,
                        health_print(p, plain.ts_value, plain.ts_echo, plain.ip_id));
    }
    if (d != NULL && plain.has_timestamps &&
        health_delay_may_tell(d, plain.now_us, plain.ts_value)) {
        health_delay_stamp(half, d, plain.now_us, plain.ts_value);
    }
    if (has_data) {
        take_data(h, half, d, p, &plain);
        health_talk_turn(h, side, plain.now_us);
    }
    h->last_us = plain.now_us;
    if (other->detail == 0) {
        other->edge = plain.is_scaled ? plain.edge : other->edge;
        return true;
    }
    struct health_detail *heard = &details[other->detail];
    heard->peer_us = plain.now_us;
    if (plain.moved > 0 || plain.widens) {
        take_answer(h, half, other, heard, p, &plain);
    }
    return true;
}
