// SPDX-License-Identifier: Apache-2.0
/* Data below the highest sequence number that are no copy of a frame: a keep-alive, an original that was
 * overtaken, or a retransmission; and what made the sender repeat it. */
#include "flow/health_clock.h"
#include "flow/health_segments.h"
#include "flow/health_shift.h"

enum {
    TIMEOUT_MIN_US = 200000, /* Linux; RFC 6298 §2.4 says 1 s, which nobody keeps to */
    IP_ID_WINDOW = 1 << 14,
    REORDERED_PERCENT = 80,  /* of a round trip: a retransmission takes a whole one */
};

/* What a segment below the highest sequence number is. */
enum nature { NATURE_REORDERED, NATURE_AGAIN, NATURE_FILLS };

static uint32_t trip_of(const struct health *h, unsigned side)
{
    uint32_t trip = h->halves[side].min_rtt_us;
    return trip == HEALTH_NO_TIME ? 0 : trip;
}

/* ---- Original or not ------------------------------------------------------------------------ */

/* Whether the segment left its sender before the one that had this stamp and identification. */
static bool is_older(const struct health_step *s, const struct health_detail *d, uint32_t ts_value,
                     uint16_t ip_id)
{
    if (s->options.has_timestamps) {
        return health_distance(s->options.ts_value, ts_value) < 0;
    }
    if (health_ids_tell(d, s->ip_id)) {
        uint16_t behind = (uint16_t)(ip_id - s->ip_id);
        return behind > 0 && behind < IP_ID_WINDOW;
    }
    return false;
}

/* How long ago a hole showed, of segments without time stamps; up to a minute. */
static uint32_t lag_of(const struct health_step *s, const struct health_hole *hole)
{
    uint32_t units = (s->now_us >> HOLE_TIME_SHIFT) - (hole->order >> HOLE_ID_BITS);
    return (units & (UINT32_MAX >> HOLE_ID_BITS)) << HOLE_TIME_SHIFT;
}

static bool is_prompt(const struct health_step *s, uint32_t lag_us)
{
    return (uint64_t)lag_us * 100 < (uint64_t)health_round_us(s->health) * REORDERED_PERCENT;
}

/* The same of equal stamps. A round trip that is no longer than a tick brings a retransmission with
 * the same one: identifications, or else the time, tell it from an original that was overtaken. */
static bool is_older_in_tick(const struct health_step *s, struct health_detail *d,
                             const struct health_hole *hole)
{
    enum { NEAR = 64 };
    const unsigned at = health_segments_find(d, hole->end);
    const bool is_coarse =
        d->tick_us == 0 || d->tick_us == HEALTH_NO_TIME || health_round_us(s->health) <= d->tick_us;
    if (!is_coarse || at == d->segment_count || health_segment_at(d, at)->flags & SEGMENT_MERGED) {
        return true;
    }
    const struct health_segment *shown_by = health_segment_at(d, at);
    const uint16_t behind = (uint16_t)(shown_by->ip_id - s->ip_id);
    if (s->ip_id != 0 && (behind <= NEAR || behind > UINT16_MAX - IP_ID_WINDOW)) {
        return behind <= NEAR;
    }
    return is_prompt(s, s->now_us - shown_by->time_us);
}

/* Whether it left before the one that showed the hole. */
static bool is_older_than_hole(const struct health_step *s, struct health_detail *d,
                               const struct health_hole *hole)
{
    if (s->options.has_timestamps) {
        const int32_t later = health_distance(s->options.ts_value, hole->order);
        return later < 0 || (later == 0 && is_older_in_tick(s, d, hole));
    }
    if (health_ids_tell(d, s->ip_id)) {
        uint32_t behind = (hole->order - s->ip_id) & HOLE_ID_MASK;
        return behind > 0 && behind < HOLE_ID_MASK / 2;
    }
    return is_prompt(s, lag_of(s, hole));
}

