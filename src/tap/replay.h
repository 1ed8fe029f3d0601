// SPDX-License-Identifier: Apache-2.0
/* Private to the taps that play a capture with a pace of its own: what is the same in all of them. Frames
 * are read through the pcapfile tap and wait for their turn. */
#pragma once

#include "tap/tap.h"

enum replay_way {
    REPLAY_AGAIN, /* in real time, with times of now; then from the beginning, without end */
    REPLAY_ONCE,  /* the same once */
    REPLAY_STEPS, /* a frame for each line that comes in on standard input, with its own time */
};

/* Opens; NULL and err when it cannot. */
struct tap *replay_new(const struct tap_options *options, enum replay_way way, struct err *err);

/* The hooks of struct tap_kind. */
enum tap_status replay_next(struct tap *tap, struct tap_batch *batch, struct err *err);
void replay_stats(struct tap *tap, struct tap_stats *ret);
void replay_close(struct tap *tap);
