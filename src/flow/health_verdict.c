// SPDX-License-Identifier: Apache-2.0
/* From numbers to words. Each rule is also in docs/tcp-health.md, with its reasons. */
#include "flow/health_clock.h"
#include "flow/health_shift.h"

enum {
    STANDING_BINS = 10, /* of 100 ms: a second of standing queue */
    STANDING_LEAST = 3,
    SOON_BINS = 15,       /* when less was seen, a queue may only have begun to stand */
    ENOUGH_BYTES = 50000, /* that a queue would have held up */
    NEAR_US = 1000,
    OWN_SEGMENTS = 10,
    LOSSY_LEAST = 3,
    SLOW_MS = 1000,
    LEVEL_LEAST = 8, /* round trips on one level */
    START_MOST =
        16, /* round trips in which a sender doubles, until it has what the network gives */
    QUEUED_MS = 5,
    LARGE_BYTES = 100000,
    LASTS_MS = 1000,
    ROUNDS = 5,
    THIN_SEGMENTS = 4,
};

const char *health_verdict_name(enum health_verdict verdict)
{
    static const char *const names[HEALTH_VERDICTS] = {
        [HEALTH_BUFFERBLOAT] = "bufferbloat",
        [HEALTH_BLACKHOLED] = "blackholed",
        [HEALTH_LOSSY] = "lossy",
        [HEALTH_REORDERED] = "reordered",
        [HEALTH_RECEIVER_LIMITED] = "receiver_limited",
        [HEALTH_SENDER_LIMITED] = "sender_limited",
        [HEALTH_APPLICATION_LIMITED] = "application_limited",
        [HEALTH_SLOW_SERVER] = "slow_server",
        [HEALTH_SHORT_OF_WINDOW] = "short_of_window",
    };
    return names[verdict];
}

static enum health_truth truth_of(bool is)
{
    return is ? HEALTH_TRUE : HEALTH_FALSE;
}

/* What is seen or not said: its absence proves nothing. */
static enum health_truth seen(bool is)
{
    return is ? HEALTH_TRUE : HEALTH_UNKNOWN;
}

static struct health_finding found(double confidence, double a, double b, double c)
{
    return (struct health_finding){HEALTH_TRUE, (float)confidence, {(float)a, (float)b, (float)c}};
}

/* ---- Ends and options ------------------------------------------------------------------------ */

/* Both ends say farewell after a RST only if neither believed it. */
static const char *close_of(const struct health *h)
{
    bool both = h->halves[0].flags & h->halves[1].flags & HALF_FIN;
    bool any = (h->halves[0].flags | h->halves[1].flags) & HALF_FIN;
    bool by_server = h->flags & HEALTH_RESET_BY_SERVER;
    if (h->flags & HEALTH_REFUSED) {
        return "refused";
    }
    if (h->flags & HEALTH_UNREACHABLE && h->syns > 0 && !(h->halves[1].flags & HALF_SEEN)) {
        return "unreachable";
    }
    if (h->flags & HEALTH_RESET_SEEN && !(h->flags & HEALTH_RESET_AFTER_FIN) && !both) {
        return by_server ? "rst_by_server" : "rst_by_client";
    }
    if (both) {
        return "fin";
    }
    if (h->flags & HEALTH_RESET_SEEN) {
        return by_server ? "fin_then_rst_by_server" : "fin_then_rst_by_client";
    }
    return any ? "half_closed" : NULL;
}

static void say_options(const struct health *h, struct health_record *ret)
{
    unsigned both = h->halves[0].flags & h->halves[1].flags;
    bool whole = both & HALF_SYN && !(h->flags & HEALTH_TRUNCATED);
    ret->timestamps = whole ? truth_of(both & HALF_TIMESTAMPS) : HEALTH_UNKNOWN;
    ret->sack = whole ? truth_of(both & HALF_SACK) : HEALTH_UNKNOWN;
    ret->ecn_negotiated = both & HALF_SYN ? truth_of(both & HALF_ECN) : HEALTH_UNKNOWN;
    ret->ecn_flavour = ret->ecn_negotiated == HEALTH_TRUE ? "RFC3168" : NULL;
    ret->options_truncated = seen(h->flags & HEALTH_TRUNCATED);
}

static bool is_one_way(const struct health *h)
{
    for (unsigned side = 0; side < 2; side++) {
        unsigned flags = h->halves[side].flags;
        if (flags & HALF_UNSEEN && !(flags & HALF_SEEN)) {
            return true;
        }
    }
    return false;
}

