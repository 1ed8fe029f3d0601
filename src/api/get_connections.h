// SPDX-License-Identifier: Apache-2.0
/* The handlers of TCP connections: the worst and latest ones as the events that `-o events` writes,
 * and one of them with the marks of its graph. */
#pragma once

#include "api/parameters.h"

extern const struct parameter get_connections_parameters[];
extern const struct parameter get_connections_one_parameters[];

/* GET /api/v1/connections */
void get_connections(struct exchange *x);
/* GET /api/v1/connection */
void get_connections_one(struct exchange *x);
