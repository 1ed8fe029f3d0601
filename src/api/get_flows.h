// SPDX-License-Identifier: Apache-2.0
/* The handler that lists flows: filtered, sorted, a page at a time, each as the same event that
 * `-o events` writes. */
#pragma once

#include "api/parameters.h"

extern const struct parameter get_flows_parameters[];

/* GET /api/v1/flows */
void get_flows(struct exchange *x);