static void say_capture(const struct health_view *view, struct health_record *ret)
{
    const struct health *h = &view->health;
    bool lost = ret->ways[0].not_captured_bytes > 0 || ret->ways[1].not_captured_bytes > 0;
    bool whole = h->halves[0].flags & h->halves[1].flags & HALF_SYN;
    ret->capture_loss = seen(lost);
    ret->one_way = seen(is_one_way(h));
    ret->budget_spent = seen(h->flags & HEALTH_SEIZED);
    ret->handshake_seen = ret->one_way == HEALTH_TRUE ? HEALTH_UNKNOWN : truth_of(whole);
    /* A server that was asked in the SYN answers before the handshake's third segment. */
    bool early = whole && !(h->flags & HEALTH_SIMULTANEOUS) && h->halves[1].data_packets > 0 &&
                 h->halves[1].min_rtt_us != HEALTH_NO_TIME;
    ret->established = ret->one_way == HEALTH_TRUE
                           ? HEALTH_UNKNOWN : truth_of(early || h->flags & HEALTH_ESTABLISHED);
    if (ret->one_way == HEALTH_TRUE) {
        ret->quality = "one_way";
    } else if (h->flags & HEALTH_TRUNCATED) {
        ret->quality = "truncated";
    } else if (lost || ret->budget_spent == HEALTH_TRUE || h->flags & HEALTH_JUMPED) {
        ret->quality = "degraded";
    } else {
        ret->quality = whole || h->syns > 0 ? "ok" : "midstream";
    }
}

/* ---- Queues ---------------------------------------------------------------------------------- */

/* Whether a queue would have been seen: behind the tap, which takes round trips; and in front of it,
 * unless there is no room for one. */
static bool sees_queues(const struct health_view *view, unsigned side)
{
    const struct health *h = &view->health;
    if (view->has_detail[side] && view->details[side].sample_count == 0) {
        return false;
    }
    if (h->halves[1 - side].min_rtt_us < NEAR_US) {
        return true;
    }
    return view->has_detail[side] ? health_delay_sees_before(&view->details[side])
                                  : h->flags >> side & HEALTH_SAW_BEFORE;
}

/* A clock that goes wrong (macOS: one per cent slow while its host rests) looks like a queue before
 * the tap. But what the sender answers to the other side's data would wait in that, too: it is none
 * if round trips there were short in nearly all intervals. */
static bool is_clock(const struct health_view *view, unsigned side)
{
    enum { NEARLY_ALL_PERCENT = 80 };
    const struct health_detail *d = &view->details[side];
    const struct health_detail *other = &view->details[1 - side];
    return view->has_detail[side] && view->has_detail[1 - side] && d->queue_before &&
           other->prompt_bins * 100u >= view->health.halves[side].bins * (unsigned)NEARLY_ALL_PERCENT;
}

/* Whether the least delay was one without a queue. Who joins in the middle may have met one that
 * stands all the time, unless there is no room for it in what was measured of the round trip: at
 * the receiver, that is nothing until the other end has answered. */
static bool is_base_known(const struct health *h, unsigned side)
{
    const bool is_joined = !((h->halves[0].flags | h->halves[1].flags) & HALF_SYN);
    const bool is_measured = h->halves[1 - side].min_rtt_us != HEALTH_NO_TIME ||
                             health_trip_us(&h->halves[side]) >= NEAR_US;
    return !is_joined || (is_measured && health_round_us(h) < HEALTH_STANDING_US);
}

/* Of the data of a side: whether a queue stood. Where one stood for a while, too short to call it
 * standing, or little was seen, the answer is not known. */
static enum health_truth queue_of(const struct health_view *view, unsigned side)
{
    const struct health_half *half = &view->health.halves[side];
    const unsigned queue_bins = is_clock(view, side) ? 0 : half->queue_bins;
    const bool most = queue_bins * 2 > half->bins;
    if (queue_bins >= STANDING_BINS || (queue_bins >= STANDING_LEAST && most)) {
        return HEALTH_TRUE;
    }
    if (half->bins == 0 || !sees_queues(view, side) || !is_base_known(&view->health, side)) {
        return HEALTH_UNKNOWN;
    }
    const bool little = half->bins < STANDING_LEAST && health_unique(half) < ENOUGH_BYTES;
    const bool began = half->bins < SOON_BINS && (queue_bins >= STANDING_LEAST || most);
    return little || began ? HEALTH_UNKNOWN : HEALTH_FALSE;
}

