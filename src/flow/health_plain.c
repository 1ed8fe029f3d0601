// SPDX-License-Identifier: Apache-2.0
/* The short way. Of the packets of a connection nearly all are the next data of their sender, or
 * acknowledge the next data of the other, or both, and nothing went wrong before that is not mended
 * yet. What changes seldom is asked after each packet that goes the long way, and kept in flags;
 * what can make this packet another one is asked before anything is changed. The rest is then taken
 * in without looking for what cannot be there. It comes to the same as the long way;
 * health_fuzz.c and health_test.c compare the two.
 *
 * Each packet comes here, so instructions count: what follows from another test is not tested, what
 * is needed seldom is computed behind the branch that needs it, and all that most packets need is
 * one function, so that they pay for one set of registers; the rest is called. */
#include "flow/health_book.h"
#include "flow/health_clock.h"
#include "flow/health_segments.h"

#include "base/cursor.h"

#include "flow/flow_tcp.h"

/* Code that few packets come to: called, so that the others need no registers for it. */
#define SELDOM __attribute__((noinline))

/* ---- What may go this way -------------------------------------------------------------------- */

/* Whether repeats may still turn out to have been needless, or give a sample: not once all of them
 * was acknowledged. */
static bool awaits_repeats(const struct health_half *half, const struct health_detail *d)
{
    return d->has_repeated && health_distance(d->more->repeated_end, half->acked) > 0;
}

/* Of which sides packets may go this way, as far as a half goes: data of its own, acknowledgments
 * of the other; nobody can guess which a packet will have. */
static unsigned takes_of(const struct health *h, const struct health_detail *details, unsigned side)
{
    const struct health_half *half = &h->halves[side];
    const struct health_detail *d = &details[half->detail];
    const unsigned own = 1U << side, others = 1U << (1 - side);
    if (half->detail == 0) {
        const bool gets_none = h->flags & (HEALTH_SHED | (uint32_t)HEALTH_WAIVED << side);
        return gets_none ? 0 : own | others;
    }
    if (d->leap_us != 0) {
        return 0;
    }
    return ((d->jumps | d->stale_count) == 0 ? own : 0) |
           (!health_has_trouble(d) && !awaits_repeats(half, d) ? others : 0);
}

/* With a scale, the window that the receiver told before must be known; without, none is. */
static bool knows_window(const struct health_half *receiver, const struct health_half *other)
{
    return !(receiver->flags & HALF_SCALE) == !(other->flags & HALF_EDGE);
}

void health_plain_note(struct health_detail *details, struct health *h)
{
    if (!(h->flags & HEALTH_MEASURES)) {
        return; /* before, all goes the long way */
    }
    struct health_half *a = &h->halves[0];
    struct health_half *b = &h->halves[1];
    const uint32_t stands = HEALTH_AHEAD | HEALTH_AHEAD << 1;
    const unsigned both = a->flags & b->flags;
    uint32_t plain = 0;
    if (!(h->flags & stands) && both & HALF_SEEN && both & HALF_NEXT) {
        const unsigned unusual = HALF_FIN | HALF_BEYOND; /* the next data end the latter */
        plain |= (a->flags & unusual) == 0 && knows_window(a, b);
        plain |= (uint32_t)((b->flags & unusual) == 0 && knows_window(b, a)) << 1;
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct health_half *half = &h->halves[side];
        plain &= takes_of(h, details, side);
        if (half->detail != 0) {
            health_calm_end(&details[half->detail], half->next);
        }
    }
    h->flags = (h->flags & ~(uint32_t)HEALTH_PLAIN_BOTH) | plain * HEALTH_PLAIN;
}

/* What a plain packet says, read once. */
struct plain {
    const struct packet *p;
    uint32_t now_us;
    uint32_t ts_value;
    bool has_timestamps;
};

/* Whether it says anything new, `moved` bytes acknowledged or some sent, and acknowledges none that
 * was not sent. Without, it is one more of the same, or a copy. */
