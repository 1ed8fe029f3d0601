// SPDX-License-Identifier: Apache-2.0
/* TCP connections by what the network did to them: "tcp", by the record of their health (flow/health.h,
 * docs/tcp-health.md). A connection is shown when it ends, and after each minute that it goes on: each
 * time it counts among what is measured then (quantiles, verdicts, top lists, paths); its numbers of
 * packets are of the time since; how it began counts the first time, how it ended the last. */
#include <stdio.h>

#include "handler/place_filter.h"
#include "handler/requests.h"
#include "handler/side_filter.h"
#include "handler/tcp_path.h"
#include "summary/cardinality.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 256, TARGET = REQUESTS_END };
enum {
    CARDINALITY = 1, COUNTERS = 2, PATHS = TCP_PATH_GROUP, QUANTILES = 8, TOP_FAILURES = 16,
    TOP_PORTS = 32, TOP_TARGETS = 64, VERDICTS = 128,
};

struct tcp_count {
    uint64_t connections, open, sides[SIDE_FILTER_SIDES], handshakes, midstream, failed, refused, unreachable, unanswered;
    uint64_t resets_by_client, resets_by_server, half_open, syn_repeats, beyond_normal;
    uint64_t packets, data_packets, data_bytes, missed_bytes, syns, rsts, keepalives;
    uint64_t repeats, spurious, fast_repeats, timeouts, late, copies, lost_before, lost_behind;
    uint64_t zero_windows, full_windows, marked, icmp_errors;
    uint64_t verdicts[HEALTH_VERDICTS];
    uint64_t filtered, observed, deep;
    struct rate rate;
    struct quantiles handshake, rtt, rtt_server, rtt_client, first_byte, response, loss, throughput;
    _Alignas(8) struct cardinality clients;
    _Alignas(8) struct cardinality servers;
    TOPN_DECLARE_WIDE(failed_targets, SLOTS, TARGET);
    TOPN_DECLARE_WIDE(failed_clients, SLOTS, TARGET);
    TOPN_DECLARE_WIDE(reset_targets, SLOTS, TARGET);
    TOPN_DECLARE_WIDE(repeat_targets, SLOTS, TARGET);
    TOPN_DECLARE_WIDE(targets, SLOTS, TARGET);
    TOPN_DECLARE_WIDE(clients_top, SLOTS, TARGET);
    TOPN_DECLARE(ports, SLOTS);
    struct tcp_paths paths;
};

struct tcp_settings {
    struct handler_settings common;
    struct place_filter filter;
    struct side_filter sides;
    struct tcp_path_settings path;
};

struct tcp_state {
    struct place_filter_cache verdicts;
};

static bool tcp_configure(const struct handler_options *options, void *settings, struct err *err)
{
    struct tcp_settings *s = settings;
    return place_filter_read(options, &s->filter, err) &&
           side_filter_read(options, &s->sides, err) && tcp_path_read(options, &s->path, err);
}

static void tcp_init(void *block)
{
    struct tcp_count *b = block;
    topn_init(&b->failed_targets, SLOTS, TARGET);
    topn_init(&b->failed_clients, SLOTS, TARGET);
    topn_init(&b->reset_targets, SLOTS, TARGET);
    topn_init(&b->repeat_targets, SLOTS, TARGET);
    topn_init(&b->targets, SLOTS, TARGET);
    topn_init(&b->clients_top, SLOTS, TARGET);
    topn_init(&b->ports, SLOTS, TOPN_KEY_MAX);
}

/* ---- Counting ------------------------------------------------------------------------------- */

/* How a connection began. */
struct beginning {
    bool is_failed;
    bool is_refused;
    bool is_unreachable;
};

/* A server that answers SYN with SYN does not fail, whatever comes behind; a capture that sees one way
 * only cannot tell. */
static struct beginning beginning_of(const struct health_record *r)
{
    bool refused = r->close != NULL && strcmp(r->close, "refused") == 0;
    bool failed = refused || (r->syn_pkts > 0 && !(r->synack_pkts > 0) &&
                              r->established == HEALTH_FALSE);
    return (struct beginning){failed, refused, failed && !refused && r->icmp_errors > 0};
}

/* Numbers that could not be measured count as none. */
static uint64_t whole(double number)
{
    return number > 0 ? (uint64_t)number : 0;
}

