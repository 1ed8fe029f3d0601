// SPDX-License-Identifier: Apache-2.0
/* The short way. Of the packets of a connection nearly all are the next data of their sender, or
 * acknowledge the next data of the other, or both, and nothing went wrong before that is not mended
 * yet. What changes seldom is asked after each packet that goes the long way, and kept in flags;
 * what can make this packet another one is asked before anything is changed. The rest is then taken
 * in without looking for what cannot be there. It comes to the same as the long way;
 * health_fuzz.c and health_test.c compare the two.
 *
 * Each packet comes here, so instructions count: what follows from another test is not tested, and
 * what is needed seldom is computed behind the branch that needs it. */
#include "flow/health_book.h"
#include "flow/health_clock.h"
#include "flow/health_segments.h"

#include "base/cursor.h"

#include "flow/flow_tcp.h"

/* ---- What may go this way -------------------------------------------------------------------- */

void health_plain_note(struct health_detail *details, struct health *h)
{
    const unsigned seen = HALF_SEEN | HALF_NEXT;
    const bool goes = h->tls == TLS_DONE &&
                      (h->flags & (HEALTH_MEASURES | HEALTH_AHEAD | HEALTH_AHEAD << 1)) ==
                          HEALTH_MEASURES &&
                      (h->halves[0].flags & h->halves[1].flags & seen) == seen;
    uint32_t flags = h->flags & ~(uint32_t)(HEALTH_PLAIN | HEALTH_PLAIN << 1);
    for (unsigned side = 0; side < 2; side++) {
        struct health_half *half = &h->halves[side];
        struct health_detail *d = &details[half->detail];
        const unsigned mine = half->flags & (unsigned)~(HALF_TAKES_DATA | HALF_TAKES_ACKS);
        const bool knows = !(mine & HALF_SCALE) || h->halves[1 - side].flags & HALF_EDGE;
        if (goes && knows && !(mine & HALF_FIN)) {
            flags |= (uint32_t)HEALTH_PLAIN << side;
        }
        half->flags = (uint16_t)mine;
        if (half->detail != 0) {
            unsigned takes = d->oddities == 0 ? HALF_TAKES_DATA : 0;
            takes |= d->troubles == 0 ? HALF_TAKES_ACKS : 0;
            half->flags = (uint16_t)(mine | takes);
            d->calm = CALM_NOT;
        }
    }
    h->flags = flags;
}

/* Whether what it acknowledges, `moved` more than others before, is no news, or was expected. */
static inline bool is_answer(const struct health_half *other, const struct packet *p,
                             uint32_t moved)
{
    if (moved == 0) {
        return p->payload_len > 0; /* otherwise one more of the same, or a copy */
    }
    return moved <= HEALTH_JUMP_MAX && health_distance(p->ack, other->next) <= 0 &&
           other->flags & HALF_TAKES_ACKS;
}

/* No options, or time stamps alone as RFC 7323 lays them out; all of it captured. */
static inline bool has_plain_options(const struct packet *p)
{
    const ptrdiff_t size = p->payload - p->l4;
    return size == TCP_HEADER_SIZE ||
           (size == TCP_HEADER_SIZE + HEALTH_STAMPS_SIZE &&
            load_be32(p->l4 + TCP_HEADER_SIZE) == HEALTH_STAMPS_HEAD);
}

static inline bool has_timestamps(const struct packet *p)
{
    return p->payload - p->l4 != TCP_HEADER_SIZE;
}

static inline uint32_t ts_value_of(const struct packet *p)
{
    return has_timestamps(p) ? load_be32(p->l4 + TCP_HEADER_SIZE + 4) : 0;
}

static inline uint16_t ip_id_of(const struct packet *p)
{
    return p->version == 4 ? load_be16(p->ip + 4) : 0;
}

/* The end of the window that the sender of `half` tells; 0 for its scale unless that is known. */
static inline uint32_t edge_of(const struct health_half *half, const struct packet *p)
{
    return p->ack + ((uint32_t)p->window << (half->flags & HALF_SCALE ? half->window_scale & 31 : 0));
}

/* Of a segment that has no record, by which a copy would be known. */
static inline void remember(struct health *h, unsigned side, struct health_detail *d,
                            const struct packet *p)
{
    uint32_t echo = has_timestamps(p) ? load_be32(p->l4 + TCP_HEADER_SIZE + 8) : 0;
    health_remember(h, side, d, health_print(p, ts_value_of(p), echo, ip_id_of(p)));
}

/* ---- Data ------------------------------------------------------------------------------------ */

