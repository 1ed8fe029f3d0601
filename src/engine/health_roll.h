// SPDX-License-Identifier: Apache-2.0
/* TCP connections of a running agent, for its readers: a table of fixed size with the latest report
 * of each. When it is full, the least bad one that was not among the latest gives way, so that it
 * holds what is recent and what is bad. The output thread adds, any thread reads; a lock is held for
 * a row's copy. */
#pragma once

#include "engine/health_event.h"

struct health_roll; /* opaque */

/* NULL without memory. health_roll_free(NULL) is fine. */
struct health_roll *health_roll_new(uint32_t room);
void health_roll_free(struct health_roll *roll);

/* A finished event takes the place of an earlier report of its connection. */
void health_roll_add(struct health_roll *roll, const struct health_event *event);

/* Copies the worst ones, worst first, into `ret` (room for `max`); `ret_total`: connections that were
 * met, those that gave way among them. Returns how many were copied. */
uint32_t health_roll_worst(struct health_roll *roll, struct health_event *ret, uint32_t max,
                           uint64_t *ret_total);

/* The connection with this flow.id; false when it is not there. */
bool health_roll_find(struct health_roll *roll, const char *flow_id, struct health_event *ret);
