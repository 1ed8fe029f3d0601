// SPDX-License-Identifier: Apache-2.0
/* Copies of frames: mirrored ports and routers on the way may give a frame twice. A retransmission
 * has another IP identification or time stamp; where there is neither, only closeness tells. */
#include "flow/health_clock.h"
#include "flow/health_segments.h"
#include "flow/health_shift.h"

enum {
    COPY_US = 500, /* without IP identification, only so close together */
    COPY_IDENTIFIED_US = 1000000,
    COPY_SYN_US = 100000, /* no host asks again so soon (RFC 6298 §2.1) */
};

/* Whether a segment is what was recorded, sent once; of merged ones the first. */
static bool is_same(const struct health_step *s, const struct health_segment *segment)
{
    return segment->start == s->start &&
           health_segment_stamp(segment) == health_stamp(s->options.ts_value, s->ip_id) &&
           (segment->flags & SEGMENT_MERGED || segment->end - segment->start == s->length);
}

/* Within which time, in us, what looks the same and has no IP identification is the same. */
static uint32_t closeness_of(const struct health_step *s)
{
    const uint32_t quarter_us = health_round_us(s->health) / 4;
    return quarter_us > COPY_US ? quarter_us : COPY_US;
}

/* ---- Frames by their prints ------------------------------------------------------------------ */

/* Where time stamps and SACK are in use, an acknowledgment that says nothing new is no other's
 * twin: another duplicate has other blocks, or another time. */
static bool has_no_twin(const struct health_step *s)
{
    return s->options.has_timestamps && s->half->flags & s->other->flags & HALF_SACK;
}

static bool is_remembered(const struct health_step *s, const struct health_detail *d, bool any)
{
    const struct health *h = s->health;
    bool recent = !(h->flags & HEALTH_SHED) && h->recent[s->side] == s->print;
    for (unsigned i = 0; i < HEALTH_PRINTS && d != NULL; i++) {
        recent |= d->prints[i] == s->print && (any || i == (d->print_next - 1u) % HEALTH_PRINTS);
    }
    return recent;
}

static bool is_recent(const struct health_step *s, const struct health_detail *d)
{
    const struct health *h = s->health;
    const bool identified = s->ip_id != 0, no_twin = has_no_twin(s);
    if (!is_remembered(s, d, identified || no_twin)) {
        return false;
    }
    const unsigned opens = s->flags & (TCP_SYN | TCP_ACK);
    /* Two answers to a SYN may be alike, and the second come soon after the SYN that asked again.
     */
    const bool answers = opens == (TCP_SYN | TCP_ACK) && h->answers > 0 &&
                         !(h->flags & (HEALTH_MEASURES | HEALTH_SIMULTANEOUS));
    const uint32_t since_us = health_elapsed(s->now_us, answers ? h->answer_us : h->last_us);
    const bool asks = opens == TCP_SYN || (answers && s->options.has_timestamps);
    const uint32_t close_us = no_twin ? closeness_of(s) : COPY_US;
    return identified || since_us <= (asks ? (uint32_t)COPY_SYN_US : close_us);
}

/* ---- Data by their records ------------------------------------------------------------------- */

/* Whether all of the segment has passed before, after the capture's beginning. */
static bool has_passed(const struct health_step *s, const struct health_detail *d)
{
    const uint32_t end = s->start + s->length;
    const unsigned hole = health_holes_find(d, s->start);
    const bool is_hole =
        hole < d->hole_count && health_distance(end, d->more->holes[hole].start) > 0;
    return health_distance(end, s->half->next) <= 0 && !is_hole &&
           !(d->is_joined && health_distance(s->start, d->origin) < 0);
}

enum { PARTS = 4 }; /* of a round trip, which a retransmission takes at least */

/* Up to how long after the first of a record its last one left, as far as that matters. */
static uint32_t lasted_us(const struct health_segment *own, uint32_t round_us)
{
    if ((own->flags & (SEGMENT_EVEN | SEGMENT_AGAIN)) == SEGMENT_EVEN) {
        return own->time_us - own->stamp;
    }
    return own->flags & SEGMENT_MERGED ? round_us / PARTS : 0;
}

static bool is_behind(uint32_t id, uint32_t other)
{
    enum { MOST = 4096 };
    const uint16_t by = (uint16_t)(other - id);
    return by > 0 && by <= MOST;
}

/* Whether it passed soon after the first of the record that it lies in. */
static bool is_soon(const struct health_step *s, const struct health_segment *own,
                    uint32_t round_us)
{
    return (own->flags & (SEGMENT_MERGED | SEGMENT_AGAIN)) == SEGMENT_MERGED &&
           s->now_us - own->stamp <= round_us / PARTS;
}