static inline bool is_news(const struct health_half *other, const struct packet *p, uint32_t moved)
{
    return (moved | p->payload_len) != 0 && moved <= HEALTH_JUMP_MAX &&
           health_distance(p->ack, other->next) <= 0;
}

/* No options, or time stamps alone as RFC 7323 lays them out; all of it captured. */
static inline bool has_plain_options(const struct packet *p)
{
    const ptrdiff_t size = p->payload - p->l4;
    return size == TCP_HEADER_SIZE ||
           (size == TCP_HEADER_SIZE + HEALTH_STAMPS_SIZE &&
            load_be32(p->l4 + TCP_HEADER_SIZE) == HEALTH_STAMPS_HEAD);
}

/* Of the rest, what makes a packet plain when nothing stands against its side's. */
static inline bool is_plain(const struct health *h, const struct health_half *half,
                            const struct health_half *other, const struct packet *p)
{
    return p->seq == half->next && !(p->tcp_flags & TCP_ECE) &&
           is_news(other, p, p->ack - other->acked) && has_plain_options(p) &&
           (uint32_t)(p->time_ns / 1000) - h->last_us <= HEALTH_FORGET_US;
}

static inline struct plain read_plain(const struct packet *p)
{
    struct plain m = {.p = p, .now_us = (uint32_t)(p->time_ns / 1000)};
    m.has_timestamps = p->payload - p->l4 != TCP_HEADER_SIZE;
    m.ts_value = m.has_timestamps ? load_be32(p->l4 + TCP_HEADER_SIZE + 4) : 0;
    return m;
}

static inline uint32_t ip_id_of(const struct packet *p)
{
    return p->version == 4 ? load_be16(p->ip + 4) : 0;
}

/* Of a segment that has no record, by which a copy would be known. */
static inline void remember(struct health *h, unsigned side, struct health_detail *d,
                            const struct plain *m)
{
    uint32_t echo = m->has_timestamps ? load_be32(m->p->l4 + TCP_HEADER_SIZE + 8) : 0;
    health_remember(h, side, d, health_print(m->p, m->ts_value, echo, ip_id_of(m->p)));
}

/* ---- Data ------------------------------------------------------------------------------------ */

