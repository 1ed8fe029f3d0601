// SPDX-License-Identifier: Apache-2.0
/* DNS by messages: version 1 of pktvisor's "dns". Queries and responses are counted each for itself;
 * where both were seen, the transaction, too. */

#include "base/address.h"
#include "handler/dns_filter.h"
#include "handler/dns_names.h"
#include "handler/dns_wait.h"
#include "handler/number_cache.h"
#include "handler/port_counts.h"
#include "summary/cardinality.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 1024, WORDS = 256, WORD = TOPN_KEY_MAX, SUFFIX_SLOTS = 1024 };
enum {
    CARDINALITY = 1, COUNTERS = 2, QUANTILES = 4, TRANSACTION = 8, TOP_QNAMES = 16, TOP_PORTS = 32,
    HISTOGRAMS = 64, TOP_ECS = 128, DETAILS = 256,
};
enum { NAME_TWO, NAME_THREE, NX, REFUSED, BYTES, SRVFAIL, NODATA, NOERROR, SLOW_IN, SLOW_OUT, NAMES };
enum { XACT_IN, XACT_OUT, XACT_SIDES };

struct dns_v1 {
    uint64_t queries, replies, udp, tcp, ipv4, ipv6;
    uint64_t nxdomain, refused, srvfail, noerror, nodata, query_ecs;
    uint64_t total, filtered, events, deep;
    uint64_t xacts, timed_out, xacts_by_side[XACT_SIDES];
    struct rate rate_total, rate_events;
    struct quantiles times[XACT_SIDES], ratio;
    struct cardinality names;
    TOPN_DECLARE(types, WORDS);
    TOPN_DECLARE(rcodes, WORDS);
    TOPN_DECLARE(ports, SLOTS);
    TOPN_DECLARE(subnets, SLOTS);
    TOPN_DECLARE_WIDE(places, SLOTS, METRIC_PLACE);
    TOPN_DECLARE_WIDE(owners, SLOTS, METRIC_PLACE);
    struct {
        TOPN_DECLARE_WIDE(top, SLOTS, DNS_READ_NAME);
    } tops[NAMES];
};

struct dns_v1_state {
    struct dns_wait wait;
    struct quantiles times[XACT_SIDES]; /* of the minute */
    double slow_us[XACT_SIDES];         /* what is slow: nine of ten of the minute before were faster */
    uint64_t minute;
    struct {
        uint64_t name; /* hash; 0: free */
        uint8_t labels;
    } suffixes[SUFFIX_SLOTS];
    struct dns_names names;
    struct number_cache types, rcodes;
    struct port_counts ports;
};

static void dns_v1_init(void *block)
{
    struct dns_v1 *b = block;
    topn_init(&b->types, WORDS, WORD);
    topn_init(&b->rcodes, WORDS, WORD);
    topn_init(&b->ports, SLOTS, DNS_READ_PORT);
    topn_init(&b->subnets, SLOTS, ADDRESS_ROOM - 6);
    topn_init(&b->places, SLOTS, METRIC_PLACE);
    topn_init(&b->owners, SLOTS, METRIC_PLACE);
    for (unsigned i = 0; i < NAMES; i++) {
        topn_init(&b->tops[i].top, SLOTS, DNS_READ_NAME);
    }
}

/* ---- Names ---------------------------------------------------------------------------------- */

static unsigned suffix_of(void *context, struct dns_read *dns)
{
    struct handler_run *run = context;
    struct dns_v1_state *state = run->state;
    if (!((const struct dns_filter *)run->settings)->uses_suffixes) {
        return 1;
    }
    uint64_t hash = dns_read_hash(dns);
    uint32_t slot = (uint32_t)(hash >> 32) % SUFFIX_SLOTS;
    if (state->suffixes[slot].name != hash) {
        state->suffixes[slot].name = hash;
        state->suffixes[slot].labels = (uint8_t)dns_read_suffix(dns_read_name(dns));
    }
    return state->suffixes[slot].labels;
}

static void add_name(struct dns_v1 *b, unsigned which, struct span name, uint64_t weight)
{
    if (name.size > 0) {
        struct topn *top = &b->tops[which].top;
        name = span_head(name, DNS_READ_NAME);
        topn_add_hashed(top, name, topn_hash_of(name, top->seed), weight);
    }
}

