// SPDX-License-Identifier: Apache-2.0
/* The numbers of the record. */
#include "flow/health_book.h"

#include "flow/health_clock.h"

enum { ENOUGH_BYTES = 100000, ENOUGH_ROUNDS = 5 };

static double ms_of(uint32_t us)
{
    return us == HEALTH_NO_TIME ? NAN : us / 1000.0;
}

/* The same of one that has closed. */
static void look_at_remains(const struct health_remains *remains, struct health_view *ret)
{
    for (unsigned side = 0; side < 2; side++) {
        ret->has_detail[side] = remains->has[side];
        if (remains->has[side]) {
            memcpy(&ret->details[side], remains->heads[side], HEALTH_HEAD_BYTES);
            if (ret->details[side].sample_count <= HEALTH_FEW) {
                health_delay_quantiles(&ret->details[side], &ret->details[side]);
            }
        }
    }
}

/* What health_clock_finish() and health_delay_judge() need of a detail: most is not in use. */
static void copy_detail(struct health_view *view, unsigned side, const struct health_detail *d)
{
    struct health_detail *ret = &view->details[side];
    struct health_more *more = &view->more[side];
    memcpy(ret, d, HEALTH_HEAD_BYTES);
    ret->segment_count = 0;
    if (d->more == NULL) {
        memcpy(ret->few_acks, d->few_acks, sizeof d->few_acks);
        memset(more->round_trip_bins, 0, sizeof more->round_trip_bins);
        memset(more->one_way_bins, 0, sizeof more->one_way_bins);
        health_detail_extend(ret, more);
        return;
    }
    ret->more = more;
    if (d->ack_count > 0) {
        memcpy(more->acks, d->more->acks, sizeof more->acks);
    }
    if (d->round_trip.count >= HEALTH_FEW) {
        memcpy(more->round_trip_bins, d->more->round_trip_bins, sizeof more->round_trip_bins);
    }
    if (d->one_way.count >= HEALTH_FEW) {
        memcpy(more->one_way_bins, d->more->one_way_bins, sizeof more->one_way_bins);
    }
}

/* A copy of the connection with all clocks run to its end. */
static void look_at(const struct health_book *book, uint32_t index, struct health_view *ret)
{
    ret->health = book->connections[index];
    struct health *h = &ret->health;
    if (h->flags & HEALTH_SHED) {
        look_at_remains(&book->remains[h->remains], ret);
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        struct health_half *half = &h->halves[side];
        const struct health_detail *d = health_detail_of(book, half);
        ret->has_detail[side] = d != NULL;
        if (d == NULL) {
            continue;
        }
        copy_detail(ret, side, d);
        health_delay_quantiles(d, &ret->details[side]);
        health_clock_finish(h, &ret->details[side]);
        health_delay_judge(half, &ret->details[side], true);
        if (d->is_ahead) {
            health_count32(&half->not_captured, d->ahead - half->next);
        }
    }
}

/* Whole ms, and what is not moved there yet: the same wherever the cut is. */
static double total_ms(uint32_t ms, uint32_t us)
{
    return (double)(ms * UINT64_C(1000) + us) / 1000;
}

