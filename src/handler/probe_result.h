// SPDX-License-Identifier: Apache-2.0
/* What became of a probe of a target; lent to handlers for the time of an event. */
#pragma once

#include <stdint.h>

enum probe_fate {
    PROBE_SENT,     /* an echo request, or a SYN, is on its way */
    PROBE_ANSWERED, /* after time_ns */
    PROBE_TIMED_OUT,
    PROBE_NOT_FOUND, /* the target's name has no address */
    PROBE_FAILED,    /* refused, unreachable, no socket */
};

struct probe_result {
    const char *target; /* its name in the configuration */
    enum probe_fate fate;
    uint64_t time_ns;
};
