// SPDX-License-Identifier: Apache-2.0
/* What handlers of requests (http, db) have in common: requests with their responses, counted by how
 * they ended and how long they took, as a whole and by name; and the rows of a table that say so. */
#pragma once

#include "event/transaction.h"
#include "handler/breakdown.h"
#include "summary/quantiles.h"

struct requests {
    uint64_t count;
    uint64_t errors;     /* that went wrong, those without a response among them */
    uint64_t unanswered; /* no response came: it took too long, or the connection ended */
    uint64_t request_bytes;
    uint64_t response_bytes;
    struct quantiles latency; /* microseconds from the request's begin to the response's end */
};

/* Counts a transaction; those that are not deep have no latency. */
void requests_count(struct requests *to, const struct transaction *t, bool is_deep);

/* Requests by name; the items of a breakdown. */
struct requests_by {
    struct breakdown names;
    struct requests items[BREAKDOWN_ITEMS];
};

static inline struct breakdown_of requests_of(const struct requests_by *by,
                                              const struct metric_set *set,
                                              const char *const *labels)
{
    struct requests_by *own = (struct requests_by *)(uintptr_t)by; /* who only reads says so */
    return (struct breakdown_of){&own->names, own->items, set, labels};
}

/* The event of a transaction of one of these datasets (ended by NULL), or NULL. */
const struct transaction *requests_event(const struct handler_event *event,
                                         const char *const *datasets);

/* "192.0.2.1:443", "[2001:db8::1]:443": an end of an event, with its port if `has_port`. */
enum { REQUESTS_END = 64 };
struct span requests_end(const struct handler_event *event, unsigned end, bool has_port,
                         char to[REQUESTS_END]);

/* Whether a name ends in one of these suffixes, cut where a dot or the name begins; any does when there
 * are none. */
bool requests_has_suffix(const struct handler_words *suffixes, struct span name);

/* The rows of a struct requests at member `at_` of block `block_`, whose names begin with
 * `prefix_`; of such a struct alone, `at_` is its first member. */
#define REQUESTS_ROW(block_, at_, prefix_, name_, kind_, member_, group_, unit_, help_)            \
    {                                                                                              \
        .name = name_, .kind = kind_, .unit = unit_, .help = help_, .group = #group_,              \
        .offset = offsetof(block_, at_) + offsetof(struct requests, member_), .path = name_,       \
        .family = prefix_ name_, .groups = group_                                                  \
    }
#define REQUESTS_ROWS(block_, at_, prefix_, counters_, quantiles_)                                 \
    REQUESTS_ROW(block_, at_, prefix_, "requests", METRIC_COUNTER, count, counters_, "requests",   \
                 "Requests"),                                                                      \
    REQUESTS_ROW(block_, at_, prefix_, "errors", METRIC_COUNTER, errors, counters_, "requests",    \
                 "Requests that went wrong, those without a response among them"),                 \
    REQUESTS_ROW(block_, at_, prefix_, "unanswered", METRIC_COUNTER, unanswered, counters_,        \
                 "requests", "Requests that had no response"),                                     \
    REQUESTS_ROW(block_, at_, prefix_, "request_bytes", METRIC_COUNTER, request_bytes, counters_,  \
                 "bytes", "Bytes of requests"),                                                    \
    REQUESTS_ROW(block_, at_, prefix_, "response_bytes", METRIC_COUNTER, response_bytes,           \
                 counters_, "bytes", "Bytes of responses"),                                        \
    REQUESTS_ROW(block_, at_, prefix_, "latency_us", METRIC_QUANTILES, latency, quantiles_, "us",  \
                 "Quantiles of the time from a request's begin to its response's end, in "         \
                 "microseconds")
