// SPDX-License-Identifier: Apache-2.0
/* Lines for the log that metric tables ask for (struct metric, `notice`): what was met that another
 * program, whose dialect is spoken, would have logged. What is counted arrives with the deltas; each
 * item is told once, and no more than NOTICES_MAX in all, so that nobody on the wire can fill a log.
 * The office's thread. */
#pragma once

#include "engine/delta.h"

enum { NOTICES_MAX = 256 };

struct notices {
    uint32_t count;
    uint64_t told[NOTICES_MAX]; /* hashes of lines */
};

/* Logs what is new in a delta. Zeroed, `notices` has told nothing. */
void notices_tell(struct notices *notices, const struct delta *delta);
