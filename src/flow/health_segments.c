// SPDX-License-Identifier: Apache-2.0
/* The records of segments that passed, in order of sequence, in a ring: acknowledged ones first,
 * which are kept until their room is needed, to recognise what comes late. */
#include "flow/health_state.h"

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

static void forget_oldest(struct health_detail *d)
{
    d->segment_first = (uint8_t)((d->segment_first + 1) % HEALTH_SEGMENTS);
    d->segment_count--;
    d->segment_acked = (uint8_t)(d->segment_acked - (d->segment_acked > 0));
}

/* Makes room at place `at` of a full ring or not; false when only merging helps. */
static bool make_room(struct health_detail *d, unsigned *at)
{
    if (d->segment_count == HEALTH_SEGMENTS) {
        if (d->segment_acked == 0 || *at == 0) {
            return false;
        }
        forget_oldest(d);
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
    bool is_last = at == 0 || health_distance(start, health_segment_at(d, at - 1)->end) >= 0;
    if (!is_last) {
        at = health_segments_find(d, start);
    }
    if (!make_room(d, &at)) {
        if (is_last) {
            struct health_segment *last = health_segment_at(d, d->segment_count - 1u);
            last->end = end;
            last->flags |= SEGMENT_MERGED;
        }
        return;
    }
    *health_segment_at(d, at) = (struct health_segment){
        .start = start,
        .end = end,
        .time_us = s->now_us,
        .ts_value = s->options.ts_value,
        .print = s->print,
        .ip_id = s->ip_id,
        .sent = 1,
    };
}