static void count_begin(struct tcp_count *b, const struct health_record *r)
{
    b->handshakes += r->handshake_seen == HEALTH_TRUE && r->established == HEALTH_TRUE;
    b->midstream += !(r->syn_pkts > 0) && !(r->synack_pkts > 0);
    b->syn_repeats += r->syn_retransmitted == HEALTH_TRUE;
}

static void count_end(struct tcp_count *b, const struct health_record *r)
{
    struct beginning begin = beginning_of(r);
    const char *close = r->close != NULL ? r->close : "";
    b->connections++;
    b->failed += begin.is_failed;
    b->refused += begin.is_refused;
    b->unreachable += begin.is_unreachable;
    b->unanswered += begin.is_failed && !begin.is_refused && !begin.is_unreachable;
    b->resets_by_client += strcmp(close, "rst_by_client") == 0;
    b->resets_by_server += strcmp(close, "rst_by_server") == 0;
    b->half_open += r->half_open == HEALTH_TRUE;
}

static void count_way(struct tcp_count *b, const struct health_way *way)
{
    b->data_packets += whole(way->data_pkts);
    b->data_bytes += whole(way->data_bytes);
    b->missed_bytes += whole(way->not_captured_bytes);
    b->repeats += whole(way->retrans_pkts);
    b->spurious += whole(way->spurious_retrans_pkts);
    b->fast_repeats += whole(way->fast_retransmits);
    b->late += whole(way->reordered_original_pkts);
    b->copies += whole(way->network_dup_pkts);
    b->lost_before += whole(way->lost_before_tap_pkts);
    b->lost_behind += whole(way->lost_behind_tap_pkts);
    b->zero_windows += whole(way->zero_window_pkts);
    b->full_windows += whole(way->window_full_pkts);
    b->marked += whole(way->ce_pkts);
}

static void count_gain(struct tcp_count *b, const struct health_record *r)
{
    b->packets += whole(r->packets);
    b->syns += whole(r->syn_pkts);
    b->rsts += whole(r->rst_pkts);
    b->keepalives += whole(r->keepalives);
    b->timeouts += whole(r->timeouts);
    b->icmp_errors += whole(r->icmp_errors);
    count_way(b, &r->ways[0]);
    count_way(b, &r->ways[1]);
}

static void count_whole(struct tcp_count *b, const struct handler_event *event)
{
    const struct health_record *r = event->connection;
    if (!event->was_shown) {
        count_begin(b, r);
    }
    if (event->goes_on) {
        b->open++;
    } else {
        count_end(b, r);
        b->sides[event->direction]++;
    }
    count_gain(b, event->gained);
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        b->verdicts[i] += r->findings[i].truth == HEALTH_TRUE;
    }
}

/* What was not measured is NAN, which quantiles do not count. */
static void measure(struct tcp_count *b, const struct handler_event *event,
                    const struct health_trip *trip)
{
    const struct health_record *r = event->connection;
    b->beyond_normal += trip->rtt_ms > TCP_PATH_NORMAL_MS;
    if (!event->was_shown) {
        quantiles_add(&b->handshake,
                      1000 * (r->handshake_rtt_to_server_ms + r->handshake_rtt_to_client_ms));
    }
    quantiles_add(&b->rtt, 1000 * trip->rtt_ms);
    quantiles_add(&b->rtt_server, 1000 * r->ways[0].rtt_p50_ms);
    quantiles_add(&b->rtt_client, 1000 * r->ways[1].rtt_p50_ms);
    quantiles_add(&b->first_byte, 1000 * r->ttfb_ms);
    quantiles_add(&b->response, 1000 * r->server_response_ms);
    quantiles_add(&b->loss, trip->loss_percent);
    quantiles_add(&b->throughput, 1e6 * trip->throughput_mbps);
}

