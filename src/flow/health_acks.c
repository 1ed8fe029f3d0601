// SPDX-License-Identifier: Apache-2.0
/* Acknowledgments: round trips, what the receiver lacks, what it got twice, what the capture never
 * showed, and when things moved on. */
#include "flow/health_clock.h"
#include "flow/health_segments.h"
#include "flow/health_shift.h"

enum {
    EPISODE_US = 1000000,
    EPISODE_REPEATS = 2,
    PMTU_LEAST = 1000, /* a path carries this much; smaller segments get stuck for other reasons */
    INITIAL_PERCENT = 95,
};

static uint32_t trip_to(const struct health *h, unsigned side)
{
    uint32_t trip = h->halves[1 - side].min_rtt_us; /* the other half's data go there */
    return trip == HEALTH_NO_TIME ? 0 : trip;
}

/* ---- Cumulative ------------------------------------------------------------------------------ */

/* Karn and Partridge (SIGCOMM 1987), and no sample across what was SACKed or waited for a hole. */
static void sample(struct health_step *s, struct health_detail *d, const struct health_covered *covered,
                   bool is_open)
{
    struct health_half *half = s->other;
    int32_t rtt = health_distance(s->passed_us, covered->time_us);
    uint32_t waited_us = health_segments_waited(d, covered, s->half->mss);
    if (rtt >= 0 && !(covered->is_rough && (uint32_t)rtt < half->min_rtt_us)) {
        health_delay_sample(half, d, s->now_us, (uint32_t)rtt, waited_us, is_open);
    }
}

/* Whether an acknowledgment that came so soon does not answer the repeat: no round trip from here
 * was shorter, nor nearly as short. */
static bool comes_too_soon(const struct health_step *s, const struct health_repeat *repeat)
{
    enum { TRIP_LEAST_US = 1000 };
    const uint32_t trip_us = s->other->min_rtt_us;
    return trip_us >= TRIP_LEAST_US && trip_us != HEALTH_NO_TIME &&
           health_elapsed(s->passed_us, repeat->time_us) < trip_us / 4 * 3;
}

/* The Eifel test (RFC 3522): the acknowledgment of a repeat at the left edge echoes the stamp of
 * the original, or, without stamps, comes too soon. */
static void test_repeats(struct health_step *s, struct health_detail *d, uint32_t before,
                         uint32_t ack)
{
    for (unsigned i = 0; i < HEALTH_REPEATS; i++) {
        const struct health_repeat *repeat = &d->more->repeats[i];
        if (d->repeats_open & 1u << i && health_distance(repeat->start, before) <= 0 &&
            health_distance(repeat->end, before) > 0 && health_distance(repeat->end, ack) <= 0 &&
            (s->options.has_timestamps ? health_distance(s->options.ts_echo, repeat->ts_value) <= 0
                                       : comes_too_soon(s, repeat))) {
            d->repeats_open &= (uint16_t)~(1u << i);
            if (!s->options.has_timestamps ||
                s->options.ts_echo != repeat->ts_value) { /* else it is the one that was needed */
                health_count16(&s->other->spurious);
            }
        }
    }
}

/* Where Karn's rule leaves no sample, time stamps tell which copy was answered (RFC 7323 §4.1): an
 * acknowledgment that moves the left edge echoes the segment that did it, whatever else waited
 * behind. Only a stamp that names one copy counts, and never for a new minimum: who echoes what he
 * likes must not shorten the path. */