/* What a response said of its name. */
static void add_outcome(struct handler_run *run, const struct dns_read *dns,
                        const struct handler_event *event)
{
    struct dns_v1 *b = run->block;
    struct span name = dns_read_name(dns);
    bool details = handler_wants(run, DETAILS);
    switch (dns_rcode(&dns->message)) {
    case 0:
        if (dns->message.counts[DNS_ANSWER] == 0) {
            add_name(b, NODATA, name, 1);
        }
        if (details) {
            add_name(b, NOERROR, name, 1);
        }
        break;
    case 2:
        add_name(b, SRVFAIL, name, 1);
        break;
    case 3:
        add_name(b, NX, name, 1);
        break;
    case 5:
        add_name(b, REFUSED, name, 1);
        break;
    default:
        break;
    }
    if (details) {
        add_name(b, BYTES, name, event->payload.size);
    }
}

static void leave_name(void *context, const struct dns_names_item *item)
{
    struct handler_run *run = context;
    struct dns_v1 *b = run->block;
    if (handler_wants(run, CARDINALITY)) {
        cardinality_add_coupon(&b->names, handler_text_coupon(item->name));
    }
    if (handler_wants(run, TOP_QNAMES)) {
        add_name(b, NAME_TWO, item->two, item->count);
        add_name(b, NAME_THREE, item->three, item->count);
    }
}

static void add_names(struct handler_run *run, struct dns_read *dns,
                      const struct handler_event *event)
{
    struct dns_v1_state *state = run->state;
    struct dns_names_user user = {leave_name, suffix_of, run};
    if (dns_read_name(dns).size > 0 &&
        (handler_wants(run, CARDINALITY) || handler_wants(run, TOP_QNAMES))) {
        dns_names_add(&state->names, dns, 0, &user);
    }
    if (handler_wants(run, TOP_QNAMES) && dns_is_response(&dns->message)) {
        add_outcome(run, dns, event);
    }
}

static void add_subnet(struct handler_run *run, struct dns_read *dns)
{
    struct dns_v1 *b = run->block;
    const struct handler_world *world = handler_settings(run)->world;
    const struct dns_subnet *subnet = &dns_read_edns(dns)->subnet;
    struct geo_place place;
    if (subnet->version == 0) {
        return;
    }
    char text[ADDRESS_ROOM];
    char *end = address_write(text, subnet->version, subnet->bytes);
    b->query_ecs++;
    handler_add_name(&b->subnets, span_of(text, (size_t)(end - text)), 1);
    if (world->city != NULL) {
        geo_city(world->city, subnet->version, subnet->bytes, &place);
        handler_add_place(&b->places, &place, 1);
    }
    if (world->owner != NULL) {
        geo_owner(world->owner, subnet->version, subnet->bytes, &place);
        handler_add_place(&b->owners, &place, 1);
    }
}

static void leave_type(void *context, const struct number_cache_entry *entry)
{
    char room[DNS_READ_WORD];
    struct dns_v1 *b = ((struct handler_run *)context)->block;
    handler_add_name(&b->types, dns_read_type(entry->number, room), entry->count);
}

static void leave_rcode(void *context, const struct number_cache_entry *entry)
{
    char room[DNS_READ_WORD];
    struct dns_v1 *b = ((struct handler_run *)context)->block;
    handler_add_name(&b->rcodes, dns_read_rcode(entry->number, room), entry->count);
}

static void leave_port(void *context, unsigned port, uint32_t count)
{
    struct dns_v1 *b = ((struct handler_run *)context)->block;
    dns_read_add_port(&b->ports, port, count);
}

static void dns_v1_fold(struct handler_run *run)
{
    struct dns_v1_state *state = run->state;
    number_cache_fold(&state->types, leave_type, run);
    number_cache_fold(&state->rcodes, leave_rcode, run);
    port_counts_fold(&state->ports, leave_port, run);
    dns_names_fold(&state->names, &(struct dns_names_user){leave_name, suffix_of, run});
}

/* What only deep samples get. */
static void dns_v1_look(struct handler_run *run, struct dns_read *dns,
                        const struct handler_event *event)
{
    struct dns_v1_state *state = run->state;
    bool is_response = dns_is_response(&dns->message);
    add_names(run, dns, event);
    if (dns->has_name) {
        number_cache_add(&state->types, dns->message.question_type, leave_type, run);
    }
    if (is_response) {
        number_cache_add(&state->rcodes, dns_rcode(&dns->message), leave_rcode, run);
    } else if (handler_wants(run, TOP_ECS)) {
        add_subnet(run, dns);
    }
    if (handler_wants(run, TOP_PORTS)) {
        port_counts_add(&state->ports, event->port[is_response], leave_port, run);
    }
}

