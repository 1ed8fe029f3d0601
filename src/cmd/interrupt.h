// SPDX-License-Identifier: Apache-2.0
/* SIGINT and SIGTERM ask a command to end cleanly with what it has; a second one ends it at once. */
#pragma once

#include <stdbool.h>

/* From now on the signals are noted. */
void interrupt_watch(void);
/* Whether one has come. */
bool interrupt_seen(void);
/* Sleeps until a signal comes, at most `ms`. */
void interrupt_wait(unsigned ms);
