// SPDX-License-Identifier: Apache-2.0
/* Segments with data: new ones, and the holes that they show. */
#include "flow/health_state.h"

enum {
    JUMP_MAX = 1 << 28, /* no window is larger than 2^30, and no hole grows to a quarter of that */
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
        if (health_distance(d->holes[middle].end, sequence) <= 0) {
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
        bytes += d->holes[i].end - d->holes[i].start;
    }
    memmove(&d->holes[0], &d->holes[gone], (d->hole_count - gone) * sizeof d->holes[0]);
    d->hole_count = (uint8_t)(d->hole_count - gone);
    if (d->hole_count > 0 && health_distance(sequence, d->holes[0].start) > 0) {
        bytes += sequence - d->holes[0].start;
        d->holes[0].start = sequence;
    }
    return bytes;
}

static void open_hole(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end)
{
    if (d->hole_count == HEALTH_HOLES) {
        /* Taken for filled: most will be, and a capture must not be blamed without cause. */
        s->half->unique_bytes += end - start;
        d->clipped = true;
        return;
    }
    d->holes[d->hole_count++] = (struct health_hole){
        .start = start,
        .end = end,
        .time_us = s->now_us,
        .ts_value = s->options.ts_value,
        .ip_id = s->ip_id,
    };
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
static void note_initial(const struct health_half *half, struct health_detail *d, uint32_t now_us)
{
    int32_t late = health_distance(now_us, d->initial_due_us);
    if (d->initial_state == INITIAL_ACKED && late > INITIAL_LATE_US + (int32_t)d->smooth_us / 2) {
        d->initial_state = INITIAL_VOID; /* it had no more to send: the window was not full */
    } else if (d->initial_state == INITIAL_ACKED && late >= 0) {
        d->initial_window = half->next - d->origin;
        d->initial_state = INITIAL_KNOWN;
    }
}

/* Follows IP identifications, which order packets where there are no time stamps: true while nine
 * of ten grow by little. */
static void note_ip_id(struct health_step *s, struct health_detail *d)
{
    uint16_t step = (uint16_t)(s->ip_id - d->ip_id_last);
    if (d->ip_id_count == 100) {
        d->ip_id_count = 50;
        d->ip_id_good /= 2;
    }
    d->ip_id_good = (uint8_t)(d->ip_id_good + (step >= 1 && step <= 8));
    d->ip_id_count++;
    d->ip_id_last = s->ip_id;
}

/* Sequence numbers that jump out of all proportion are believed when they stay. */
static bool is_absurd(struct health_step *s, struct health_half *half, struct health_detail *d)
{
    int32_t jump = health_distance(s->start, half->next);
    if (jump < JUMP_MAX && jump > -JUMP_MAX) {
        d->jumps = 0;
        return false;
    }
    s->health->flags |= HEALTH_JUMPED;
    if (++d->jumps < JUMPS_BELIEVED) {
        return true;
    }
    d->jumps = 0;
    d->hole_count = d->segment_count = d->segment_acked = d->ack_count = 0;
    d->has_sack = d->is_ahead = false;
    half->next = half->acked = d->acked_there = s->start;
    half->flags &= (uint16_t)~HALF_CLEAN;
    return false;
}

/* Bytes above all that was seen, from `start` on. */
static void take_new(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end)
{
    struct health_half *half = s->half;
    if (d->is_ahead && health_distance(start, d->ahead) < 0) {
        /* It sends now what was acknowledged before: the acknowledgment was a guess. */
        d->is_ahead = false;
        s->health->flags |= HEALTH_OPTIMISTIC;
    }
    if (half->next == half->acked) {
        d->progress_us = s->now_us;
    }
    note_initial(half, d, s->now_us);
    if (start != half->next) {
        open_hole(s, d, half->next, start);
    }
    health_segments_add(s, d, start, end);
    half->unique_bytes += end - start;
    half->next = end;
    d->stale_count = 0;
}

static uint32_t round_of(const struct health *h, const struct health_detail *d)
{
    uint32_t there = h->halves[d->side].min_rtt_us;
    uint32_t here = h->halves[1 - d->side].min_rtt_us;
    uint32_t round = d->smooth_us > 0 ? d->smooth_us : there == HEALTH_NO_TIME ? 0 : there;
    round += here == HEALTH_NO_TIME ? 0 : here;
    return round > 10000 ? round : 10000;
}

void health_data(struct health_step *s)
{
    struct health_half *half = s->half;
    struct health_detail *d = health_detail_take(s, s->side);
    uint32_t end = s->start + s->length;
    if (d == NULL) { /* no room: only what needs none */
        if (health_distance(end, half->next) > 0) {
            half->unique_bytes += end - half->next < s->length ? end - half->next : s->length;
            half->next = end;
            health_talk(s);
        }
        return;
    }
    if (is_absurd(s, half, d)) {
        return;
    }
    health_clock_run(half, d, s->now_us);
    if (!s->options.has_timestamps) {
        note_ip_id(s, d);
    }
    bool is_new = health_distance(end, half->next) > 0;
    if (health_distance(s->start, half->next) < 0) {
        health_repeat(s, d);
    } else {
        health_clock_data(d, s->now_us, false);
    }
    if (is_new) {
        take_new(s, d, health_distance(s->start, half->next) < 0 ? half->next : s->start, end);
        health_talk(s);
        health_clock_flight(half, d, s->now_us, round_of(s->health, d));
        d->window_full += half->flags & HALF_EDGE && end == half->edge;
    }
    d->ce_pkts += (s->p->tos & 3) == 3;
    d->data_us = d->last_us = s->now_us;
}
