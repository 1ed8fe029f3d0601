// SPDX-License-Identifier: Apache-2.0
/* What Redis reports and counts: the event of a command and its reply, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

/* Begins with what all transactions have. */
struct redis_event {
    struct transaction transaction;
    struct span return_value; /* NULL: there is none */
    struct span error;        /* likewise */
};

extern const struct event_type redis_event_type;

struct redis_stats {
    uint64_t requests;
    uint64_t responses;
    uint64_t errors;
    uint64_t pushes;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t evicted;
    uint64_t malformed;
    uint64_t gaps;
};

extern const struct metric_set redis_set;
