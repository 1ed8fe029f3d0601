// SPDX-License-Identifier: Apache-2.0
/* The memory of a book, private to flow/'s health files. */
#pragma once

#include "flow/health_state.h"

struct health_book {
    struct health_options options;
    uint32_t *of_flow;             /* connection of each flow, 0: none */
    struct health *connections;    /* from index 1 */
    struct health_detail *details; /* from index 1 */
    struct health_more *more;      /* from index 1, as many as details */
    struct health_remains *remains; /* from index 1, as many as details */
    uint32_t *look_us; /* of each detail: before that health_tick() has nothing to do */
    uint32_t free_connection; /* list by way of `remains`, 0: none */
    uint32_t free_count;
    uint32_t connection_bound; /* one more than the largest index ever used */
    uint32_t detail_bound;
    uint32_t free_detail; /* list, 0: none */
    uint32_t free_more, more_bound;       /* the same for what details borrow */
    uint32_t free_remains, remains_bound; /* the same for what remains */
    uint32_t hand;        /* where the search for a detail to take away goes on */
    uint64_t details_used, seized, refused;
};

/* The connection of a flow; 0: none. */
static inline uint32_t health_book_find(const struct health_book *book, flow_index flow)
{
    return flow <= book->options.flows ? book->of_flow[flow] : 0;
}

/* A new one, all zero but for what has another word for nothing; 0 when there is no room. */
uint32_t health_book_add(struct health_book *book, flow_index flow);