static void note_path(struct handler_run *run, const struct handler_event *event,
                      const struct health_trip *trip)
{
    const struct tcp_settings *settings = run->settings;
    const struct health_record *r = event->connection;
    struct tcp_path *path =
        tcp_path_of(&settings->path, settings->common.world,
                    &((struct tcp_count *)run->block)->paths, event);
    path->connections++;
    path->failed += !event->goes_on && beginning_of(r).is_failed;
    path->beyond_normal += trip->rtt_ms > TCP_PATH_NORMAL_MS;
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        path->verdicts[i] += r->findings[i].truth == HEALTH_TRUE;
    }
    quantiles_add(&path->rtt, 1000 * trip->rtt_ms);
    quantiles_add(&path->loss, trip->loss_percent);
    quantiles_add(&path->throughput, 1e6 * trip->throughput_mbps);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static void note_names(struct handler_run *run, struct handler_event *event)
{
    struct tcp_count *b = run->block;
    const struct health_record *r = event->connection;
    char text[TARGET], client_room[TARGET], port[8];
    struct span target = requests_end(event, 1, true, text);
    struct span client = requests_end(event, 0, false, client_room);
    const char *close = r->close != NULL ? r->close : "";
    uint64_t repeats = whole(event->gained->ways[0].retrans_pkts) +
                       whole(event->gained->ways[1].retrans_pkts);
    snprintf(port, sizeof port, "%u", event->port[1]);
    handler_add_name(&b->targets, target, 1);
    handler_add_name(&b->clients_top, client, 1);
    handler_add_name(&b->ports, span_str(port), 1);
    handler_add_name(&b->repeat_targets, target, repeats);
    if (!event->goes_on && beginning_of(r).is_failed) {
        handler_add_name(&b->failed_targets, target, 1);
        handler_add_name(&b->failed_clients, client, 1);
    }
    if (!event->goes_on && strncmp(close, "rst_by_", 7) == 0) {
        handler_add_name(&b->reset_targets, target, 1);
    }
    cardinality_add_coupon(&b->clients, handler_coupon(event, 0));
    cardinality_add_coupon(&b->servers, handler_coupon(event, 1));
}

static bool tcp_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct tcp_settings *settings = run->settings;
    struct tcp_state *state = run->state;
    struct tcp_count *b = run->block;
    if (event->connection == NULL || event->version == 0) {
        return false;
    }
    bool is_deep = handler_is_deep(run);
    b->observed++;
    b->deep += is_deep;
    if (!place_filter_event(&settings->filter, settings->common.world, &state->verdicts, event) ||
        !side_filter_passes(&settings->sides, event)) {
        b->filtered++;
        return false;
    }
    run->sums[0] += !event->goes_on;
    count_whole(b, event);
    if (is_deep) {
        struct health_trip trip = health_trip_of(event->connection);
        measure(b, event, &trip);
        note_names(run, event);
        if (handler_wants(run, PATHS)) {
            note_path(run, event, &trip);
        }
    }
    return true;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static void tcp_reset(void *block)
{
    tcp_path_reset(&((struct tcp_count *)block)->paths);
}

static void tcp_merge(void *into, const void *from)
{
    tcp_path_merge(&((struct tcp_count *)into)->paths, &((const struct tcp_count *)from)->paths);
}

static bool path_part(const void *settings, const void *block, uint32_t outer, uint32_t number,
                      struct handler_part *ret)
{
    const struct tcp_settings *s = settings;
    (void)outer;
    return s->common.groups & PATHS &&
           tcp_path_part(&((const struct tcp_count *)block)->paths, number, ret);
}

static const struct handler_parts path_parts = {
    .key = "paths",
    .set = &tcp_path_set,
    .part = path_part,
    .is_top = true,
};

/* ---- The table ------------------------------------------------------------------------------ */

#define ROW(name_, kind_, member_, path_, groups_, unit_, help_)                                   \
    .name = name_, .kind = kind_, .offset = offsetof(struct tcp_count, member_), .unit = unit_,    \
    .help = help_, .group = #groups_, .path = path_, .family = "tcp_" name_, .groups = groups_
#define COUNT(name_, member_, unit_, help_)                                                        \
    {ROW(name_, METRIC_COUNTER, member_, name_, COUNTERS, unit_, help_)}
#define CONNECTIONS(name_, member_, help_) COUNT(name_, member_, "connections", help_)
#define PACKETS(name_, member_, help_) COUNT(name_, member_, "packets", help_)
#define VERDICT(name_, verdict_)                                                                   \
    {ROW("verdict_" name_ "_connections", METRIC_COUNTER, verdicts[verdict_], "verdicts/" name_,   \
         VERDICTS, "connections", "TCP connections with the verdict " name_)}
