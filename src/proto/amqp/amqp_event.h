// SPDX-License-Identifier: Apache-2.0
/* What AMQP reports and counts: the event of a method with what answers it, or of a message, and the
 * metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "proto/amqp/amqp_method.h"
#include "summary/metric.h"

/* Begins with what all transactions have. */
struct amqp_event {
    struct transaction transaction;
    struct span field[AMQP_FIELDS]; /* texts, or pieces of JSON, as the table says */
};

extern const struct event_type amqp_event_type;

/* Whether a field is text, and not JSON. */
bool amqp_field_is_text(enum amqp_field field);

struct amqp_stats {
    uint64_t requests;
    uint64_t responses;
    uint64_t transactions;
    uint64_t published;
    uint64_t delivered;
    uint64_t returned;
    uint64_t body_bytes;
    uint64_t errors;
    uint64_t refused;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t evicted;
    uint64_t malformed;
    uint64_t not_kept;
    uint64_t gaps;
};

extern const struct metric_set amqp_set;