static double megabits(double bytes, double ms)
{
    return ms > 0 && bytes > 0 ? bytes * 8 / ms / 1000 : NAN;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void measure_times(const struct health_view *view, unsigned side, struct health_way *way)
{
    const struct health *h = &view->health;
    const struct health_half *half = &h->halves[side];
    const struct health_detail *d = &view->details[side];
    bool has = view->has_detail[side];
    way->sender_busy_time_ms = way->rwnd_limited_ms = way->idle_ms = NAN;
    way->nonidle_throughput_mbps = way->goodput_mbps = NAN;
    if (half->data_packets == 0 || !(h->halves[1 - side].flags & HALF_SEEN)) {
        return;
    }
    double life = (h->last_us - h->first_us) / 1000.0;
    way->goodput_mbps = megabits((double)health_unique(half), life);
    if (h->halves[1 - side].min_rtt_us == HEALTH_NO_TIME || half->flags & HALF_UNTIMED) {
        return; /* acknowledgments reach the sender nobody knows when */
    }
    if (!(half->flags & HALF_EDGE) && h->halves[1 - side].zero_windows > 0) {
        return; /* the window closed, and whenever it held the sender up cannot be told from silence */
    }
    double trip = h->halves[1 - side].min_rtt_us / 1000.0;
    /* Nobody is busy for longer than until what passed last has reached him, whatever packets say. */
    double busy = least(total_ms(half->busy_ms, has ? d->busy_us : 0), life + trip);
    int32_t out = health_distance(half->next, half->acked);
    double acked = (double)health_unique(half) + half->not_captured - (out > 0 ? out : 0);
    way->sender_busy_time_ms = busy;
    way->idle_ms = life > busy ? life - busy : 0;
    /* Less says more of the path's length than of what it carries. */
    double round = ms_of(h->halves[0].min_rtt_us) + ms_of(h->halves[1].min_rtt_us);
    if (acked >= ENOUGH_BYTES || busy >= ENOUGH_ROUNDS * round) {
        way->nonidle_throughput_mbps = megabits(acked, busy);
    }
    if (half->flags & HALF_EDGE) {
        way->rwnd_limited_ms = least(total_ms(half->rwnd_ms, has ? d->rwnd_us : 0), busy);
    }
}

static void measure_trips(const struct health_view *view, unsigned side, struct health_way *way)
{
    const struct health_detail *d = &view->details[side];
    uint16_t mss = view->health.halves[1 - side].mss;
    way->rtt_samples = way->rtt_p50_ms = way->rtt_p95_ms = way->rtt_loaded_ms = NAN;
    way->queue_p50_ms = way->queue_p95_ms = NAN;
    way->max_flight_bytes = way->max_window_bytes = way->initial_window_segs = NAN;
    way->duplicate_acks = way->sack_acks = way->window_full_pkts = way->ce_pkts = NAN;
    way->ece_acks = NAN;
    if (!view->has_detail[side]) {
        return;
    }
    way->rtt_samples = d->sample_count;
    way->rtt_p50_ms = ms_of(d->rtt_p50_us);
    way->rtt_p95_ms = ms_of(d->rtt_p95_us);
    if (d->sample_count > 0) {
        way->rtt_loaded_ms = (double)d->sample_sum_us / d->sample_count / 1000;
    }
    if (view->health.halves[side].bins > 0) {
        way->queue_p50_ms = d->queue_p50_ms;
        way->queue_p95_ms = d->queue_p95_ms;
    }
    way->max_flight_bytes = d->max_flight > d->epoch_flight ? d->max_flight : d->epoch_flight;
    way->max_window_bytes = d->max_window > 0 ? (double)d->max_window : NAN;
    way->duplicate_acks = d->duplicate_acks;
    way->sack_acks = d->sack_acks;
    way->window_full_pkts = d->window_full;
    way->ece_acks = d->ece_acks;
    /* Marks that are echoed, but did not pass, are made behind the tap: how many is not known here. */
    way->ce_pkts = d->ce_pkts == 0 && d->ece_acks > 0 ? (double)NAN : d->ce_pkts;
    if (d->initial_state == INITIAL_KNOWN && mss > 0) {
        bool stamps = view->health.halves[0].flags & view->health.halves[1].flags & HALF_TIMESTAMPS;
        unsigned size = mss - (stamps ? 12u : 0u);
        unsigned segments = (d->initial_window + size / 2) / size;
        way->initial_window_segs = segments > 0 ? (double)segments : NAN;
    }
}

static void measure_way(const struct health_view *view, unsigned side, struct health_way *way)
{
    const struct health_half *half = &view->health.halves[side];
    way->data_pkts = half->data_packets;
    way->data_bytes = (double)half->data_bytes;
    way->unique_bytes = (double)health_unique(half);
    way->not_captured_bytes = half->not_captured;
    way->retrans_earlier_copy_seen_pkts = half->retrans_seen;
    way->retrans_fills_hole_pkts = half->retrans_hole;
    way->retrans_pkts = (double)half->retrans_seen + half->retrans_hole;
    way->reordered_original_pkts = half->reordered;
    way->network_dup_pkts = half->copies;
    way->spurious_retrans_pkts = half->spurious;
    way->fast_retransmits = half->fast;
    way->timeouts = half->timeouts;
    way->tail_probes = half->probes;
    /* What came for nothing was mostly seen here before; beyond, what had not come was only late. */
    uint32_t needed = half->retrans_seen > half->spurious ? half->retrans_seen - half->spurious : 0;
    uint32_t late = half->spurious > half->retrans_seen ? half->spurious - half->retrans_seen : 0;
    way->lost_behind_tap_pkts = needed;
    way->lost_before_tap_pkts = half->retrans_hole > late ? half->retrans_hole - late : 0;
    way->zero_window_pkts = half->zero_windows;
    way->mss = half->mss > 0 ? half->mss : NAN;
    way->window_scale = half->flags & HALF_SCALE ? half->window_scale : NAN;
    measure_times(view, side, way);
    measure_trips(view, side, way);
}

static void measure_handshake(const struct health *h, struct health_record *ret)
{
    ret->min_rtt_to_server_ms = ms_of(h->halves[0].min_rtt_us);
    ret->min_rtt_to_client_ms = ms_of(h->halves[1].min_rtt_us);
    ret->handshake_rtt_to_server_ms = ms_of(h->to_server_us);
    ret->handshake_rtt_to_client_ms = ms_of(h->to_client_us);
    bool has = h->flags & HEALTH_MEASURES;
    ret->ttfb_ms = has ? ms_of(h->ttfb_us) : NAN;
    ret->tls_handshake_ms = has && h->flags & HEALTH_TLS ? ms_of(h->tls_us) : NAN;
    ret->server_response_ms = has ? ms_of(h->response_us) : NAN;
    ret->longest_stall_ms = has ? ms_of(h->stall_us) : NAN;
    ret->syn_pkts = h->syns;
    ret->synack_pkts = h->answers;
}

bool health_finish(const struct health_book *book, flow_index flow, uint64_t silence_ns,
                   struct health_record *ret)
{
    uint32_t index = health_book_find(book, flow);
    if (index == 0) {
        return false;
    }
    struct health_view view;
    look_at(book, index, &view);
    view.silence_us = silence_ns / 1000;
    const struct health *h = &view.health;
    *ret = (struct health_record){0};
    measure_handshake(h, ret);
    ret->packets = h->packets;
    ret->duplicate_frames = h->copies;
    ret->rst_pkts = h->halves[0].resets + h->halves[1].resets;
    ret->keepalives = h->halves[0].keepalives + h->halves[1].keepalives;
    ret->window_probes = h->probes;
    ret->icmp_errors = h->icmp_errors;
    ret->turns = h->turns;
    for (unsigned side = 0; side < 2; side++) {
        measure_way(&view, side, &ret->ways[side]);
    }
    ret->main_way = health_unique(&h->halves[1]) >= health_unique(&h->halves[0]);
    ret->timeouts = ret->ways[0].timeouts + ret->ways[1].timeouts;
    ret->tail_probes = ret->ways[0].tail_probes + ret->ways[1].tail_probes;
    ret->initial_window_segs = ret->ways[1].initial_window_segs;
    health_verdicts(&view, ret);
    return true;
}

/* ---- Whole round trips ------------------------------------------------------------------------ */

/* Both sides of the tap together; a side's median is better known than its handshake. */
static double both_sides(double to_server, double to_client, double server_else, double client_else)
{
    to_server = isnan(to_server) ? server_else : to_server;
    to_client = isnan(to_client) ? client_else : to_client;
    return to_server + to_client;
}

struct health_trip health_trip_of(const struct health_record *r)
{
    const struct health_way *up = &r->ways[0];
    const struct health_way *down = &r->ways[1];
    const struct health_way *main = &r->ways[r->main_way];
    const double sent = main->data_pkts - main->network_dup_pkts;
    double server = r->handshake_rtt_to_server_ms;
    double client = r->handshake_rtt_to_client_ms;
    return (struct health_trip){
        .rtt_ms = both_sides(up->rtt_p50_ms, down->rtt_p50_ms, server, client),
        .rtt_p95_ms = both_sides(up->rtt_p95_ms, down->rtt_p95_ms, server, client),
        .min_rtt_ms = both_sides(r->min_rtt_to_server_ms, r->min_rtt_to_client_ms, server, client),
        .loss_percent = sent > 0 ? 100 * main->retrans_pkts / sent : NAN,
        .throughput_mbps = main->nonidle_throughput_mbps,
    };
}