/* What a sender's clock, and what hangs on it, make of data when it is not calm. */
static SELDOM void take_clock(const struct health *h, struct health_half *half,
                              struct health_detail *d, const struct packet *p, uint32_t now_us)
{
    const uint32_t end = p->seq + p->payload_len;
    if (health_clock_is_due(d, now_us)) {
        health_clock_hear(half, d, now_us);
    }
    if (!health_clock_goes_on(half, d, end)) {
        health_clock_accrue(half, d, now_us);
        health_clock_keep(half, d);
        health_clock_data(d, now_us, health_segments_held_up(h, half, d, ip_id_of(p), now_us));
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
    d->calm = CALM_FLIGHT;
    /* Numbers may be anything: half of them away is behind, and ahead a little later. */
    if (!health_clock_is_calm(half, d) || d->calm_until - end > HEALTH_JUMP_MAX) {
        health_calm_end(d, end);
    }
}

/* The same when nothing was in flight: questions and answers. */
static inline void begin_flight(struct health_detail *d, uint32_t now_us)
{
    int32_t passed = health_distance(now_us, d->clock_us);
    if (passed > 0) {
        if (d->delay_us > 0) {
            d->busy_us += passed < d->delay_us ? (uint32_t)passed : (uint32_t)d->delay_us;
        }
        d->clock_us = now_us;
    }
    d->progress_us = now_us;
    d->calm = CALM_FLIGHT;
}

/* Of a record that is longer than all that were acknowledged before. */
static SELDOM void mark_long(const struct health *h, struct health_detail *d,
                             struct health_segment *segment)
{
    const struct health_half *half = &h->halves[d->side];
    const uint32_t mss = h->halves[1 - d->side].mss;
    if (health_segments_is_longest(half, segment->end - segment->start, mss)) {
        health_segments_mark(d, segment, 0);
    }
}

/* A new record at this place of the ring. */
static inline void write_segment(const struct health *h, const struct health_half *half,
                                 struct health_detail *d, unsigned at, const struct plain *m)
{
    struct health_segment *to = &d->segments[at & d->segment_mask];
    to->start = m->p->seq;
    to->end = m->p->seq + m->p->payload_len;
    to->time_us = m->now_us;
    to->ip_id = (uint16_t)ip_id_of(m->p);
    to->flags = 0;
    to->ts_value = m->ts_value;
    if (m->p->payload_len > half->largest_acked) {
        mark_long(h, d, to);
    }
}

/* A ring that is full of what was not acknowledged, or may become larger. */
static SELDOM void record_full(struct health *h, struct health_detail *d, const struct packet *p)
{
    const struct plain m = read_plain(p);
    const struct health_half *half = &h->halves[d->side];
    if (d->more == NULL) {
        health_detail_grow(d);
        write_segment(h, half, d, d->segment_count++, &m); /* now its first is at 0 */
    } else if (health_segments_thin(d)) {
        write_segment(h, half, d, (unsigned)d->segment_first + d->segment_count++, &m);
    } else {
        health_segments_merge(d, p->seq + p->payload_len, m.now_us);
        remember(h, d->side, d, &m);
    }
}

static inline void record(struct health *h, const struct health_half *half, struct health_detail *d,
                          const struct plain *m)
{
    const unsigned at = (unsigned)d->segment_first + d->segment_count;
    if (d->segment_count <= d->segment_mask) {
        d->segment_count++;
    } else if (d->segment_acked > 0 && d->segment_mask == HEALTH_SEGMENTS - 1) {
        d->segment_first++; /* the oldest makes room */
        d->segment_acked--;
    } else {
        record_full(h, d, m->p);
        return;
    }
    write_segment(h, half, d, at, m);
}

/* Data whose ECN field may say that they met congestion (RFC 3168 §5). */
static SELDOM void note_congestion(struct health_detail *d, const struct packet *p)
{
    d->ce_pkts += (p->tos & 3) == 3;
}

/* The next data of a half, but for what they tell of delays. */
static inline void go_on(struct health *h, struct health_half *half, struct health_detail *d,
                         const struct plain *m)
{
    const struct packet *p = m->p;
    const uint32_t end = p->seq + p->payload_len;
    health_tally32(&half->data_packets);
    half->data_bytes += p->payload_len;
    if (health_distance(end, d->calm_until) > 0) {
        take_clock(h, half, d, p, m->now_us);
    } else if (d->calm == CALM_REST) {
        begin_flight(d, m->now_us);
    }
    const int32_t flight = health_distance(end, d->acked_there);
    d->epoch_flight = flight > (int32_t)d->epoch_flight ? (uint32_t)flight : d->epoch_flight;
    record(h, half, d, m);
    half->next = end;
    d->data_us = m->now_us;
    if (m->now_us - d->epoch_us >= HEALTH_ROUND_MIN_US) {
        health_data_round(h, d, m->now_us);
        health_clock_keep(half, d);
    }
    if (p->tos & 1) {
        note_congestion(d, p);
    }
    if (h->tls != TLS_DONE) {
        health_talk_begin(h, d->side, p, m->now_us);
    }
    health_talk_turn(h, d->side, m->now_us);
}

/* The first data of a half, or the first since its detail went back: it gets one, if there is room. */
static SELDOM void take_first(struct health_book *book, struct health *h, struct health_half *half,
                              const struct packet *p)
{
    const struct plain m = read_plain(p);
    const unsigned side = half != h->halves;
    struct health_detail *d = health_detail_take(book, h, side, m.now_us);
    remember(h, side, NULL, &m);
    if (d == NULL) { /* only what needs no room */
        health_tally32(&half->data_packets);
        half->data_bytes += p->payload_len;
        half->next = p->seq + p->payload_len;
        health_talk(h, side, p, m.now_us);
        return;
    }
    health_calm_end(d, half->next);
    if (!m.has_timestamps) {
        health_data_unstamped(h, d, ip_id_of(p), m.now_us);
    }
    go_on(h, half, d, &m);
}

/* The next data of a half, with detail `d`. */
static inline void take_data(struct health *h, struct health_half *half, struct health_detail *d,
                             const struct plain *m)
{
    if (!m->has_timestamps) {
        health_data_unstamped(h, d, ip_id_of(m->p), m->now_us);
    } else if (health_delay_may_tell(d, m->now_us, m->ts_value, true)) {
        health_delay_tell(half, d, m->now_us, m->ts_value);
    }
    go_on(h, half, d, m);
}

/* No data: what is left to do for its sender. */
static inline void take_empty(struct health *h, struct health_half *half, struct health_detail *d,
                              const struct plain *m)
{
    if (d != NULL && m->has_timestamps &&
        health_delay_may_tell(d, m->now_us, m->ts_value, false)) {
        health_delay_tell(half, d, m->now_us, m->ts_value);
    }
    remember(h, half != h->halves, d, m);
}

/* ---- Acknowledgments ------------------------------------------------------------------------- */

/* The sender, whose clock is calm, has the acknowledgment as soon as it passed. */
static inline void hear(const struct health_half *other, struct health_detail *d, uint32_t now_us,
                        uint32_t edge)
{
    const uint32_t until = edge - d->need;
    const bool is_all = other->acked == other->next;
    const bool is_full = until - other->next > HEALTH_JUMP_MAX;
    if (is_all || is_full) {
        int32_t passed = health_distance(now_us, d->clock_us); /* all the time it was busy */
        if (passed > 0) {
            health_count32(&d->busy_us, (uint32_t)passed);
            d->clock_us = now_us;
        }
    }
    d->acked_there = other->acked;
    d->edge_there = edge;
    d->calm_until = until;
    d->calm = is_all ? CALM_REST : CALM_FLIGHT;
    if (is_full || d->initial_state == INITIAL_ACKED) {
        health_calm_end(d, other->next);
    }
}

/* It has it later, or its clock has to be run. */
static SELDOM void hear_later(struct health_half *other, struct health_detail *d, uint32_t now_us,
                              uint32_t trip_us, uint32_t edge)
{
    health_clock_ack(other, d, now_us, trip_us, edge);
    health_calm_end(d, other->next);
}

/* Some of what is in flight was acknowledged, or it has marks, in a packet with this window of the
 * receiver, whose half is `half`; one that is not known is taken for large. */
static SELDOM void cover_some(const struct health_half *half, struct health_half *other,
                              struct health_detail *d, uint32_t ack, uint32_t now_us,
                              uint32_t window)
{
    const bool is_open = window >= other->largest_acked; /* of what was acknowledged before */
    const struct health_covered covered = health_cover(other, d, ack, half->mss);
    const uint32_t rtt_us = now_us - covered.time_us;
    if (covered.clean && (int32_t)rtt_us >= 0 &&
        (!covered.is_rough || rtt_us >= other->min_rtt_us)) {
        health_delay_sample(other, d, now_us, rtt_us,
                            health_segments_waited(d, &covered, half->mss), is_open);
    }
}

/* All of it was, up to the latest data, and the round trip is news. */
static SELDOM void sample_all(const struct health_half *half, struct health_half *other,
                              struct health_detail *d, uint32_t now_us, uint32_t window,
                              uint32_t count)
{
    const struct health_covered covered = {.time_us = d->data_us, .count = count};
    const bool is_open = window >= other->largest_acked;
    if (health_distance(now_us, d->data_us) >= 0) {
        health_delay_learn(other, d, now_us, now_us - d->data_us,
                           health_segments_waited(d, &covered, half->mss), is_open);
    }
}

/* `other` is the half that is acknowledged, `d` its detail. */
static inline void take_progress(struct health *h, const struct health_half *half,
                                 struct health_half *other, struct health_detail *d,
                                 const struct plain *m, uint32_t window)
{
    if (m->p->ack == other->next && !d->is_marked) { /* the newest record is of the latest data */
        const uint32_t count = (uint32_t)d->segment_count - d->segment_acked;
        d->segment_acked = d->segment_count;
        if (count != 0 && health_delay_is_news(other, d, m->now_us, m->now_us - d->data_us)) {
            sample_all(half, other, d, m->now_us, window, count);
        }
    } else {
        cover_some(half, other, d, m->p->ack, m->now_us, window);
    }
    other->acked = m->p->ack;
    const int32_t stalled = health_distance(m->now_us, d->progress_us);
    if (stalled > (int32_t)h->stall_us) {
        h->stall_us = (uint32_t)stalled;
    }
    d->progress_us = m->now_us;
    if (d->initial_state == INITIAL_SENDING) {
        health_acks_initial(d, m->p->ack, m->now_us, health_trip_us(half));
    }
}

/* The sender of `half` acknowledges some of the other's data, or tells another window. */
static inline void take_answer(struct health *h, const struct health_half *half,
                               struct health_half *other, struct health_detail *d,
                               const struct plain *m, uint32_t window)
{
    const bool is_scaled = half->flags & HALF_SCALE;
    const uint32_t edge = m->p->ack + window;
    if (m->p->ack != other->acked) {
        take_progress(h, half, other, d, m, is_scaled ? window : UINT32_MAX);
    }
    if (is_scaled) {
        if (window > d->max_window) {
            health_clock_window(other, half, d, m->now_us, window);
        }
        other->edge = edge;
    }
    const uint32_t trip_us = health_trip_us(half);
    if (d->calm == CALM_FLIGHT && trip_us < HEALTH_AT_SENDER_US) {
        hear(other, d, m->now_us, edge);
    } else {
        hear_later(other, d, m->now_us, trip_us, edge);
    }
}

/* ---- Together -------------------------------------------------------------------------------- */

/* Not put in where it is called: the two halves then are registers. */
static SELDOM void take(struct health_book *book, struct health *h, struct health_half *half,
                        struct health_half *other, const struct packet *p)
{
    if (!is_plain(h, half, other, p)) {
        health_follow(book, h, p, half != h->halves);
        return;
    }
    const struct plain m = read_plain(p);
    health_count32(&h->packets, p->frames);
    if (p->payload_len == 0) {
        take_empty(h, half, health_detail_of(book, half), &m);
    } else if (half->detail != 0) {
        take_data(h, half, &book->details[half->detail], &m);
    } else {
        take_first(book, h, half, p);
    }
    h->last_us = m.now_us;
    const bool is_scaled = half->flags & HALF_SCALE;
    const uint32_t window = (uint32_t)p->window << (is_scaled ? half->window_scale & 31 : 0);
    const bool widens = is_scaled && p->ack + window != other->edge;
    if (!widens && p->ack == other->acked) {
        return;
    }
    if (other->detail == 0) {
        other->acked = p->ack;
        other->edge = widens ? p->ack + window : other->edge;
    } else {
        take_answer(h, half, other, &book->details[other->detail], &m, window);
    }
}

void health_plain_packet(struct health_book *book, flow_index flow, const struct packet *p,
                         unsigned side)
{
    struct health *h = &book->connections[health_book_find(book, flow)];
    if (h->flags >> side & HEALTH_PLAIN) { /* of the first, which is nobody's, it is not set */
        /* Without a branch: who speaks next, nobody guesses. */
        take(book, h, &h->halves[side], &h->halves[1 - side], p);
    } else {
        health_any_packet(book, flow, p, side);
    }
}