static void sample_repeat(struct health_step *s, struct health_detail *d, uint32_t before,
                          uint32_t ack, bool is_open)
{
    const struct health_repeat *named = NULL;
    struct health_half *half = s->other;
    for (unsigned i = 0; i < HEALTH_REPEATS && s->options.has_timestamps; i++) {
        const struct health_repeat *repeat = &d->more->repeats[i];
        bool moves = repeat->end != repeat->start && health_distance(repeat->start, before) <= 0 &&
                     health_distance(repeat->end, before) > 0 &&
                     health_distance(repeat->end, ack) <= 0;
        if (moves && repeat->ts_value == s->options.ts_echo) {
            if (named != NULL) {
                return;
            }
            named = repeat;
        }
    }
    if (named == NULL) {
        return;
    }
    unsigned i = health_segments_find(d, named->start);
    bool is_same = i < d->segment_count && health_segment_at(d, i)->ts_value == named->ts_value &&
                   health_segment_at(d, i)->time_us != named->time_us;
    int32_t rtt = health_distance(s->passed_us, named->time_us);
    bool is_short = half->min_rtt_us != HEALTH_NO_TIME && rtt < (int32_t)half->min_rtt_us;
    if (!is_same && rtt >= 0 && !is_short) {
        health_delay_sample(half, d, s->now_us, (uint32_t)rtt, ack == half->next ? UINT32_MAX : 0,
                            is_open);
    }
}

/* What held the sender up is over. */
static void note_progress(struct health_step *s, struct health_detail *d)
{
    struct health *h = s->health;
    struct health_half *half = s->other;
    uint32_t stalled = health_elapsed(s->now_us, d->progress_us);
    uint16_t mss = s->half->mss;
    if (h->flags & HEALTH_MEASURES && stalled > h->stall_us) {
        h->stall_us = stalled;
    }
    if (d->stuck_count >= EPISODE_REPEATS && stalled > EPISODE_US) {
        h->episode_ds = h->episodes == 0 ? (uint16_t)(stalled / 100000) : h->episode_ds;
        health_count8(&h->episodes);
        uint32_t length = mss > 0 && d->stuck_length > mss ? mss : d->stuck_length;
        if (d->stuck_shrank && length > PMTU_LEAST && length > half->largest_acked) {
            h->flags |= HEALTH_PMTU_RECOVERED;
        }
    }
    d->stuck_count = 0;
    d->duplicate_run = 0;
    d->progress_us = s->now_us;
    d->in_recovery &= health_distance(half->acked, d->recovery) < 0;
    d->in_timeout &= health_distance(half->acked, d->timeout_recovery) < 0;
}

void health_acks_initial(struct health_detail *d, uint32_t ack, uint32_t now_us, uint32_t trip_us)
{
    if (health_distance(ack, d->origin) > 0) {
        d->initial_due_us = now_us + trip_us / 100 * INITIAL_PERCENT;
        d->initial_state = INITIAL_ACKED;
    }
}

static void advance(struct health_step *s, struct health_detail *d, bool is_open)
{
    struct health_half *half = s->other;
    uint32_t before = half->acked;
    uint32_t ack = s->p->ack;
    bool is_ahead = health_distance(ack, half->next) > 0;
    if (is_ahead) {
        d->ahead = ack;
        d->is_ahead = true;
        s->health->flags |= (uint32_t)HEALTH_AHEAD << (1 - s->side);
        ack = half->next;
    }
    if (d->has_repeated) {
        test_repeats(s, d, before, ack);
    }
    struct health_covered covered = health_cover(half, d, ack, s->half->mss);
    uint32_t missed = health_holes_below(d, ack);
    health_count32(&half->not_captured, missed);
    half->acked = ack;
    if (missed == 0 && !is_ahead && covered.clean) {
        sample(s, d, &covered, is_open);
    } else if (!is_ahead && d->has_repeated) {
        sample_repeat(s, d, before, ack, is_open);
    }
    if (ack != before) {
        note_progress(s, d);
    }
    if (d->initial_state == INITIAL_SENDING) {
        health_acks_initial(d, ack, s->now_us, trip_to(s->health, 1 - s->side));
    }
}

/* Until the sender says more, bytes that were acknowledged but never seen may be the capture's loss
 * or a receiver's lie (optimistic ACKs: Savage et al., CCR 1999). The sender goes on behind them in
 * the first case and sends them in the second. */