/* ---- Transactions --------------------------------------------------------------------------- */

/* The side of a response: who gets one asked, and is a client. */
static unsigned side_of(const struct handler_event *response)
{
    return response->direction == FRAME_DIRECTION_IN ? XACT_OUT : XACT_IN;
}

static void turn_minute(struct dns_v1_state *state, uint64_t minute)
{
    if (minute == state->minute) {
        return;
    }
    state->minute = minute;
    for (unsigned i = 0; i < XACT_SIDES; i++) {
        state->slow_us[i] = state->times[i].count > 0 ? quantiles_at(&state->times[i], 0.9) : 0;
        quantiles_reset(&state->times[i]);
    }
}

/* What is slow, each of those counted for knows for itself. */
static void turn_minutes(struct handler_run *run, uint64_t now_ns)
{
    struct dns_v1_state *state = run->state;
    uint64_t minute = now_ns / UINT64_C(60000000000);
    for (uint32_t i = 0; state->minute != minute && i < run->mate_count; i++) {
        turn_minute(run->mates[i]->state, minute);
    }
    turn_minute(state, minute);
}

static void judge_time(struct handler_run *run, unsigned side, double us,
                       const struct dns_read *dns)
{
    struct dns_v1_state *state = run->state;
    quantiles_add(&state->times[side], us);
    if (state->slow_us[side] > 0 && us >= state->slow_us[side]) {
        add_name(run->block, side == XACT_IN ? SLOW_IN : SLOW_OUT, dns_read_name(dns), 1);
        run->is_touched = true;
    }
}

static void end_xact(struct handler_run *run, const struct dns_read *dns,
                     const struct handler_event *event, const struct dns_waiting *query, bool deep)
{
    struct dns_v1 *b = run->block;
    double us = dns_wait_us(query, event->time_ns);
    b->xacts++;
    if (deep && query->size > 0) {
        quantiles_add(&b->ratio, (double)event->payload.size / query->size);
    }
    if (event->direction == FRAME_DIRECTION_UNKNOWN) {
        return;
    }
    unsigned side = side_of(event);
    b->xacts_by_side[side]++;
    if (deep) {
        quantiles_add(&b->times[side], us);
        for (uint32_t i = 0; i < run->mate_count; i++) {
            judge_time(run->mates[i], side, us, dns);
        }
        if (run->mate_count == 0) {
            judge_time(run, side, us, dns);
        }
    }
}

static void follow(struct handler_run *run, const struct dns_read *dns,
                   const struct handler_event *event, bool deep)
{
    struct dns_v1_state *state = run->state;
    struct dns_v1 *b = run->block;
    struct dns_waited query;
    uint64_t key = dns_wait_key(event->talk, dns->message.id, 0);
    turn_minutes(run, event->time_ns);
    if (!dns_is_response(&dns->message)) {
        dns_wait_add(&state->wait, key, event->time_ns, &query)->size =
            (uint32_t)event->payload.size;
        b->timed_out += query.key != 0 && !query.query.is_known_elsewhere;
    } else if (dns_wait_take(&state->wait, key, &query)) {
        end_xact(run, dns, event, &query.query, deep);
    }
}

static void dns_v1_on_tick(struct handler_run *run, uint64_t now_ns)
{
    const struct dns_filter *settings = run->settings;
    struct dns_v1_state *state = run->state;
    struct dns_waited query;
    while (dns_wait_expire(&state->wait, now_ns, settings->patience_ns, &query)) {
        ((struct dns_v1 *)run->block)->timed_out += !query.query.is_known_elsewhere;
    }
}

