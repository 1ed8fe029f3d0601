// SPDX-License-Identifier: Apache-2.0
/* Brings the board's counters of taps, workers, outputs and memory up to date, and wakes its readers; what
 * is pushed goes out by the way. Of a live run a thread of its own does it once a second, and the office's
 * rounds in between; of files whoever reads them, at the end. */
#pragma once

#include "engine/engine_core.h"

/* Once. */
void publisher_publish(struct engine *engine);

/* Live: the thread begins; it ends when it is told, and not before those that it looks after. */
void publisher_start(struct engine *engine);
/* Without a start there is nothing to stop. */
void publisher_stop(struct engine *engine);
