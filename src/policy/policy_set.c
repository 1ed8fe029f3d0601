// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_set.h"

struct policy *policy_find(const struct policies *set, const char *name)
{
    struct policy *policy = set->policies;
    while (policy != NULL && strcmp(policy->name, name) != 0) {
        policy = policy->next;
    }
    return policy;
}

struct policy_tap *policy_tap_find(const struct policies *set, const char *name)
{
    struct policy_tap *tap = set->taps;
    while (tap != NULL && strcmp(tap->name, name) != 0) {
        tap = tap->next;
    }
    return tap;
}

uint64_t policy_input_time(const struct policies *set, const struct policy_input *input)
{
    return input->slot == POLICY_WORKERS
               ? set->now_ns
               : atomic_load_explicit(&set->slots[input->slot].now_ns, memory_order_relaxed);
}