#define SPREAD(name_, member_, unit_, help_)                                                       \
    {ROW(name_, METRIC_QUANTILES, member_, name_, QUANTILES, unit_, help_)}
#define TOP(name_, member_, groups_, label_, unit_, help_)                                         \
    {ROW(name_, METRIC_TOPN, member_, name_, groups_, unit_, help_), .key = METRIC_KEY_TEXT,       \
     .label = label_}

static const struct metric tcp_metrics[] = {
    CONNECTIONS("connections", connections, "TCP connections that ended"),
    CONNECTIONS("open_connections", open, "TCP connections that go on"),
    SIDE_FILTER_ROWS(struct tcp_count, sides, "tcp", COUNTERS, "connections"),
    CONNECTIONS("handshakes", handshakes, "TCP connections whose handshake was seen and came through"),
    CONNECTIONS("midstream_connections", midstream, "TCP connections whose beginning was not seen"),
    CONNECTIONS("failed_connections", failed, "Attempts that no TCP connection came of"),
    CONNECTIONS("refused_connections", refused, "Attempts that were answered by a reset"),
    CONNECTIONS("unreachable_connections", unreachable, "Attempts that an ICMP error answered"),
    CONNECTIONS("unanswered_connections", unanswered, "Attempts that nothing answered"),
    CONNECTIONS("resets_by_client", resets_by_client, "TCP connections that the client reset"),
    CONNECTIONS("resets_by_server", resets_by_server, "TCP connections that the server reset"),
    CONNECTIONS("half_open_connections", half_open, "TCP connections that one end forgot"),
    CONNECTIONS("syn_retransmitted_connections", syn_repeats,
                "TCP connections whose first packet had to be sent again"),
    CONNECTIONS("rtt_over_300ms_connections", beyond_normal,
                "TCP connections whose round trip is longer than any distance on earth explains"),
    PACKETS("packets", packets, "Packets of these TCP connections"),
    PACKETS("data_packets", data_packets, "Those with data"),
    COUNT("data_bytes", data_bytes, "bytes", "Bytes of data, sent again or not"),
    COUNT("not_captured_bytes", missed_bytes, "bytes",
          "Bytes that were acknowledged and never seen"),
    PACKETS("syn_packets", syns, "TCP packets with SYN of clients"),
    PACKETS("rst_packets", rsts, "TCP packets with RST"),
    PACKETS("keepalive_packets", keepalives, "TCP keep-alives"),
    PACKETS("retransmitted_packets", repeats, "Data packets that were sent again"),
    PACKETS("spurious_retransmitted_packets", spurious, "... though the first ones had arrived"),
    COUNT("fast_retransmits", fast_repeats, "times",
          "Times that acknowledgements made a sender send again"),
    COUNT("retransmission_timeouts", timeouts, "times", "Times that a sender's timer made it"),
    PACKETS("out_of_order_packets", late, "Data packets that the network delivered late"),
    PACKETS("duplicate_packets", copies, "Data packets that the network delivered twice"),
    PACKETS("lost_before_tap_packets", lost_before, "Data packets that never came to the tap"),
    PACKETS("lost_behind_tap_packets", lost_behind, "Data packets that were lost behind the tap"),
    PACKETS("zero_window_packets", zero_windows, "Packets of a receiver that takes no more"),
    PACKETS("window_full_packets", full_windows, "Data packets that filled the receiver's window"),
    PACKETS("congestion_marked_packets", marked, "Packets that a router marked (ECN)"),
    PACKETS("icmp_errors", icmp_errors, "ICMP errors about these TCP connections"),
    VERDICT("bufferbloat", HEALTH_BUFFERBLOAT),
    VERDICT("blackholed", HEALTH_BLACKHOLED),
    VERDICT("lossy", HEALTH_LOSSY),
    VERDICT("reordered", HEALTH_REORDERED),
    VERDICT("receiver_limited", HEALTH_RECEIVER_LIMITED),
    VERDICT("sender_limited", HEALTH_SENDER_LIMITED),
    VERDICT("application_limited", HEALTH_APPLICATION_LIMITED),
    VERDICT("slow_server", HEALTH_SLOW_SERVER),
    VERDICT("short_of_window", HEALTH_SHORT_OF_WINDOW),
    SPREAD("handshake_us", handshake, "us",
           "Quantiles of the time that handshakes took, in microseconds"),
    SPREAD("rtt_us", rtt, "us",
           "Quantiles of connections' median round trips, in microseconds"),
    SPREAD("rtt_to_server_us", rtt_server, "us", "The part from the tap to the server and back"),
    SPREAD("rtt_to_client_us", rtt_client, "us", "The part from the tap to the client and back"),
    SPREAD("first_byte_us", first_byte, "us",
           "Quantiles of the time to the first byte of the first answer, in microseconds"),
    SPREAD("response_us", response, "us",
           "Quantiles of servers' typical time to answer, in microseconds"),
    SPREAD("loss_percent", loss, "percent",
           "Quantiles of the share of data packets that connections sent again"),
    SPREAD("throughput_bps", throughput, "bits",
           "Quantiles of connections' throughput while they were not idle, in bits per second"),
    {ROW("rates_cps", METRIC_RATE, rate, "rates/cps", QUANTILES, "connections",
         "Rate of TCP connections that end per second")},
    {ROW("cardinality_clients", METRIC_CARDINALITY, clients, "cardinality/clients", CARDINALITY, "",
         "Cardinality of clients of TCP connections")},
    {ROW("cardinality_servers", METRIC_CARDINALITY, servers, "cardinality/servers", CARDINALITY, "",
         "Cardinality of servers of TCP connections")},
    TOP("top_failed_targets", failed_targets, TOP_FAILURES, "target", "connections",
        "Top servers and ports by attempts that no connection came of"),
    TOP("top_failed_clients", failed_clients, TOP_FAILURES, "client", "connections",
        "Top clients by attempts that no connection came of"),
    TOP("top_reset_targets", reset_targets, TOP_FAILURES, "target", "connections",
        "Top servers and ports by connections that were reset"),
    TOP("top_retransmitted_targets", repeat_targets, TOP_FAILURES, "target", "packets",
        "Top servers and ports by data packets that were sent again"),
    TOP("top_targets", targets, TOP_TARGETS, "target", "connections",
        "Top servers and ports by connections"),
    TOP("top_clients", clients_top, TOP_TARGETS, "client", "connections",
        "Top clients by connections"),
    TOP("top_ports", ports, TOP_PORTS, "port", "connections", "Top ports of servers by connections"),
    {ROW("paths_folded", METRIC_COUNTER, paths.names.folded, "paths_folded", PATHS, "paths",
         "Paths that found no room of their own and count with all others")},
    {ROW("filtered_connections", METRIC_COUNTER, filtered, "filtered_connections", COUNTERS,
         "connections", "TCP connections that did not match the configured filter(s) (if any)")},
    {ROW("observed_connections", METRIC_COUNTER, observed, "observed_connections", 0, "connections",
         "TCP connections before filtering")},
    {ROW("deep_sampled_connections", METRIC_COUNTER, deep, "deep_sampled_connections", 0,
         "connections", "TCP connections that were sampled for deep inspection")},
    {0},
};

