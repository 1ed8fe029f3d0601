// SPDX-License-Identifier: Apache-2.0
/* What PostgreSQL says in tables: its events, its metrics, what users may choose. */
#pragma once

#include "event/transaction.h"
#include "proto/pgsql/pgsql_options.h"
#include "summary/metric.h"

struct pgsql_event {
    struct transaction transaction;
    struct event_spans params;
    struct event_optional num_rows;
    struct event_optional num_fields;
    uint64_t affected_rows;
    struct span error_code;
    struct span error_message;
    struct span error_severity;
};

extern const struct event_type pgsql_event_type;

struct pgsql_stats {
    uint64_t statements;
    uint64_t transactions;
    uint64_t errors;
    uint64_t rows;
    uint64_t notices;
    uint64_t notifications;
    uint64_t logins;
    uint64_t login_failures;
    uint64_t cancels;
    uint64_t unmatched_requests;
    uint64_t unmatched_responses;
    uint64_t evicted;
    uint64_t malformed;
    uint64_t gaps;
    uint64_t switched;
};

extern const struct metric_set pgsql_set;
extern const struct proto_option pgsql_option_rows[];
