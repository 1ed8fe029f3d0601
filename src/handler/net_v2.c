// SPDX-License-Identifier: Apache-2.0
/* Packets by direction: version 2 of pktvisor's "net". Each direction has all its counters of its own,
 * and is not told before it has been seen. Unlike there, bits per second are bits. */
#include "handler/address_cache.h"
#include "handler/number_cache.h"
#include "handler/place_filter.h"
#include "summary/cardinality.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 1024, SIDES = 3 };
enum { CARDINALITY = 1, COUNTERS = 2, QUANTILES = 4, TOP_GEO = 8, TOP_IPS = 16 };

struct net_v2_side {
    uint64_t udp, tcp, other, ipv4, ipv6, syn, total;
    struct rate pps, bps;
    struct quantiles sizes;
    struct cardinality addresses;
    TOPN_DECLARE(top_ipv4, SLOTS);
    TOPN_DECLARE(top_ipv6, SLOTS);
    TOPN_DECLARE_WIDE(top_places, SLOTS, METRIC_PLACE);
    TOPN_DECLARE_WIDE(top_owners, SLOTS, METRIC_PLACE);
};

struct net_v2 {
    struct net_v2_side sides[SIDES]; /* by enum frame_direction */
    uint64_t filtered, observed, deep;
    struct rate rate;
};

struct net_v2_settings {
    struct handler_settings common;
    struct place_filter filter;
};

struct net_v2_state {
    struct address_cache near; /* whose place nobody asks for: our own hosts */
    struct address_cache far;
    struct number_cache sizes[SIDES];
    struct place_filter_cache verdicts;
};

static bool net_v2_configure(const struct handler_options *options, void *settings,
                             struct err *err)
{
    struct net_v2_settings *s = settings;
    return place_filter_read(options, &s->filter, err);
}

static void net_v2_init(void *block)
{
    for (unsigned i = 0; i < SIDES; i++) {
        struct net_v2_side *side = &((struct net_v2 *)block)->sides[i];
        topn_init(&side->top_ipv4, SLOTS, ADDRESS_CACHE_KEY);
        topn_init(&side->top_ipv6, SLOTS, ADDRESS_CACHE_KEY);
        topn_init(&side->top_places, SLOTS, METRIC_PLACE);
        topn_init(&side->top_owners, SLOTS, METRIC_PLACE);
    }
}

static void leave_near(void *context, const struct address_cache_entry *entry)
{
    struct handler_run *run = context;
    struct net_v2_side *side = &((struct net_v2 *)run->block)->sides[entry->side];
    unsigned version = entry->key[0];
    topn_add(version == 4 ? &side->top_ipv4 : &side->top_ipv6, entry->key, entry->count, NULL);
    cardinality_add_coupon(&side->addresses, entry->coupon);
}

static void leave_far(void *context, const struct address_cache_entry *entry)
{
    struct handler_run *run = context;
    const struct handler_world *world = handler_settings(run)->world;
    struct net_v2_side *side = &((struct net_v2 *)run->block)->sides[entry->side];
    struct geo_place place;
    leave_near(context, entry);
    if (world->city != NULL && handler_wants(run, TOP_GEO)) {
        geo_city(world->city, entry->key[0], entry->key + 1, &place);
        handler_add_place(&side->top_places, &place, entry->count);
    }
    if (world->owner != NULL && handler_wants(run, TOP_GEO)) {
        geo_owner(world->owner, entry->key[0], entry->key + 1, &place);
        handler_add_place(&side->top_owners, &place, entry->count);
    }
}

/* What number_cache_leave() is told of: a size, of packets in a direction. */
struct side_run {
    struct handler_run *run;
    unsigned direction;
};

static void leave_size(void *context, const struct number_cache_entry *entry)
{
    const struct side_run *at = context;
    struct net_v2_side *side = &((struct net_v2 *)at->run->block)->sides[at->direction];
    quantiles_add_many(&side->sizes, entry->number, entry->count);
}

static void net_v2_fold(struct handler_run *run)
{
    struct net_v2_state *state = run->state;
    for (unsigned i = 0; i < SIDES; i++) {
        struct side_run at = {run, i};
        number_cache_fold(&state->sizes[i], leave_size, &at);
    }
    address_cache_fold(&state->near, leave_near, run);
    address_cache_fold(&state->far, leave_far, run);
}

