// SPDX-License-Identifier: Apache-2.0
/* HTTP/1.0 and 1.1 (RFC 9110, RFC 9112): who asks what, what is answered and how fast. The README of
 * this folder says how. */
#include "proto/http/http_report.h"
#include "proto/http/http_talk.h"

static enum proto_guess http_probe(struct span data, unsigned side)
{
    (void)side; /* of a connection met midway any side may be the one that asks */
    int guess = http_looks_like(data);
    return guess < 0 ? PROTO_UNSURE : guess > 0 ? PROTO_YES : PROTO_NO;
}

static enum proto_guess http_probe_late(struct span data, unsigned side)
{
    (void)side;
    int guess = http_begins_late(data);
    return guess < 0 ? PROTO_UNSURE : guess > 0 ? PROTO_YES : PROTO_NO;
}

static struct proto_taken http_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    return http_talk_chunk(c, chunk, http_options_of(c->settings));
}

static void http_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    http_talk_gap(c, side, length, http_options_of(c->settings));
}

static void http_on_fin(struct proto_context *c, unsigned side)
{
    http_talk_fin(c, side, http_options_of(c->settings));
}

static void http_on_close(struct proto_context *c, enum proto_close why)
{
    http_talk_close(c, why, http_options_of(c->settings));
}

static const char *status_class_name(unsigned i)
{
    static const char *const names[HTTP_STATUS_CLASSES] = {
        "other", "1xx", "2xx", "3xx", "4xx", "5xx",
    };
    return names[i];
}

#define AT(member) offsetof(struct http_stats, member)
#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = AT(member), .unit = unit_,              \
        .help = help_, .group = "counters"                                                         \
    }

static const struct metric http_metrics[] = {
    {.name = "requests", .kind = METRIC_LABELLED, .offset = AT(requests), .unit = "requests",
     .help = "Requests by method", .group = "counters", .label = "method",
     .label_value = http_method_class_name, .label_count = HTTP_METHOD_CLASSES},
    {.name = "responses", .kind = METRIC_LABELLED, .offset = AT(responses), .unit = "responses",
     .help = "Responses by the first digit of their status, interim ones too", .group = "counters",
     .label = "status", .label_value = status_class_name, .label_count = HTTP_STATUS_CLASSES},
    COUNTER(transactions, "transactions", "Requests with their responses"),
    COUNTER(errors, "transactions", "Responses of 400 and above, and what has no counterpart"),
    COUNTER(unmatched_requests, "requests", "Requests that were seen to get no response"),
    COUNTER(unmatched_responses, "responses", "Responses whose request was not seen"),
    COUNTER(request_bytes, "bytes", "Length of requests, headers and bodies as they were sent"),
    COUNTER(response_bytes, "bytes", "Length of responses, likewise"),
    COUNTER(malformed, "places", "Places where a message should be and none is"),
    COUNTER(skipped_bytes, "bytes", "Bytes between messages that belong to none"),
    COUNTER(gaps, "gaps", "Places where the capture lacks bytes"),
    COUNTER(gap_bytes, "bytes", "Bytes that it lacks"),
    COUNTER(not_kept, "messages", "Messages that found no room to wait for their counterpart"),
    COUNTER(switched, "connections", "Connections that went on with another protocol"),
    {0},
};

static const struct metric_set http_set = {
    .name = "http",
    .help = "HTTP/1.x requests and responses",
    .metrics = http_metrics,
    .size = sizeof(struct http_stats),
};

static const uint16_t http_ports[] = {80, 8080, 8000, 5000, 8002, 0};

_Static_assert(sizeof(struct http_talk) <= 128, "a flow that is idle costs its state only");

static const struct event_type *const events[] = {&http_event_type, NULL};

static const char *const agreed_names[] = {"http/1.1", "http/1.0", "http/0.9", NULL}; /* RFC 7301 §6 */

const struct proto proto_http = {
    .name = "http",
    .help = "HTTP/1.x requests with their responses: methods, URLs, status, time, size",
    .metrics = &http_set,
    .tcp_ports = http_ports,
    .agreed_names = agreed_names,
    .flow_size = sizeof(struct http_talk),
    .events = events,
    .options = http_options,
    .options_size = sizeof(struct http_options),
    .probe = http_probe,
    .probe_late = http_probe_late,
    .on_chunk = http_on_chunk,
    .on_gap = http_on_gap,
    .on_fin = http_on_fin,
    .on_close = http_on_close,
};
