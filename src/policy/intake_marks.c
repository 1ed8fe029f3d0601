// SPDX-License-Identifier: Apache-2.0
#include "policy/intake.h"

#include "policy/intake_core.h"

void intake_give_marks(struct intake *intake, const struct policy_plan *plan)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < plan->input_count && i < PLAN_INPUTS; i++) {
        taken |= intake->inputs[i].mark;
    }
    for (uint32_t i = 0; i < plan->input_count && i < PLAN_INPUTS; i++) {
        const struct plan_input *input = &plan->inputs[i];
        bool needs = input->packet_chains < input->chain_count && !input->input->is_by_key;
        if (needs && intake->inputs[i].mark == 0 && taken != UINT32_MAX) {
            uint32_t mark = ~taken & (taken + 1);
            intake->inputs[i].mark = mark;
            intake->stale_marks |= intake->used_marks & mark;
            intake->used_marks |= mark;
            taken |= mark;
        }
    }
}

uint32_t intake_stale_marks(struct intake *intake)
{
    uint32_t stale = intake->stale_marks;
    intake->stale_marks = 0;
    return stale;
}