void health_acks_settle(struct health_step *s)
{
    struct health_half *half = s->half;
    struct health_detail *d = health_step_detail(s, half);
    uint32_t mark = (uint32_t)HEALTH_AHEAD << s->side;
    if (d == NULL || !d->is_ahead) {
        s->health->flags &= ~mark;
        return;
    }
    if (health_distance(s->start, d->ahead) < 0) {
        return;
    }
    health_clock_run(half, d, s->now_us);
    health_count32(&half->not_captured, d->ahead - half->next);
    half->next = half->acked = d->ahead;
    half->flags &= (uint16_t)~HALF_BEYOND;
    d->is_ahead = false;
    s->health->flags &= ~mark;
}

/* ---- Selective ------------------------------------------------------------------------------- */

/* A block that was acknowledged already tells of a duplicate (RFC 2883): it is a retransmission
 * that was not needed if the tap saw one there, else a copy that the network made. */
static bool is_duplicate_block(const struct health_step *s, unsigned i)
{
    const uint32_t(*sack)[2] = s->options.sack;
    return i == 0 && (health_distance(sack[0][1], s->p->ack) <= 0 ||
                      (s->options.sack_count > 1 && health_distance(sack[0][0], sack[1][0]) >= 0 &&
                       health_distance(sack[0][1], sack[1][1]) <= 0));
}

static void match_duplicate(struct health_step *s, struct health_detail *d)
{
    for (unsigned i = 0; i < HEALTH_REPEATS && d->has_repeated; i++) {
        const struct health_repeat *repeat = &d->more->repeats[i];
        if (d->repeats_open & 1u << i && health_distance(repeat->start, s->options.sack[0][1]) < 0 &&
            health_distance(repeat->end, s->options.sack[0][0]) > 0) {
            d->repeats_open &= (uint16_t)~(1u << i);
            health_count16(&s->other->spurious);
            return;
        }
    }
    if (d->has_repeated && d->more->gone > 0 &&
        health_distance(s->options.sack[0][1], d->more->gone_end) <= 0) {
        d->more->gone--; /* of a burst of repeats that was longer than what is remembered */
        health_count16(&s->other->spurious);
    }
}

/* Marks what a block covers; the latest of the segments gives a sample. */
static void mark_block(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end,
                       bool is_open)
{
    struct health_half *half = s->other;
    const struct health_segment *latest = NULL;
    for (unsigned i = health_segments_find(d, start); i < d->segment_count; i++) {
        struct health_segment *segment = health_segment_at(d, i);
        bool is_whole = health_distance(segment->start, start) >= 0 &&
                        health_distance(segment->end, end) <= 0;
        if (health_distance(segment->start, end) >= 0) {
            break;
        }
        if (!is_whole || segment->flags & SEGMENT_SACKED) {
            /* Of several in one record, some have arrived: the rest gives no sample any more. */
            health_segments_mark(d, segment, segment->flags & SEGMENT_MERGED ? SEGMENT_SACKED : 0);
            continue;
        }
        health_segments_mark(d, segment, SEGMENT_SACKED);
        if (!(segment->flags & (SEGMENT_AGAIN | SEGMENT_MERGED))) {
            latest = segment;
        }
    }
    if (latest != NULL && health_distance(s->passed_us, latest->time_us) >= 0) {
        health_delay_sample(half, d, s->now_us, s->passed_us - latest->time_us, 0, is_open);
    }
    if (!d->has_sack || health_distance(end, d->sacked) > 0) {
        d->sacked = end;
        d->has_sack = true;
    }
}

