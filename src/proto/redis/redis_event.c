// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_event.h"

/* Packetbeat has these even when they are empty. */
#define TEXT(name_, member, help_)                                                                 \
    {                                                                                              \
        .name = name_, .kind = EVENT_SPAN, .offset = offsetof(struct redis_event, member),         \
        .flags = EVENT_EMPTY_TOO, .help = help_                                                    \
    }

static const struct event_field fields[] = {
    TEXT("redis.error", error, "the error that the server replied with"),
    TEXT("redis.return_value", return_value, "the reply, or what was published, as text"),
    {0},
};

const struct event_type redis_event_type = {
    .dataset = "redis",
    .help = "A Redis command and its reply, or what the server sent unasked",
    .size = sizeof(struct redis_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct redis_stats, member),   \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "messages", "Commands that clients sent"),
    COUNTER(responses, "messages", "Replies to them"),
    COUNTER(errors, "messages", "Replies that are errors"),
    COUNTER(pushes, "messages", "What servers sent unasked: published, monitored, invalidated"),
    COUNTER(unanswered, "messages", "Commands whose reply was not seen"),
    COUNTER(unmatched, "messages", "Replies whose command was not seen"),
    COUNTER(evicted, "messages", "Commands given up because too many waited for their replies"),
    COUNTER(malformed, "messages", "Places where a connection stopped to be RESP"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    {0},
};

const struct metric_set redis_set = {
    .name = "redis",
    .help = "Commands and replies",
    .metrics = metrics,
    .size = sizeof(struct redis_stats),
};
