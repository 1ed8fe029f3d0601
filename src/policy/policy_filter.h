// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what an input lets through: frames, by a filter of pcap-filter(7) that is compiled
 * for each link type that there mostly is, and events, by their hosts. */
#pragma once

#include "base/err.h"
#include "policy/policy_set.h"

/* Compiles the filter that the input's configuration names, if it does. */
bool policy_filter_compile(const struct policies *set, struct policy_input *input, struct err *err);
void policy_filter_free(struct policy_input *input);
/* Whether a frame of this link type passes. */
bool policy_filter_passes(const struct policy_input *input, uint16_t link, struct span frame,
                          uint32_t wire_len);
/* Whether an event is of the hosts that the input is about. */
bool policy_filter_takes(const struct policy_input *input, const struct handler_event *event);
