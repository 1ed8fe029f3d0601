// SPDX-License-Identifier: Apache-2.0
/* Which taps live workers read, while taps come and go. Those of the configuration are open as long as
 * the engine; those that policies ask for (policies_captures()) are opened when one does and closed
 * when none does any more. Workers never wait: they take a plan, a constant list, between two batches;
 * whoever changes it opens before, waits until all workers have the new one, and closes after.
 *
 * Threads: take and leave are the worker's own; follow one at a time, any thread; who reads holds. */
#pragma once

#include <stdatomic.h>

#include "engine/engine_core.h"

enum { LIVE_TAPS_MAX = 16 };

/* One tap, open for every worker. */
struct live_tap {
    const struct config_tap *config;
    const struct tap_kind *kind;
    struct tap *handles[CONFIG_WORKERS_MAX];
    bool is_lent; /* policies asked for it */
    _Atomic bool has_failed; /* one that is lent goes silent; the agent goes on */
    uint16_t group;          /* of the fanout: the first of its numbers */
    /* what `config` points to, of one that is lent */
    struct config_tap own;
    char name[320];
    char source[512];
    char interface[64];
    const char *interfaces[1];
};

struct live_plan {
    uint32_t count;
    struct live_tap *taps[LIVE_TAPS_MAX];
};

struct live_taps; /* opaque */

/* Opens the taps of the configuration. */
struct live_taps *live_taps_new(const struct engine *engine, struct err *err);
/* NULL is fine. No worker runs any more. */
void live_taps_free(struct live_taps *taps);

/* The plan that holds from now on, for this worker; until its next call. */
const struct live_plan *live_taps_take(struct live_taps *taps, uint32_t worker);
/* The worker's thread has ended. */
void live_taps_leave(struct live_taps *taps, uint32_t worker);

/* Opens what policies capture on and is not open, closes what none does any more. All or nothing; false
 * and err when one cannot be opened. */
bool live_taps_follow(struct live_taps *taps, const struct policies_capture *wanted, size_t count,
                      struct err *err);

/* The taps there are, which stay open until released. Hold them briefly. */
const struct live_plan *live_taps_hold(struct live_taps *taps);
void live_taps_release(struct live_taps *taps);
