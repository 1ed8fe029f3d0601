// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: inputs that are no packets have a thread of their own, which listens, reads
 * what comes and puts it into an intake. Files are read by whoever asks (policies_read_file()). */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct policies;
struct policy_input;
struct intake_thread;

/* Starts the thread of an input that needs one and has none; true when there is nothing to do. */
bool intake_thread_start(struct policies *set, struct policy_input *input, struct err *err);
/* Ends it; NULL is fine. */
void intake_thread_stop(struct intake_thread *thread);
/* Its slot in the set. */
uint32_t intake_thread_slot(const struct intake_thread *thread);
