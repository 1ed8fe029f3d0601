// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: inputs, of which several policies may be. */
#pragma once

#include "base/err.h"
#include "policy/policy_set.h"

/* The kind of input of that name (enum handler_input), or 0. */
uint32_t policy_input_kind(const char *name);
/* Whether a configuration of that kind has only keys and values that are valid. */
bool policy_input_check(uint32_t kind, const struct tree *config, struct err *err);
/* The input of a tap for a policy's own `config` and `filter` (NULL: none): one that is there, or a
 * new one on the list. NULL and err when something is wrong with it. */
struct policy_input *policy_input_of(struct policies *set, const struct policy_tap *tap,
                                     const struct tree *config, const struct tree *filter,
                                     struct err *err);
/* Takes an input off the list and frees it. */
void policy_input_drop(struct policies *set, struct policy_input *input);