static const struct metric_set tcp_set = {
    .name = "tcp",
    .help = "TCP connections by what the network did to them",
    .metrics = tcp_metrics,
    .size = sizeof(struct tcp_count),
    .init = tcp_init,
    .reset = tcp_reset,
    .merge = tcp_merge,
};

static const struct handler_group tcp_groups[] = {
    {"cardinality", true},  {"counters", true},  {"paths", true},       {"quantiles", true},
    {"top_failures", true}, {"top_ports", true}, {"top_targets", true}, {"verdicts", true},
    {0}};

static const char *const tcp_options[] = {
    "geoloc_notfound", "asn_notfound", "only_geoloc_prefix", "only_asn_number", "only_directions",
    "path_keys", "zones", "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_tcp_count = {
    .type = "tcp",
    .version = "1.0",
    .object = "tcp",
    .title = "TcpStreamHandler",
    .inputs = HANDLER_PCAP,
    .finished = HANDLER_CONNECTION,
    .set = &tcp_set,
    .groups = tcp_groups,
    .options = tcp_options,
    .settings_size = sizeof(struct tcp_settings),
    .state_size = sizeof(struct tcp_state),
    .configure = tcp_configure,
    .on_event = tcp_on_event,
    .on_tick = handler_goes_on,
    .parts = &path_parts,
};
