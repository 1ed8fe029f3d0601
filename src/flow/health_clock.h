// SPDX-License-Identifier: Apache-2.0
/* The sender's clock, private to flow/'s health files: what was unacknowledged and whether the
 * window was closed, as the sender knew it. */
#pragma once

#include "flow/health_state.h"

void health_clock_start(struct health_detail *d, const struct health *h, uint32_t now_us);
/* Lets acknowledgments arrive at the sender up to now; time as far as need be. */
void health_clock_hear(struct health_half *half, struct health_detail *d, uint32_t now_us);
/* Lets all time pass up to now, too. */
void health_clock_run(struct health_half *half, struct health_detail *d, uint32_t now_us);
/* Lets it pass until the sender has all that the tap saw. */
void health_clock_finish(struct health *h, struct health_detail *d);
/* An acknowledgment passed the tap that takes effect `trip_us` later, or after others that do. */
void health_clock_queue(struct health_half *half, struct health_detail *d, uint32_t now_us,
                        uint32_t trip_us, uint32_t edge);
/* Notes the largest flight of a round trip, if one is over. */
void health_clock_flight(struct health_detail *d, uint32_t now_us, uint32_t round_us);
/* The receiver of the half's data advertises a larger window than before. */
void health_clock_window(struct health_half *half, const struct health_half *receiver,
                         struct health_detail *d, uint32_t now_us, uint32_t window);

/* Acknowledgments on their way to the sender: a ring from ack_first on. */
static inline const struct health_ack *health_clock_acks(const struct health_detail *d)
{
    return d->more != NULL ? d->more->acks : d->few_acks;
}

static inline unsigned health_clock_room(const struct health_detail *d)
{
    return d->more != NULL ? HEALTH_ACKS : HEALTH_FEW_ACKS;
}

/* The shortest round trip that was seen from the tap to the other end of a half, in us; 0 when none was. */
static inline uint32_t health_trip_us(const struct health_half *half)
{
    return half->min_rtt_us == HEALTH_NO_TIME ? 0 : half->min_rtt_us;
}

/* The same from end to end. */
static inline uint32_t health_round_us(const struct health *h)
{
    return health_trip_us(&h->halves[0]) + health_trip_us(&h->halves[1]);
}

/* Whether the receiver has no room for what the sender of the half would say next. */
static inline bool health_window_is_closed(const struct health_half *half)
{
    return half->flags & HALF_EDGE && health_distance(half->edge, half->next) <= 0;
}

/* Whether an acknowledgment has arrived at the sender by now that its clock does not know of. */
static inline bool health_clock_is_due(const struct health_detail *d, uint32_t now_us)
{
    return d->ack_count > 0 &&
           health_distance(health_clock_acks(d)[d->ack_first].time_us, now_us) <= 0;
}

/* Whether the sender has been busy, and not held back by the window, since its clock ran last, and
 * stays so with data up to `next`, of which it knows `acked` to be acknowledged and the window to
 * end at `edge`. Then the clock may run later: it will find the same. */
static inline bool health_clock_stays(const struct health_half *half, const struct health_detail *d,
                                      uint32_t next, uint32_t acked, uint32_t edge)
{
    bool busy = d->began && !d->idle && !(half->flags & HALF_FIN) &&
                health_distance(half->next, d->acked_there) > 0 && health_distance(next, acked) > 0;
    return busy && (!(half->flags & HALF_EDGE) ||
                    (health_distance(next + d->need, d->edge_there) <= 0 &&
                     health_distance(next + d->need, edge) <= 0));
}

/* The same for new data up to `end` of a half that has not sent its FIN. */
static inline bool health_clock_goes_on(const struct health_half *half,
                                        const struct health_detail *d, uint32_t end)
{
    return d->began && !d->idle && health_distance(half->next, d->acked_there) > 0 &&
           health_distance(end, d->acked_there) > 0 && /* numbers may be anything */
           (!(half->flags & HALF_EDGE) || d->edge_there - (end + d->need) <= HEALTH_JUMP_MAX);
}

