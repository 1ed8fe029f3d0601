// SPDX-License-Identifier: Apache-2.0
#include "engine/health_flat.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct health_flat, member),              \
        .flags = flags_, .help = help_                                                             \
    }
#define FIELD(member, kind, help) ROW(#member, kind, member, 0, help)
#define VERDICT(name, index) ROW(name, EVENT_TRUTH, verdicts[index], 0, "docs/tcp-health.md")

static const struct event_field fields[] = {
    VERDICT("application_limited", HEALTH_APPLICATION_LIMITED),
    VERDICT("blackholed", HEALTH_BLACKHOLED),
    VERDICT("bufferbloat", HEALTH_BUFFERBLOAT),
    FIELD(bytes_from_client, EVENT_U64, "on the wire"),
    FIELD(bytes_from_server, EVENT_U64, "on the wire"),
    FIELD(client_as_name, EVENT_SPAN, "the organisation of the client's autonomous system"),
    FIELD(client_as_number, EVENT_U32, "the client's autonomous system, with geo.asn"),
    FIELD(client_country, EVENT_INLINE, "ISO 3166-1 alpha-2, with geo.city"),
    FIELD(client_ip, EVENT_ADDRESS, "who asked for the connection"),
    FIELD(client_port, EVENT_U32, "its port"),
    FIELD(community_id, EVENT_SPAN, "Community ID v1, seed 0"),
    ROW("end_timestamp", EVENT_TIME, end_timestamp, EVENT_ALWAYS, "time of the latest packet"),
    FIELD(established, EVENT_TRUTH, "the handshake was seen to complete"),
    ROW("final", EVENT_BOOL, final, EVENT_ALWAYS, "true in the last report of a connection"),
    FIELD(flow_id, EVENT_SPAN, "the same in all reports of a connection"),
    FIELD(loss_percent, EVENT_NUMBER, "data segments of the main direction that were sent again"),
    VERDICT("lossy", HEALTH_LOSSY),
    FIELD(min_rtt_ms, EVENT_NUMBER, "the least round trip between client and server"),
    FIELD(non_idle_throughput_mbps, EVENT_NUMBER, "acknowledged payload by the time the sender was busy"),
    VERDICT("receiver_limited", HEALTH_RECEIVER_LIMITED),
    VERDICT("reordered", HEALTH_REORDERED),
    FIELD(rtt_ms, EVENT_NUMBER, "the median round trip between client and server"),
    FIELD(rtt_p95_ms, EVENT_NUMBER, "its 95th percentile"),
    VERDICT("sender_limited", HEALTH_SENDER_LIMITED),
    FIELD(server_ip, EVENT_ADDRESS, "who was asked"),
    FIELD(server_port, EVENT_U32, "the port that was asked"),
    FIELD(server_zone, EVENT_TEXT, "of the table of zones"),
    VERDICT("short_of_window", HEALTH_SHORT_OF_WINDOW),
    VERDICT("slow_server", HEALTH_SLOW_SERVER),
    ROW("start_timestamp", EVENT_TIME, start_timestamp, EVENT_ALWAYS, "time of the first packet"),
    FIELD(time_to_first_byte_ms, EVENT_NUMBER, "from the first request to the first byte of an answer"),
    {0},
};

const struct event_type health_flat_type = {
    .dataset = "tcp.connection.flat",
    .help = "One TCP connection as one flat row: flows.health_record: flat",
    .size = sizeof(struct health_flat),
    .fields = fields,
};

void health_flat_of(struct health_flat *ret, const struct health_event *event)
{
    const struct flow_event *flow = &event->flow;
    const struct health_record *record = &event->record;
    struct health_trip trip = health_trip_of(record);
    *ret = (struct health_flat){
        .head = {.type = &health_flat_type, .order = flow->head.order,
                 .suborder = flow->head.suborder},
        .start_timestamp = flow->start_ns,
        .end_timestamp = flow->end_ns,
        .client_ip = flow->source,
        .server_ip = flow->destination,
        .client_port = flow->source_port,
        .server_port = flow->destination_port,
        .client_as_name = span_str(event->client.as_name),
        .client_as_number = event->client.as_number,
        .server_zone = event->server.zone,
        .bytes_from_client = flow->count.bytes[0],
        .bytes_from_server = flow->count.bytes[1],
        .non_idle_throughput_mbps = trip.throughput_mbps,
        .rtt_ms = trip.rtt_ms,
        .rtt_p95_ms = trip.rtt_p95_ms,
        .min_rtt_ms = trip.min_rtt_ms,
        .loss_percent = trip.loss_percent,
        .time_to_first_byte_ms = record->ttfb_ms,
        .flow_id = span_str(flow->flow_id),
        .community_id = span_str(flow->community_id),
        .established = (uint8_t)record->established,
        .final = flow->final,
    };
    memcpy(ret->client_country, event->client.country, sizeof ret->client_country);
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        ret->verdicts[i] = (uint8_t)record->findings[i].truth;
    }
}
