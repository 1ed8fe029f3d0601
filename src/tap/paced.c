// SPDX-License-Identifier: Apache-2.0
/* A capture played once in real time: frames come as far apart as they were recorded, with times of
 * now. */
#include "tap/replay.h"

static struct tap *paced_open(const struct tap_options *options, struct err *err)
{
    return replay_new(options, REPLAY_ONCE, err);
}

const struct tap_kind tap_paced = {
    .name = "paced",
    .help = "a capture played once, in real time",
    .open = paced_open,
    .next = replay_next,
    .stats = replay_stats,
    .close = replay_close,
};
