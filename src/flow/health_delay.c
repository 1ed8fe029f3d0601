// SPDX-License-Identifier: Apache-2.0
/* Round trips from tap to receiver, one-way delays from sender to tap, and whether a queue stands
 * in either. CoDel's argument (RFC 8289): a queue that drains within a round trip is a good one, so
 * what counts is the minimum of the delay over an interval. */
#include "flow/health_book.h"

enum {
    STANDING_MS = HEALTH_STANDING_US / 1000, /* see docs/tcp-health.md for why */
    LONE_ALLOWANCE_US = 140000, /* delayed ACKs of up to 200 ms are not 60 ms of queue */
    DRIFT_MS = 6,              /* by which the base may rise in a window: 100 ppm of clock skew */
    ONE_WAY_OFFSET_MS = 256,   /* of the histogram: the first packet may have stood in a queue */
    TICK_MIN_US = 10000,
    TICK_MIN_STEPS = 8,
    TICK_TOLERANCE_PERCENT = 18,
    NONSENSE_US = 30 * 1000000,
    FALL_US = 200000, /* by which the delay may fall below that of the first packet: the histogram */
    RESTARTS_MAX = 4,
};

/* ---- Histograms ----------------------------------------------------------------------------- */

static unsigned bin_of_ms(int32_t ms)
{
    int32_t bin = ms / HEALTH_BIN_MS;
    return bin < 0 ? 0 : bin < HEALTH_BINS ? (unsigned)bin : HEALTH_BINS - 1;
}

/* The histogram of a series of a detail; NULL while it needs none. */
static uint16_t *bins_of(struct health_detail *d, const struct health_series *series)
{
    if (d->more == NULL) {
        return NULL;
    }
    return series == &d->one_way ? d->more->one_way_bins : d->more->round_trip_bins;
}

static void close_interval(struct health_detail *d, struct health_series *series)
{
    if (!series->is_open || series->count == UINT16_MAX) {
        return;
    }
    int32_t offset_ms = series == &d->one_way ? ONE_WAY_OFFSET_MS : 0;
    unsigned bin = bin_of_ms((int32_t)series->minimum_us / 1000 + offset_ms);
    if (series->count < HEALTH_FEW) {
        series->few[series->count] = (uint8_t)bin;
    } else {
        if (d->more == NULL) {
            health_detail_grow(d);
        }
        uint16_t *bins = bins_of(d, series);
        for (unsigned i = 0; i < HEALTH_FEW && series->count == HEALTH_FEW; i++) {
            bins[series->few[i]]++;
        }
        bins[bin]++;
    }
    series->low = series->count == 0 || bin < series->low ? (uint8_t)bin : series->low;
    series->high = series->count == 0 || bin > series->high ? (uint8_t)bin : series->high;
    series->count++;
    series->is_open = false;
}

static void add_delay(struct health_detail *d, struct health_series *series, uint32_t now_us,
                      int32_t delay_us)
{
    if (!series->is_open || now_us - series->from_us >= HEALTH_INTERVAL_US) {
        close_interval(d, series);
        series->is_open = true;
        series->from_us = now_us - now_us % HEALTH_INTERVAL_US;
        series->minimum_us = (uint32_t)delay_us;
    } else if (delay_us < (int32_t)series->minimum_us) {
        series->minimum_us = (uint32_t)delay_us;
    }
}

/* The `rank`-th of a few, counted from 0 and the least. */
static uint32_t nth_of_few(const uint32_t *few, unsigned count, unsigned rank)
{
    uint32_t sorted[HEALTH_FEW] = {0};
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > few[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = few[i];
    }
    return sorted[rank];
}

/* How many intervals were at least `ms` long. */
static uint32_t count_from(const struct health_series *series, const uint16_t *bins,
                           int32_t ms)
{
    uint32_t count = 0;
    unsigned from = bin_of_ms(ms + HEALTH_BIN_MS - 1);
    if (series->count == 0 || from > series->high) {
        return 0;
    }
    for (unsigned i = 0; i < series->count && series->count <= HEALTH_FEW; i++) {
        count += series->few[i] >= from;
    }
    if (series->count <= HEALTH_FEW) {
        return count;
    }
    for (unsigned i = from > series->low ? from : series->low; i <= series->high; i++) {
        count += bins[i];
    }
    return count;
}

