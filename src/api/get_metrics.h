// SPDX-License-Identifier: Apache-2.0
/* The handler for Prometheus: text exposition format 0.0.4. What the agent says of itself is listed
 * here by tables; what protocols count comes from their metric sets. */
#pragma once

#include "api/exchange.h"

/* GET /metrics */
void get_metrics(struct exchange *x);
