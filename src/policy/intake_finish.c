// SPDX-License-Identifier: Apache-2.0
#include "policy/finished.h"
#include "policy/intake.h"
#include "policy/intake_core.h"
#include "policy/intake_look.h"

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