static void dns_v1_inherit(struct handler_run *run, const void *state)
{
    dns_wait_inherit(&((struct dns_v1_state *)run->state)->wait,
                     &((const struct dns_v1_state *)state)->wait);
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void dns_v1_count(struct handler_run *run, const struct dns_read *dns,
                         const struct handler_event *event)
{
    struct dns_v1 *b = run->block;
    bool is_response = dns_is_response(&dns->message);
    unsigned rcode = dns_rcode(&dns->message);
    b->total++;
    b->udp += event->protocol == 17;
    b->tcp += event->protocol == 6;
    b->ipv4 += event->version == 4;
    b->ipv6 += event->version == 6;
    b->replies += is_response;
    b->queries += !is_response;
    b->noerror += is_response && rcode == 0;
    b->nodata += is_response && rcode == 0 && dns->message.counts[DNS_ANSWER] == 0;
    b->srvfail += is_response && rcode == 2;
    b->nxdomain += is_response && rcode == 3;
    b->refused += is_response && rcode == 5;
    run->sums[0]++;
}

static bool dns_v1_passes(const struct dns_filter *f, struct dns_read *dns,
                          const struct handler_event *event)
{
    bool is_response = dns_is_response(&dns->message);
    return !(f->only_queries && is_response) && !(f->only_responses && !is_response) &&
           dns_filter_rcode(f, dns) && dns_filter_name(f, dns) && dns_filter_outcome(f, dns) &&
           dns_filter_type(f, dns) && dns_filter_suffix(f, dns) && dns_filter_place(f, dns) &&
           dns_filter_dnstap(f, event);
}

static bool dns_v1_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct dns_filter *f = run->settings;
    struct dns_v1 *b = run->block;
    bool is_datagram = (event->kinds & HANDLER_DATAGRAM) &&
                       (event->protocol == 17 || event->packet == NULL);
    if ((!is_datagram && !(event->kinds & HANDLER_STREAM)) || !handler_reads(&dns_reader, event)) {
        return false;
    }
    struct dns_read *dns = (struct dns_read *)(uintptr_t)handler_message(&dns_reader, event);
    /* Of datagrams those with another code or name are no events at all, as with pktvisor. */
    if (dns == NULL || (!f->is_open && event->protocol == 17 && event->packet != NULL &&
                        !(dns_filter_rcode(f, dns) && dns_filter_name(f, dns)))) {
        return false;
    }
    bool deep = handler_is_deep(run);
    b->events++;
    b->deep += deep;
    run->sums[1]++;
    if (!f->is_open && !dns_v1_passes(f, dns, event)) {
        b->filtered++;
        return false;
    }
    dns_v1_count(run, dns, event);
    if (deep) {
        dns_v1_look(run, dns, event);
    }
    if (handler_wants(run, TRANSACTION) && event->packet != NULL) {
        follow(run, dns, event, deep);
    }
    return true;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct dns_v1, member)
#define ROW(name_, kind_, at_, path_, groups_, unit_, help_)                                       \
    .name = name_, .kind = kind_, .offset = at_, .unit = unit_, .help = help_, .group = #groups_,  \
    .path = path_, .family = "dns_" name_, .groups = groups_
#define WIRE(name_, groups_, help_)                                                                \
    {ROW("wire_packets_" #name_, METRIC_COUNTER, AT(name_), "wire_packets/" #name_, groups_,       \
         "packets", help_)}
#define COUNT(name_, at_, path_, help_)                                                            \
    {ROW(name_, METRIC_COUNTER, at_, path_, TRANSACTION, "transactions", help_)}
#define TOP(name_, at_, path_, groups_, key_, label_, help_)                                       \
    {ROW(name_, METRIC_TOPN, at_, path_, groups_, "packets", help_), .key = key_, .label = label_}
#define NAME(name_, which_, groups_, help_)                                                        \
    TOP(name_, AT(tops) + (which_) * sizeof ((struct dns_v1 *)0)->tops[0], name_, groups_,         \
        METRIC_KEY_ESCAPED, "qname", help_)
#define SLOW(name_, which_, path_, help_)                                                          \
    TOP(name_, AT(tops) + (which_) * sizeof ((struct dns_v1 *)0)->tops[0], path_, TRANSACTION,     \
        METRIC_KEY_ESCAPED, "qname", help_)
#define TIMES(name_, side_, path_, help_)                                                          \
    {ROW(name_, METRIC_QUANTILES, AT(times) + (side_) * sizeof(struct quantiles), path_,           \
         TRANSACTION | QUANTILES, "us", help_)}
#define HISTOGRAM(name_, side_, path_, help_)                                                      \
    {ROW(name_, METRIC_VIEW, AT(times) + (side_) * sizeof(struct quantiles), path_,                \
         TRANSACTION | HISTOGRAMS, "us", help_), .first_power = 0, .last_power = 32}

