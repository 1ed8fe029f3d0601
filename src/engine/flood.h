// SPDX-License-Identifier: Apache-2.0
/* Floods of SYNs, told from connections whose packets vanish. A server that answers SYNs of made-up
 * addresses repeats each answer and hears nothing; so does one whose client's acknowledgment got
 * lost. A client that lives repeats its SYN unless it got the answer, so that a single SYN and
 * answers without end are the first, or a hole for what follows a SYN: one connection does not tell
 * which. Many at a time to one server do.
 *
 * Per server (address and port) the handshakes are counted that it answered and that wait for their
 * third segment. From FLOOD_LEAST at a time on it is a flood, until none waits any more. One table
 * for all workers, since each has but a part of a server's clients: relaxed atomics, touched when a
 * handshake is answered and when it is over. A server whose place another has is not counted. */
#pragma once

#include "flow/flow.h"

#include <stdatomic.h>

enum { FLOOD_LEAST = 64, FLOOD_SERVERS = 1024 };

struct flood_server {
    _Atomic uint32_t tag; /* of its address and port; 0: none */
    _Atomic int32_t waiting;
    _Atomic bool is_flooded;
};

/* Zeroes are one that has seen nothing. */
struct flood {
    struct flood_server servers[FLOOD_SERVERS];
};

/* The responder of this flow answered a first SYN (`change` 1), or that handshake is over (-1): what
 * flow_count() says, and that a flow ends for which flow_is_half_open() holds. */
void flood_note(struct flood *flood, const struct flow *flow, int change);

/* Whether the flow's handshake is one of a flood's: it waits, and its server is under one. */
bool flood_has(const struct flood *flood, const struct flow *flow);