/* The first hole that the segment touches; hole_count: none. */
static unsigned find_hole(const struct health_step *s, const struct health_detail *d)
{
    unsigned i = health_holes_find(d, s->start);
    bool touches = i < d->hole_count &&
                   health_distance(s->start + s->length, d->more->holes[i].start) > 0;
    return touches ? i : d->hole_count;
}

/* Whether a retransmission of the segment that passed before is younger. It was for nothing, then. */
static bool was_overtaken(const struct health_step *s, struct health_detail *d)
{
    bool may_tell = d->has_repeated && s->options.has_timestamps;
    for (unsigned i = 0; i < HEALTH_REPEATS && may_tell; i++) {
        struct health_repeat *repeat = &d->more->repeats[i];
        if (repeat->start == s->start && repeat->end != s->start &&
            health_distance(s->options.ts_value, repeat->ts_value) < 0) {
            d->repeats_open &= (uint16_t)~(1u << i);
            repeat->end = repeat->start; /* it is told */
            health_count16(&s->half->spurious);
            return true;
        }
    }
    return false;
}

static enum nature judge(const struct health_step *s, struct health_detail *d, unsigned hole)
{
    if (hole < d->hole_count) {
        return is_older_than_hole(s, d, &d->more->holes[hole]) ? NATURE_REORDERED : NATURE_FILLS;
    }
    unsigned i = health_segments_find(d, s->start);
    if (was_overtaken(s, d)) {
        return NATURE_REORDERED;
    }
    if (i == d->segment_count || health_segment_at(d, i)->flags & SEGMENT_MERGED ||
        health_distance(health_segment_at(d, i)->start, s->start) > 0) {
        return NATURE_AGAIN; /* its record is no more */
    }
    const struct health_segment *first = health_segment_at(d, i);
    return is_older(s, d, first->ts_value, first->ip_id) ? NATURE_REORDERED : NATURE_AGAIN;
}

/* ---- Filling -------------------------------------------------------------------------------- */

/* Takes what the segment covers of hole `i` out of it; returns how many bytes. */
static uint32_t fill(struct health_step *s, struct health_detail *d, unsigned i)
{
    struct health_hole *hole = &d->more->holes[i];
    uint32_t end = s->start + s->length;
    uint32_t from = health_distance(s->start, hole->start) > 0 ? s->start : hole->start;
    uint32_t to = health_distance(end, hole->end) < 0 ? end : hole->end;
    if (from == hole->start && to == hole->end) {
        memmove(hole, hole + 1, (d->hole_count - i - 1u) * sizeof *hole);
        d->hole_count--;
    } else if (from == hole->start) {
        hole->start = to;
    } else if (to == hole->end) {
        hole->end = from;
    } else if (d->hole_count == HEALTH_HOLES) {
        d->passed += to - from;
    } else {
        memmove(hole + 2, hole + 1, (d->hole_count - i - 1u) * sizeof *hole);
        hole[1] = *hole;
        hole[1].start = to;
        hole->end = from;
        d->hole_count++;
    }
    return to - from;
}

/* Fills all holes that the segment touches. */
static void fill_all(struct health_step *s, struct health_detail *d)
{
    struct health_half *half = s->half;
    uint32_t filled = 0;
    for (unsigned tries = 0; tries <= HEALTH_HOLES; tries++) {
        unsigned i = find_hole(s, d);
        if (i == d->hole_count) {
            break;
        }
        filled += fill(s, d, i);
    }
    health_add_unique(half, (int32_t)filled);
    uint32_t end = s->start + s->length;
    uint32_t bound = health_distance(end, half->next) > 0 ? half->next : end;
    if (filled == bound - s->start) {
        health_segments_add(s, d, s->start, bound);
    }
    /* What lies behind waited at the receiver for this one, unless it was SACKed. */
    unsigned i = health_segments_find(d, bound);
    if (i < d->segment_count) {
        health_segments_mark(d, health_segment_at(d, i), SEGMENT_FILLED);
    }
}

