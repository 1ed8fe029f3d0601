// SPDX-License-Identifier: Apache-2.0
/* The clock of a capture that was set back amid a connection: what is remembered of time moves with
 * it, as if one round trip had passed since the latest packet, so that none that is under way
 * becomes the shortest. Else all that is measured across the step would be negative, and the
 * sender's clock would stand until the capture's has caught up. */
#include "flow/health_shift.h"

#include "flow/health_clock.h"

static void move(uint32_t *time_us, uint32_t by_us)
{
    *time_us -= by_us;
}

/* The same of one that is 0 when there is none. */
static void move_known(uint32_t *time_us, uint32_t by_us)
{
    if (*time_us != 0) {
        *time_us = (*time_us - by_us) | 1;
    }
}

static void move_segments(struct health_detail *d, uint32_t by_us)
{
    for (unsigned i = 0; i < d->segment_count; i++) {
        struct health_segment *segment = &d->segments[(d->segment_first + i) & d->segment_mask];
        move(&segment->time_us, by_us);
        if ((segment->flags & (SEGMENT_EVEN | SEGMENT_AGAIN)) == SEGMENT_EVEN) {
            move(&segment->stamp, by_us);
        }
    }
}

static void move_more(struct health_detail *d, uint32_t by_us)
{
    struct health_more *more = d->more;
    for (unsigned i = 0; i < HEALTH_REPEATS && d->has_repeated; i++) {
        move(&more->repeats[i].time_us, by_us);
    }
    for (unsigned i = 0; i < d->hole_count && d->ts_first_us == 0; i++) {
        more->holes[i].order -= by_us >> HOLE_TIME_SHIFT << HOLE_ID_BITS;
    }
}

/* `back_us` is the step alone: what is seen by time stamps has no round trip in it. */
static void move_detail(struct health_half *half, struct health_detail *d, uint32_t by_us,
                        uint32_t back_us)
{
    uint32_t *const times[] = {
        &d->clock_us,      &d->data_us,      &d->progress_us,     &d->epoch_us,
        &d->idle_since_us, &d->sampled_us,   &d->window_start_us, &d->initial_due_us,
        &d->stuck_us,      &d->stale_us,     &d->fill_us,         &d->duplicate_us,
        &d->prompt_us,     &d->burst_ack_us, &d->one_way.from_us, &d->round_trip.from_us,
    };
    /* What passed meanwhile shortens the delays that are seen by time stamps: their base is another
     * one. */
    health_delay_judge(half, d, true);
    d->leap_us = 0;
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
        move(times[i], by_us);
    }
    move_known(&d->ts_first_us, back_us);
    move_known(&d->span_us, by_us);
    if (d->ts_first_us == 0) {
        move(&d->burst_us, by_us); /* else it is a stamp */
    }
    struct health_ack *acks = d->more != NULL ? d->more->acks : d->few_acks;
    for (unsigned i = 0; i < d->ack_count; i++) {
        move(&acks[(d->ack_first + i) % health_clock_room(d)].time_us, by_us);
    }
    move_segments(d, by_us);
    if (d->more != NULL) {
        move_more(d, by_us);
    }
}

void health_shift(struct health_book *book, struct health *h, uint32_t back_us)
{
    const uint32_t by_us = back_us + health_round_us(h);
    uint32_t *const handshake[] = {&h->syn_us, &h->again_us, &h->answer_us};
    move(&h->first_us, by_us);
    move(&h->last_us, by_us);
    move(&h->run_us, by_us);
    for (unsigned i = 0; i < 3 && !(h->flags & HEALTH_MEASURES); i++) {
        move(handshake[i], by_us);
    }
    if (h->flags & HEALTH_MEASURES && (h->tls == TLS_HELLO || h->tls == TLS_WAITS)) {
        move(&h->tls_us, by_us); /* when it began */
    }
    for (unsigned side = 0; side < 2; side++) {
        struct health_detail *d = health_detail_of(book, &h->halves[side]);
        if (d != NULL) {
            move_detail(&h->halves[side], d, by_us, back_us);
        }
    }
}
