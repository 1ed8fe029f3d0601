// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_event.h"

#define FIELD(name_, member, flags_, help_)                                                        \
    {                                                                                              \
        .name = "thrift." name_, .kind = EVENT_SPAN,                                               \
        .offset = offsetof(struct thrift_event, member), .flags = flags_, .help = help_            \
    }

static const struct event_field fields[] = {
    FIELD("exceptions", exceptions, 0, "what the server threw"),
    FIELD("params", params, 0, "what the method was called with"),
    FIELD("return_value", return_value, EVENT_EMPTY_TOO, "what it returned; nothing of a void one"),
    FIELD("service", service, 0, "whose method it is, where that is known"),
    {0},
};

const struct event_type thrift_event_type = {
    .dataset = "thrift",
    .help = "A call of a Thrift service and its reply",
    .size = sizeof(struct thrift_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct thrift_stats, member),  \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(calls, "messages", "Calls that clients made, one-way ones too"),
    COUNTER(oneways, "messages", "Calls that want no reply"),
    COUNTER(replies, "messages", "Replies to calls, exceptions too"),
    COUNTER(transactions, "transactions", "Calls with their replies"),
    COUNTER(exceptions, "messages", "Replies that are exceptions, declared or not"),
    COUNTER(errors, "transactions", "Calls that failed, or got no reply that was due"),
    COUNTER(unanswered, "messages", "Calls whose reply was due and not seen"),
    COUNTER(unmatched, "messages", "Replies whose call was not seen"),
    COUNTER(evicted, "messages", "Calls given up because too many waited"),
    COUNTER(dropped, "messages", "Messages with more fields than are followed"),
    COUNTER(malformed, "places", "Places where a connection stopped to be Thrift"),
    COUNTER(not_kept, "messages", "Messages that there was no memory for"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    {0},
};

const struct metric_set thrift_set = {
    .name = "thrift",
    .help = "Calls of Thrift services and their replies",
    .metrics = metrics,
    .size = sizeof(struct thrift_stats),
};