/* What a sender's clock, and what hangs on it, make of data up to `end`. */
static __attribute__((noinline)) void take_clock(const struct health *h, struct health_half *half,
                                                 struct health_detail *d, const struct packet *p,
                                                 uint32_t now_us)
{
    const uint32_t end = p->seq + p->payload_len;
    if (health_clock_is_due(d, now_us)) {
        health_clock_hear(half, d, now_us);
    }
    if (!health_clock_goes_on(half, d, end)) {
        health_clock_accrue(half, d, now_us);
        health_clock_keep(half, d);
        health_clock_data(d, now_us, d->idle && health_segments_missed(h, d, ip_id_of(p)));
    }
    if (half->next == half->acked) {
        d->progress_us = now_us;
    }
    if (d->initial_state == INITIAL_ACKED) {
        health_data_initial(half, d, now_us);
    }
    if (end == half->edge) {
        d->window_full += half->flags & HALF_EDGE ? 1 : 0;
    }
    d->calm_until = d->edge_there - d->need;
    bool is_calm = health_clock_is_calm(half, d) && health_distance(end, d->calm_until) <= 0;
    d->calm = is_calm ? CALM_FLIGHT : CALM_NOT;
}

/* The same when nothing was in flight: questions and answers. */
static inline void begin_flight(struct health_half *half, struct health_detail *d, uint32_t now_us)
{
    int32_t passed = health_distance(now_us, d->clock_us);
    health_clock_keep(half, d);
    if (passed > 0) {
        if (d->delay_us > 0) {
            d->busy_us += passed < d->delay_us ? (uint32_t)passed : (uint32_t)d->delay_us;
        }
        d->clock_us = now_us;
    }
    d->progress_us = now_us;
    d->calm = CALM_FLIGHT;
}

static inline void record(struct health *h, struct health_detail *d, const struct packet *p,
                          uint32_t now_us, uint32_t ts_value)
{
    if (health_segments_are_full(d)) {
        if (d->segment_acked == 0) {
            health_segments_merge(d, p->seq + p->payload_len, now_us);
            remember(h, d->side, d, p);
            return;
        }
        health_segments_forget(d);
    }
    struct health_segment *to = health_segment_at(d, d->segment_count++);
    uint16_t ip_id = ip_id_of(p);
    to->start = p->seq;
    to->end = p->seq + p->payload_len;
    to->time_us = now_us;
    to->ts_value = ts_value;
    to->stamp = health_stamp(ts_value, ip_id);
    to->ip_id = ip_id;
    to->sent = 1;
    to->flags = 0;
}

/* The next data of a half, with detail `d`. */
static __attribute__((noinline)) void take_data(struct health *h, struct health_half *half,
                                                struct health_detail *d, const struct packet *p,
                                                uint32_t now_us)
{
    const uint32_t end = p->seq + p->payload_len;
    const uint32_t ts_value = ts_value_of(p);
    if (!has_timestamps(p)) {
        health_data_unstamped(h, d, ip_id_of(p), now_us);
    } else if (health_delay_may_tell(d, now_us, ts_value)) {
        health_delay_stamp(half, d, now_us, ts_value);
    }
    health_tally32(&half->data_packets);
    half->data_bytes += p->payload_len;
    if (d->calm == CALM_NOT || health_distance(end, d->calm_until) > 0) {
        take_clock(h, half, d, p, now_us);
    } else if (d->calm == CALM_REST) {
        begin_flight(half, d, now_us);
    }
    int32_t flight = health_distance(end, d->acked_there);
    if (flight > (int32_t)d->epoch_flight) {
        d->epoch_flight = (uint32_t)flight;
    }
    record(h, d, p, now_us, ts_value);
    half->next = end;
    d->data_us = now_us;
    if (now_us - d->epoch_us >= HEALTH_ROUND_MIN_US) {
        health_data_round(h, d, now_us);
    }
    if ((p->tos & 3) == 3) {
        d->ce_pkts++;
    }
    health_talk_turn(h, d->side, now_us);
}

/* No data: what is left to do for its sender. */
static __attribute__((noinline)) void take_empty(struct health *h, unsigned side,
                                                 struct health_detail *d, const struct packet *p,
                                                 uint32_t now_us)
{
    if (d != NULL && has_timestamps(p) && health_delay_may_tell(d, now_us, ts_value_of(p))) {
        health_delay_stamp(&h->halves[side], d, now_us, ts_value_of(p));
    }
    remember(h, side, d, p);
}

/* ---- Acknowledgments ------------------------------------------------------------------------- */

/* A round trip, if it says more than those before. `mss` is the receiver's. */
static inline void take_trip(struct health_half *half, struct health_detail *d, uint32_t now_us,
                             uint32_t ack, uint32_t mss, uint32_t window)
{
    bool is_open = window >= half->largest_acked; /* of what was acknowledged before */
    struct health_covered covered = health_cover(half, d, ack, mss);
    if (!covered.clean) {
        return;
    }
    int32_t rtt = health_distance(now_us, covered.last->time_us);
    if (rtt < 0 || !health_delay_is_news(half, d, now_us, (uint32_t)rtt)) {
        return;
    }
    uint32_t length = covered.last->end - covered.last->start;
    bool is_lone = covered.count == 1 && ack == half->next && length < 2 * mss;
    health_delay_sample(half, d, now_us, (uint32_t)rtt, is_lone, is_open);
}

