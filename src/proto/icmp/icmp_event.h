// SPDX-License-Identifier: Apache-2.0
/* What ICMP reports and counts: the event of a request and its reply, or of what was said alone; the
 * metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

struct icmp_part {
    struct span message;
    struct event_optional type;
    struct event_optional code;
};

/* Begins with what all transactions have. */
struct icmp_event {
    struct transaction transaction;
    uint8_t version;
    struct icmp_part request;
    struct icmp_part response;
};

extern const struct event_type icmp_event_type;

struct icmp_stats {
    uint64_t requests;
    uint64_t replies;
    uint64_t transactions;
    uint64_t errors;
    uint64_t others;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t repeated;
    uint64_t evicted;
    uint64_t malformed;
};

extern const struct metric_set icmp_set;
