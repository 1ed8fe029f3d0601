// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what happens to that which waits (a question for its answer) when kin come or go
 * (policy_band.h) and conversations are counted at other desks from then on: all desks of the kin that
 * count the same learn of it, and the one to which the answer comes counts it. What is never answered
 * counts nowhere then. The worker's, when it takes a plan. */
#pragma once

#include "policy/desk.h"

/* Between two packets; both plans are whole. */
void heritage_pass(const struct policy_plan *from, const struct policy_plan *to);
