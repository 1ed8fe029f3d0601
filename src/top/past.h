// SPDX-License-Identifier: Apache-2.0
/* What an agent answered over the last minutes, a shot a round, so that one can walk back in time. The
 * shots of PAST_SHOTS rounds, at most PAST_BYTES of them; the oldest go. Owns copies of the bytes. */
#pragma once

#include "top/remote.h"

enum { PAST_SHOTS = 600, PAST_BYTES = 64 << 20 };

struct past_shot {
    uint64_t number; /* of the round, from 1 */
    int64_t at_ms;   /* on the clock that began at start */
    struct span bodies[REMOTE_ASKS];
    size_t size;
};

struct past {
    struct past_shot shots[PAST_SHOTS]; /* a ring */
    size_t first;
    size_t count;
    size_t bytes;
    uint64_t numbers; /* given so far */
};

/* Keeps a round; bodies are copied, those that are empty are taken to be missing. */
void past_add(struct past *past, int64_t at_ms, const struct span bodies[REMOTE_ASKS]);
void past_done(struct past *past);

/* The shot of that number; the oldest where it has gone, the newest where it is yet to come or 0; NULL
 * when there is none at all. */
const struct past_shot *past_find(const struct past *past, uint64_t number);

/* The latest shot that is at least `ms` older than another; the oldest where there is none. */
const struct past_shot *past_before(const struct past *past, const struct past_shot *shot,
                                    int64_t ms);
