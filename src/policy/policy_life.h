// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: the beginning and the end of a policy. */
#pragma once

#include "policy/policy_set.h"

/* A policy of that name with nothing in it, not yet on the list; never NULL. */
struct policy *policy_new(const char *name);
/* Frees a policy with its instances; not on any list any more. */
void policy_free(struct policy *policy);
