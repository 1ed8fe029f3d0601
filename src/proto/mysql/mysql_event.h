// SPDX-License-Identifier: Apache-2.0
/* What MySQL says in tables: its events, its metrics, what users may choose. */
#pragma once

#include "event/transaction.h"
#include "proto/mysql/mysql_options.h"
#include "summary/metric.h"

struct mysql_event {
    struct transaction transaction;
    struct event_spans params;
    struct event_optional affected_rows;
    struct event_optional insert_id;
    struct event_optional num_rows;
    struct event_optional num_fields;
    uint32_t num_results; /* where there are more than one */
    uint16_t error_code;
    struct span error_message;
};

extern const struct event_type mysql_event_type;

struct mysql_stats {
    uint64_t commands;
    uint64_t queries;
    uint64_t transactions;
    uint64_t errors;
    uint64_t rows;
    uint64_t logins;
    uint64_t login_failures;
    uint64_t unmatched_requests;
    uint64_t unmatched_responses;
    uint64_t evicted;
    uint64_t malformed;
    uint64_t not_unpacked;
    uint64_t gaps;
    uint64_t switched;
};

extern const struct metric_set mysql_set;
extern const struct proto_option mysql_option_rows[];