static const struct metric dns_v1_metrics[] = {
    COUNT("xact_counts_total", AT(xacts), "xact/counts/total",
          "Total DNS transactions (query/reply pairs)"),
    COUNT("xact_in_total", AT(xacts_by_side[XACT_IN]), "xact/in/total",
          "Total ingress DNS transactions (host is server)"),
    COUNT("xact_out_total", AT(xacts_by_side[XACT_OUT]), "xact/out/total",
          "Total egress DNS transactions (host is client)"),
    COUNT("xact_counts_timed_out", AT(timed_out), "xact/counts/timed_out",
          "Total number of DNS transactions that timed out"),
    WIRE(queries, COUNTERS, "Total DNS wire packets flagged as query (ingress and egress)"),
    WIRE(replies, COUNTERS, "Total DNS wire packets flagged as reply (ingress and egress)"),
    WIRE(udp, COUNTERS, "Total DNS wire packets received over UDP (ingress and egress)"),
    WIRE(tcp, COUNTERS, "Total DNS wire packets received over TCP (ingress and egress)"),
    WIRE(ipv4, COUNTERS, "Total DNS wire packets received over IPv4 (ingress and egress)"),
    WIRE(ipv6, COUNTERS, "Total DNS wire packets received over IPv6 (ingress and egress)"),
    WIRE(nxdomain, COUNTERS,
         "Total DNS wire packets flagged as reply with response code NXDOMAIN (ingress and egress)"),
    WIRE(refused, COUNTERS,
         "Total DNS wire packets flagged as reply with response code REFUSED (ingress and egress)"),
    WIRE(srvfail, COUNTERS,
         "Total DNS wire packets flagged as reply with response code SRVFAIL (ingress and egress)"),
    WIRE(noerror, COUNTERS,
         "Total DNS wire packets flagged as reply with response code NOERROR (ingress and egress)"),
    WIRE(nodata, COUNTERS,
         "Total DNS wire packets flagged as reply with response code NOERROR and no answer section "
         "data (ingress and egress)"),
    WIRE(total, COUNTERS, "Total DNS wire packets matching the configured filter(s)"),
    WIRE(filtered, COUNTERS,
         "Total DNS wire packets seen that did not match the configured filter(s) (if any)"),
    WIRE(query_ecs, COUNTERS | TOP_ECS,
         "Total queries that have EDNS Client Subnet (ECS) field set"),
    TIMES("xact_out_quantiles_us", XACT_OUT, "xact/out/quantiles_us",
          "Quantiles of transaction timing (query/reply pairs) when host is client, in "
          "microseconds"),
    TIMES("xact_in_quantiles_us", XACT_IN, "xact/in/quantiles_us",
          "Quantiles of transaction timing (query/reply pairs) when host is server, in "
          "microseconds"),
    HISTOGRAM("xact_out_histogram_us", XACT_OUT, "xact/out/histogram_us",
              "Histogram of transaction timing (query/reply pairs) when host is client, in "
              "microseconds"),
    HISTOGRAM("xact_in_histogram_us", XACT_IN, "xact/in/histogram_us",
              "Histogram of transaction timing (query/reply pairs) when host is server, in "
              "microseconds"),
    {ROW("xact_ratio_quantiles", METRIC_QUANTILES, AT(ratio), "xact/ratio/quantiles",
         TRANSACTION | QUANTILES, "ratio",
         "Quantiles of ratio of packet sizes in a DNS transaction (reply/query)")},
    {ROW("cardinality_qname", METRIC_CARDINALITY, AT(names), "cardinality/qname", CARDINALITY, "",
         "Cardinality of unique QNAMES, both ingress and egress")},
    {.name = "top_geoloc_ecs", .kind = METRIC_TOPN, .offset = AT(places), .unit = "packets",
     .help = "Top GeoIP ECS locations", .group = "TOP_ECS", .key = METRIC_KEY_PLACE,
     .label = "geo_loc", .path = "top_geoLoc_ecs", .family = "dns_top_geoLoc_ecs",
     .groups = TOP_ECS},
    TOP("top_asn_ecs", AT(owners), "top_asn_ecs", TOP_ECS, METRIC_KEY_PLACE, "asn",
        "Top ASNs by ECS"),
    TOP("top_query_ecs", AT(subnets), "top_query_ecs", TOP_ECS, METRIC_KEY_TEXT, "ecs",
        "Top EDNS Client Subnet (ECS) observed in DNS queries"),
    NAME("top_qname2", NAME_TWO, TOP_QNAMES, "Top QNAMES, aggregated at a depth of two labels"),
    NAME("top_qname3", NAME_THREE, TOP_QNAMES, "Top QNAMES, aggregated at a depth of three labels"),
    NAME("top_nxdomain", NX, TOP_QNAMES, "Top QNAMES with result code NXDOMAIN"),
    NAME("top_refused", REFUSED, TOP_QNAMES, "Top QNAMES with result code REFUSED"),
    NAME("top_qname_by_resp_bytes", BYTES, TOP_QNAMES | DETAILS,
         "Top QNAMES by response volume in bytes"),
    NAME("top_srvfail", SRVFAIL, TOP_QNAMES, "Top QNAMES with result code SRVFAIL"),
    NAME("top_nodata", NODATA, TOP_QNAMES,
         "Top QNAMES with result code NOERROR and no answer section"),
    NAME("top_noerror", NOERROR, TOP_QNAMES | DETAILS, "Top QNAMES with result code NOERROR"),
    TOP("top_udp_ports", AT(ports), "top_udp_ports", TOP_PORTS, METRIC_KEY_TEXT, "port",
        "Top UDP source port on the query side of a transaction"),
    TOP("top_qtype", AT(types), "top_qtype", 0, METRIC_KEY_TEXT, "qtype", "Top query types"),
    TOP("top_rcode", AT(rcodes), "top_rcode", 0, METRIC_KEY_TEXT, "rcode", "Top result codes"),
    SLOW("xact_in_top_slow", SLOW_IN, "xact/in/top_slow",
         "Top QNAMES in transactions where host is the server and transaction speed is slower than "
         "p90"),
    SLOW("xact_out_top_slow", SLOW_OUT, "xact/out/top_slow",
         "Top QNAMES in transactions where host is the client and transaction speed is slower than "
         "p90"),
    {ROW("rates_total", METRIC_RATE, AT(rate_total), "rates/total", 0, "packets",
         "Rate of all DNS wire packets (combined ingress and egress) in packets per second")},
    {ROW("rates_events", METRIC_RATE, AT(rate_events), "rates/events", 0, "packets",
         "Rate of all DNS wire packets before filtering per second")},
    WIRE(events, 0, "Total DNS wire packets events"),
    {ROW("wire_packets_deep_samples", METRIC_COUNTER, AT(deep), "wire_packets/deep_samples", 0,
         "packets", "Total DNS wire packets that were sampled for deep inspection")},
    {0},
};

