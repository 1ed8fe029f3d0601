// SPDX-License-Identifier: Apache-2.0
/* A reader's look through a flow table: the flows that match a query, the best of them by its order.
 * The worker that owns the table does it, a few thousand flows between two batches of packets; what
 * is kept is a heap of the rows that the reader has room for. */
#pragma once

#include "base/err.h"
#include "engine/flow_event.h"
#include "engine/flow_query.h"

/* A search under way: what was found so far, and where it goes on. */
struct flow_search {
    const struct flow_query *query;
    struct flow_event *rows; /* room for `room` of them; the best by the query's order */
    uint32_t room;
    uint32_t count;
    uint64_t matched;
    flow_index at; /* where the search is */
};

/* Whether a flow meets the conditions of a query. */
bool flow_search_match(const struct flow_query *query, const struct flow_key *key);

/* Looks at `max` more flows of the table. */
void flow_search_step(const struct flow_table *table, struct flow_search *search, uint32_t max,
                      uint64_t now_ns);

/* Orders rows as the query wants, best first; qsort() with the query in a static would not be
 * reentrant, so this sorts by itself. */
void flow_search_sort(const struct flow_query *query, struct flow_event *rows, uint32_t count);

/* Whether a query can be answered; err names the parameter that cannot. */
bool flow_search_check(const struct flow_query *query, struct err *err);
