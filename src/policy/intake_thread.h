// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: inputs that are no packets have a thread of their own, which listens, or reads a
 * file, and puts what comes into an intake. Sources are opened first, and threads begin when the set
 * has begun: by then the process has given up what it needs no more. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct policies;
struct policy_input;
struct intake_thread;

/* Whether events of the input come by a slot of its own, live: by such a thread, or from a file of
 * packets that the engine reads. */
bool intake_thread_is_apart(const struct policies *set, const struct policy_input *input);
/* Opens the source of an input that needs a thread and has none, and starts it if the set has begun;
 * true when there is nothing to do. */
bool intake_thread_start(struct policies *set, struct policy_input *input, struct err *err);
/* The set has begun: starts a thread that is open; NULL is fine. */
bool intake_thread_begin(struct intake_thread *thread, struct err *err);
/* Ends it; NULL is fine. */
void intake_thread_stop(struct intake_thread *thread);