static const struct metric_set dns_v1_set = {
    .name = "dns",
    .help = "DNS by messages",
    .metrics = dns_v1_metrics,
    .size = sizeof(struct dns_v1),
    .init = dns_v1_init,
};

static const struct handler_group dns_v1_groups[] = {
    {"cardinality", true},     {"counters", true},   {"quantiles", true},
    {"dns_transaction", true}, {"top_qnames", true}, {"top_ports", true},
    {"histograms", false},     {"top_ecs", false},   {"top_qnames_details", false}, {0}};

static const char *const dns_v1_options[] = {
    "exclude_noerror", "only_rcode", "only_dnssec_response", "answer_count", "only_qtype",
    "only_qname", "only_qname_suffix", "geoloc_notfound", "asn_notfound", "dnstap_msg_type",
    "public_suffix_list", "only_queries", "only_responses", "recorded_stream", "xact_ttl_secs",
    "xact_ttl_ms", "deep_sample_rate", "num_periods", "topn_count", "topn_percentile_threshold",
    NULL};

const struct handler handler_dns_v1 = {
    .type = "dns",
    .version = "1.0",
    .object = "dns",
    .title = "DnsStreamHandler",
    .inputs = HANDLER_PCAP | HANDLER_DNSTAP | HANDLER_MOCK,
    .set = &dns_v1_set,
    .groups = dns_v1_groups,
    .options = dns_v1_options,
    .reader = &dns_reader,
    .sharing = HANDLER_BY_TALK,
    .settings_size = sizeof(struct dns_filter),
    .state_size = sizeof(struct dns_v1_state),
    .configure = dns_filter_read,
    .on_event = dns_v1_on_event,
    .on_tick = dns_v1_on_tick,
    .inherit = dns_v1_inherit,
    .fold = dns_v1_fold,
};
