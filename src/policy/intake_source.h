// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what stands behind an input that is no packets: where its events come from. A
 * source is opened by who changes the set, then used by its thread alone, and closed when that has
 * ended. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct intake;
struct policy_input;

enum { INTAKE_TURN_MS = 100 };

/* Where a source puts what comes. */
struct intake_seat {
    struct intake *intake;
    struct policy_input *input;
};

struct intake_source {
    /* NULL and err when it cannot be. */
    void *(*open)(const struct intake_seat *seat, struct err *err);
    bool is_past; /* packet time is what its events say, not now */
    /* Waits for what comes, INTAKE_TURN_MS at most, and puts it into the intake. */
    void (*turn)(void *source);
    void (*close)(void *source);
};

/* Nanoseconds since 1970 by the system's clock. */
uint64_t intake_source_now(void);