/* The delay, in ms, that the share `percent` of intervals did not exceed. */
static int32_t percentile(const struct health_series *series, const uint16_t *bins,
                          uint32_t percent)
{
    uint32_t rank = series->count * percent / 100;
    uint32_t seen = 0;
    if (series->count <= HEALTH_FEW) {
        uint32_t few[HEALTH_FEW];
        for (unsigned i = 0; i < series->count; i++) {
            few[i] = series->few[i];
        }
        return (int32_t)nth_of_few(few, series->count, rank) * HEALTH_BIN_MS;
    }
    for (unsigned i = series->low; i <= series->high; i++) {
        seen += bins[i];
        if (seen > rank) {
            return (int32_t)i * HEALTH_BIN_MS;
        }
    }
    return 0;
}

static unsigned quantile_of(uint32_t rtt_us)
{
    uint32_t scaled = rtt_us < 64 ? 64 : rtt_us;
    unsigned octave = 31u - (unsigned)__builtin_clz(scaled);
    unsigned index = (octave - 6) * 8 + (scaled >> (octave - 3)) % 8;
    return index < HEALTH_QUANTILES ? index : HEALTH_QUANTILES - 1;
}

/* Notes a round trip for quantile(). */
static void note_quantile(struct health_detail *d, uint32_t rtt_us)
{
    if (d->sample_count < HEALTH_FEW) {
        d->few_us[d->sample_count] = rtt_us;
        return;
    }
    if (d->sample_count == HEALTH_FEW) {
        if (d->more == NULL) {
            health_detail_grow(d);
        }
        memset(d->more->quantiles, 0, sizeof d->more->quantiles);
        for (unsigned i = 0; i < HEALTH_FEW; i++) {
            d->more->quantiles[quantile_of(d->few_us[i])]++;
        }
    }
    health_count16(&d->more->quantiles[quantile_of(rtt_us)]);
}

static uint32_t quantile(const struct health_detail *d, double share)
{
    uint32_t total = 0;
    if (d->sample_count == 0) {
        return HEALTH_NO_TIME;
    }
    if (d->sample_count <= HEALTH_FEW) {
        return nth_of_few(d->few_us, d->sample_count, (unsigned)(share * d->sample_count));
    }
    for (unsigned i = 0; i < HEALTH_QUANTILES; i++) {
        total += d->more->quantiles[i];
    }
    uint32_t rank = (uint32_t)(share * total);
    uint32_t seen = 0;
    for (unsigned i = 0; i < HEALTH_QUANTILES; i++) {
        seen += d->more->quantiles[i];
        if (seen > rank) {
            return (uint32_t)((8 + i % 8) << (i / 8 + 3)) + (4u << (i / 8)); /* its middle */
        }
    }
    return HEALTH_NO_TIME;
}

void health_delay_quantiles(const struct health_detail *d, struct health_detail *ret)
{
    ret->rtt_p50_us = quantile(d, 0.5);
    ret->rtt_p95_us = quantile(d, 0.95);
}

/* ---- Judging -------------------------------------------------------------------------------- */

static void judge_series(struct health_half *half, struct health_detail *d,
                         int32_t base_ms, bool before)
{
    const struct health_series *series = before ? &d->one_way : &d->round_trip;
    const uint16_t *bins = bins_of(d, series);
    if (series->count == 0) {
        return;
    }
    uint32_t standing = count_from(series, bins, base_ms + STANDING_MS);
    /* The half's bins are those of the series with the longer queue. */
    if (standing > half->queue_bins || half->bins == 0) {
        d->queue_before = before && standing > 0;
    }
    if (series->high * HEALTH_BIN_MS <= base_ms) {
        return; /* none was longer than the base */
    }
    int32_t median = percentile(series, bins, 50) - base_ms;
    int32_t high = percentile(series, bins, 95) - base_ms;
    if (median > 0 && median > d->queue_p50_ms) {
        d->queue_p50_ms = (uint16_t)median;
    }
    if (high > 0 && high > d->queue_p95_ms) {
        d->queue_p95_ms = (uint16_t)high;
    }
}

