// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: a document that is being read (policy_load.c), and which of the taps that there are
 * one of its policies is for: the one that it names, or those whose tags it selects. */
#pragma once

#include "policy/policy.h"
#include "policy/policy_set.h"

struct loading {
    struct policies *set;
    struct tree_memory *memory; /* of the document */
    struct err *err;
    enum policies_status status;
    struct policy_tap *taps; /* the list as it was before */
    struct policy *policies;
    struct tree global;
    bool has_global;
    uint32_t line; /* of what is being read; 0: not known */
};

#define REFUSE(loading, ...) err_set((loading)->err, ERR_USAGE, __VA_ARGS__)

enum { POLICY_TAPS_MAX = 64 };

struct policy_choice {
    struct policy_tap *taps[POLICY_TAPS_MAX];
    size_t count;
};

/* Reads the taps of a policy's `input`; false when it is refused. */
bool policy_choose(struct loading *l, const struct tree *input, struct policy_choice *ret);