/* ---- Why the sender repeated it ------------------------------------------------------------- */

static void find_cause(struct health_step *s, struct health_detail *d, bool first_repeat)
{
    struct health_half *half = s->half;
    uint32_t end = s->start + s->length;
    uint32_t gap = health_elapsed(s->now_us, d->data_us);
    uint32_t smooth = d->smooth_us + trip_of(s->health, 1u - s->side);
    uint32_t timeout = smooth + 4 * d->variation_us;
    timeout = timeout > TIMEOUT_MIN_US ? timeout : TIMEOUT_MIN_US;
    bool is_tail = health_distance(end, half->next) >= 0;
    bool is_lowest = health_distance(s->start, half->acked) <= 0;
    bool sack_above = d->has_sack && health_distance(d->sacked, end) > 0;
    bool may_probe = (half->flags & HALF_SACK) && is_tail && first_repeat;
    /* The timer begins anew with each acknowledgment that gets on (RFC 6298 §5.3). */
    uint32_t waited = health_elapsed(s->now_us, d->progress_us);
    uint32_t trip = trip_of(s->health, 1u - s->side);
    bool is_late = gap >= timeout / 10 * 8 && waited >= timeout / 10 * 8 + trip;
    if (is_lowest && is_late && !sack_above &&
        !(may_probe && gap < timeout + timeout / 2)) {
        health_count8(&half->timeouts);
        d->in_timeout = true;
        d->timeout_recovery = half->next;
    } else if (d->in_timeout && !sack_above &&
               health_distance(s->start, d->timeout_recovery) < 0) {
        return;
    } else if (sack_above || d->duplicate_run >= 3) {
        if (!d->in_recovery || health_distance(s->start, d->recovery) >= 0) {
            health_count8(&half->fast);
            d->in_recovery = true;
            d->recovery = half->next;
        }
    } else if (may_probe && gap >= smooth + smooth / 2) {
        health_count8(&half->probes);
    }
}

/* ---- Black holes ----------------------------------------------------------------------------- */

/* Notes that the lowest segment that the receiver lacks, or one that it had, is sent once more. */
static void note_stuck(struct health_step *s, struct health_detail *d)
{
    struct health_half *half = s->half;
    uint32_t end = s->start + s->length;
    if (half->flags & HALF_EDGE && health_distance(end, half->edge) > 0) {
        health_count8(&s->health->probes); /* of a closed window */
        return;
    }
    if (health_distance(end, half->acked) <= 0) {
        if (d->stale_count == 0 || d->stale != s->start) {
            d->stale = s->start;
            d->stale_us = d->data_us;
            d->stale_count = 0;
        }
        health_count8(&d->stale_count);
        return;
    }
    if (health_distance(s->start, half->acked) > 0) {
        return;
    }
    if (d->stuck_count == 0 || d->stuck != half->acked) {
        unsigned i = health_segments_find(d, s->start);
        uint32_t length = s->length;
        if (i < d->segment_count && !(health_segment_at(d, i)->flags & SEGMENT_MERGED)) {
            uint32_t first = health_segment_at(d, i)->end - health_segment_at(d, i)->start;
            length = first > length ? first : length;
        }
        d->stuck = half->acked;
        d->stuck_us = s->now_us;
        d->peer_spoke = false;
        d->stuck_count = 0;
        d->stuck_length = length;
        d->stuck_shrank = false;
    }
    uint16_t mss = s->other->mss;
    uint32_t whole = mss > 0 && d->stuck_length > mss ? mss : d->stuck_length;
    d->stuck_shrank |= d->stuck_count >= 2 && s->length + 16 < whole;
    health_count8(&d->stuck_count);
}