/* Empties a histogram. */
static void clear_bins(struct health_detail *d, struct health_series *series)
{
    uint16_t *bins = bins_of(d, series);
    if (series->count > HEALTH_FEW) {
        memset(bins + series->low, 0, (series->high - series->low + 1u) * sizeof *bins);
    }
    series->count = 0;
}

void health_delay_clear(struct health_detail *d)
{
    clear_bins(d, &d->round_trip);
    clear_bins(d, &d->one_way);
}

static uint16_t add16(uint16_t a, uint32_t b)
{
    return a + b > UINT16_MAX ? UINT16_MAX : (uint16_t)(a + b);
}

void health_delay_judge(struct health_half *half, struct health_detail *d, bool last)
{
    if (last) {
        close_interval(d, &d->round_trip);
        close_interval(d, &d->one_way);
    }
    int32_t rtt_base = half->min_rtt_us == HEALTH_NO_TIME ? 0 : (int32_t)(half->min_rtt_us / 1000);
    /* A tick is what the clock does not tell. */
    int32_t tick_us = d->tick_us == HEALTH_NO_TIME ? 0 : (int32_t)d->tick_us;
    int32_t way_base = (d->delay_base_us + tick_us) / 1000 + ONE_WAY_OFFSET_MS;
    uint32_t trips = count_from(&d->round_trip, bins_of(d, &d->round_trip), rtt_base + STANDING_MS);
    uint32_t ways = count_from(&d->one_way, bins_of(d, &d->one_way), way_base + STANDING_MS);
    judge_series(half, d, rtt_base, false);
    judge_series(half, d, way_base, true);
    bool before = ways > trips;
    half->queue_bins = add16(half->queue_bins, before ? ways : trips);
    half->bins = add16(half->bins, before || d->round_trip.count == 0 ? d->one_way.count
                                                                      : d->round_trip.count);
    clear_bins(d, &d->round_trip);
    clear_bins(d, &d->one_way);
    d->delay_base_us += DRIFT_MS * 1000;
}

bool health_delay_sees_before(const struct health_detail *d)
{
    enum { LIKELY_UNSEEN = 10, BLIND_MOST = 12 }; /* as many intervals as make a standing queue */
    const unsigned spans = d->spans + 1u;
    const unsigned seen = d->spans_seen + (d->span_seen ? 1u : 0u);
    const bool has_clock = d->tick_us != 0 && d->tick_us != HEALTH_NO_TIME;
    return (has_clock && d->spans <= BLIND_MOST) || d->prompt_fills > d->slow_fills ||
           (seen * 2 >= spans && spans - seen < LIKELY_UNSEEN);
}

static void judge_when_due(struct health_half *half, struct health_detail *d, uint32_t now_us)
{
    if (now_us - d->window_start_us >= HEALTH_WINDOW_US) {
        health_delay_judge(half, d, false);
        d->window_start_us = now_us;
    }
}

/* ---- Samples -------------------------------------------------------------------------------- */

/* RFC 6298 §2. */
static void smooth(struct health_detail *d, uint32_t rtt_us)
{
    int32_t error = (int32_t)(rtt_us - d->smooth_us);
    if (d->sample_count == 0) {
        d->smooth_us = rtt_us;
        d->variation_us = rtt_us / 2;
    } else {
        uint32_t magnitude = (uint32_t)(error < 0 ? -error : error);
        d->variation_us += (uint32_t)((int32_t)(magnitude - d->variation_us) / 4);
        d->smooth_us += (uint32_t)(error / 8);
    }
    note_quantile(d, rtt_us);
    health_count32(&d->sample_count, 1);
    d->sample_sum_us += rtt_us;
}

/* The way to the sender of these data is known from now on: what its clock made of those that
 * passed before is nothing, if there were many. */
static void note_first(struct health_detail *d)
{
    enum { MANY = 10 };
    struct health *h = &d->book->connections[d->owner];
    struct health_half *sender = &h->halves[1 - d->side];
    if (sender->data_packets >= MANY) {
        sender->flags |= HALF_UNTIMED;
    }
}

