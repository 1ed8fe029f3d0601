// SPDX-License-Identifier: Apache-2.0
/* Packets by kind and direction, their sizes and rates, and who is at the other end: version 1 of
 * pktvisor's "net", whose object is called "packets". */
#include "handler/address_cache.h"
#include "handler/number_cache.h"
#include "handler/place_filter.h"
#include "summary/cardinality.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 1024 };
enum { CARDINALITY = 1, COUNTERS = 2, TOP_GEO = 4, TOP_IPS = 8 };
enum { PPS_IN, PPS_OUT, PPS_TOTAL, BYTES_IN, BYTES_OUT, BYTES_TOTAL, PPS_EVENTS, RATES };

struct net_v1 {
    uint64_t udp, tcp, other, ipv4, ipv6, syn;
    uint64_t by_direction[3];
    uint64_t total, filtered, events, deep;
    struct rate rates[RATES];
    struct quantiles sizes;
    _Alignas(8) struct cardinality sources_in;
    _Alignas(8) struct cardinality destinations_out;
    TOPN_DECLARE(top_ipv4, SLOTS);
    TOPN_DECLARE(top_ipv6, SLOTS);
    TOPN_DECLARE_WIDE(top_places, SLOTS, METRIC_PLACE);
    TOPN_DECLARE_WIDE(top_owners, SLOTS, METRIC_PLACE);
};

struct net_v1_settings {
    struct handler_settings common;
    struct place_filter filter;
};

struct net_v1_state {
    struct address_cache addresses;
    struct number_cache sizes;
    struct place_filter_cache verdicts;
};

static bool net_v1_configure(const struct handler_options *options, void *settings,
                             struct err *err)
{
    struct net_v1_settings *s = settings;
    return place_filter_read(options, &s->filter, err);
}

static void net_v1_init(void *block)
{
    struct net_v1 *b = block;
    topn_init(&b->top_ipv4, SLOTS, ADDRESS_CACHE_KEY);
    topn_init(&b->top_ipv6, SLOTS, ADDRESS_CACHE_KEY);
    topn_init(&b->top_places, SLOTS, METRIC_PLACE);
    topn_init(&b->top_owners, SLOTS, METRIC_PLACE);
}

static void net_v1_leave(void *context, const struct address_cache_entry *entry)
{
    struct handler_run *run = context;
    const struct handler_world *world = handler_settings(run)->world;
    struct net_v1 *b = run->block;
    unsigned version = entry->key[0];
    topn_add(version == 4 ? &b->top_ipv4 : &b->top_ipv6, entry->key, entry->count, NULL);
    cardinality_add_coupon(entry->side == FRAME_DIRECTION_IN ? &b->sources_in
                                                             : &b->destinations_out,
                           entry->coupon);
    struct geo_place place;
    if (world->city != NULL && handler_wants(run, TOP_GEO)) {
        geo_city(world->city, version, entry->key + 1, &place);
        handler_add_place(&b->top_places, &place, entry->count);
    }
    if (world->owner != NULL && handler_wants(run, TOP_GEO)) {
        geo_owner(world->owner, version, entry->key + 1, &place);
        handler_add_place(&b->top_owners, &place, entry->count);
    }
}

static void leave_size(void *context, const struct number_cache_entry *entry)
{
    struct net_v1 *b = ((struct handler_run *)context)->block;
    quantiles_add_many(&b->sizes, entry->number, entry->count);
}

static void net_v1_fold(struct handler_run *run)
{
    struct net_v1_state *state = run->state;
    number_cache_fold(&state->sizes, leave_size, run);
    address_cache_fold(&state->addresses, net_v1_leave, run);
}

static void net_v1_count(struct handler_run *run, const struct handler_event *event)
{
    struct net_v1 *b = run->block;
    b->total++;
    b->udp += event->protocol == 17;
    b->tcp += event->protocol == 6;
    b->other += event->protocol != 17 && event->protocol != 6;
    b->ipv4 += event->version == 4;
    b->ipv6 += event->version == 6;
    b->syn += event->protocol == 6 && (event->tcp_flags & TCP_SYN);
    b->by_direction[event->direction]++;
    bool in = event->direction == FRAME_DIRECTION_IN;
    bool out = event->direction == FRAME_DIRECTION_OUT;
    run->sums[PPS_IN] += in;
    run->sums[PPS_OUT] += out;
    run->sums[PPS_TOTAL]++;
    run->sums[BYTES_IN] += in ? event->size : 0;
    run->sums[BYTES_OUT] += out ? event->size : 0;
    run->sums[BYTES_TOTAL] += event->size;
}

