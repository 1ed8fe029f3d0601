// SPDX-License-Identifier: Apache-2.0
#include "policy/finished.h"
#include "policy/intake.h"
#include "policy/intake_core.h"
#include "policy/intake_look.h"

/* ---- Marks of flows -------------------------------------------------------------------------- */

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

/* ---- What workers have finished ------------------------------------------------------------- */

uint32_t intake_wants(const struct intake *intake)
{
    return intake->plan != NULL ? intake->plan->finished : 0;
}

bool intake_has_minutes(const struct intake *intake)
{
    return !intake->is_recorded;
}

/* Whether an input lets through what was finished. */
static bool wants_finished(const struct intake *intake, uint32_t number,
                           const struct intake_finished *finished)
{
    const struct plan_input *input = &intake->plan->inputs[number];
    uint32_t mark = intake->inputs[number].mark;
    if (input->packet_chains == input->chain_count ||
        !intake_is_of_tap(intake, input->input, finished->tap)) {
        return false;
    }
    return mark != 0 ? finished->marks & mark : finished_passes(input->input, finished);
}

void intake_finish(struct intake *intake, const struct intake_finished *finished)
{
    struct handler_event event = finished_event(finished);
    enum moment moment = intake_moment_of(intake, event.time_ns);
    intake_pass_second(intake, event.time_ns, moment);
    for (uint32_t i = 0; intake->plan != NULL && i < intake->plan->input_count; i++) {
        const struct plan_input *input = &intake->plan->inputs[i];
        if (!wants_finished(intake, i, finished)) {
            continue;
        }
        if (moment == MOMENT_LATE || moment == MOMENT_FUTURE) {
            desk_lose_all(input, moment == MOMENT_FUTURE);
            continue;
        }
        desk_turn_all(input, moment == MOMENT_BEFORE);
        event.direction = intake_look_direction(input->input, &event, FRAME_DIRECTION_UNKNOWN);
        finished_show(input, &event);
        desk_turn_all(input, false);
    }
}
