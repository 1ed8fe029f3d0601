// SPDX-License-Identifier: Apache-2.0
/* Black holes: packets vanish, and nobody says so. All rules want evidence from both sides: one
 * repeats, and nothing useful comes back. A reset or an ICMP error is an answer. */
#include "flow/health_shift.h"

enum {
    REPEATS = 3,
    PMTU_LEAST = 1000,
};

static bool handshake_vanished(const struct health *h, struct health_record *ret)
{
    bool answered = h->halves[1].flags & HALF_SEEN;
    if (h->syns >= REPEATS && !answered && !(h->halves[0].flags & HALF_UNSEEN)) {
        ret->blackhole_kind = "syn";
    } else if (h->answers >= REPEATS && !(h->flags & (HEALTH_MEASURES | HEALTH_RESET_SEEN))) {
        ret->blackhole_kind = "synack";
    }
    return ret->blackhole_kind != NULL;
}

static bool data_vanished(const struct health_view *view, unsigned side, struct health_record *ret)
{
    const struct health_detail *d = &view->details[side];
    const struct health_half *half = &view->health.halves[side];
    const struct health_half *other = &view->health.halves[1 - side];
    if (!view->has_detail[side] || other->resets > 0) {
        return false;
    }
    uint32_t mss = other->mss;
    uint32_t stuck = mss > 0 && d->stuck_length > mss ? mss : d->stuck_length;
    bool is_stuck = d->stuck_count >= REPEATS && d->data_us - d->progress_us >= HEALTH_SILENCE_US;
    bool is_stale = d->stale_count >= REPEATS && d->data_us - d->stale_us >= HEALTH_SILENCE_US;
    bool is_silent = !d->peer_spoke && other->flags & HALF_SEEN;
    /* Small packets of the sender arrive, or its peer still speaks, but of this knows nothing. */
    bool is_large = stuck > PMTU_LEAST && stuck > half->largest_acked &&
                    (half->largest_acked > 0 || (!is_silent && other->flags & HALF_SEEN));
    bool gives_up = other->flags & HALF_FIN;
    /* A router that told the MTU was not heard by whoever repeats what is too large. */
    bool was_told = view->health.flags & HEALTH_PMTU_ICMP && d->stuck_shrank;
    if (is_stuck && is_large && !was_told) {
        ret->blackhole_kind = "pmtu";
    } else if (is_stuck && (is_silent || gives_up)) {
        ret->blackhole_kind = "mid_connection";
    } else if (is_stale) {
        ret->blackhole_kind = "mid_connection_reverse_path";
    }
    if (ret->blackhole_kind == NULL) {
        return false;
    }
    ret->findings[HEALTH_BLACKHOLED].evidence[0] = is_stuck ? d->stuck_count : d->stale_count;
    ret->findings[HEALTH_BLACKHOLED].evidence[1] =
        (float)(d->data_us - (is_stuck ? d->progress_us : d->stale_us)) / 1e6f;
    return true;
}

/* Whether its end was heard by both sides. Whoever gives up after a silence, or whose end nobody
 * answers, may have done so in a hole that only the other end can see. */
static bool was_closed(const struct health *h)
{
    const struct health_half *by = &h->halves[h->flags & HEALTH_RESET_BY_SERVER ? 1 : 0];
    bool both = h->halves[0].flags & h->halves[1].flags & HALF_FIN;
    bool heard = false;
    for (unsigned side = 0; side < 2; side++) {
        const struct health_half *half = &h->halves[side];
        heard |= half->flags & HALF_FIN && half->acked == half->next;
    }
    if (h->flags & HEALTH_RESET_SEEN) {
        return both || heard || !(h->flags & HEALTH_LATE_RESET || by->flags & HALF_FIN);
    }
    return both || heard;
}

/* Whether it sent data that never came as far as the tap, nor arrived: small packets that came tell
 * nothing of large ones. */
static bool has_missing(const struct health_half *half)
{
    return half->flags & HALF_BEYOND && !(half->flags & HALF_FIN && half->acked == half->next);
}

/* Whether its ends were just heard to hear each other: nothing is outstanding, or not for long. A
 * connection that is open says no more than that. */
static bool goes_on(const struct health_view *view)
{
    const struct health *h = &view->health;
    const unsigned heard = HALF_SEEN | HALF_ACKED | HALF_NEXT;
    if (view->silence_us >= HEALTH_SILENCE_US || h->flags & HEALTH_RESET_SEEN ||
        (h->halves[0].flags & h->halves[1].flags & heard) != heard ||
        h->halves[0].data_packets + h->halves[1].data_packets == 0) {
        return false;
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct health_half *half = &h->halves[side];
        const struct health_detail *d = &view->details[side];
        bool is_out = health_distance(half->next, half->acked) > 0;
        if (is_out && (!view->has_detail[side] || d->stuck_count > 0 || half->flags & HALF_FIN ||
                       health_elapsed(h->last_us, d->progress_us) >= HEALTH_SILENCE_US)) {
            return false;
        }
        if (view->has_detail[side] && d->stale_count > 0) {
            return false;
        }
    }
    return true;
}

void health_in_flood(struct health_record *record)
{
    struct health_finding *finding = &record->findings[HEALTH_BLACKHOLED];
    if (record->syn_pkts > 1) {
        return;
    }
    record->syn_flood = HEALTH_TRUE;
    record->close = record->close == NULL ? "syn_flood" : record->close; /* which views show */
    record->blackhole_kind = NULL;
    *finding = (struct health_finding){.truth = HEALTH_UNKNOWN};
}

void health_black(const struct health_view *view, struct health_record *ret)
{
    const struct health *h = &view->health;
    struct health_finding *finding = &ret->findings[HEALTH_BLACKHOLED];
    ret->blackhole_episodes = h->episodes;
    ret->blackhole_episode_s = h->episodes > 0 ? h->episode_ds / 10.0 : NAN;
    bool unreachable = h->flags & HEALTH_UNREACHABLE;
    if (!unreachable && handshake_vanished(h, ret)) {
        finding->evidence[0] = h->answers > 0 ? h->answers : h->syns;
        finding->evidence[1] = (float)(h->last_us - h->first_us) / 1e6f;
    } else if (!unreachable && !data_vanished(view, 0, ret)) {
        data_vanished(view, 1, ret);
    }
    if (ret->blackhole_kind != NULL) {
        finding->truth = HEALTH_TRUE;
        /* Each further repeat makes coincidence less likely by as much as packets are lost at
         * all: few per cent. Beyond five, what is left is the rule's own doubt. */
        finding->confidence = finding->evidence[0] > 5 ? 0.95f : 0.8f;
        return;
    }
    /* Whoever waits for an answer, or is heard of only on one side, may be in one; and an open
     * connection on which nobody speaks looks from one end like one whose packets vanish. */
    bool both = h->halves[0].flags & h->halves[1].flags & HALF_SEEN;
    bool is_missing = has_missing(&h->halves[0]) || has_missing(&h->halves[1]);
    bool is_well = both && !is_missing && (was_closed(h) || goes_on(view));
    finding->truth = is_well ? HEALTH_FALSE : HEALTH_UNKNOWN;
}
