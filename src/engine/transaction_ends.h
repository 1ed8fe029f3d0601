// SPDX-License-Identifier: Apache-2.0
/* What the engine knows of a transaction and its protocol does not: the two ends, and how they talk. */
#pragma once

#include "event/transaction.h"
#include "flow/flow.h"

/* Fills in the part "by the engine" of a transaction of that flow; t->request_side says who asked. */
void transaction_ends(struct transaction *t, const struct flow *flow);
