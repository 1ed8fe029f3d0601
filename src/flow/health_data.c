// SPDX-License-Identifier: Apache-2.0
/* Segments with data: new ones, and the holes that they show. */
#include "flow/health_clock.h"
#include "flow/health_segments.h"

enum {
    JUMPS_BELIEVED = 3,
    INITIAL_LATE_US = 5000,
};

/* ---- Holes ---------------------------------------------------------------------------------- */

unsigned health_holes_find(const struct health_detail *d, uint32_t sequence)
{
    unsigned low = 0;
    unsigned high = d->hole_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (health_distance(d->more->holes[middle].end, sequence) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t health_holes_below(struct health_detail *d, uint32_t sequence)
{
    if (d->hole_count == 0) {
        return 0;
    }
    uint32_t bytes = 0;
    unsigned gone = health_holes_find(d, sequence);
    for (unsigned i = 0; i < gone; i++) {
        bytes += d->more->holes[i].end - d->more->holes[i].start;
    }
    memmove(&d->more->holes[0], &d->more->holes[gone], (d->hole_count - gone) * sizeof d->more->holes[0]);
    d->hole_count = (uint8_t)(d->hole_count - gone);
    if (d->hole_count > 0 && health_distance(sequence, d->more->holes[0].start) > 0) {
        bytes += sequence - d->more->holes[0].start;
        d->more->holes[0].start = sequence;
    }
    uint32_t passed = bytes < d->passed ? bytes : d->passed;
    d->passed = d->hole_count > 0 ? d->passed - passed : 0;
    return bytes - passed;
}

static void open_hole(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end)
{
    if (d->hole_count == HEALTH_HOLES) {
        d->passed += start - d->more->holes[HEALTH_HOLES - 1].end;
        d->more->holes[HEALTH_HOLES - 1].end = end;
        return;
    }
    if (d->more == NULL) {
        health_detail_grow(d);
    }
    d->passed = d->hole_count > 0 ? d->passed : 0;
    uint32_t order = s->now_us >> HOLE_TIME_SHIFT << HOLE_ID_BITS | (s->ip_id & HOLE_ID_MASK);
    order = s->options.has_timestamps ? s->options.ts_value : order;
    d->more->holes[d->hole_count++] = (struct health_hole){start, end, order};
}

/* ---- New data ------------------------------------------------------------------------------- */

void health_data_begin(struct health_half *half, uint32_t start)
{
    half->next = start;
    half->flags |= HALF_NEXT;
    if (!(half->flags & HALF_ACKED)) {
        half->acked = start;
        half->flags |= HALF_ACKED;
    } else if (health_distance(half->acked, start) > 0) {
        half->next = half->acked; /* what was acknowledged before is not ours to judge */
    }
}

/* The bytes that a sender had out before it heard of the first of them: its initial window
 * (RFC 6928), if more followed. */
void health_data_initial(const struct health_half *half, struct health_detail *d, uint32_t now_us)
{
    int32_t late = health_distance(now_us, d->initial_due_us);
    if (d->initial_state == INITIAL_ACKED && late > INITIAL_LATE_US + (int32_t)d->smooth_us / 2) {
        d->initial_state = INITIAL_VOID; /* it had no more to send: the window was not full */
    } else if (d->initial_state == INITIAL_ACKED && late >= 0) {
        d->initial_window = half->next - d->origin;
        d->initial_state = INITIAL_KNOWN;
    }
}

/* Nine of ten identifications grow by little, or they tell nothing; but for those that were
 * overtaken. */
static void follow_ip_id(struct health_detail *d, uint32_t ip_id)
{
    enum { OVERTAKEN_BY = 64 };
    uint16_t step = (uint16_t)(ip_id - d->ip_id_last);
    if (step > UINT16_MAX - OVERTAKEN_BY && d->ip_id_count > 0) {
        return;
    }
    if (d->ip_id_count == 100) {
        d->ip_id_count = 50;
        d->ip_id_good /= 2;
    }
    d->ip_id_good = (uint8_t)(d->ip_id_good + (step >= 1 && step <= 8));
    d->ip_id_count++;
    d->ip_id_last = (uint16_t)ip_id;
}

/* Whether a burst of one segment says all that there was to say, since that is not full. */
static bool was_all(struct health_detail *d, uint32_t largest)
{
    if (d->segment_count == 0) {
        return false;
    }
    const struct health_segment *last = health_segment_at(d, d->segment_count - 1u);
    return last->end - last->start < largest;
}

/* A sender that pauses and goes on does so because it heard an acknowledgment, unless it had no more
 * to say. If its next burst comes a round trip (tap, sender) after the last burst began to be
 * acknowledged, no queue stands in between at that time. A span of 100 ms or two round trips is
 * seen if there is one such burst in it: of CoDel's minimum over an interval, that is a sample. Full
 * segments one by one are no bursts: a slow line brings them so. */
static void follow_bursts(struct health_detail *d, uint32_t trip_us, uint32_t largest,
                          uint32_t now_us)
{
    if (d->span_us == 0) {
        d->span_us = now_us | 1;
        d->burst_us = now_us;
        return;
    }
    const uint32_t span_us = 2 * trip_us > HEALTH_INTERVAL_US ? 2 * trip_us : HEALTH_INTERVAL_US;
    if (now_us - d->span_us >= span_us) {
        health_count16(&d->spans);
        d->spans_seen = (uint16_t)(d->spans_seen + (d->span_seen && d->spans_seen < d->spans));
        d->span_seen = false;
        d->span_us = now_us | 1;
    }
    if (now_us - d->data_us < trip_us / 2) {
        if (!d->burst_acked && health_distance(d->progress_us, d->burst_us) > 0) {
            d->burst_ack_us = d->progress_us;
            d->burst_acked = true;
        }
        d->burst_thick = true;
        return;
    }
    const uint32_t since_us = d->burst_acked ? d->burst_ack_us : d->progress_us;
    const uint32_t lag_us = now_us - since_us;
    if (health_distance(since_us, d->burst_us) > 0 && lag_us >= trip_us - trip_us / 8 &&
        (d->burst_thick || was_all(d, largest))) {
        d->span_seen |= lag_us < trip_us + HEALTH_STANDING_US;
    }
    d->burst_us = now_us;
    d->burst_acked = d->burst_thick = false;
}

void health_data_unstamped(const struct health *h, struct health_detail *d, uint32_t ip_id,
                           uint32_t now_us)
{
    const uint32_t trip_us = h->halves[1 - d->side].min_rtt_us;
    follow_ip_id(d, ip_id);
    if (trip_us < HEALTH_SECOND_US * 4) {
        follow_bursts(d, trip_us, h->halves[d->side].largest_acked, now_us);
    }
}

/* Sequence numbers that jump out of all proportion are believed when they stay. */
static bool is_absurd(struct health_step *s, struct health_half *half, struct health_detail *d)
{
    int32_t jump = health_distance(s->start, half->next);
    if (jump < HEALTH_JUMP_MAX && jump > -HEALTH_JUMP_MAX) {
        d->jumps = 0;
        return false;
    }
    s->health->flags |= HEALTH_JUMPED;
    if (!(half->flags & HALF_SYN) && !(s->other->flags & HALF_SEEN)) {
        health_detail_waive(s); /* neither a handshake nor a peer: noise */
        return true;
    }
    if (++d->jumps < JUMPS_BELIEVED) {
        return true;
    }
    d->jumps = 0;
    d->hole_count = d->segment_count = d->segment_acked = d->ack_count = 0;
    d->has_sack = d->is_ahead = false;
    half->next = half->acked = d->acked_there = d->origin = s->start;
    d->is_joined = false;
    half->flags &= (uint16_t)~HALF_CLEAN;
    return false;
}

/* Bytes above all that was seen, from `start` on. */
static void take_new(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end)
{
    struct health_half *half = s->half;
    const bool is_late = s->now_us == s->health->last_us && start == half->next;
    if (d->is_ahead && health_distance(start, d->ahead) < 0 && !is_late) {
        /* It sends now what was acknowledged before: the acknowledgment was a guess. */
        d->is_ahead = false;
        s->health->flags |= HEALTH_OPTIMISTIC;
    }
    if (half->next == half->acked) {
        d->progress_us = s->now_us;
    }
    health_data_initial(half, d, s->now_us);
    if (start != half->next) {
        open_hole(s, d, half->next, start);
    }
    health_segments_add(s, d, start, end);
    health_add_unique(half, (int32_t)(end - start));
    half->next = end;
    half->flags &= (uint16_t)~HALF_BEYOND;
    d->stale_count = 0;
}

static uint32_t round_of(const struct health *h, const struct health_detail *d)
{
    uint32_t round = d->smooth_us > 0 ? d->smooth_us : health_trip_us(&h->halves[d->side]);
    round += health_trip_us(&h->halves[1 - d->side]);
    return round > HEALTH_ROUND_MIN_US ? round : HEALTH_ROUND_MIN_US;
}

void health_data_round(const struct health *h, struct health_detail *d, uint32_t now_us)
{
    health_clock_flight(d, now_us, round_of(h, d));
}

/* What new data do once they are recorded. */
static void go_on(struct health_step *s, struct health_detail *d, uint32_t end)
{
    struct health_half *half = s->half;
    health_talk(s->health, s->side, s->p, s->now_us);
    int32_t flight = health_distance(end, d->acked_there);
    if (flight > 0 && (uint32_t)flight > d->epoch_flight) {
        d->epoch_flight = (uint32_t)flight;
    }
    if (s->now_us - d->epoch_us >= HEALTH_ROUND_MIN_US) {
        health_data_round(s->health, d, s->now_us);
    }
    d->window_full += half->flags & HALF_EDGE && end == half->edge;
}

/* These data passed before the acknowledgment that ran ahead of them, and only stand behind it in
 * the capture: they are acknowledged, and no round trip is measured. */
static void catch_up(struct health_step *s, struct health_detail *d)
{
    struct health_half *half = s->half;
    d->is_ahead = health_distance(d->ahead, half->next) > 0;
    half->acked = d->is_ahead ? half->next : d->ahead;
    health_cover(half, d, half->acked, s->other->mss);
    d->progress_us = s->now_us;
    health_clock_ack(half, d, s->now_us, health_trip_us(s->other), half->edge);
}

/* Only what needs no room. */
static void count_data(struct health_step *s)
{
    struct health_half *half = s->half;
    uint32_t end = s->start + s->length;
    if (health_distance(end, half->next) > 0) {
        uint32_t is_new = end - half->next;
        health_add_unique(half, (int32_t)(is_new < s->length ? is_new : s->length));
        half->next = end;
        health_talk(s->health, s->side, s->p, s->now_us);
    }
}

void health_data(struct health_step *s)
{
    struct health_half *half = s->half;
    struct health_detail *d = health_detail_take(s->book, s->health, s->side, s->now_us);
    uint32_t end = s->start + s->length;
    if (d == NULL) {
        count_data(s);
        return;
    }
    health_clock_run(half, d, s->now_us);
    if (is_absurd(s, half, d)) {
        return;
    }
    if (!s->options.has_timestamps) {
        health_data_unstamped(s->health, d, s->ip_id, s->now_us);
    }
    bool is_new = health_distance(end, half->next) > 0;
    bool is_next = health_distance(s->start, half->next) >= 0;
    if (!is_next) {
        health_repeat(s, d);
    } else {
        health_clock_data(d, s->now_us,
                          health_segments_held_up(s->health, half, d, s->ip_id, s->now_us));
    }
    if (is_new) {
        take_new(s, d, is_next ? s->start : half->next, end);
        go_on(s, d, end);
        if (d->is_ahead) {
            catch_up(s, d);
        }
    }
    if (s->passed_us != s->now_us || !is_next) {
        health_segments_mark_to(d, half->next); /* the newest record's time is not data_us */
    }
    d->ce_pkts += (s->p->tos & 3) == 3;
    d->data_us = s->now_us;
}
