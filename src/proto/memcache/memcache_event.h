// SPDX-License-Identifier: Apache-2.0
/* What memcached reports and counts: the event of a command and its response, the metrics of a
 * worker. */
#pragma once

#include "event/transaction.h"
#include "proto/memcache/memcache_message.h"
#include "summary/metric.h"

struct memcache_statistic {
    struct span name;
    struct span value;
};

/* Either half of an event. */
struct memcache_half {
    struct event_optional number[MEMCACHE_NUMBERS];
    struct event_spans keys;
    struct event_spans values;
    struct event_items statistics;
    struct span exptime; /* numbers with a sign, as JSON */
    struct span source_class;
    struct span dest_class;
    struct span line;
    struct span arguments; /* NULL: none */
    struct span error;
    struct span version;
    struct span automove;
    const char *command;
    const char *type;
    const char *opcode;
    const char *status;
    uint8_t no_reply; /* EVENT_TRUTH */
    uint8_t quiet;
};

/* Begins with what all transactions have. */
struct memcache_event {
    struct transaction transaction;
    const char *protocol_type;
    struct memcache_half request;
    struct memcache_half response;
};

extern const struct event_type memcache_event_type;

struct memcache_stats {
    uint64_t requests;
    uint64_t responses;
    uint64_t transactions;
    uint64_t errors;
    uint64_t hits;
    uint64_t misses;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t evicted;
    uint64_t malformed;
    uint64_t gaps;
    uint64_t datagrams_lost;
};

extern const struct metric_set memcache_set;
