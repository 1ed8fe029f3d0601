// SPDX-License-Identifier: Apache-2.0
/* What a set of policies is made with: part of the door of policy/ (policy.h), and kept in the set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { POLICY_SLOTS = 96 }; /* workers, and threads of inputs that are no packets */

struct policies_options {
    uint32_t slots;       /* workers that will have an intake */
    bool is_recorded;     /* files: one bucket for all */
    uint32_t periods;     /* where a policy does not say; 0: 5 */
    uint32_t deep_sample_rate; /* likewise; 0: 100 */
    bool is_dry;          /* inputs are not started: only checked */
};
