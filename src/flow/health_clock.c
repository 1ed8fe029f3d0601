// SPDX-License-Identifier: Apache-2.0
/* The sender's clock: what was unacknowledged and whether the window was closed, as the sender knew
 * it. Linux counts the same way (tcpi_busy_time, tcpi_rwnd_limited). */
#include "flow/health_clock.h"

enum {
    TRIP_PARTS = 16,  /* acknowledgments closer than this part of the trip are one */
    LEVEL_PARTS = 8,
};

/* Silly window avoidance, RFC 9293 §3.8.6.2.1: half the largest window is worth a segment. */
static uint32_t need_of(const struct health_half *receiver, uint32_t window)
{
    uint32_t mss = receiver->mss > 0 ? receiver->mss : 536;
    return window > 0 && window / 2 < mss ? window / 2 : mss;
}

void health_clock_window(struct health_half *half, const struct health_half *receiver,
                         struct health_detail *d, uint32_t now_us, uint32_t window)
{
    uint32_t need = need_of(receiver, window);
    d->max_window = window;
    if (need != d->need) {
        health_clock_run(half, d, now_us);
        d->need = need;
        d->calm = need > 0 ? d->calm : CALM_NOT;
    }
}

void health_clock_start(struct health_detail *d, const struct health *h, uint32_t now_us)
{
    const struct health_half *half = &h->halves[d->side];
    d->clock_us = d->progress_us = d->data_us = now_us;
    d->window_start_us = d->epoch_us = now_us;
    d->acked_there = half->flags & HALF_ACKED ? half->acked : half->next;
    d->edge_there = half->edge;
    bool open = half->flags & HALF_EDGE && health_distance(half->edge, d->acked_there) > 0;
    d->max_window = open ? half->edge - d->acked_there : 0;
    d->need = need_of(&h->halves[1 - d->side], d->max_window);
}

static struct health_ack *acks_of(struct health_detail *d)
{
    return d->more != NULL ? d->more->acks : d->few_acks;
}

void health_clock_hear(struct health_half *half, struct health_detail *d, uint32_t now_us)
{
    while (health_clock_is_due(d, now_us)) {
        const struct health_ack *first = &health_clock_acks(d)[d->ack_first];
        if (!health_clock_stays(half, d, half->next, first->ack, first->edge)) {
            health_clock_accrue(half, d, first->time_us);
        }
        health_clock_arrive(half, d, first->ack, first->edge);
        d->ack_first = (uint8_t)(d->ack_first + 1u < health_clock_room(d) ? d->ack_first + 1 : 0);
        d->ack_count--;
    }
}

void health_clock_run(struct health_half *half, struct health_detail *d, uint32_t now_us)
{
    health_clock_hear(half, d, now_us);
    health_clock_accrue(half, d, now_us);
    health_clock_keep(half, d);
}

void health_clock_finish(struct health *h, struct health_detail *d)
{
    uint32_t trip = h->halves[1 - d->side].min_rtt_us;
    health_clock_run(&h->halves[d->side], d, h->last_us + (trip == HEALTH_NO_TIME ? 0 : trip));
}

void health_clock_queue(struct health_half *half, struct health_detail *d, uint32_t now_us,
                        uint32_t trip_us, uint32_t edge)
{
    uint32_t at = now_us + trip_us;
    unsigned room = health_clock_room(d);
    if (d->ack_count > 0) {
        unsigned place = d->ack_first + d->ack_count - 1u;
        struct health_ack *last = &acks_of(d)[place - (place < room ? 0 : room)];
        int32_t apart = health_distance(at, last->time_us);
        if (d->ack_count == HEALTH_ACKS || apart < (int32_t)(trip_us / TRIP_PARTS)) {
            last->ack = half->acked;
            last->edge = edge;
            return;
        }
    }
    if (d->ack_count == room) {
        health_detail_grow(d);
        room = health_clock_room(d);
    }
    unsigned place = (unsigned)d->ack_first + d->ack_count;
    place -= place < room ? 0 : room;
    acks_of(d)[place] = (struct health_ack){at, half->acked, edge};
    d->ack_count++;
}

/* A sender that keeps its flight on one level round trip for round trip, with nothing lost, is
 * held by its own buffer: whatever the congestion control, it would have tried for more. */
void health_clock_flight(struct health_detail *d, uint32_t now_us, uint32_t round_us)
{
    if (now_us - d->epoch_us < round_us) {
        return;
    }
    if (d->epoch_flight > d->max_flight) {
        d->max_flight = d->epoch_flight;
    }
    uint32_t apart = d->epoch_flight > d->level ? d->epoch_flight - d->level
                                                : d->level - d->epoch_flight;
    health_count16(&d->epochs);
    if (apart <= d->level / LEVEL_PARTS) {
        health_count16(&d->level_epochs);
    } else {
        d->level = d->epoch_flight;
        d->level_epochs = 1;
    }
    if (d->level_epochs > d->best_level_epochs) {
        d->best_level_epochs = d->level_epochs;
    }
    d->epoch_us = now_us;
    d->epoch_flight = 0;
}