void health_delay_learn(struct health_half *half, struct health_detail *d, uint32_t now_us,
                        uint32_t rtt_us, uint32_t waited_us, bool is_open)
{
    if (rtt_us < half->min_rtt_us) {
        if (half->min_rtt_us == HEALTH_NO_TIME) {
            note_first(d);
        }
        half->min_rtt_us = rtt_us;
    }
    if (d->sample_count == 0 || now_us - d->sampled_us >= HEALTH_SAMPLE_US) {
        smooth(d, rtt_us);
        d->sampled_us = now_us;
    }
    if (rtt_us < half->min_rtt_us + HEALTH_STANDING_US &&
        now_us - d->prompt_us >= HEALTH_INTERVAL_US) {
        d->prompt_us = now_us - now_us % HEALTH_INTERVAL_US;
        health_count16(&d->prompt_bins);
    }
    if (!is_open) {
        return; /* the receiver's delay, not the network's */
    }
    if (waited_us > 0) {
        waited_us = waited_us < LONE_ALLOWANCE_US ? waited_us : LONE_ALLOWANCE_US;
        uint32_t less = rtt_us > waited_us ? rtt_us - waited_us : 0;
        rtt_us = less > half->min_rtt_us ? less : half->min_rtt_us;
    }
    judge_when_due(half, d, now_us);
    add_delay(d, &d->round_trip, now_us, (int32_t)rtt_us);
}

/* The sender's clock: RFC 7323 §5.4 allows 1 ms to 1 s a tick; these are in use. 0: too early. A
 * queue that fills at the start makes ticks of 1 ms look longer, so those that are must do so for a
 * while. */
static uint32_t find_tick(uint32_t passed_us, uint32_t steps)
{
    static const uint32_t ticks[] = {1, 1000, 4000, 10000, 100000};
    const unsigned count = passed_us < HEALTH_SECOND_US ? 2 : sizeof ticks / sizeof *ticks;
    if (passed_us < TICK_MIN_US || steps < TICK_MIN_STEPS) {
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t expected = (uint64_t)steps * ticks[i];
        uint64_t apart = expected > passed_us ? expected - passed_us : passed_us - expected;
        if (apart * 100 <= expected * TICK_TOLERANCE_PERCENT) {
            return ticks[i];
        }
    }
    return 0;
}

/* Begins anew with the sender's clock at this stamp; not for ever. */
static void restart_clock(struct health_detail *d, uint32_t now_us, uint32_t ts_value)
{
    clear_bins(d, &d->one_way);
    d->one_way.is_open = false;
    d->tick_us = d->clock_restarts++ < RESTARTS_MAX ? 0 : HEALTH_NO_TIME;
    d->clock_confirmed = false;
    d->ts_first = ts_value;
    d->ts_first_us = now_us | 1;
    d->delay_us = d->delay_base_us = 0;
    d->leap_us = 0;
    d->span_us = 0;
}

/* A queue that grows since the first packet hides the tick, but hardly ever grows as fast for long: over
 * some second the tick shows, and then all that passed since the first packet was held up. Until then
 * no interval says anything. */
static uint32_t find_tick_late(struct health_detail *d, uint32_t now_us, uint32_t ts_value)
{
    const uint32_t blind = (now_us - d->ts_first_us) / HEALTH_INTERVAL_US;
    const uint32_t lasted_us = now_us - d->span_us;
    if (d->span_us != 0 && lasted_us < HEALTH_SECOND_US) {
        d->spans = blind < UINT16_MAX ? (uint16_t)blind : UINT16_MAX;
        return 0;
    }
    uint32_t tick_us = d->span_us != 0 ? find_tick(lasted_us, ts_value - d->burst_us) : 0;
    d->spans = blind < UINT16_MAX ? (uint16_t)blind : UINT16_MAX;
    d->span_us = now_us | 1;
    d->burst_us = ts_value;
    return tick_us;
}

/* Whether what was found of the clock's tick cannot be: the delay falls by more than any queue that
 * the first packet may have stood in, or over a second another tick fits. */
static bool is_misread(struct health_detail *d, uint32_t passed_us, uint32_t steps,
                       int64_t delay_us)
{
    if (delay_us < -FALL_US) {
        return true;
    }
    if (d->clock_confirmed || passed_us < HEALTH_SECOND_US) {
        return false;
    }
    uint32_t tick_us = find_tick(passed_us, steps);
    d->clock_confirmed = true;
    return tick_us != 0 && tick_us != d->tick_us;
}

/* ---- Leaps ----------------------------------------------------------------------------------- */

