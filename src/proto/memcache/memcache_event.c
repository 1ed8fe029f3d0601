// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_event.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = "memcache." name_, .kind = kind_,                                                  \
        .offset = offsetof(struct memcache_event, member), .flags = flags_, .help = help_          \
    }
#define FIELD(name, kind, member, help) ROW(name, kind, member, 0, help)
#define NUMBER(name, half, n, help) ROW(name, EVENT_OPTIONAL, half.number[n], 0, help)

static const struct event_field statistic_fields[] = {
    {.name = "name",
     .kind = EVENT_SPAN,
     .offset = offsetof(struct memcache_statistic, name),
     .help = "of a statistic"},
    {.name = "value",
     .kind = EVENT_SPAN,
     .offset = offsetof(struct memcache_statistic, value),
     .help = "its value"},
    {0},
};

static const struct event_type statistic_type = {
    .dataset = "statistic",
    .help = "A statistic of the server",
    .size = sizeof(struct memcache_statistic),
    .fields = statistic_fields,
};

static const struct event_field fields[] = {
    FIELD("protocol_type", EVENT_TEXT, protocol_type, "text or binary"),
    FIELD("request.automove", EVENT_SPAN, request.automove, "standby, slow, aggressive"),
    NUMBER("request.bytes", request, MEMCACHE_BYTES, "bytes of the values"),
    NUMBER("request.bytes_lost", request, MEMCACHE_BYTES_LOST,
           "bytes of the values that were not captured"),
    NUMBER("request.cas_unique", request, MEMCACHE_CAS, "the number of a compare-and-swap"),
    FIELD("request.command", EVENT_TEXT, request.command,
          "the command, in binary as text would say it"),
    NUMBER("request.count_values", request, MEMCACHE_COUNT_VALUES, "how many values"),
    NUMBER("request.delta", request, MEMCACHE_DELTA, "how much to count"),
    FIELD("request.dest_class", EVENT_VALUE, request.dest_class, "of slabs reassign"),
    FIELD("request.exptime", EVENT_VALUE, request.exptime, "seconds until it expires, or when"),
    NUMBER("request.flags", request, MEMCACHE_FLAGS, "what the client keeps beside the value"),
    NUMBER("request.initial", request, MEMCACHE_INITIAL, "what a counter begins with"),
    FIELD("request.keys", EVENT_SPANS, request.keys, "the keys"),
    FIELD("request.line", EVENT_SPAN, request.line, "text: a command that is not known"),
    FIELD("request.noreply", EVENT_TRUTH, request.no_reply, "text: no response is wanted"),
    NUMBER("request.opaque", request, MEMCACHE_OPAQUE, "binary: what ties both halves together"),
    FIELD("request.opcode", EVENT_TEXT, request.opcode, "binary: the name of the operation"),
    NUMBER("request.opcode_value", request, MEMCACHE_OPCODE, "binary: its number"),
    FIELD("request.quiet", EVENT_TRUTH, request.quiet,
          "no response is wanted unless it says something"),
    ROW("request.raw_args", EVENT_SPAN, request.arguments, EVENT_EMPTY_TOO,
        "what stats and lru_crawler are asked for"),
    NUMBER("request.sleep_us", request, MEMCACHE_SLEEP, "of lru_crawler sleep"),
    FIELD("request.source_class", EVENT_VALUE, request.source_class, "of slabs reassign"),
    FIELD("request.type", EVENT_TEXT, request.type, "the kind of command: Load, Store ..."),
    FIELD("request.values", EVENT_SPANS, request.values,
          "the values in base64, where users ask for them"),
    NUMBER("request.vbucket", request, MEMCACHE_VBUCKET, "binary: the virtual bucket"),
    NUMBER("request.verbosity", request, MEMCACHE_VERBOSITY, "how much the server shall log"),
    NUMBER("response.bytes", response, MEMCACHE_BYTES, "bytes of the values"),
    NUMBER("response.bytes_lost", response, MEMCACHE_BYTES_LOST,
           "bytes of the values that were not captured"),
    NUMBER("response.cas_unique", response, MEMCACHE_CAS, "the number of a compare-and-swap"),
    FIELD("response.command", EVENT_TEXT, response.command,
          "the command; of a response in text its first word"),
    NUMBER("response.count_values", response, MEMCACHE_COUNT_VALUES, "how many values"),
    FIELD("response.error_msg", EVENT_SPAN, response.error, "what the error says"),
    NUMBER("response.flags", response, MEMCACHE_FLAGS, "what the client keeps beside the value"),
    FIELD("response.keys", EVENT_SPANS, response.keys, "the keys"),
    NUMBER("response.opaque", response, MEMCACHE_OPAQUE, "binary: what ties both halves together"),
    FIELD("response.opcode", EVENT_TEXT, response.opcode, "binary: the name of the operation"),
    NUMBER("response.opcode_value", response, MEMCACHE_OPCODE, "binary: its number"),
    {.name = "memcache.response.stats",
     .kind = EVENT_ITEMS,
     .offset = offsetof(struct memcache_event, response.statistics),
     .item = &statistic_type,
     .help = "the statistics"},
    FIELD("response.status", EVENT_TEXT, response.status, "binary: how it went"),
    NUMBER("response.status_code", response, MEMCACHE_STATUS_CODE, "binary: its number"),
    FIELD("response.type", EVENT_TEXT, response.type, "the kind of command: Load, Store ..."),
    NUMBER("response.value", response, MEMCACHE_VALUE, "what a counter stands at"),
    FIELD("response.values", EVENT_SPANS, response.values,
          "the values in base64, where users ask for them"),
    FIELD("response.version", EVENT_SPAN, response.version, "the server's version"),
    {0},
};

const struct event_type memcache_event_type = {
    .dataset = "memcache",
    .help = "A command to memcached and its response",
    .size = sizeof(struct memcache_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER,                                                   \
        .offset = offsetof(struct memcache_stats, member), .unit = unit_, .help = help_,           \
        .group = "counters"                                                                        \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "messages", "Commands that clients sent"),
    COUNTER(responses, "messages", "Responses to them"),
    COUNTER(transactions, "transactions", "Commands with their responses"),
    COUNTER(errors, "transactions", "Commands that failed, or got no response that was due"),
    COUNTER(hits, "keys", "Keys that were asked for and found"),
    COUNTER(misses, "keys", "Keys that were asked for and not found"),
    COUNTER(unanswered, "messages", "Commands whose response was due and not seen"),
    COUNTER(unmatched, "messages", "Responses whose command was not seen"),
    COUNTER(evicted, "messages", "Commands given up because too many waited"),
    COUNTER(malformed, "places", "Places where a connection stopped to be memcached's"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    COUNTER(datagrams_lost, "datagrams", "Datagrams of responses that were given up"),
    {0},
};

const struct metric_set memcache_set = {
    .name = "memcache",
    .help = "Commands to memcached and their responses",
    .metrics = metrics,
    .size = sizeof(struct memcache_stats),
};