static void net_v2_count(struct handler_run *run, const struct handler_event *event)
{
    struct net_v2 *b = run->block;
    struct net_v2_side *side = &b->sides[event->direction];
    side->total++;
    side->udp += event->protocol == 17;
    side->tcp += event->protocol == 6;
    side->other += event->protocol != 17 && event->protocol != 6;
    side->ipv4 += event->version == 4;
    side->ipv6 += event->version == 6;
    side->syn += event->protocol == 6 && (event->tcp_flags & TCP_SYN);
    run->sums[2 * event->direction]++;
    run->sums[2 * event->direction + 1] += UINT64_C(8) * event->size;
}

/* What only deep samples get: of packets the other end, both where nobody knows which that is; of
 * messages that were told (dnstap) both. */
static void net_v2_look(struct handler_run *run, struct handler_event *event)
{
    struct net_v2_state *state = run->state;
    struct side_run at = {run, event->direction};
    number_cache_add(&state->sizes[event->direction], event->size, leave_size, &at);
    for (unsigned end = 0; end < 2 && event->version != 0; end++) {
        bool is_near = event->direction == (end == 0 ? FRAME_DIRECTION_OUT : FRAME_DIRECTION_IN);
        if (is_near && event->packet != NULL) {
            continue;
        }
        address_cache_add(is_near ? &state->near : &state->far, event, end,
                          is_near ? leave_near : leave_far, run);
    }
}

static bool net_v2_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct net_v2_settings *settings = run->settings;
    struct net_v2_state *state = run->state;
    struct net_v2 *b = run->block;
    bool passes = place_filter_known(&settings->filter, settings->common.world, &state->verdicts,
                                     event);
    bool counts = event->kinds & (run->takes_messages ? HANDLER_DATAGRAM | HANDLER_STREAM
                                                      : HANDLER_FRAME);
    if (!counts) {
        return passes; /* for those behind */
    }
    bool deep = handler_is_deep(run);
    b->observed++;
    b->deep += deep;
    run->sums[2 * SIDES]++;
    if (!passes) {
        b->filtered++;
        return false;
    }
    net_v2_count(run, event);
    if (deep) {
        net_v2_look(run, event);
    }
    return true;
}

