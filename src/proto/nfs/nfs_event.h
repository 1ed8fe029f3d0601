// SPDX-License-Identifier: Apache-2.0
/* What NFS reports and counts: the event of a call and its reply, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

/* Begins with what all transactions have. */
struct nfs_event {
    struct transaction transaction;
    struct event_optional version;
    struct event_optional minor_version;
    struct span operation;
    struct span status;
    struct span tag;
    struct span machine;
    struct event_optional stamp;
    struct event_optional uid;
    struct event_optional gid;
    struct event_spans groups;
    struct span user;
    struct span group;
    struct span flavor;
    const char *rpc_status;
    char xid[12];
};

extern const struct event_type nfs_event_type;

struct nfs_stats {
    uint64_t requests;
    uint64_t responses;
    uint64_t transactions;
    uint64_t errors;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t repeated;
    uint64_t evicted;
    uint64_t other_programs;
    uint64_t malformed;
    uint64_t not_kept;
    uint64_t gaps;
};

extern const struct metric_set nfs_set;
