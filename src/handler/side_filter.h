// SPDX-License-Identifier: Apache-2.0
/* The filter by direction of handlers of finished things: `only_directions`, a list of in, out and
 * unknown. What our hosts serve comes in, what they ask others for goes out. */
#pragma once

#include "base/err.h"
#include "handler/handler.h"

enum { SIDE_FILTER_SIDES = 3 }; /* by enum frame_direction */

struct side_filter {
    uint32_t passes; /* a bit a direction */
};

/* Reads the option; true for all when it is not there. False and err when it is wrong. */
bool side_filter_read(const struct handler_options *options, struct side_filter *ret,
                      struct err *err);

static inline bool side_filter_passes(const struct side_filter *filter,
                                      const struct handler_event *event)
{
    return filter->passes >> event->direction & 1;
}

/* Rows of three counters, by enum frame_direction, at member `at_` of block `block_`, of what_
 * ("connections"). */
#define SIDE_FILTER_ROW(block_, at_, handler_, group_, what_, side_, name_, help_)                 \
    {                                                                                              \
        .name = name_ "_" what_, .kind = METRIC_COUNTER, .unit = what_, .help = help_,             \
        .offset = offsetof(block_, at_[side_]), .group = #group_, .path = name_ "_" what_,         \
        .family = handler_ "_" name_ "_" what_, .groups = group_                                   \
    }
#define SIDE_FILTER_ROWS(block_, at_, handler_, group_, what_)                                     \
    SIDE_FILTER_ROW(block_, at_, handler_, group_, what_, FRAME_DIRECTION_IN, "in",                \
                    "Those that others begin with our hosts"),                                     \
    SIDE_FILTER_ROW(block_, at_, handler_, group_, what_, FRAME_DIRECTION_OUT, "out",              \
                    "Those that our hosts begin with others"),                                     \
    SIDE_FILTER_ROW(block_, at_, handler_, group_, what_, FRAME_DIRECTION_UNKNOWN, "unknown_dir",  \
                    "Those of which neither is known")
