// SPDX-License-Identifier: Apache-2.0
/* What the engine knows of a transaction and its protocol does not: the two ends, and how they talk. */
#pragma once

#include "engine/output.h"
#include "event/event_log.h"
#include "event/transaction.h"
#include "flow/flow.h"

/* Fills in the part "by the engine" of a transaction of that flow; t->request_side says who asked. */
void transaction_ends(struct transaction *t, const struct flow *flow);

/* Sends the transactions of a log on their way: finished, with this order and suborder, packed into the
 * outbox, which counts those that it has no room for. The log is empty then. */
void transaction_ends_pass(struct event_log *log, const struct flow *flow, const uint64_t order[2],
                           struct outbox *outbox);
