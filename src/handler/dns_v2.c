// SPDX-License-Identifier: Apache-2.0
/* DNS by transactions: version 2 of pktvisor's "dns". A response and its query count as one, in the
 * direction of the query; so do queries that nobody answered and responses that nobody asked for. */
#include <stdio.h>

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

enum { SLOTS = 1024, WORDS = 256, WORD = TOPN_KEY_MAX, SIDES = 3, SUFFIX_SLOTS = 1024 };
enum {
    CARDINALITY = 1, COUNTERS = 2, QUANTILES = 4, TOP_ECS = 8, TOP_PORTS = 16, TOP_QNAMES = 32,
    TOP_QTYPES = 64, TOP_RCODES = 128, TOP_SIZE = 256, XACT_TIMES = 512,
};
enum { NAME_TWO, NAME_THREE, NX, REFUSED, BYTES, SRVFAIL, NODATA, NOERROR, SLOW, NAMES };
/* dnstap.proto's SocketProtocol; what is no dnstap has the numbers of UDP and TCP. */
enum { SOCKET_UDP = 1, SOCKET_TCP, SOCKET_DOT, SOCKET_DOH, SOCKET_CRYPT_UDP, SOCKET_CRYPT_TCP,
       SOCKET_DOQ, SOCKETS };

struct dns_v2_side {
    uint64_t xacts, sockets[SOCKETS], ipv4, ipv6;
    uint64_t nxdomain, ecs, refused, srvfail, noerror, nodata;
    uint64_t authenticated, authoritative, unchecked, timeouts, orphans;
    struct quantiles times, ratio;
    struct rate rate;
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

struct dns_v2 {
    struct dns_v2_side sides[SIDES]; /* by enum frame_direction */
    uint64_t filtered, observed, deep;
    struct rate rate;
};

struct dns_v2_state {
    struct dns_wait wait;
    struct quantiles times[SIDES]; /* of the minute */
    double slow_us[SIDES];
    uint64_t minute;
    struct {
        uint64_t name; /* hash; 0: free */
        uint8_t labels;
    } suffixes[SUFFIX_SLOTS];
    struct dns_names names;
    struct number_cache types, rcodes; /* SIDES times the number, and the side */
    struct port_counts ports[SIDES];
};

static void dns_v2_init(void *block)
{
    for (unsigned i = 0; i < SIDES; i++) {
        struct dns_v2_side *side = &((struct dns_v2 *)block)->sides[i];
        topn_init(&side->types, WORDS, WORD);
        topn_init(&side->rcodes, WORDS, WORD);
        topn_init(&side->ports, SLOTS, DNS_READ_PORT);
        topn_init(&side->subnets, SLOTS, WORD);
        topn_init(&side->places, SLOTS, METRIC_PLACE);
        topn_init(&side->owners, SLOTS, METRIC_PLACE);
        for (unsigned k = 0; k < NAMES; k++) {
            topn_init(&side->tops[k].top, SLOTS, DNS_READ_NAME);
        }
    }
}

/* ---- Names ---------------------------------------------------------------------------------- */

static unsigned suffix_of(void *context, struct dns_read *dns)
{
    struct handler_run *run = context;
    struct dns_v2_state *state = run->state;
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

static void add_name(struct dns_v2_side *side, unsigned which, struct span name, uint64_t weight)
{
    if (name.size > 0) {
        struct topn *top = &side->tops[which].top;
        name = span_head(name, DNS_READ_NAME);
        topn_add_hashed(top, name, topn_hash_of(name, top->seed), weight);
    }
}

static struct dns_v2_side *side_of(void *context, const struct number_cache_entry *entry)
{
    return &((struct dns_v2 *)((struct handler_run *)context)->block)->sides[entry->number % SIDES];
}

static void leave_type(void *context, const struct number_cache_entry *entry)
{
    char room[DNS_READ_WORD];
    handler_add_name(&side_of(context, entry)->types, dns_read_type(entry->number / SIDES, room),
                     entry->count);
}

static void leave_rcode(void *context, const struct number_cache_entry *entry)
{
    char room[DNS_READ_WORD];
    handler_add_name(&side_of(context, entry)->rcodes, dns_read_rcode(entry->number / SIDES, room),
                     entry->count);
}

static void leave_port(void *context, unsigned port, uint32_t count)
{
    dns_read_add_port(&((struct dns_v2_side *)context)->ports, port, count);
}

static void leave_name(void *context, const struct dns_names_item *item)
{
    struct handler_run *run = context;
    struct dns_v2_side *side = &((struct dns_v2 *)run->block)->sides[item->side];
    if (handler_wants(run, CARDINALITY)) {
        cardinality_add_coupon(&side->names, handler_text_coupon(item->name));
    }
    if (handler_wants(run, TOP_QNAMES)) {
        add_name(side, NAME_TWO, item->two, item->count);
        add_name(side, NAME_THREE, item->three, item->count);
    }
}

static void dns_v2_fold(struct handler_run *run)
{
    struct dns_v2_state *state = run->state;
    number_cache_fold(&state->types, leave_type, run);
    number_cache_fold(&state->rcodes, leave_rcode, run);
    for (unsigned i = 0; i < SIDES; i++) {
        port_counts_fold(&state->ports[i], leave_port, &((struct dns_v2 *)run->block)->sides[i]);
    }
    dns_names_fold(&state->names, &(struct dns_names_user){leave_name, suffix_of, run});
}

static void add_outcome(struct dns_v2_side *side, const struct dns_read *dns)
{
    struct span name = dns_read_name(dns);
    unsigned rcode = dns_rcode(&dns->message);
    if (rcode == 0) {
        add_name(side, NOERROR, name, 1);
        if (dns->message.counts[DNS_ANSWER] == 0) {
            add_name(side, NODATA, name, 1);
        }
    } else if (rcode == 2 || rcode == 3 || rcode == 5) {
        add_name(side, rcode == 2 ? SRVFAIL : rcode == 3 ? NX : REFUSED, name, 1);
    }
}

static void add_names(struct handler_run *run, unsigned direction, struct dns_read *dns)
{
    struct dns_v2_state *state = run->state;
    struct dns_v2_side *side = &((struct dns_v2 *)run->block)->sides[direction];
    struct dns_names_user user = {leave_name, suffix_of, run};
    if (dns_read_name(dns).size > 0 &&
        (handler_wants(run, CARDINALITY) || handler_wants(run, TOP_QNAMES))) {
        dns_names_add(&state->names, dns, (uint8_t)direction, &user);
    }
    if (handler_wants(run, TOP_RCODES)) {
        number_cache_add(&state->rcodes, dns_rcode(&dns->message) * SIDES + direction, leave_rcode,
                         run);
        add_outcome(side, dns);
    }
}

static void add_subnet(struct handler_run *run, struct dns_v2_side *side,
                       const struct dns_waited *query)
{
    unsigned version = query->query.subnet_version;
    const struct handler_world *world = handler_settings(run)->world;
    struct geo_place place;
    char text[ADDRESS_ROOM];
    char *end = address_write(text, version, query->subnet);
    handler_add_name(&side->subnets, span_of(text, (size_t)(end - text)), 1);
    if (world->city != NULL) {
        geo_city(world->city, version, query->subnet, &place);
        handler_add_place(&side->places, &place, 1);
    }
    if (world->owner != NULL) {
        geo_owner(world->owner, version, query->subnet, &place);
        handler_add_place(&side->owners, &place, 1);
    }
}

/* ---- Transactions --------------------------------------------------------------------------- */

static void turn_minute(struct dns_v2_state *state, uint64_t minute)
{
    if (minute == state->minute) {
        return;
    }
    state->minute = minute;
    for (unsigned i = 0; i < SIDES; i++) {
        state->slow_us[i] = state->times[i].count > 0 ? quantiles_at(&state->times[i], 0.9) : 0;
        quantiles_reset(&state->times[i]);
    }
}

/* What is slow, each of those counted for knows for itself. */
static void turn_minutes(struct handler_run *run, uint64_t now_ns)
{
    struct dns_v2_state *state = run->state;
    uint64_t minute = now_ns / UINT64_C(60000000000);
    for (uint32_t i = 0; state->minute != minute && i < run->mate_count; i++) {
        turn_minute(run->mates[i]->state, minute);
    }
    turn_minute(state, minute);
}

static void judge_time(struct handler_run *run, unsigned direction, double us,
                       const struct dns_read *dns)
{
    struct dns_v2_state *state = run->state;
    quantiles_add(&state->times[direction], us);
    if (state->slow_us[direction] > 0 && us >= state->slow_us[direction]) {
        add_name(&((struct dns_v2 *)run->block)->sides[direction], SLOW, dns_read_name(dns), 1);
        run->is_touched = true;
    }
}

static void count_xact(struct dns_v2_side *side, const struct dns_read *dns,
                       const struct handler_event *event, const struct dns_waiting *query)
{
    unsigned rcode = dns_rcode(&dns->message);
    unsigned socket = event->dnstap_socket != 0 ? event->dnstap_socket
                      : event->protocol == 6    ? SOCKET_TCP
                                                : SOCKET_UDP;
    side->xacts++;
    side->sockets[socket < SOCKETS ? socket : 0]++;
    side->ipv4 += event->version == 4;
    side->ipv6 += event->version == 6;
    side->noerror += rcode == 0;
    side->nodata += rcode == 0 && dns->message.counts[DNS_ANSWER] == 0;
    side->srvfail += rcode == 2;
    side->nxdomain += rcode == 3;
    side->refused += rcode == 5;
    side->authenticated += (dns->message.flags & DNS_AD) != 0;
    side->authoritative += (dns->message.flags & DNS_AA) != 0;
    side->unchecked += query->checks_nothing;
    side->ecs += query->subnet_version != 0;
}

static void add_times(struct handler_run *run, unsigned direction, const struct dns_read *dns,
                      const struct handler_event *event, const struct dns_waiting *query)
{
    struct dns_v2_side *side = &((struct dns_v2 *)run->block)->sides[direction];
    double us = dns_wait_us(query, event->time_ns);
    quantiles_add(&side->times, us);
    for (uint32_t i = 0; i < run->mate_count; i++) {
        judge_time(run->mates[i], direction, us, dns);
    }
    if (run->mate_count == 0) {
        judge_time(run, direction, us, dns);
    }
}

/* What only deep samples get. */
static void dns_v2_look(struct handler_run *run, unsigned direction, struct dns_read *dns,
                        const struct handler_event *event, const struct dns_waited *waited)
{
    struct dns_v2_side *side = &((struct dns_v2 *)run->block)->sides[direction];
    struct dns_v2_state *state = run->state;
    const struct dns_waiting *query = &waited->query;
    add_names(run, direction, dns);
    if (handler_wants(run, TOP_QTYPES) && dns->has_name) {
        number_cache_add(&state->types, dns->message.question_type * SIDES + direction, leave_type,
                         run);
    }
    if (handler_wants(run, TOP_PORTS)) {
        port_counts_add(&state->ports[direction], query->port, leave_port, side);
    }
    if (handler_wants(run, TOP_SIZE)) {
        add_name(side, BYTES, dns_read_name(dns), event->payload.size);
        if (query->size > 0) {
            quantiles_add(&side->ratio, (double)event->payload.size / query->size);
        }
    }
    if (handler_wants(run, XACT_TIMES)) {
        add_times(run, direction, dns, event, query);
    }
    if (handler_wants(run, TOP_ECS) && query->subnet_version != 0) {
        add_subnet(run, side, waited);
    }
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void note_timeout(struct handler_run *run, const struct dns_waited *query)
{
    if (query->key != 0 && !query->query.is_filtered && !query->query.is_known_elsewhere) {
        ((struct dns_v2 *)run->block)->sides[query->query.side].timeouts++;
    }
}

/* A query: what it says is kept until it is answered. */
static bool take_query(struct handler_run *run, struct dns_read *dns,
                       const struct handler_event *event)
{
    const struct dns_filter *f = run->settings;
    struct dns_v2 *b = run->block;
    struct dns_v2_state *state = run->state;
    struct dns_waited lost;
    bool passes = f->is_open || (dns_filter_name(f, dns) && dns_filter_suffix(f, dns) &&
                                 dns_filter_place(f, dns));
    uint64_t key = dns_wait_key(event->talk, dns->message.id, event->direction);
    struct dns_waiting *query = dns_wait_add(&state->wait, key, event->time_ns, &lost);
    note_timeout(run, &lost);
    query->size = (uint32_t)event->payload.size;
    query->port = event->port[0];
    query->side = event->direction;
    query->is_filtered = !passes;
    query->checks_nothing = (dns->message.flags & DNS_CD) != 0;
    const struct dns_subnet *subnet = &dns_read_edns(dns)->subnet;
    if (subnet->version != 0) {
        dns_wait_subnet(&state->wait, query, subnet->version, subnet->bytes);
    }
    b->filtered += !passes;
    return passes;
}

/* The direction of the query that this answers. */
static unsigned other_side(unsigned direction)
{
    return direction == FRAME_DIRECTION_IN    ? FRAME_DIRECTION_OUT
           : direction == FRAME_DIRECTION_OUT ? FRAME_DIRECTION_IN
                                              : FRAME_DIRECTION_UNKNOWN;
}

static bool take_response(struct handler_run *run, struct dns_read *dns,
                          const struct handler_event *event, bool deep)
{
    const struct dns_filter *f = run->settings;
    struct dns_v2 *b = run->block;
    struct dns_v2_state *state = run->state;
    struct dns_waited query;
    unsigned direction = other_side(event->direction);
    uint64_t key = dns_wait_key(event->talk, dns->message.id, direction);
    bool found = dns_wait_take(&state->wait, key, &query);
    if (!f->is_open && (!dns_filter_rcode(f, dns) || !dns_filter_outcome(f, dns) ||
                        !dns_filter_type(f, dns))) {
        b->filtered += 1u + (found && !query.query.is_filtered);
        return false;
    }
    if (!found) {
        b->sides[direction].orphans++;
    } else if (query.query.is_filtered) {
        b->filtered++;
    } else {
        turn_minutes(run, event->time_ns);
        count_xact(&b->sides[direction], dns, event, &query.query);
        run->sums[direction]++;
        if (deep) {
            dns_v2_look(run, direction, dns, event, &query);
        }
    }
    return true;
}

static void dns_v2_on_tick(struct handler_run *run, uint64_t now_ns)
{
    const struct dns_filter *settings = run->settings;
    struct dns_v2_state *state = run->state;
    struct dns_waited query;
    while (dns_wait_expire(&state->wait, now_ns, settings->patience_ns, &query)) {
        note_timeout(run, &query);
    }
}

static void dns_v2_inherit(struct handler_run *run, const void *state)
{
    dns_wait_inherit(&((struct dns_v2_state *)run->state)->wait,
                     &((const struct dns_v2_state *)state)->wait);
}

static bool dns_v2_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct dns_filter *f = run->settings;
    struct dns_v2 *b = run->block;
    bool is_datagram = (event->kinds & HANDLER_DATAGRAM) &&
                       (event->protocol == 17 || event->packet == NULL);
    if ((!is_datagram && !(event->kinds & HANDLER_STREAM)) || !handler_reads(&dns_reader, event)) {
        return false;
    }
    struct dns_read *dns = (struct dns_read *)(uintptr_t)handler_message(&dns_reader, event);
    if (dns == NULL) {
        return false;
    }
    bool deep = handler_is_deep(run);
    b->observed++;
    b->deep += deep;
    run->sums[SIDES]++;
    if (!dns_filter_dnstap(f, event)) {
        b->filtered++;
        return false;
    }
    return dns_is_response(&dns->message) ? take_response(run, dns, event, deep)
                                          : take_query(run, dns, event);
}

static bool dns_v2_has_side(const void *block, unsigned direction)
{
    const struct dns_v2_side *side = &((const struct dns_v2 *)block)->sides[direction];
    return side->xacts + side->timeouts + side->orphans > 0;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define SIDE_AT(side_, member_)                                                                    \
    (offsetof(struct dns_v2, sides) + (side_) * sizeof(struct dns_v2_side) +                       \
     offsetof(struct dns_v2_side, member_))
#define ROW(side_, word_, name_, kind_, at_, path_, groups_, unit_, help_)                         \
    .name = word_ "_" name_, .kind = kind_, .offset = at_, .unit = unit_, .help = help_,           \
    .group = #groups_, .path = word_ "/" path_, .family = "dns_" name_, .groups = groups_,         \
    .side = (side_) + 1
#define COUNT(side_, word_, name_, member_, help_)                                                 \
    {ROW(side_, word_, name_, METRIC_COUNTER, SIDE_AT(side_, member_), name_, COUNTERS,            \
         "transactions", help_)}
#define TOP(side_, word_, name_, at_, groups_, key_, label_, help_)                                \
    {ROW(side_, word_, name_, METRIC_TOPN, at_, name_, groups_, "transactions", help_),            \
     .key = key_, .label = label_}
#define NAME(side_, word_, name_, which_, groups_, help_)                                          \
    TOP(side_, word_, name_,                                                                       \
        SIDE_AT(side_, tops) + (which_) * sizeof ((struct dns_v2_side *)0)->tops[0], groups_,      \
        METRIC_KEY_ESCAPED, "qname", help_)
#define XACTS "Total DNS transactions (query/reply pairs) "

#define SIDE(s, w)                                                                                 \
    COUNT(s, w, "xacts", xacts, "Total DNS transactions (query/reply pairs)"),                     \
    COUNT(s, w, "udp_xacts", sockets[SOCKET_UDP], XACTS "received over UDP"),                      \
    COUNT(s, w, "tcp_xacts", sockets[SOCKET_TCP], XACTS "received over TCP"),                      \
    COUNT(s, w, "dot_xacts", sockets[SOCKET_DOT], XACTS "received over DNS over TLS"),             \
    COUNT(s, w, "doh_xacts", sockets[SOCKET_DOH], XACTS "received over DNS over HTTPS"),           \
    COUNT(s, w, "dnscrypt_udp_xacts", sockets[SOCKET_CRYPT_UDP],                                   \
          XACTS "received over DNSCrypt over UDP"),                                                \
    COUNT(s, w, "dnscrypt_tcp_xacts", sockets[SOCKET_CRYPT_TCP],                                   \
          XACTS "received over DNSCrypt over TCP"),                                                \
    COUNT(s, w, "doq_xacts", sockets[SOCKET_DOQ], XACTS "received over DNS over QUIC"),            \
    COUNT(s, w, "ipv4_xacts", ipv4, XACTS "received over IPv4"),                                   \
    COUNT(s, w, "ipv6_xacts", ipv6, XACTS "received over IPv6"),                                   \
    COUNT(s, w, "nxdomain_xacts", nxdomain,                                                        \
          XACTS "flagged as reply with response code NXDOMAIN"),                                   \
    COUNT(s, w, "ecs_xacts", ecs, XACTS "with the EDNS Client Subnet option set"),                 \
    COUNT(s, w, "refused_xacts", refused,                                                          \
          XACTS "flagged as reply with response code REFUSED"),                                    \
    COUNT(s, w, "srvfail_xacts", srvfail,                                                          \
          XACTS "flagged as reply with response code SRVFAIL"),                                    \
    COUNT(s, w, "noerror_xacts", noerror,                                                          \
          XACTS "flagged as reply with response code NOERROR"),                                    \
    COUNT(s, w, "nodata_xacts", nodata,                                                            \
          XACTS "flagged as reply with response code NOERROR but with an empty answers section"),  \
    COUNT(s, w, "authenticated_data_xacts", authenticated,                                         \
          XACTS "with the AD flag set in the response"),                                           \
    COUNT(s, w, "authoritative_answer_xacts", authoritative,                                       \
          XACTS "with the AA flag set in the response"),                                           \
    COUNT(s, w, "checking_disabled_xacts", unchecked, XACTS "with the CD flag set in the query"),  \
    COUNT(s, w, "timeout_queries", timeouts, "Total number of DNS queries that timed out"),        \
    COUNT(s, w, "orphan_responses", orphans,                                                       \
          "Total number of DNS responses that do not have a corresponding query"),                 \
    {ROW(s, w, "xact_time_us", METRIC_QUANTILES, SIDE_AT(s, times), "xact_time_us", XACT_TIMES,    \
         "us", "Quantiles of transaction timing (query/reply pairs) in microseconds")},            \
    {ROW(s, w, "xact_histogram_us", METRIC_VIEW, SIDE_AT(s, times), "xact_histogram_us",           \
         XACT_TIMES, "us",                                                                         \
         "Histogram of transaction timing (query/reply pairs) in microseconds"),                   \
     .first_power = 0, .last_power = 32},                                                          \
    {ROW(s, w, "response_query_size_ratio", METRIC_QUANTILES, SIDE_AT(s, ratio),                   \
         "response_query_size_ratio", TOP_SIZE, "ratio",                                           \
         "Quantiles of ratio of packet sizes in a DNS transaction (reply/query)")},                \
    {ROW(s, w, "xact_rates", METRIC_RATE, SIDE_AT(s, rate), "xact_rates", QUANTILES,               \
         "transactions", "Rate of all DNS transaction (reply/query) per second")},                 \
    {ROW(s, w, "cardinality_qname", METRIC_CARDINALITY, SIDE_AT(s, names), "cardinality/qname",    \
         CARDINALITY, "", "Cardinality of unique QNAMES, both ingress and egress")},               \
    TOP(s, w, "top_geo_loc_ecs_xacts", SIDE_AT(s, places), TOP_ECS, METRIC_KEY_PLACE, "geo_loc",   \
        "Top GeoIP ECS locations"),                                                                \
    TOP(s, w, "top_asn_ecs_xacts", SIDE_AT(s, owners), TOP_ECS, METRIC_KEY_PLACE, "asn",           \
        "Top ASNs by ECS"),                                                                        \
    TOP(s, w, "top_ecs_xacts", SIDE_AT(s, subnets), TOP_ECS, METRIC_KEY_TEXT, "ecs",               \
        "Top EDNS Client Subnet (ECS) observed in DNS transaction"),                               \
    NAME(s, w, "top_qname2_xacts", NAME_TWO, TOP_QNAMES,                                           \
         "Top QNAMES, aggregated at a depth of two labels"),                                       \
    NAME(s, w, "top_qname3_xacts", NAME_THREE, TOP_QNAMES,                                         \
         "Top QNAMES, aggregated at a depth of three labels"),                                     \
    NAME(s, w, "top_nxdomain_xacts", NX, TOP_RCODES, "Top QNAMES with result code NXDOMAIN"),      \
    NAME(s, w, "top_refused_xacts", REFUSED, TOP_RCODES, "Top QNAMES with result code REFUSED"),   \
    NAME(s, w, "top_response_bytes", BYTES, TOP_SIZE, "Top QNAMES by response volume in bytes"),   \
    NAME(s, w, "top_srvfail_xacts", SRVFAIL, TOP_RCODES, "Top QNAMES with result code SRVFAIL"),   \
    NAME(s, w, "top_nodata_xacts", NODATA, TOP_RCODES,                                             \
         "Top QNAMES with result code NOERROR and empty answer section"),                          \
    NAME(s, w, "top_noerror_xacts", NOERROR, TOP_RCODES, "Top QNAMES with result code NOERROR"),   \
    TOP(s, w, "top_udp_ports_xacts", SIDE_AT(s, ports), TOP_PORTS, METRIC_KEY_TEXT, "port",        \
        "Top UDP source port on the query side of a transaction"),                                 \
    TOP(s, w, "top_qtype_xacts", SIDE_AT(s, types), TOP_QTYPES, METRIC_KEY_TEXT, "qtype",          \
        "Top query types"),                                                                        \
    TOP(s, w, "top_rcode_xacts", SIDE_AT(s, rcodes), TOP_RCODES, METRIC_KEY_TEXT, "rcode",         \
        "Top result codes"),                                                                       \
    NAME(s, w, "top_slow_xacts", SLOW, XACT_TIMES,                                                 \
         "Top QNAMES in transactions where host is the server and transaction speed is slower "    \
         "than p90")

#define ALL(name_, member_, kind_, path_, groups_, help_)                                          \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct dns_v2, member_),                  \
        .unit = "packets", .help = help_, .group = #groups_, .path = path_,                        \
        .family = "dns_" name_, .groups = groups_                                                  \
    }

/* Rates stand in the order of their sums: by direction, then all. */
static const struct metric dns_v2_metrics[] = {
    SIDE(FRAME_DIRECTION_UNKNOWN, "unknown"),
    SIDE(FRAME_DIRECTION_IN, "in"),
    SIDE(FRAME_DIRECTION_OUT, "out"),
    ALL("filtered_packets", filtered, METRIC_COUNTER, "filtered_packets", COUNTERS,
        "Total DNS wire packets seen that did not match the configured filter(s) (if any)"),
    ALL("rates_observed_pps", rate, METRIC_RATE, "rates/observed_pps", 0,
        "Rate of all DNS wire packets before filtering per second"),
    ALL("observed_packets", observed, METRIC_COUNTER, "observed_packets", 0,
        "Total DNS wire packets events"),
    ALL("deep_sampled_packets", deep, METRIC_COUNTER, "deep_sampled_packets", 0,
        "Total DNS wire packets that were sampled for deep inspection"),
    {0},
};

static const struct metric_set dns_v2_set = {
    .name = "dns",
    .help = "DNS by transactions",
    .metrics = dns_v2_metrics,
    .size = sizeof(struct dns_v2),
    .init = dns_v2_init,
};

static const struct handler_group dns_v2_groups[] = {
    {"cardinality", true}, {"counters", true},    {"quantiles", true},  {"top_ecs", false},
    {"top_ports", false},  {"top_qnames", true},  {"top_qtypes", true}, {"top_rcodes", true},
    {"top_size", false},   {"xact_times", false}, {0}};

static const char *const dns_v2_options[] = {
    "exclude_noerror", "only_rcode", "only_dnssec_response", "answer_count", "only_qtype",
    "only_qname", "only_qname_suffix", "geoloc_notfound", "asn_notfound", "dnstap_msg_type",
    "public_suffix_list", "recorded_stream", "xact_ttl_secs", "xact_ttl_ms", "deep_sample_rate",
    "num_periods", "topn_count", "topn_percentile_threshold", NULL};

const struct handler handler_dns_v2 = {
    .type = "dns",
    .version = "2.0",
    .object = "dns",
    .title = "DnsStreamHandler",
    .inputs = HANDLER_PCAP | HANDLER_DNSTAP | HANDLER_MOCK,
    .set = &dns_v2_set,
    .groups = dns_v2_groups,
    .options = dns_v2_options,
    .reader = &dns_reader,
    .sharing = HANDLER_BY_TALK,
    .settings_size = sizeof(struct dns_filter),
    .state_size = sizeof(struct dns_v2_state),
    .configure = dns_filter_read,
    .on_event = dns_v2_on_event,
    .on_tick = dns_v2_on_tick,
    .inherit = dns_v2_inherit,
    .fold = dns_v2_fold,
    .has_side = dns_v2_has_side,
};
