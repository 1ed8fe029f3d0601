// SPDX-License-Identifier: Apache-2.0
/* Captures that policies of a running agent name (`pcap_file`): each is read once, from its front to its
 * end, by a thread of its own, through a front and a worker of its own, which follows flows only where a
 * policy asks for what they make. Packet time there is the capture's; the agent's flows and metrics
 * know nothing of it. */
#pragma once

#include "engine/engine_core.h"

struct file_inputs; /* opaque */

/* NULL without memory. */
struct file_inputs *file_inputs_new(const struct engine *engine);
/* Ends all threads; NULL is fine. */
void file_inputs_free(struct file_inputs *inputs);

/* Opens captures that policies ask for and that are not open, closes what none asks for any more; false
 * and err when one cannot be opened. One call at a time. */
bool file_inputs_follow(struct file_inputs *inputs, const struct policies_capture *wanted, size_t count,
                        struct err *err);
/* Threads begin from now on, and those of what is open now. */
bool file_inputs_start(struct file_inputs *inputs, struct err *err);
/* Ends all threads, with what they counted handed over. */
void file_inputs_stop(struct file_inputs *inputs);
