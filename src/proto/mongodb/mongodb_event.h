// SPDX-License-Identifier: Apache-2.0
/* What MongoDB reports and counts: the event of a command and its reply, the metrics of a worker.
 */
#pragma once

#include "event/transaction.h"
#include "proto/mongodb/mongodb_message.h"
#include "summary/metric.h"
#include "summary/topn.h"

/* Begins with what all transactions have. */
struct mongodb_event {
    struct transaction transaction;
    struct span number[MONGODB_NUMBERS]; /* as JSON, for they have a sign */
    struct span error;
    struct span collection;
    struct span query;
    struct span fields;
    struct span selector;
    struct span update;
};

extern const struct event_type mongodb_event_type;

enum { MONGODB_CODES = 16 /* slots */ };

struct mongodb_stats {
    uint64_t requests;
    uint64_t responses;
    uint64_t transactions;
    uint64_t errors;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t streamed;
    uint64_t compressed;
    uint64_t evicted;
    uint64_t unknown_opcodes;
    uint64_t malformed;
    uint64_t not_kept;
    uint64_t gaps;
    uint64_t refused;
    TOPN_DECLARE(unknown_codes, MONGODB_CODES);
};

/* Counts a kind of message that is not known. */
void mongodb_note_code(struct mongodb_stats *stats, uint32_t opcode);

extern const struct metric_set mongodb_set;
