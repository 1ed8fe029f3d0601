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
static void write_segment(struct health_segment *to, const struct health_step *s, uint32_t start,
                          uint32_t end)
{
    to->start = start;
    to->end = end;
    to->time_us = s->now_us;
    to->ip_id = s->ip_id;
    to->flags = 0;
    to->ts_value = s->options.ts_value;
}

static void append(struct health_step *s, struct health_detail *d, uint32_t start, uint32_t end)
{
    if (health_segments_are_full(d)) {
        if (d->segment_acked == 0) {
            health_segments_merge(d, end, s->now_us);
            return;
        }
        health_segments_forget(d);
    }
    write_segment(health_segment_at(d, d->segment_count++), s, start, end);
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
        write_segment(health_segment_at(d, at), s, start, end);
    }
}
