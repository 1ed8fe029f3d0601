// SPDX-License-Identifier: Apache-2.0
/* The worst connections of a file, for a report: a heap of bounded size whose best one makes room.
 * Output thread, then whoever reads when all is over. */
#pragma once

#include "engine/health_event.h"

struct health_list; /* opaque */

/* NULL without memory. */
struct health_list *health_list_new(uint32_t room);
void health_list_free(struct health_list *list);

/* A finished event; intermediate reports are passed over. */
void health_list_add(struct health_list *list, const struct health_event *event);

/* Sorts them, worst first, of equals the earlier one; owned by the list. `ret_total`: how many
 * there were. */
uint32_t health_list_sort(struct health_list *list, const struct health_event *const **ret,
                          uint64_t *ret_total);