static void read_sack(struct health_step *s, struct health_detail *d, bool is_open)
{
    const struct health_half *half = s->other;
    health_count32(&d->sack_acks, 1);
    for (unsigned i = 0; i < s->options.sack_count; i++) {
        uint32_t start = s->options.sack[i][0];
        uint32_t end = s->options.sack[i][1];
        if (health_distance(end, start) <= 0 || health_distance(end, half->next) > 0) {
            continue; /* of what was never seen: the capture's loss, or a lie */
        }
        if (is_duplicate_block(s, i)) {
            match_duplicate(s, d);
        } else {
            mark_block(s, d, start, end, is_open);
        }
    }
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* The window that this packet advertises; false when the scale is not known. */
static bool window_of(const struct health_step *s, uint32_t *ret)
{
    const struct health_half *receiver = s->half;
    *ret = s->p->window;
    if (s->flags & TCP_SYN) {
        /* Never scaled itself (RFC 7323 §2.2), but those that follow may be. */
        return !(s->truncated || s->health->flags & HEALTH_TRUNCATED);
    }
    *ret <<= receiver->flags & HALF_SCALE ? receiver->window_scale : 0;
    return receiver->flags & HALF_SCALE;
}

/* ---- Together -------------------------------------------------------------------------------- */

/* Acknowledgments of an end that no packet was seen of: asymmetric routing, or not yet. */
static void note_unseen(struct health_step *s)
{
    struct health_half *half = s->other;
    if (!(half->flags & HALF_ACKED)) {
        half->acked = s->p->ack;
        half->flags |= HALF_ACKED;
    } else if (health_distance(s->p->ack, half->acked) > 0) {
        half->acked = s->p->ack;
        half->flags |= HALF_UNSEEN;
    }
}

static bool is_duplicate(const struct health_step *s, const struct health_half *half, uint32_t edge)
{
    return s->length == 0 && !(s->flags & (TCP_SYN | TCP_FIN)) &&
           health_distance(half->next, half->acked) > 0 &&
           (s->options.sack_count > 0 || (half->flags & HALF_EDGE && edge == half->edge));
}

void health_acks(struct health_step *s)
{
    struct health_half *half = s->other;
    if (!(half->flags & HALF_SEEN)) {
        note_unseen(s);
        return;
    }
    uint32_t window;
    bool scaled = window_of(s, &window);
    bool is_open = scaled ? window >= half->largest_acked : window > 0;
    uint32_t edge = s->p->ack + window;
    int32_t moved = health_distance(s->p->ack, half->acked);
    struct health_detail *d = health_step_detail(s, half);
    if (d != NULL) {
        d->peer_spoke |= health_distance(s->now_us, d->stuck_us) > 0;
        bool echoes = s->flags & TCP_ECE && !(s->flags & TCP_SYN) &&
                      half->flags & s->half->flags & HALF_ECN; /* RFC 3168 §6.1.3 */
        health_count32(&d->ece_acks, echoes ? 1 : 0);
    }
    bool widens = scaled && edge != half->edge;
    if (moved == 0 && !widens && s->length > 0 && s->options.sack_count == 0) {
        return; /* data that acknowledge nothing new: nearly all of a bulk transfer */
    }
    if (moved < 0 || moved > HEALTH_JUMP_MAX || !(half->flags & HALF_NEXT) ||
        health_distance(s->p->ack, half->next) > HEALTH_JUMP_MAX) {
        return; /* old, or noise */
    }
    if (d == NULL && health_distance(s->p->ack, half->next) > 0) {
        d = health_detail_take(s->book, s->health, 1u - s->side, s->now_us);
    }
    if (d == NULL) {
        half->acked = s->p->ack;
    } else {
        if (moved > 0) {
            advance(s, d, is_open);
        } else if (is_duplicate(s, half, edge)) {
            health_count32(&d->duplicate_acks, 1);
            d->duplicate_us = d->duplicate_run == 0 ? s->now_us : d->duplicate_us;
            health_count8(&d->duplicate_run);
        }
        if (s->options.sack_count > 0) {
            read_sack(s, d, is_open);
        }
        if (scaled && window > d->max_window) {
            health_clock_window(half, s->half, d, s->now_us, window);
        }
        if (scaled && !(half->flags & HALF_EDGE)) {
            health_clock_run(half, d, s->now_us); /* before, no window was known */
            d->edge_there = edge;
        }
    }
    if (scaled) {
        half->flags |= HALF_EDGE;
        half->edge = edge;
    }
    if (d != NULL && (moved > 0 || widens)) {
        health_clock_ack(half, d, s->now_us, trip_to(s->health, 1u - s->side), edge);
    }
}