/* `other` is the half that is acknowledged, `d` its detail. */
static inline void take_progress(struct health *h, const struct health_half *half,
                                 struct health_half *other, struct health_detail *d,
                                 const struct packet *p, uint32_t now_us)
{
    const bool is_scaled = half->flags & HALF_SCALE;
    take_trip(other, d, now_us, p->ack, half->mss,
              is_scaled ? edge_of(half, p) - p->ack : UINT32_MAX);
    uint32_t stalled = now_us - d->progress_us;
    if (stalled > h->stall_us) {
        h->stall_us = stalled;
    }
    d->progress_us = now_us;
    other->acked = p->ack;
    if (d->initial_state == INITIAL_SENDING) {
        uint32_t trip_us = half->min_rtt_us == HEALTH_NO_TIME ? 0 : half->min_rtt_us;
        health_acks_initial(d, p->ack, now_us, trip_us);
    }
}

/* The sender, whose clock is calm, has the acknowledgment as soon as it passed. */
static inline void hear(const struct health_half *other, struct health_detail *d, uint32_t now_us,
                        uint32_t edge)
{
    const bool is_all = other->acked == other->next;
    const bool is_full = health_distance(other->next + d->need, edge) > 0;
    if (is_all || is_full) {
        int32_t passed = health_distance(now_us, d->clock_us); /* all the time it was busy */
        if (passed > 0) {
            health_count32(&d->busy_us, (uint32_t)passed);
            d->clock_us = now_us;
        }
    }
    d->acked_there = other->acked;
    d->edge_there = edge;
    d->calm_until = edge - d->need;
    d->calm = is_all ? CALM_REST : CALM_FLIGHT;
    if (is_full || d->initial_state == INITIAL_ACKED || edge != other->edge || d->need == 0) {
        d->calm = CALM_NOT;
    }
}

/* The window is told, and the sender will know of both. */
static inline void take_window(const struct health_half *half, struct health_half *other,
                               struct health_detail *d, const struct packet *p, uint32_t now_us)
{
    const uint32_t edge = edge_of(half, p);
    if (half->flags & HALF_SCALE) {
        if (edge - p->ack > d->max_window) {
            health_clock_window(other, half, d, now_us, edge - p->ack);
        }
        other->edge = edge;
    }
    uint32_t trip_us = half->min_rtt_us == HEALTH_NO_TIME ? 0 : half->min_rtt_us;
    if (d->calm == CALM_FLIGHT && trip_us < HEALTH_AT_SENDER_US) {
        hear(other, d, now_us, edge);
    } else {
        health_clock_ack(other, d, now_us, trip_us, edge);
        d->calm = CALM_NOT;
    }
}

/* It acknowledges some, or tells another window. */
static __attribute__((noinline)) void take_answer(struct health *h, const struct health_half *half,
                                                  struct health_half *other,
                                                  struct health_detail *d, const struct packet *p,
                                                  uint32_t now_us)
{
    if (p->ack != other->acked) {
        take_progress(h, half, other, d, p, now_us);
    }
    take_window(half, other, d, p, now_us);
}

/* ---- Together -------------------------------------------------------------------------------- */

/* Pieces that are called and not put in here: each then has registers for what it needs. */
static __attribute__((noinline)) void take(struct health_book *book, struct health *h,
                                           struct health_half *half, struct health_half *other,
                                           const struct packet *p)
{
    struct health_detail *details = book->details;
    const uint32_t now_us = (uint32_t)(p->time_ns / 1000);
    if (p->seq != half->next || !is_answer(other, p, p->ack - other->acked) ||
        (p->payload_len > 0 && !(half->flags & HALF_TAKES_DATA)) || !has_plain_options(p) ||
        now_us - h->last_us > HEALTH_FORGET_US) {
        health_follow(book, (uint32_t)(h - book->connections), p, half != h->halves);
        return;
    }
    h->last_us = now_us;
    health_count32(&h->packets, p->frames);
    if (p->payload_len > 0) {
        take_data(h, half, &details[half->detail], p, now_us);
    } else {
        take_empty(h, half != h->halves, half->detail != 0 ? &details[half->detail] : NULL, p,
                   now_us);
    }
    const bool is_scaled = half->flags & HALF_SCALE;
    const uint32_t edge = edge_of(half, p);
    if (other->detail == 0) {
        other->edge = is_scaled ? edge : other->edge;
        return;
    }
    struct health_detail *heard = &details[other->detail];
    heard->peer_us = now_us;
    if (p->ack != other->acked || (is_scaled && edge != other->edge)) {
        take_answer(h, half, other, heard, p, now_us);
    }
}

void health_plain_packet(struct health_book *book, flow_index flow, const struct packet *p,
                         unsigned side)
{
    struct health *h = &book->connections[health_book_find(book, flow)];
    if (h->flags >> side & HEALTH_PLAIN) { /* of the first, which is nobody's, it is not set */
        take(book, h, &h->halves[side], &h->halves[1 - side], p);
    } else {
        health_packet(book, flow, p, side);
    }
}
