// SPDX-License-Identifier: Apache-2.0
/* What the engine knows of a transaction and its protocol does not: the two ends, and how they talk. */
#pragma once

#include "engine/flow_event.h"
#include "event/transaction.h"
#include "flow/flow.h"

enum { TRANSACTION_IDS = 256 };

/* Community IDs of flows that had transactions lately, by their keys' ports: a SHA-1 costs more than
 * all else that the engine adds. Zeroes are an empty one. */
struct transaction_ids {
    struct {
        struct flow_key key;
        char text[FLOW_EVENT_COMMUNITY_ID];
    } known[TRANSACTION_IDS];
};

struct transaction_flow {
    const struct flow *flow;
    const struct flow_cold *cold; /* NULL: what it knows stays open */
};

/* Fills in the part "by the engine" of a transaction of that flow; t->request_side says who asked. */
void transaction_ends(struct transaction *t, const struct transaction_flow *of,
                      struct transaction_ids *ids);

