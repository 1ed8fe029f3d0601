// SPDX-License-Identifier: Apache-2.0
/* Kafka's wire protocol: which client asks what of a broker, about which topics, and how it ends. The
 * README of this folder says how. */
#include "proto/kafka/kafka_flow.h"
#include "proto/kafka/kafka_report.h"

static enum proto_guess kafka_probe(struct span data, unsigned side)
{
    (void)side;
    int guess = kafka_looks_like(data);
    return guess < 0 ? PROTO_UNSURE : guess > 0 ? PROTO_YES : PROTO_NO;
}

static const char *api_label(unsigned i)
{
    const struct kafka_api *api = kafka_api_of(i);
    return api != NULL ? api->name : NULL;
}

#define AT(member) offsetof(struct kafka_stats, member)
#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = AT(member), .unit = unit_,              \
        .help = help_, .group = "counters"                                                         \
    }

static const struct metric kafka_metrics[] = {
    {.name = "requests", .kind = METRIC_LABELLED, .offset = AT(requests), .unit = "requests",
     .help = "Requests by API", .group = "counters", .label = "api", .label_value = api_label,
     .label_count = KAFKA_APIS},
    COUNTER(transactions, "transactions", "Requests with their responses"),
    COUNTER(errors, "transactions", "Responses with an error, and what has no counterpart"),
    COUNTER(unmatched_requests, "requests", "Requests that were seen to get no response"),
    COUNTER(unmatched_responses, "responses", "Responses whose request was not seen"),
    COUNTER(request_bytes, "bytes", "Length of requests"),
    COUNTER(response_bytes, "bytes", "Length of responses"),
    COUNTER(records_produced, "records", "Records that were sent, by the headers of their batches"),
    COUNTER(records_fetched, "records", "Records that were fetched, likewise"),
    COUNTER(malformed, "places", "Places where a message should be and none is"),
    COUNTER(skipped_bytes, "bytes", "Bytes that belong to no message that is known"),
    COUNTER(gaps, "gaps", "Places where the capture lacks bytes"),
    COUNTER(gap_bytes, "bytes", "Bytes that it lacks"),
    COUNTER(not_kept, "requests", "Requests that found no room to wait"),
    {0},
};

static const struct metric_set kafka_set = {
    .name = "kafka",
    .help = "Kafka requests and responses",
    .metrics = kafka_metrics,
    .size = sizeof(struct kafka_stats),
};

static const uint16_t kafka_ports[] = {9092, 0};

static const struct event_type *const events[] = {&kafka_event_type, NULL};

const struct proto proto_kafka = {
    .name = "kafka",
    .help = "Kafka requests with their responses: APIs, topics, groups, records, errors, time",
    .metrics = &kafka_set,
    .tcp_ports = kafka_ports,
    .flow_size = sizeof(struct kafka_flow),
    .events = events,
    .probe = kafka_probe,
    .on_chunk = kafka_flow_chunk,
    .on_gap = kafka_flow_gap,
    .on_fin = kafka_flow_fin,
    .on_close = kafka_flow_close,
};