/* Whether it left its sender within a quarter of a round trip of the first of the record that it
 * lies in, by its stamp, of whose clock a tick is shorter than that; without stamps, before the
 * latest data as identifications count. These may not gainsay it: offload counts one for each
 * segment that it cuts. */
static bool is_of_its_time(const struct health_step *s, const struct health_detail *d,
                           const struct health_segment *own)
{
    enum { SEGMENT_LEAST = 256 };
    const uint32_t round_us = health_round_us(s->health);
    const uint32_t after_us = lasted_us(own, round_us);
    const uint32_t ids = (uint16_t)(s->ip_id - own->ip_id);
    if (ids > (s->start - own->start) / SEGMENT_LEAST) {
        return false;
    }
    if (is_soon(s, own, round_us)) {
        return true;
    }
    if (!s->options.has_timestamps) {
        return !(own->flags & SEGMENT_AGAIN) && health_ids_tell(d, s->ip_id) &&
               is_behind(s->ip_id, d->ip_id_last + 1u);
    }
    const uint32_t ticks = s->options.ts_value - own->ts_value;
    return d->tick_us != 0 && round_us / PARTS >= d->tick_us && after_us <= round_us / PARTS &&
           ticks <= after_us / d->tick_us + (after_us > 0);
}

/* Whether it left its sender before the first of a record did, by time stamp or else by
 * identifications that count up. What passed in between and is sent again leaves later. */
static bool left_before(const struct health_step *s, const struct health_segment *next,
                        const struct health_segment *newest)
{
    const int32_t ticks = health_distance(s->options.ts_value, next->ts_value);
    if (s->options.has_timestamps && ticks != 0) {
        return ticks < 0;
    }
    return s->ip_id != 0 && is_behind(s->ip_id, next->ip_id) &&
           (next == newest || is_behind(next->ip_id, newest->ip_id));
}

/* Whether it is the copy of a repeat that is remembered: another one takes a round trip. */
static bool is_copy_of_repeat(const struct health_step *s, const struct health_detail *d)
{
    const uint32_t close_us = health_round_us(s->health) / PARTS;
    for (unsigned i = 0; i < HEALTH_REPEATS && d->has_repeated; i++) {
        const struct health_repeat *repeat = &d->more->repeats[i];
        if (repeat->start == s->start && repeat->end == s->start + s->length &&
            repeat->ts_value == s->options.ts_value &&
            health_elapsed(s->now_us, repeat->time_us) <= close_us) {
            return true;
        }
    }
    return false;
}

/* Whether a repeat of some of it is remembered. */
static bool was_repeated(const struct health_step *s, const struct health_detail *d)
{
    const uint32_t end = s->start + s->length;
    for (unsigned i = 0; i < HEALTH_REPEATS && d->has_repeated; i++) {
        const struct health_repeat *repeat = &d->more->repeats[i];
        if (health_distance(repeat->start, end) < 0 && health_distance(repeat->end, s->start) > 0) {
            return true;
        }
    }
    return false;
}

/* Whether the segment is the latest one that was sent of its bytes, and is seen once more: its
 * record is one of several by now, or gone, or it was cut otherwise. */
static bool is_seen_again(const struct health_step *s, struct health_detail *d, unsigned at)
{
    const bool has_own =
        at < d->segment_count && health_distance(health_segment_at(d, at)->start, s->start) <= 0;
    if (!has_passed(s, d) || (!has_own && was_repeated(s, d))) {
        return false;
    }
    if (has_own) {
        const struct health_segment *own = health_segment_at(d, at);
        if (is_of_its_time(s, d, own)) {
            return true;
        }
        if ((own->flags & (SEGMENT_MERGED | SEGMENT_AGAIN)) != SEGMENT_MERGED) {
            return false;
        }
    }
    const unsigned next = at + (has_own ? 1 : 0);
    return next < d->segment_count &&
           left_before(s, health_segment_at(d, next), health_segment_at(d, d->segment_count - 1u));
}

bool health_is_copy(struct health_step *s)
{
    struct health_detail *d = health_step_detail(s, s->half);
    if (is_recent(s, d)) {
        return true;
    }
    if (s->length == 0 || d == NULL) {
        return false;
    }
    const unsigned at = health_segments_find(d, s->start);
    if (at < d->segment_count && is_same(s, health_segment_at(d, at))) {
        const uint32_t close_us = s->ip_id != 0 ? COPY_IDENTIFIED_US : closeness_of(s);
        if (health_elapsed(s->now_us, health_segment_at(d, at)->time_us) <= close_us) {
            return true;
        }
    }
    return is_copy_of_repeat(s, d) || is_seen_again(s, d, at);
}
