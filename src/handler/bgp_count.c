// SPDX-License-Identifier: Apache-2.0
/* BGP messages by type (RFC 4271 §4.1, RFC 2918): of each piece of a connection the first one, as
 * pktvisor counts them. */
#include "base/cursor.h"
#include "handler/handler.h"
#include "summary/rate.h"

enum { MARKER = 16, HEAD = 19, LONGEST = 4096 };
enum { OPEN = 1, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH, TYPES };

struct bgp_message {
    uint8_t type;
};

struct bgp {
    uint64_t types[TYPES];
    uint64_t total, filtered, events, deep;
    struct rate rate_total, rate_events;
};

static bool bgp_read(struct span bytes, void *message)
{
    struct cursor c = cursor_of(bytes);
    struct span marker = cursor_take(&c, MARKER);
    uint16_t size = cursor_be16(&c);
    uint8_t type = cursor_u8(&c);
    for (size_t i = 0; i < marker.size; i++) {
        if (marker.data[i] != 0xff) {
            return false;
        }
    }
    ((struct bgp_message *)message)->type = type;
    return !c.bad && size >= HEAD && size <= LONGEST && type >= OPEN && type < TYPES;
}

static const uint16_t bgp_ports[] = {179, 0};

static const struct handler_reader bgp_reader = {
    .name = "bgp",
    .size = sizeof(struct bgp_message),
    .ports = bgp_ports,
    .port_bits = HANDLER_PORT_BIT(179),
    .is_tcp = true,
    .read = bgp_read,
};

static bool bgp_on_event(struct handler_run *run, struct handler_event *event)
{
    struct bgp *b = run->block;
    if (!(event->kinds & HANDLER_STREAM) || !handler_reads(&bgp_reader, event)) {
        return false;
    }
    const struct bgp_message *message = handler_message(&bgp_reader, event);
    if (message == NULL) {
        return false;
    }
    b->events++;
    b->deep += handler_is_deep(run);
    b->total++;
    b->types[message->type]++;
    run->sums[0]++;
    run->sums[1]++;
    return true;
}

#define AT(member) offsetof(struct bgp, member)
#define COUNTER(name_, member, help_)                                                              \
    {                                                                                              \
        .name = name_, .kind = METRIC_COUNTER, .offset = AT(member), .unit = "packets",            \
        .help = help_, .group = "counters", .path = "wire_packets/" name_,                         \
        .family = "bgp_wire_packets_" name_                                                        \
    }
#define RATE(name_, member, help_)                                                                 \
    {                                                                                              \
        .name = "rates_" name_, .kind = METRIC_RATE, .offset = AT(member), .unit = "packets",      \
        .help = help_, .group = "rates", .path = "rates/" name_, .family = "bgp_rates_" name_      \
    }

static const struct metric bgp_metrics[] = {
    COUNTER("open", types[OPEN], "Total BGP packets with message type OPEN"),
    COUNTER("update", types[UPDATE], "Total BGP packets with message type UPDATE"),
    COUNTER("notification", types[NOTIFICATION],
            "Total BGP packets with message type NOTIFICATION"),
    COUNTER("keepalive", types[KEEPALIVE], "Total BGP packets with message type KEEPALIVE"),
    COUNTER("routerefresh", types[ROUTE_REFRESH],
            "Total BGP packets with message type ROUTEREFRESH"),
    COUNTER("total", total, "Total BGP wire packets matching the configured filter(s)"),
    COUNTER("filtered", filtered,
            "Total BGP wire packets seen that did not match the configured filter(s) (if any)"),
    RATE("total", rate_total,
         "Rate of all BGP wire packets (combined ingress and egress) in packets per second"),
    RATE("events", rate_events,
         "Rate of all BGP wire packets before filtering per second"),
    COUNTER("events", events, "Total BGP wire packets events"),
    COUNTER("deep_samples", deep,
            "Total BGP wire packets that were sampled for deep inspection"),
    {0},
};

static const struct metric_set bgp_set = {
    .name = "bgp",
    .help = "BGP messages by type",
    .metrics = bgp_metrics,
    .size = sizeof(struct bgp),
};

static const char *const bgp_options[] = {"recorded_stream", "deep_sample_rate", "num_periods",
                                          "topn_count", "topn_percentile_threshold", NULL};

const struct handler handler_bgp_count = {
    .type = "bgp",
    .version = "1.0",
    .object = "bgp",
    .title = "BgpStreamHandler",
    .inputs = HANDLER_PCAP,
    .set = &bgp_set,
    .options = bgp_options,
    .reader = &bgp_reader,
    .on_event = bgp_on_event,
};
