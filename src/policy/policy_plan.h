// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: the plans of workers (desk.h), made of what there is. */
#pragma once

#include "policy/policy_set.h"

/* Gives the slots plans of what there is now, and waits until the workers have them. */
void policy_plan_publish(struct policies *set);
void policy_plan_free(struct policy_plan *plan);
/* An instance goes: whom it counted for gets its desks. Before the plan without it is published. */
void policy_plan_leave(struct policy_instance *instance);