static void describe_queue(const struct health_view *view, unsigned side,
                           struct health_record *ret)
{
    const struct health_half *half = &view->health.halves[side];
    const struct health_way *way = &ret->ways[side];
    const double share = (double)half->queue_bins / half->bins;
    ret->findings[HEALTH_BUFFERBLOAT] =
        found(0.6 + 0.35 * share, half->queue_bins, half->bins, way->queue_p50_ms);
    const bool before = view->has_detail[side] ? view->details[side].queue_before
                                               : view->health.flags & HEALTH_QUEUE_BEFORE;
    ret->queue_place = before ? HEALTH_BEFORE_TAP : HEALTH_BEHIND_TAP;
    const double rate = way->unique_bytes / way->sender_busy_time_ms;
    const uint16_t mss = view->health.halves[1 - side].mss;
    const double own = rate * way->queue_p50_ms;
    ret->self_induced = truth_of(own > OWN_SEGMENTS * (mss > 0 ? mss : 1448.0));
}

/* A queue in one way is one. That there is none is said of the way that most data went, unless
 * there may be one in the other. */
static void say_queue(const struct health_view *view, struct health_record *ret)
{
    struct health_finding *finding = &ret->findings[HEALTH_BUFFERBLOAT];
    for (unsigned side = 0; side < 2; side++) {
        const enum health_truth truth = queue_of(view, side);
        if (truth == HEALTH_TRUE) {
            describe_queue(view, side, ret);
        } else if (side == ret->main_way && finding->truth != HEALTH_TRUE) {
            finding->truth = truth;
        }
    }
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static bool is_level(const struct health_view *view, unsigned side, const struct health_way *way)
{
    const struct health_detail *d = &view->details[side];
    if (!view->has_detail[side] || d->best_level_epochs < LEVEL_LEAST ||
        d->best_level_epochs * 10 < d->epochs * 6) {
        return false;
    }
    bool lost = way->retrans_pkts > 0 || d->ce_pkts + d->ece_acks > 0;
    uint32_t mss = view->health.halves[1 - side].mss;
    bool near_window = d->max_window > 0 && d->max_flight + 2 * mss > d->max_window;
    bool queued =
        way->queue_p50_ms > QUEUED_MS; /* who probes for more keeps a short one, as BBR does */
    return !lost && !near_window && !queued;
}

/* Far from the sender, what is out is reckoned from what comes through, which is even on any path
 * that is. */
static bool is_near_sender(const struct health_view *view, unsigned side)
{
    const struct health *h = &view->health;
    return health_trip_us(&h->halves[1 - side]) <= health_trip_us(&h->halves[side]);
}

/* Whoever never has more than a few segments out, though nothing was lost, says one thing at a
 * time: the path was not asked for more. */
static bool is_thin(const struct health_view *view, unsigned side, const struct health_way *way)
{
    uint16_t mss = view->health.halves[1 - side].mss;
    return view->has_detail[side] && way->retrans_pkts < 1 &&
           view->details[side].ce_pkts + view->details[side].ece_acks == 0 &&
           way->max_flight_bytes < THIN_SEGMENTS * (mss > 0 ? mss : 1448.0);
}

/* Whether it says something of the same length again and again, in turns or with pauses: its flight
 * then stays on a level, too. Who is held by his own buffer has always more to say. */
static bool says_by_parts(const struct health_view *view, unsigned side,
                          const struct health_record *record)
{
    const struct health_way *way = &record->ways[side];
    double round = record->min_rtt_to_client_ms + record->min_rtt_to_server_ms;
    return record->turns * 2 >= view->details[side].best_level_epochs ||
           way->idle_ms > 3 * round + (way->sender_busy_time_ms + way->idle_ms) / 10;
}

/* Whether the window held the sender up for most of the time in which it was heard. The window that was
 * full when an outage began stays so, but is not what the sender waits for. */
static bool is_held(const struct health_record *record, const struct health_way *way)
{
    if (record->findings[HEALTH_BLACKHOLED].truth == HEALTH_TRUE) {
        return false;
    }
    double outage = record->blackhole_episodes > 0 ? 1000 * record->blackhole_episode_s : 0;
    return way->rwnd_limited_ms - outage > (way->sender_busy_time_ms - outage) / 2;
}

/* For how long a side, at the end, was not heard by the other one, as far as the tap can tell: since
 * the first of what is not acknowledged passed, or of what it repeats though that was acknowledged
 * here; or since its last data before some that never came as far as the tap. */
static double unheard_ms(const struct health_view *view, unsigned side)
{
    const struct health_half *half = &view->health.halves[side];
    const struct health_detail *d = &view->details[side];
    const bool is_out = health_distance(half->next, half->acked) > 0;
    if (!view->has_detail[side]) {
        return is_out || half->flags & HALF_BEYOND ? INFINITY : 0; /* for eight seconds and more */
    }
    const bool is_stale = d->stale_count > 0;
    if (!is_out && !is_stale && !(half->flags & HALF_BEYOND)) {
        return 0;
    }
    const uint32_t since_us = is_stale ? d->stale_us : is_out ? d->progress_us : d->data_us;
    return health_elapsed(view->health.last_us, since_us) / 1000.0;
}

/* How long nobody said anything at the end; 0 where the one who spoke last is not known any more. */
static double quiet_ms(const struct health_view *view)
{
    double least = INFINITY;
    for (unsigned side = 0; side < 2; side++) {
        if (view->has_detail[side]) {
            const uint32_t data_us = view->details[side].data_us;
            least = fmin(least, health_elapsed(view->health.last_us, data_us) / 1000.0);
        }
    }
    return isinf(least) ? 0 : least;
}

/* How long, at its end, a connection was silent of which nobody knows whether it is well: what a
 * host says into a hole, or for want of an acknowledgment says no more, is not heard elsewhere
 * either. Silences before were somebody's own. */
static double silence_of(const struct health_view *view, const struct health_record *record)
{
    if (record->findings[HEALTH_BLACKHOLED].truth == HEALTH_FALSE) {
        return 0;
    }
    const double unheard = fmax(unheard_ms(view, 0), unheard_ms(view, 1));
    return fmax(unheard, quiet_ms(view));
}

/* Whether it had more to say all the time: nothing but full segments, or super-segments. */
static bool is_bulk(const struct health_half *half)
{
    enum { PARTS = 200 };
    return half->data_bytes * PARTS >=
           (uint64_t)half->data_packets * half->largest_acked * (PARTS - 1);
}

/* Whether something shows that the network gave no more, or the sender may not have found out yet.
 */
static bool is_network(const struct health_view *view, unsigned side, const struct health_way *way)
{
    const struct health_detail *d = &view->details[side];
    return !view->has_detail[side] || d->epochs < START_MOST || way->retrans_pkts > 0 ||
           d->ce_pkts + d->ece_acks > 0 || way->queue_p95_ms > QUEUED_MS ||
           is_bulk(&view->health.halves[side]);
}

static void say_limits(const struct health_view *view, struct health_record *ret)
{
    unsigned side = ret->main_way;
    const struct health_way *way = &ret->ways[side];
    double busy = way->sender_busy_time_ms;
    double silence = silence_of(view, ret);
    double idle = way->idle_ms > silence ? way->idle_ms - silence : 0;
    double life = busy + idle;
    double round = ret->min_rtt_to_client_ms + ret->min_rtt_to_server_ms;
    if (isnan(busy) || life <= 0 || way->unique_bytes <= 0 || view->health.flags & HEALTH_JUMPED) {
        return; /* of sequence numbers that leap nobody knows what was in flight */
    }
    bool lasts = life >= LASTS_MS && !(life < ROUNDS * round);
    bool enough = way->unique_bytes >= LARGE_BYTES || lasts;
    if (!enough) {
        return;
    }
    bool receiver = is_held(ret, way);
    bool application = idle > life / 2;
    bool thin = is_thin(view, side, way);
    bool level = !receiver && !application && !thin && is_level(view, side, way);
    if (level && says_by_parts(view, side, ret)) {
        thin = true;
        level = false;
    }
    /* A window whose scale was not seen may be what all waits for. Behind a queue that cannot be seen, all
     * that comes through comes at one rate, too. */
    bool has_window = !isnan(way->rwnd_limited_ms);
    bool sender = level && has_window && ret->findings[HEALTH_BUFFERBLOAT].truth == HEALTH_FALSE &&
                  is_near_sender(view, side);
    bool closes = ret->ways[1 - side].zero_window_pkts > 0;
    if (application && !has_window && closes) {
        return; /* of a silence nobody knows whose it is */
    }
    const bool may_be = !application && way->idle_ms > busy && silence > 0;
    ret->findings[HEALTH_APPLICATION_LIMITED].truth =
        may_be ? HEALTH_UNKNOWN : truth_of(application);
    ret->findings[HEALTH_RECEIVER_LIMITED].truth = has_window ? HEALTH_FALSE : HEALTH_UNKNOWN;
    ret->findings[HEALTH_SHORT_OF_WINDOW].truth = has_window ? HEALTH_FALSE : HEALTH_UNKNOWN;
    if (application) {
        ret->limited_by = "application";
        ret->findings[HEALTH_APPLICATION_LIMITED] =
            found(0.5 + idle / life / 2, idle, life, way->unique_bytes);
    } else if (receiver) {
        ret->limited_by = "receiver";
        double zeroes = ret->ways[1 - side].zero_window_pkts;
        /* A window that closes says that the reader is slow; one that stays open and is always
         * full is too small for the path. */
        ret->findings[zeroes > 0 ? HEALTH_RECEIVER_LIMITED : HEALTH_SHORT_OF_WINDOW] =
            found(0.5 + way->rwnd_limited_ms / busy / 2, way->rwnd_limited_ms, busy,
                  way->max_window_bytes);
    } else if (sender) {
        ret->limited_by = "sender";
        ret->findings[HEALTH_SENDER_LIMITED] =
            found(0.6, view->details[side].best_level_epochs, view->details[side].level,
                  way->max_window_bytes);
    } else if (has_window &&
               (!level || ret->findings[HEALTH_BUFFERBLOAT].truth == HEALTH_TRUE)) {
        /* Behind a queue, few segments are out here whatever the sender has to say. */
        bool waits = ret->findings[HEALTH_BUFFERBLOAT].truth == HEALTH_TRUE;
        if (thin && !waits) {
            ret->limited_by = "application";
        } else if (waits || (is_network(view, side, way) && !isinf(silence))) {
            ret->limited_by = "network";
        }
    }
}

/* ---- Loss ------------------------------------------------------------------------------------ */

static void say_loss(struct health_record *ret)
{
    const struct health_finding *hole = &ret->findings[HEALTH_BLACKHOLED];
    enum health_truth reordering = HEALTH_UNKNOWN;
    for (unsigned side = 0; side < 2; side++) {
        const struct health_way *way = &ret->ways[side];
        double lost = way->lost_before_tap_pkts + way->lost_behind_tap_pkts;
        if (hole->truth == HEALTH_TRUE) {
            lost -= (double)hole->evidence[0]; /* its repeats say no more than that there is one */
        }
        if (ret->pmtud_icmp == HEALTH_TRUE) {
            lost -= 2 * ret->icmp_errors; /* what was too large is sent again, as two at most */
        }
        const double sent = way->data_pkts - way->network_dup_pkts; /* of mirrored frames one was */
        if (sent < 1) {
            continue;
        }
        double rate = lost / sent;
        if (lost >= LOSSY_LEAST && rate >= 0.01) {
            ret->findings[HEALTH_LOSSY] =
                found(lost >= 10 ? 0.9 : 0.7, 100 * rate, way->lost_before_tap_pkts,
                      way->lost_behind_tap_pkts);
        }
        double late = way->reordered_original_pkts;
        if (late > 0) {
            reordering = HEALTH_TRUE;
        }
        if (late >= LOSSY_LEAST && late / sent >= 0.01) {
            ret->findings[HEALTH_REORDERED] =
                found(late >= 10 ? 0.95 : 0.8, late, 100 * late / sent,
                      way->spurious_retrans_pkts);
        }
        if (way->spurious_retrans_pkts > 0) {
            ret->spurious_retrans = HEALTH_TRUE;
        }
    }
    ret->reordering = reordering;
}

void health_verdicts(const struct health_view *view, struct health_record *ret)
{
    const struct health *h = &view->health;
    ret->close = close_of(h);
    ret->half_open = seen(h->flags & HEALTH_HALF_OPEN);
    ret->simultaneous_open = seen(h->flags & HEALTH_SIMULTANEOUS);
    ret->syn_retransmitted = seen(h->syns > 1);
    ret->pmtu_blackhole_recovered =
        seen(h->flags & HEALTH_PMTU_RECOVERED && !(h->flags & HEALTH_PMTU_ICMP));
    ret->pmtud_icmp = seen(h->flags & HEALTH_PMTU_ICMP);
    if (h->flags & HEALTH_RESET_SEEN) {
        ret->first_rst_from = h->flags & HEALTH_RESET_BY_SERVER ? "server" : "client";
    }
    say_options(h, ret);
    say_capture(view, ret);
    health_black(view, ret);
    say_queue(view, ret);
    say_limits(view, ret);
    say_loss(ret);
    if (ret->server_response_ms >= SLOW_MS) {
        ret->findings[HEALTH_SLOW_SERVER] =
            found(0.8, ret->server_response_ms, ret->turns, ret->min_rtt_to_server_ms);
    }
}
