// SPDX-License-Identifier: Apache-2.0
/* The handler that describes all others and all data, from the tables that make them: metric sets,
 * fields of events, routes with their parameters. Clients build their views from it. */
#pragma once

#include "api/exchange.h"

/* GET /api/v1/schema */
void get_schema(struct exchange *x);
