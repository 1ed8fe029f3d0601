// SPDX-License-Identifier: Apache-2.0
/* HTTP/2 in clear text (RFC 9113) and gRPC over it: who asks what, what is answered and how fast. The
 * README of this folder says how. */
#include "proto/http2/http2_event.h"
#include "proto/http2/http2_flow.h"
#include "proto/http2/http2_report.h"

static enum proto_guess http2_probe(struct span data, unsigned side)
{
    (void)side;
    int guess = http2_looks_like(data);
    return guess < 0 ? PROTO_UNSURE : guess > 0 ? PROTO_YES : PROTO_NO;
}

static const char *status_class_name(unsigned i)
{
    static const char *const names[HTTP2_STATUS_CLASSES] = {
        "other", "1xx", "2xx", "3xx", "4xx", "5xx",
    };
    return names[i];
}

static const char *frame_name(unsigned i)
{
    static const char *const names[HTTP2_TYPES + 1] = {
        "data", "headers", "priority", "rst_stream", "settings", "push_promise", "ping", "goaway",
        "window_update", "continuation", "other",
    };
    return names[i];
}

#define AT(member) offsetof(struct http2_stats, member)
#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = AT(member), .unit = unit_,              \
        .help = help_, .group = "counters"                                                         \
    }

static const struct metric http2_metrics[] = {
    {.name = "requests", .kind = METRIC_LABELLED, .offset = AT(requests), .unit = "requests",
     .help = "Requests by method", .group = "counters", .label = "method",
     .label_value = http2_method_class_name, .label_count = HTTP2_METHOD_CLASSES},
    {.name = "responses", .kind = METRIC_LABELLED, .offset = AT(responses), .unit = "responses",
     .help = "Responses by the first digit of their status, interim ones too", .group = "counters",
     .label = "status", .label_value = status_class_name, .label_count = HTTP2_STATUS_CLASSES},
    {.name = "frames", .kind = METRIC_LABELLED, .offset = AT(frames), .unit = "frames",
     .help = "Frames by type", .group = "counters", .label = "type", .label_value = frame_name,
     .label_count = HTTP2_TYPES + 1},
    COUNTER(transactions, "transactions", "Requests with their responses"),
    COUNTER(errors, "transactions", "Failures: status, gRPC's status, resets, no counterpart"),
    COUNTER(unmatched_requests, "requests", "Requests that were seen to get no response"),
    COUNTER(unmatched_responses, "responses", "Responses whose request was not seen"),
    COUNTER(request_bytes, "bytes", "Length of requests' frames"),
    COUNTER(response_bytes, "bytes", "Length of responses' frames"),
    COUNTER(grpc_calls, "calls", "Streams that were calls of gRPC"),
    COUNTER(grpc_errors, "calls", "Calls with another status than OK"),
    COUNTER(grpc_messages, "messages", "Messages of calls, of both sides"),
    COUNTER(pushed, "streams", "Streams that a server promised"),
    COUNTER(resets, "frames", "Streams that were reset"),
    COUNTER(goaways, "frames", "Connections that a side said it would end"),
    COUNTER(malformed, "places", "Places where a frame should be and none is"),
    COUNTER(skipped_bytes, "bytes", "Bytes read past to find frames again"),
    COUNTER(gaps, "gaps", "Places where the capture lacks bytes"),
    COUNTER(gap_bytes, "bytes", "Bytes that it lacks"),
    COUNTER(blocks_partial, "blocks", "Header blocks of which not all could be read"),
    COUNTER(headers_lost, "times", "Times that what is needed to unpack headers was lost"),
    COUNTER(headers_cut, "blocks", "Header blocks with more than is kept"),
    COUNTER(not_kept, "streams", "Streams that found no room"),
    COUNTER(late, "frames", "Frames of streams that are over, or not known"),
    {0},
};

static const struct metric_set http2_set = {
    .name = "http2",
    .help = "HTTP/2 requests and responses, and gRPC",
    .metrics = http2_metrics,
    .size = sizeof(struct http2_stats),
};

static const uint16_t http2_ports[] = {80, 8080, 50051, 0};

static const struct event_type *const events[] = {&http2_event_type, NULL};

static const char *const agreed_names[] = {"h2", NULL}; /* RFC 7301 §6 */

const struct proto proto_http2 = {
    .name = "http2",
    .help = "HTTP/2 requests with their responses, and gRPC calls: methods, status, time, size",
    .metrics = &http2_set,
    .tcp_ports = http2_ports,
    .agreed_names = agreed_names,
    .flow_size = sizeof(struct http2_flow),
    .cache_size = sizeof(struct http2_warm),
    .events = events,
    .options = http2_options,
    .options_size = sizeof(struct http2_options),
    .probe = http2_probe,
    .on_chunk = http2_flow_chunk,
    .on_gap = http2_flow_gap,
    .on_fin = http2_flow_fin,
    .on_close = http2_flow_close,
};
