// SPDX-License-Identifier: Apache-2.0
/* Tells in the log that an output loses events, when that begins and once a minute while it goes on, and
 * that it delivers again. Counted they are on the board in any case. The publisher's thread. */
#pragma once

#include "sink/sink.h"

enum { OUTPUT_WATCH_SECONDS = 60 };

/* Zeroed, it has seen nothing. */
struct output_watch {
    uint64_t lost;   /* when it was looked at last */
    int64_t told_at; /* seconds of any clock that does not go back */
    bool is_losing;  /* and somebody was told */
};

void output_watch_look(struct output_watch *watch, const char *kind, const struct sink_status *status,
                       int64_t now);
