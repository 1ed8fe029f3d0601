// SPDX-License-Identifier: Apache-2.0
/* What Thrift reports and counts: the event of a call and its reply, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

/* Begins with what all transactions have. */
struct thrift_event {
    struct transaction transaction;
    struct span service;
    struct span params;
    struct span return_value; /* NULL: there is none */
    struct span exceptions;
};

extern const struct event_type thrift_event_type;

struct thrift_stats {
    uint64_t calls;
    uint64_t oneways;
    uint64_t replies;
    uint64_t transactions;
    uint64_t exceptions;
    uint64_t errors;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t evicted;
    uint64_t dropped;
    uint64_t malformed;
    uint64_t not_kept;
    uint64_t gaps;
};

extern const struct metric_set thrift_set;
