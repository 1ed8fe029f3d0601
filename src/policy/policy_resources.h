// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what the process itself uses, as a policy of each input. */
#pragma once

#include "policy/policy_set.h"

/* Gives an input its policy <input>-resources. */
void policy_resources_add(struct policies *set, struct policy_input *input);
/* Looks at what the process uses, every five seconds. The lock is held. */
void policy_resources_sample(struct policies *set, bool last);
