// SPDX-License-Identifier: Apache-2.0
/* The records of segments that passed, in order of sequence, in a ring: acknowledged ones first,
 * which are kept until their room is needed, to recognise what comes late. */
#include "flow/health_segments.h"

unsigned health_segments_find(struct health_detail *d, uint32_t sequence)
{
    unsigned low = 0;
    unsigned high = d->segment_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (health_distance(health_segment_at(d, middle)->end, sequence) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Written field by field: a copy of one that was made up before would wait for all that was written before
 * it to reach the cache. */
static void write_segment(struct health_detail *d, unsigned at, const struct health_step *s,
                          uint32_t start, uint32_t end)
{
    struct health_segment *to = health_segment_at(d, at);
    to->start = start;
    to->end = end;
    to->time_us = s->passed_us;
    to->ip_id = (uint16_t)s->ip_id;
    to->flags = 0;
    to->ts_value = s->options.ts_value;
    if (health_segments_is_longest(s->half, end - start, s->other->mss)) {
        health_segments_mark(d, to, 0);
    }
}

/* When the first of a record passed. */
static uint32_t began_us(const struct health_segment *segment)
{
    return segment->flags & SEGMENT_EVEN ? segment->stamp : segment->time_us;
}

/* What records that become one may cover: bytes, and time between the first and the last. */
struct grain {
    uint32_t bytes;
    int32_t us;
};

/* Whether `next` goes on where `segment` ends, nothing is known of both but that they passed, and
 * both together are no more than a grain. */
static bool may_join(const struct health_segment *segment, const struct health_segment *next,
                     struct grain grain)
{
    const int32_t apart_us = health_distance(next->time_us, began_us(segment));
    return next->start == segment->end && next->end - segment->start <= grain.bytes &&
           apart_us >= 0 && apart_us <= grain.us &&
           ((segment->flags | next->flags) & ~SEGMENT_CLEAN) == 0;
}

static void join(struct health_detail *d, struct health_segment *segment,
                 const struct health_segment *next)
{
    segment->stamp = began_us(segment);
    segment->end = next->end;
    segment->time_us = next->time_us;
    health_segments_mark(d, segment, SEGMENT_CLEAN);
}

bool health_segments_thin(struct health_detail *d)
{
    enum { NEWEST = HEALTH_PRINTS, GRAINS = 16 };
    const unsigned count = d->segment_count, old = count - NEWEST;
    const struct health_segment *oldest = health_segment_at(d, 0);
    const struct health_segment *youngest = health_segment_at(d, old - 1);
    const struct grain grain = {(youngest->end - oldest->start) / GRAINS,
                                health_distance(youngest->time_us, began_us(oldest)) / GRAINS};
    unsigned kept = 1;
    for (unsigned i = 1; i < count; i++) {
        struct health_segment *latest = health_segment_at(d, kept - 1);
        const struct health_segment *next = health_segment_at(d, i);
        if (i < old && may_join(latest, next, grain)) {
            join(d, latest, next);
        } else {
            *health_segment_at(d, kept++) = *next;
        }
    }
    d->segment_count = (uint8_t)kept;
    return kept < count;
}

struct health_covered health_cover_part(const struct health_segment *segment, uint32_t ack)
{
    const uint32_t length = segment->end - segment->start;
    const uint64_t apart_us = segment->time_us - segment->stamp;
    const uint32_t after_us = (uint32_t)(apart_us * (ack - segment->start) / length);
    return (struct health_covered){
        .time_us = segment->stamp + after_us, .count = 1, .clean = true, .is_rough = true};
}

static void append(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end)
{
    if (health_segments_are_full(d)) {
        if (d->segment_acked > 0) {
            health_segments_forget(d);
        } else if (!health_segments_thin(d)) {
            health_segments_merge(d, end, s->now_us);
            return;
        }
    }
    write_segment(d, d->segment_count++, s, start, end);
}

/* Makes room at place `at` of a full ring or not; false when only merging helps. */
static bool make_room(struct health_detail *d, unsigned *at)
{
    if (health_segments_are_full(d)) {
        if (d->segment_acked == 0 || *at == 0) {
            return false;
        }
        health_segments_forget(d);
        --*at;
    }
    for (unsigned i = d->segment_count; i > *at; i--) {
        *health_segment_at(d, i) = *health_segment_at(d, i - 1);
    }
    d->segment_count++;
    d->segment_acked = (uint8_t)(d->segment_acked + (d->segment_acked > *at));
    return true;
}

void health_segments_add(struct health_step *s, struct health_detail *d, uint32_t start,
                         uint32_t end)
{
    unsigned at = d->segment_count;
    if (at == 0 || health_distance(start, health_segment_at(d, at - 1)->end) >= 0) {
        append(s, d, start, end);
        return;
    }
    at = health_segments_find(d, start);
    if (make_room(d, &at)) {
        write_segment(d, at, s, start, end);
    }
}

/* The longest segment of some of the ring, those that were merged left out. */
static uint32_t longest_of(struct health_detail *d, unsigned from, unsigned to)
{
    uint32_t longest = 0;
    for (unsigned i = from; i < to; i++) {
        const struct health_segment *segment = health_segment_at(d, i);
        const uint32_t length = segment->end - segment->start;
        longest = length > longest && !(segment->flags & SEGMENT_MERGED) ? length : longest;
    }
    return longest;
}

/* Notes that a segment as long as this was acknowledged; offload makes longer ones than `mss`. */
static void note_longest(struct health_half *half, uint32_t length, uint32_t mss)
{
    const uint32_t limit = mss > 0 ? mss : UINT16_MAX;
    length = length < limit ? length : limit;
    half->largest_acked = length > half->largest_acked ? (uint16_t)length : half->largest_acked;
}

struct health_covered health_cover_marked(struct health_half *half, struct health_detail *d,
                                          uint32_t ack, uint32_t mss)
{
    const struct health_segment *segment = NULL;
    const unsigned first = d->segment_acked, count = d->segment_count;
    unsigned at = first, seen = 0;
    for (; at < count; at++) {
        segment = health_segment_at(d, at);
        if (health_distance(segment->end, ack) > 0) {
            break;
        }
        seen |= segment->flags;
    }
    note_longest(half, longest_of(d, first, at), mss);
    d->segment_acked = (uint8_t)at;
    d->is_marked = health_distance(ack, d->marked_end) < 0;
    if (at < count && segment->flags & SEGMENT_EVEN && health_distance(ack, segment->start) > 0 &&
        !((seen | segment->flags) & ~SEGMENT_CLEAN)) {
        return health_cover_part(segment, ack);
    }
    if (at == first) {
        return (struct health_covered){.clean = false};
    }
    segment = health_segment_at(d, at - 1);
    return (struct health_covered){
        .time_us = segment->time_us, .count = at - first, .clean = !(seen & ~SEGMENT_CLEAN)};
}
