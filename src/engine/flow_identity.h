// SPDX-License-Identifier: Apache-2.0
/* What the reports of one flow have in common and costs a hash each: its Community ID and its own id.
 * A flow that goes on is reported again every few seconds, so both are kept from one report to the next,
 * by the flow's number in its worker's table: those of the first 65536 flows, and of any that comes
 * alone to a place beyond. 4 MiB of address space, touched as flows are reported. One thread. */
#pragma once

#include "engine/flow_event.h"

struct flow_identities; /* opaque */

/* NULL without memory. */
struct flow_identities *flow_identities_new(void);
void flow_identities_free(struct flow_identities *all);

/* As flow_event_finish(), for an event whose `flow` and head.suborder name its flow. */
void flow_identities_finish(struct flow_identities *all, struct flow_event *event);

/* Fetches ahead what that will need of a flow. Any thread. */
void flow_identities_prefetch(const struct flow_identities *all, uint32_t flow);
