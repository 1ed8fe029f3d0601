// SPDX-License-Identifier: Apache-2.0
/* A capture played frame by frame, one for each line that comes in on standard input; when that ends, the
 * rest follows at once. */
#include "tap/replay.h"

static struct tap *stepped_open(const struct tap_options *options, struct err *err)
{
    return replay_new(options, REPLAY_STEPS, err);
}

const struct tap_kind tap_stepped = {
    .name = "stepped",
    .help = "a capture, a packet for each line on standard input",
    .open = stepped_open,
    .next = replay_next,
    .stats = replay_stats,
    .close = replay_close,
};