/* In a ring; of those that it has no place for any more it is known up to where they lay. */
static void remember_repeat(struct health_step *s, struct health_detail *d)
{
    struct health_more *more = d->more;
    struct health_repeat *repeat = &more->repeats[d->repeat_next];
    uint16_t bit = (uint16_t)(1u << d->repeat_next);
    if (d->repeats_open & bit) {
        bool is_higher = more->gone == 0 || health_distance(repeat->end, more->gone_end) > 0;
        more->gone_end = is_higher ? repeat->end : more->gone_end;
        health_count32(&more->gone, 1);
    }
    *repeat = (struct health_repeat){s->start, s->start + s->length, s->options.ts_value, s->now_us};
    if (health_distance(repeat->end, more->repeated_end) > 0) {
        more->repeated_end = repeat->end;
    }
    d->repeats_open |= bit;
    d->repeat_next = (uint8_t)((d->repeat_next + 1) % HEALTH_REPEATS);
}

/* The latest repeat was for nothing, which needs no further proof. */
static void forgive_repeat(struct health_step *s, struct health_detail *d)
{
    unsigned latest = (d->repeat_next + HEALTH_REPEATS - 1u) % HEALTH_REPEATS;
    d->repeats_open &= (uint16_t)~(1u << latest);
    health_count16(&s->half->spurious);
}

static void note_again(struct health_step *s, struct health_detail *d, bool fills)
{
    uint32_t end = s->start + s->length;
    bool first_repeat = true;
    /* The ring is walked from the segment on; a repeat covers few records. */
    for (unsigned i = health_segments_find(d, s->start); i < d->segment_count; i++) {
        struct health_segment *segment = health_segment_at(d, i);
        if (health_distance(segment->start, end) >= 0) {
            break;
        }
        first_repeat &= !(segment->flags & SEGMENT_AGAIN);
        health_segments_mark(d, segment, SEGMENT_AGAIN);
        segment->stamp = health_stamp(s->options.ts_value, s->ip_id);
    }
    if (fills) {
        /* The record that filling made is of a segment that was sent before. */
        unsigned i = health_segments_find(d, s->start);
        if (i < d->segment_count) {
            struct health_segment *segment = health_segment_at(d, i);
            segment->stamp = health_segment_stamp(segment);
            health_segments_mark(d, segment, SEGMENT_AGAIN);
        }
    }
    if (d->more == NULL) {
        health_detail_grow(d);
    }
    if (!d->has_repeated) {
        memset(d->more->repeats, 0, sizeof d->more->repeats);
        d->more->gone = 0;
        d->more->repeated_end = s->start;
        d->repeats_open = 0;
        d->has_repeated = true;
    }
    remember_repeat(s, d);
    find_cause(s, d, first_repeat);
    note_stuck(s, d);
}

/* A receiver tells of a hole at once, and the sender repeats what it lacks: the path there and back,
 * and whatever queues are in it, took no longer than that: of a hole before the tap since it showed,
 * of one behind since the first duplicate acknowledgment. Where no time stamps show the queue
 * between sender and tap, this bounds it. Without SACK the sender hears of a hole only when the one
 * below is filled. */
static void bound_queue(struct health_step *s, struct health_detail *d, unsigned hole)
{
    if (s->options.has_timestamps) {
        return;
    }
    uint32_t since_us = d->duplicate_us;
    if (hole < d->hole_count) {
        since_us = s->now_us - lag_of(s, &d->more->holes[hole]);
        if (!(s->half->flags & HALF_SACK) && health_distance(d->fill_us, since_us) > 0 &&
            hole == 0) {
            since_us = d->fill_us;
        }
        d->fill_us = s->now_us;
    } else if (d->duplicate_run == 0 || s->start != s->half->acked) {
        return;
    }
    uint32_t lag_us = s->now_us - since_us;
    bool is_prompt = lag_us < trip_of(s->health, 1u - s->side) + HEALTH_STANDING_US;
    health_count16(is_prompt ? &d->prompt_fills : &d->slow_fills);
}

/* ---- Together -------------------------------------------------------------------------------- */

