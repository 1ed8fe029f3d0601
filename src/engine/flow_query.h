// SPDX-License-Identifier: Apache-2.0
/* A reader's question for flows: which, in what order, and which of them in that order. A value. */
#pragma once

#include "event/event.h"

enum flow_sort {
    FLOW_SORT_BYTES, FLOW_SORT_PACKETS, FLOW_SORT_START, FLOW_SORT_LAST, FLOW_SORT_DURATION,
};

/* Which flows a reader wants: every condition that is set must hold. */
struct flow_query {
    bool active;            /* flows in the tables now; false: recently ended ones */
    uint8_t protocol;       /* IANA number, 0: any */
    uint8_t version;        /* 4, 6, 0: any */
    uint16_t port;          /* either end, 0: any */
    struct event_address network; /* either end within it; version 0: any */
    uint8_t prefix;         /* bits of the network */
    enum flow_sort sort;
    bool ascending;
    uint32_t offset;
    uint32_t limit;         /* at most FLOW_PAGE_MAX */
};

enum { FLOW_PAGE_MAX = 1000, FLOW_OFFSET_MAX = 10000 };