static bool net_v2_has_side(const void *block, unsigned direction)
{
    return ((const struct net_v2 *)block)->sides[direction].total != 0;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define SIDE_ROW(side_, word_, name_, member_, kind_, path_, groups_, unit_, help_)                \
    .name = word_ "_" name_, .kind = kind_, .unit = unit_, .help = help_, .group = #groups_,       \
    .offset = offsetof(struct net_v2, sides) + (side_) * sizeof(struct net_v2_side) +              \
              offsetof(struct net_v2_side, member_),                                               \
    .path = word_ "/" path_, .family = "net_" name_, .groups = groups_, .side = (side_) + 1
#define SIDE_COUNTER(side_, word_, name_, member_, path_, help_)                                   \
    {SIDE_ROW(side_, word_, name_, member_, METRIC_COUNTER, path_, COUNTERS, "packets", help_)}
#define SIDE_TOP(side_, word_, name_, member_, groups_, key_, label_, help_)                       \
    {SIDE_ROW(side_, word_, name_, member_, METRIC_TOPN, name_, groups_, "packets", help_),        \
     .key = key_, .label = label_}

#define SIDE(side_, word_)                                                                         \
    SIDE_COUNTER(side_, word_, "udp_packets", udp, "udp_packets", "Count of UDP packets"),         \
    SIDE_COUNTER(side_, word_, "tcp_packets", tcp, "tcp_packets", "Count of TCP packets"),         \
    SIDE_COUNTER(side_, word_, "other_l4_packets", other, "other_l4_packets",                      \
                 "Count of packets which are not UDP or TCP"),                                     \
    SIDE_COUNTER(side_, word_, "ipv4_packets", ipv4, "ipv4_packets", "Count of IPv4 packets"),     \
    SIDE_COUNTER(side_, word_, "ipv6_packets", ipv6, "ipv6_packets", "Count of IPv6 packets"),     \
    SIDE_COUNTER(side_, word_, "tcp_syn_packets", syn, "tcp/syn_packets",                          \
                 "Count of TCP SYN packets"),                                                      \
    SIDE_COUNTER(side_, word_, "total_packets", total, "total_packets",                            \
                 "Count of total packets matching the configured filter(s)"),                      \
    {SIDE_ROW(side_, word_, "cardinality_ips", addresses, METRIC_CARDINALITY, "cardinality/ips",   \
              CARDINALITY, "", "IP cardinality")},                                                 \
    SIDE_TOP(side_, word_, "top_geo_loc_packets", top_places, TOP_GEO, METRIC_KEY_PLACE,           \
             "geo_loc", "Top GeoIP locations"),                                                    \
    SIDE_TOP(side_, word_, "top_asn_packets", top_owners, TOP_GEO, METRIC_KEY_PLACE, "asn",        \
             "Top ASNs by IP"),                                                                    \
    SIDE_TOP(side_, word_, "top_ipv4_packets", top_ipv4, TOP_IPS, METRIC_KEY_ADDRESS, "ipv4",      \
             "Top IPv4 addresses"),                                                                \
    SIDE_TOP(side_, word_, "top_ipv6_packets", top_ipv6, TOP_IPS, METRIC_KEY_ADDRESS, "ipv6",      \
             "Top IPv6 addresses"),                                                                \
    {SIDE_ROW(side_, word_, "payload_size_bytes", sizes, METRIC_QUANTILES, "payload_size_bytes",   \
              QUANTILES, "bytes", "Quantiles of payload sizes, in bytes")},                        \
    {SIDE_ROW(side_, word_, "rates_pps", pps, METRIC_RATE, "rates/pps", QUANTILES, "packets",      \
              "Rate of packets per second")},                                                      \
    {SIDE_ROW(side_, word_, "rates_bps", bps, METRIC_RATE, "rates/bps", QUANTILES, "bits",         \
              "Data rate of bits per second")}

#define ROW(name_, member_, kind_, path_, groups_, help_)                                          \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct net_v2, member_),                  \
        .unit = "packets", .help = help_, .group = #groups_, .path = path_,                        \
        .family = "net_" name_, .groups = groups_                                                  \
    }

/* Rates stand in the order of their sums: by direction, then all. */
static const struct metric net_v2_metrics[] = {
    SIDE(FRAME_DIRECTION_UNKNOWN, "unknown"),
    SIDE(FRAME_DIRECTION_IN, "in"),
    SIDE(FRAME_DIRECTION_OUT, "out"),
    ROW("filtered_packets", filtered, METRIC_COUNTER, "filtered_packets", COUNTERS,
        "Total packets seen that did not match the configured filter(s) (if any)"),
    ROW("rates_observed_pps", rate, METRIC_RATE, "rates/observed_pps", 0,
        "Rate of all packets before filtering per second"),
    ROW("observed_packets", observed, METRIC_COUNTER, "observed_packets", 0,
        "Total packets events generated"),
    ROW("deep_sampled_packets", deep, METRIC_COUNTER, "deep_sampled_packets", 0,
        "Total packets that were sampled for deep inspection"),
    {0},
};

static const struct metric_set net_v2_set = {
    .name = "net",
    .help = "Packets by direction",
    .metrics = net_v2_metrics,
    .size = sizeof(struct net_v2),
    .init = net_v2_init,
};

static const struct handler_group net_v2_groups[] = {{"cardinality", true}, {"counters", true},
                                                     {"quantiles", true},   {"top_geo", true},
                                                     {"top_ips", true},     {0}};

static const char *const net_v2_options[] = {
    "geoloc_notfound", "asn_notfound", "only_geoloc_prefix", "only_asn_number",
    "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_net_v2 = {
    .type = "net",
    .version = "2.0",
    .object = "net",
    .title = "NetStreamHandler",
    .inputs = HANDLER_PCAP | HANDLER_DNSTAP | HANDLER_MOCK,
    .set = &net_v2_set,
    .groups = net_v2_groups,
    .options = net_v2_options,
    .sharing = HANDLER_BY_TALK,
    .settings_size = sizeof(struct net_v2_settings),
    .state_size = sizeof(struct net_v2_state),
    .configure = net_v2_configure,
    .on_event = net_v2_on_event,
    .fold = net_v2_fold,
    .has_side = net_v2_has_side,
};