/* A delay that grows by more than an interval from one packet to the next was held up on the way, or the
 * capture's clock was set forward. If it was the clock, its sender answers as promptly as before: with
 * the stamp of what just passed towards it. Until that is known intervals are not counted, and packets go
 * the long way. */
static void begin_leap(struct health_detail *d, uint32_t now_us, uint32_t leap_us)
{
    d->book->connections[d->owner].flags &= ~(uint32_t)HEALTH_PLAIN_BOTH;
    d->leap_us = leap_us;
    d->leapt_us = now_us;
    d->asked_us = 0;
}

/* Whether it may still turn out to be the clock. */
static bool is_leaping(struct health_detail *d, uint32_t now_us)
{
    enum { PATIENCE_US = 500000 };
    if (d->leap_us != 0 && health_distance(now_us, d->leapt_us) > PATIENCE_US) {
        d->leap_us = 0;
    }
    return d->leap_us != 0;
}

static uint32_t prompt_us(const struct health *h, const struct health_detail *d)
{
    const uint32_t trip_us = h->halves[1 - d->side].min_rtt_us;
    return trip_us == HEALTH_NO_TIME ? 0 : trip_us + d->leap_us / 2;
}

void health_delay_ask(struct health_step *s)
{
    struct health_detail *own = health_step_detail(s, s->half);
    struct health_detail *other = health_step_detail(s, s->other);
    if (!s->options.has_timestamps) {
        return;
    }
    if (own != NULL && own->leap_us != 0 && own->asked_us != 0 &&
        health_distance(s->options.ts_echo, own->asked_ts) >= 0) {
        if (s->now_us - own->asked_us < prompt_us(s->health, own)) {
            own->ts_first_us = (own->ts_first_us + own->leap_us) | 1;
            own->delay_us -= (int32_t)own->leap_us;
            own->leap_us = 0;
        }
        own->asked_us = 0;
    }
    if (other != NULL && other->leap_us != 0 &&
        (other->asked_us == 0 || s->now_us - other->asked_us > prompt_us(s->health, other))) {
        other->asked_us = s->now_us | 1;
        other->asked_ts = s->options.ts_value;
    }
}

/* ---- Time stamps ----------------------------------------------------------------------------- */

void health_delay_tell(struct health_half *half, struct health_detail *d, uint32_t now_us,
                       uint32_t ts_value)
{
    if (d->ts_first_us == 0) {
        d->ts_first = d->ts_latest = ts_value;
        d->ts_first_us = now_us | 1;
        return;
    }
    /* A packet that comes late though it left with the one before says nothing of the clock. */
    bool stands = ts_value == d->ts_latest;
    d->ts_latest = ts_value;
    uint32_t passed_us = now_us - d->ts_first_us;
    if (d->tick_us == 0) {
        uint32_t tick_us = find_tick(passed_us, ts_value - d->ts_first);
        d->tick_us = tick_us != 0 ? tick_us : find_tick_late(d, now_us, ts_value);
        if (d->tick_us == 0) {
            return;
        }
    }
    int64_t sent_us = (int64_t)health_distance(ts_value, d->ts_first) * d->tick_us;
    int64_t delay_us = (int64_t)passed_us - sent_us;
    if (delay_us > NONSENSE_US) {
        /* Stamps that are no clock (some middleboxes make them up), or long silence. */
        health_delay_judge(half, d, true);
        restart_clock(d, now_us, ts_value);
        return;
    }
    if (!stands && is_misread(d, passed_us, ts_value - d->ts_first, delay_us)) {
        restart_clock(d, now_us, ts_value);
        return;
    }
    if (delay_us < d->delay_base_us) {
        d->delay_base_us = (int32_t)delay_us;
    }
    const int32_t before_us = d->delay_us;
    d->delay_us = (int32_t)delay_us - d->delay_base_us - (int32_t)d->tick_us;
    if (d->leap_us == 0 && d->delay_us - before_us >= (int32_t)HEALTH_INTERVAL_US) {
        begin_leap(d, now_us, (uint32_t)(d->delay_us - before_us));
    }
    if (is_leaping(d, now_us)) {
        return;
    }
    judge_when_due(half, d, now_us);
    add_delay(d, &d->one_way, now_us, (int32_t)delay_us);
}
