// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what workers have finished (intake.h), as handlers and filters see it. To a
 * filter of packets a flow is asked for in the shape of a packet of its key: an IP header and the
 * beginning of a transport header. So a filter can ask of it what it asks of its packets: addresses,
 * ports, protocols; what it asks of links, flags or lengths is not there. Pure. */
#pragma once

#include "handler/handler.h"
#include "policy/desk.h"
#include "policy/intake_given.h"

enum { FINISHED_FRAME = 60 };

/* Writes a raw IP packet from end `source` (0 or 1) of a key; its size, 0 when it is no IP. */
size_t finished_frame(uint8_t to[FINISHED_FRAME], const struct flow_key *key, unsigned source);

/* Whether a packet of the flow, in either direction, would pass the input's filter. */
bool finished_passes(const struct policy_input *input, const struct intake_finished *finished);

/* The event that handlers see, but for its direction; it borrows from `finished`. */
struct handler_event finished_event(const struct intake_finished *finished);

/* Counts it where an input's handlers want it. */
void finished_show(const struct plan_input *input, struct handler_event *event);