static bool net_v1_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct net_v1_settings *settings = run->settings;
    struct net_v1_state *state = run->state;
    struct net_v1 *b = run->block;
    bool passes = place_filter_known(&settings->filter, settings->common.world, &state->verdicts,
                                     event);
    bool counts = event->kinds & (run->takes_messages ? HANDLER_DATAGRAM | HANDLER_STREAM
                                                      : HANDLER_FRAME);
    if (!counts) {
        return passes; /* for those behind */
    }
    bool deep = handler_is_deep(run);
    b->events++;
    b->deep += deep;
    run->sums[PPS_EVENTS]++;
    if (!passes) {
        b->filtered++;
        return false;
    }
    net_v1_count(run, event);
    if (deep) {
        number_cache_add(&state->sizes, event->size, leave_size, run);
        if (place_filter_end(event) != NULL) {
            unsigned end = event->direction == FRAME_DIRECTION_OUT;
            address_cache_add(&state->addresses, event, end, net_v1_leave, run);
        }
    }
    return true;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct net_v1, member)
#define COUNTER(name_, member, path_, groups_, help_)                                              \
    {                                                                                              \
        .name = name_, .kind = METRIC_COUNTER, .offset = AT(member), .unit = "packets",            \
        .help = help_, .group = "counters", .path = path_, .family = "packets_" name_,             \
        .groups = groups_                                                                          \
    }
#define RATE(name_, index, path_, family_, unit_, help_)                                           \
    {                                                                                              \
        .name = name_, .kind = METRIC_RATE, .offset = AT(rates) + (index) * sizeof(struct rate),   \
        .unit = unit_, .help = help_, .group = "rates", .path = path_, .family = family_           \
    }

