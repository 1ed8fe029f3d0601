// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: from the module of a document to an instance that counts. */
#pragma once

#include "base/err.h"
#include "policy/policy_set.h"

/* What a policy's document calls a module. */
struct policy_module {
    const char *name;
    const struct handler *handler;
    const struct tree *options; /* merged */
    const struct tree *groups;  /* of metrics; NULL: none are named */
};

/* Adds an instance of a module's handler to a policy. */
struct policy_instance *policy_add_instance(struct policies *set, struct policy *policy,
                                            struct policy_input *input,
                                            const struct policy_module *module, struct err *err);