/* Whether a clock has nothing to do while new data pass that leave room for one segment more, up to
 * `edge_there` less `need`, with some in flight. */
static inline bool health_clock_is_calm(const struct health_half *half,
                                        const struct health_detail *d)
{
    return d->began && !d->idle && d->ack_count == 0 && d->initial_state != INITIAL_ACKED &&
           half->flags & HALF_EDGE && half->edge == d->edge_there && d->need > 0;
}

/* Whatever a packet may be from now on: the clock has to look. `next` is what was seen. */
static inline void health_calm_end(struct health_detail *d, uint32_t next)
{
    d->calm = CALM_NOT;
    d->calm_until = next;
}

/* Lets time pass for the sender, of whose acknowledgments none arrives before `until_us`. */
static inline void health_clock_accrue(const struct health_half *half, struct health_detail *d,
                                       uint32_t until_us)
{
    int32_t passed = health_distance(until_us, d->clock_us);
    if (passed <= 0) {
        return; /* a capture's time may step back a little */
    }
    uint32_t data_end = half->next - (half->flags & HALF_FIN ? 1 : 0);
    bool in_flight = health_distance(data_end, d->acked_there) > 0;
    bool blocked = (half->flags & (HALF_EDGE | HALF_FIN)) == HALF_EDGE &&
                   health_distance(half->next + d->need, d->edge_there) > 0;
    if (d->began && (in_flight || blocked)) {
        health_count32(&d->busy_us, (uint32_t)passed);
        if (blocked) {
            health_count32(&d->rwnd_us, (uint32_t)passed);
        }
        d->idle = false;
    } else if (d->began && !d->idle) {
        d->idle = true;
        d->idle_since_us = d->clock_us;
    }
    d->clock_us = until_us;
}

/* The sender has an acknowledgment. */
static inline void health_clock_arrive(const struct health_half *half, struct health_detail *d,
                                       uint32_t ack, uint32_t edge)
{
    if (health_distance(ack, d->acked_there) > 0) {
        d->acked_there = ack;
    }
    if (half->flags & HALF_EDGE) {
        d->edge_there = edge;
    }
}

/* An acknowledgment passed the tap, `trip_us` (tap, sender) before it takes effect. */
static inline void health_clock_ack(struct health_half *half, struct health_detail *d,
                                    uint32_t now_us, uint32_t trip_us, uint32_t edge)
{
    if (health_clock_is_due(d, now_us)) {
        health_clock_hear(half, d, now_us);
    }
    if (trip_us >= HEALTH_AT_SENDER_US || d->ack_count > 0) {
        health_clock_queue(half, d, now_us, trip_us, edge);
        return;
    }
    if (!health_clock_stays(half, d, half->next, half->acked, edge)) {
        health_clock_accrue(half, d, now_us);
    }
    health_clock_arrive(half, d, half->acked, edge);
}

/* Moves whole ms to where they last longer than the detail. */
static inline void health_clock_keep(struct health_half *half, struct health_detail *d)
{
    if (d->busy_us < HEALTH_SECOND_US) {
        return; /* rwnd_us is never more */
    }
    health_count32(&half->busy_ms, d->busy_us / 1000);
    health_count32(&half->rwnd_ms, d->rwnd_us / 1000);
    d->busy_us %= 1000;
    d->rwnd_us %= 1000;
}

/* Data of the half passed, after health_clock_run(). A gap before them was none if they were a
 * retransmission or had been held up. */
static inline void health_clock_data(struct health_detail *d, uint32_t now_us, bool again)
{
    if (d->idle) {
        uint32_t gap = now_us - d->idle_since_us;
        uint32_t held_up = d->delay_us > 0 ? (uint32_t)d->delay_us : 0;
        health_count32(&d->busy_us, again || held_up > gap ? gap : held_up);
        d->idle = false;
    }
    d->began = true;
}
