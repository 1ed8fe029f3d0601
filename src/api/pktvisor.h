// SPDX-License-Identifier: Apache-2.0
/* pktvisor's REST interface over the policies of the agent: paths, status codes, error texts and
 * content types are those of its version 4, so that its programs and dashboards go on working. What
 * changes anything is there only if the configuration allows it. */
#pragma once

#include "api/exchange.h"

enum { PKTVISOR_BODY_MAX = 256 << 10 }; /* bytes of a request that creates something */

/* Whether the path is one of pktvisor's that this agent serves. */
bool pktvisor_serves(const struct exchange *x);
/* Whether the request's body is to be kept: it creates something. */
bool pktvisor_wants_body(const struct exchange *x);
/* Answers a request for such a path, whatever its method. */
void pktvisor_answer(struct exchange *x);
