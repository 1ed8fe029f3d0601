// SPDX-License-Identifier: Apache-2.0
#include "proto/icmp/icmp_event.h"

#define FIELD(name_, kind_, member, help_)                                                         \
    {                                                                                              \
        .name = "icmp." name_, .kind = kind_, .offset = offsetof(struct icmp_event, member),       \
        .help = help_                                                                              \
    }

static const struct event_field fields[] = {
    FIELD("request.code", EVENT_OPTIONAL, request.code, "the request's code"),
    FIELD("request.message", EVENT_SPAN, request.message, "type and code in words"),
    FIELD("request.type", EVENT_OPTIONAL, request.type, "the request's type"),
    FIELD("response.code", EVENT_OPTIONAL, response.code, "the reply's code"),
    FIELD("response.message", EVENT_SPAN, response.message, "type and code in words"),
    FIELD("response.type", EVENT_OPTIONAL, response.type, "the reply's type"),
    FIELD("version", EVENT_U8, version, "4, or 6 for ICMPv6"),
    {0},
};

const struct event_type icmp_event_type = {
    .dataset = "icmp",
    .help = "An ICMP request and its reply, or an error or another message by itself",
    .size = sizeof(struct icmp_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, help_)                                                                     \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct icmp_stats, member),    \
        .unit = "messages", .help = help_, .group = "counters"                                     \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "Requests that want a reply: echo, timestamp, information, address mask"),
    COUNTER(replies, "Replies to such"),
    COUNTER(transactions, "Requests with their replies"),
    COUNTER(errors, "Messages that something went wrong"),
    COUNTER(others, "Messages that stand alone: redirects, neighbours, routers, listeners"),
    COUNTER(unanswered, "Requests whose reply was not seen"),
    COUNTER(unmatched, "Replies whose request was not seen"),
    COUNTER(repeated, "Requests with identifier and number of one that was still open"),
    COUNTER(evicted, "Requests given up because too many waited for their replies"),
    COUNTER(malformed, "Messages too short to be read"),
    {0},
};

const struct metric_set icmp_set = {
    .name = "icmp",
    .help = "ICMP requests, replies and errors",
    .metrics = metrics,
    .size = sizeof(struct icmp_stats),
};