static const struct metric net_v1_metrics[] = {
    COUNTER("udp", udp, "udp", COUNTERS, "Count of UDP packets"),
    COUNTER("tcp", tcp, "tcp", COUNTERS, "Count of TCP packets"),
    COUNTER("other_l4", other, "other_l4", COUNTERS, "Count of packets which are not UDP or TCP"),
    COUNTER("ipv4", ipv4, "ipv4", COUNTERS, "Count of IPv4 packets"),
    COUNTER("ipv6", ipv6, "ipv6", COUNTERS, "Count of IPv6 packets"),
    COUNTER("protocol_tcp_syn", syn, "protocol/tcp/syn", COUNTERS, "Count of TCP SYN packets"),
    COUNTER("in", by_direction[FRAME_DIRECTION_IN], "in", COUNTERS,
            "Count of total ingress packets"),
    COUNTER("out", by_direction[FRAME_DIRECTION_OUT], "out", COUNTERS,
            "Count of total egress packets"),
    COUNTER("unknown_dir", by_direction[FRAME_DIRECTION_UNKNOWN], "unknown_dir", COUNTERS,
            "Count of total unknown direction packets"),
    COUNTER("total", total, "total", COUNTERS,
            "Count of total packets matching the configured filter(s)"),
    COUNTER("filtered", filtered, "filtered", COUNTERS,
            "Count of total packets that did not match the configured filter(s) (if any)"),
    {.name = "cardinality_src_ips_in", .kind = METRIC_CARDINALITY, .offset = AT(sources_in),
     .unit = "", .help = "Source IP cardinality", .group = "cardinality",
     .path = "cardinality/src_ips_in", .family = "packets_cardinality_src_ips_in",
     .groups = CARDINALITY},
    {.name = "cardinality_dst_ips_out", .kind = METRIC_CARDINALITY, .offset = AT(destinations_out),
     .unit = "", .help = "Destination IP cardinality", .group = "cardinality",
     .path = "cardinality/dst_ips_out", .family = "packets_cardinality_dst_ips_out",
     .groups = CARDINALITY},
    {.name = "top_geoloc", .kind = METRIC_TOPN, .offset = AT(top_places), .unit = "packets",
     .help = "Top GeoIP locations", .group = "top_geo", .key = METRIC_KEY_PLACE,
     .label = "geo_loc", .path = "top_geoLoc", .family = "packets_top_geoLoc", .groups = TOP_GEO},
    {.name = "top_asn", .kind = METRIC_TOPN, .offset = AT(top_owners), .unit = "packets",
     .help = "Top ASNs by IP", .group = "top_geo", .key = METRIC_KEY_PLACE, .label = "asn",
     .path = "top_ASN", .family = "packets_top_ASN", .groups = TOP_GEO},
    {.name = "top_ipv4", .kind = METRIC_TOPN, .offset = AT(top_ipv4), .unit = "packets",
     .help = "Top IPv4 IP addresses", .group = "top_ips", .key = METRIC_KEY_ADDRESS,
     .label = "ipv4", .path = "top_ipv4", .family = "packets_top_ipv4", .groups = TOP_IPS},
    {.name = "top_ipv6", .kind = METRIC_TOPN, .offset = AT(top_ipv6), .unit = "packets",
     .help = "Top IPv6 IP addresses", .group = "top_ips", .key = METRIC_KEY_ADDRESS,
     .label = "ipv6", .path = "top_ipv6", .family = "packets_top_ipv6", .groups = TOP_IPS},
    {.name = "payload_size", .kind = METRIC_QUANTILES, .offset = AT(sizes), .unit = "bytes",
     .help = "Quantiles of payload sizes, in bytes", .group = "sizes", .path = "payload_size",
     .family = "packets_payload_size"},
    RATE("rates_pps_in", PPS_IN, "rates/pps_in", "packets_rates_pps_in", "packets",
         "Rate of ingress in packets per second"),
    RATE("rates_pps_out", PPS_OUT, "rates/pps_out", "packets_rates_pps_out", "packets",
         "Rate of egress in packets per second"),
    RATE("rates_pps_total", PPS_TOTAL, "rates/pps_total", "packets_rates_pps_total", "packets",
         "Rate of all packets (combined ingress and egress) in packets per second"),
    RATE("rates_bytes_in", BYTES_IN, "rates/bytes_in", "payload_rates_bytes_in", "bytes",
         "Data rate of ingress packets in bytes per second"),
    RATE("rates_bytes_out", BYTES_OUT, "rates/bytes_out", "payload_rates_bytes_out", "bytes",
         "Data rate of egress packets in bytes per second"),
    RATE("rates_bytes_total", BYTES_TOTAL, "rates/bytes_total", "payload_rates_bytes_total",
         "bytes", "Data rate of all packets (combined ingress and egress) in bytes per second"),
    RATE("rates_pps_events", PPS_EVENTS, "rates/pps_events", "packets_rates_pps_events", "packets",
         "Rate of all packets before filtering in packets per second"),
    COUNTER("events", events, "events", 0, "Total packets events generated"),
    COUNTER("deep_samples", deep, "deep_samples", 0,
            "Total packets that were sampled for deep inspection"),
    {0},
};

static const struct metric_set net_v1_set = {
    .name = "packets",
    .help = "Packets by kind and direction",
    .metrics = net_v1_metrics,
    .size = sizeof(struct net_v1),
    .init = net_v1_init,
};

static const struct handler_group net_v1_groups[] = {
    {"cardinality", true}, {"counters", true}, {"top_geo", true}, {"top_ips", true}, {0}};

static const char *const net_v1_options[] = {
    "geoloc_notfound", "asn_notfound", "only_geoloc_prefix", "only_asn_number",
    "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_net_v1 = {
    .type = "net",
    .version = "1.0",
    .object = "packets",
    .title = "NetStreamHandler",
    .inputs = HANDLER_PCAP | HANDLER_DNSTAP | HANDLER_MOCK,
    .set = &net_v1_set,
    .groups = net_v1_groups,
    .options = net_v1_options,
    .sharing = HANDLER_BY_TALK,
    .settings_size = sizeof(struct net_v1_settings),
    .state_size = sizeof(struct net_v1_state),
    .configure = net_v1_configure,
    .on_event = net_v1_on_event,
    .fold = net_v1_fold,
};
