// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what a packet is to an input: the event made of it, whether the input's filter
 * lets it through, which direction it has. Pure. */
#pragma once

#include "handler/handler.h"
#include "policy/intake_given.h"

struct policy_input;

/* The event of a packet; its message's memory is the caller's to give. */
void intake_look_fill(struct handler_event *event, const struct intake_packet *p);
/* Whether the filter of an input lets a packet through. */
bool intake_look_passes(const struct policy_input *input, const struct intake_packet *p);
/* The direction of an event (enum frame_direction); `told` is what its tap says. */
uint8_t intake_look_direction(const struct policy_input *input, const struct handler_event *event,
                              uint8_t told);
