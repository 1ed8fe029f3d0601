// SPDX-License-Identifier: Apache-2.0
/* The series that were pushed last time, so that those that are there no more can be said to be
 * over: a receiver would show their last value for minutes. A series is its labels as they were
 * encoded; which are there is told by a hash of 64 bits, drawn anew in each process. At most
 * REMOTE_SERIES_MAX are remembered. One thread. */
#pragma once

#include "base/json.h"

enum { REMOTE_SERIES_MAX = 1 << 17 };

struct remote_generation {
    struct json labels; /* each with its length before it */
    uint64_t *hashes;   /* sorted when the generation is whole */
    uint32_t count;
    uint32_t room;
};

struct remote_series {
    struct remote_generation now;
    struct remote_generation before;
};

void remote_series_done(struct remote_series *series);
/* This one is there. */
void remote_series_note(struct remote_series *series, struct span labels);
/* All that are there were noted: calls `gone` with each that was there before and is no more, and
 * makes them of now those of before. */
typedef void remote_series_gone(void *context, struct span labels);
void remote_series_turn(struct remote_series *series, remote_series_gone *gone, void *context);