/* RFC 9293 §3.8.4: a byte below the next, with nothing outstanding, that was sent with others or after a
 * silence: else it is the repeat of a sender whose last byte was acknowledged only behind the tap. A
 * detail that has seen no data is younger than the silence. */
static bool is_keepalive(const struct health_step *s, struct health_detail *d)
{
    const struct health_half *half = s->half;
    if (s->length != 1 || s->start != half->next - 1 || half->acked != half->next) {
        return false;
    }
    const unsigned at = health_segments_find(d, s->start);
    if (at < d->segment_count &&
        health_segment_at(d, at)->end - health_segment_at(d, at)->start > 1) {
        return true;
    }
    const uint32_t since_us = d->began ? d->data_us : s->health->last_us;
    const uint32_t silence = health_elapsed(s->now_us, since_us);
    return silence >= HEALTH_SECOND_US && silence / 4 >= d->smooth_us;
}

/* A closed window is probed with its first byte, again and again (RFC 9293 §3.8.6.1), and with what
 * follows that when it opens. */
static bool is_window_probe(const struct health_step *s)
{
    const struct health_half *half = s->half;
    const bool is_first = half->next - s->start == 1 && s->start == half->acked;
    return is_first && (s->length == 1 ? health_window_is_closed(half) : s->health->probes > 0);
}

static bool take_probe(struct health_step *s, struct health_detail *d)
{
    const bool is_alive = is_keepalive(s, d);
    if (is_alive && !health_window_is_closed(s->half)) {
        health_count16(&s->half->keepalives);
    } else if (is_alive || (is_window_probe(s) && s->length == 1)) {
        health_count8(&s->health->probes);
    } else {
        return is_window_probe(s);
    }
    return true;
}

/* The client says once more what the server did not take with its SYN (RFC 7413 §4.1.2). */
static void ask_again(struct health_step *s)
{
    const struct health *h = s->health;
    const bool was_heard = h->flags & HEALTH_CLIENT_SPOKE || h->turns > 0;
    if (s->side == 0 && !was_heard && s->other->data_packets == 0) {
        health_talk(s->health, s->side, s->p, s->now_us);
    }
}

/* What left its sender before the capture began, and came after: it passes for the first time, too.
 * What becomes of the bytes between is not known. */
static void take_from_before(struct health_step *s, struct health_detail *d)
{
    uint32_t end = s->start + s->length;
    bool is_next = health_distance(end, d->origin) >= 0;
    health_add_unique(s->half, (int32_t)(is_next ? d->origin - s->start : s->length));
    d->origin = is_next ? s->start : d->origin;
}

void health_repeat(struct health_step *s, struct health_detail *d)
{
    struct health_half *half = s->half;
    if (take_probe(s, d)) {
        return;
    }
    if (d->is_joined && health_distance(s->start, d->origin) < 0) {
        take_from_before(s, d);
    }
    unsigned hole = find_hole(s, d);
    enum nature nature = judge(s, d, hole);
    health_clock_data(d, s->now_us, nature != NATURE_REORDERED);
    if (nature != NATURE_REORDERED) {
        bound_queue(s, d, hole);
    }
    if (hole < d->hole_count) {
        fill_all(s, d);
    }
    switch (nature) {
    case NATURE_REORDERED:
        /* What passed first by its time, or at the same, and only stands later in the capture, was not
         * overtaken. */
        health_count32(&half->reordered, health_distance(s->passed_us, d->data_us) > 0);
        return;
    case NATURE_FILLS:
        health_count32(&half->retrans_hole, 1);
        break;
    case NATURE_AGAIN:
        health_count32(&half->retrans_seen, 1);
        break;
    }
    ask_again(s);
    note_again(s, d, nature == NATURE_FILLS);
    if (nature == NATURE_AGAIN && health_distance(s->start + s->length, half->acked) <= 0) {
        forgive_repeat(s, d); /* its receiver had said that it has all of it */
    }
}
