// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_life.h"

#include <stdlib.h>

#include "policy/policy_plan.h"
#include "policy/policy_store.h"

struct policy *policy_new(const char *name)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        abort();
    }
    policy->memory = tree_memory_new();
    policy->name = tree_keep(policy->memory, name);
    policy->instances_end = &policy->instances;
    return policy;
}

void policy_free(struct policy *policy)
{
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        policy_plan_leave(i);
        policy_store_done(&i->store, i->handler);
        for (uint32_t slot = 0; slot < POLICY_SLOTS; slot++) {
            desk_free(i->desks[slot]);
        }
        if (policy->is_resources) {
            i->input->resources = NULL;
        } else {
            i->input->consumers--;
        }
    }
    tree_memory_free(policy->memory);
    free(policy);
}
