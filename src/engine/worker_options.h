// SPDX-License-Identifier: Apache-2.0
/* What a worker is made for, and what it lets other threads read of it. */
#pragma once

#include "engine/config.h"
#include "engine/delta.h"
#include "engine/listeners.h"
#include "engine/memory_plan.h"
#include "engine/output.h"

/* That a closed connection waits for stragglers, as Zeek's does. */
#define WORKER_CLOSED_NS (5 * INT64_C(1000000000))

struct policies;

struct worker_options {
    const struct config_flows *flows; /* copied; time-outs and period */
    const struct delta_layout *layout;
    const struct listeners *listeners; /* who reads what flows say; count 0: nobody */
    struct outbox *outbox;
    struct policies *policies; /* NULL: none */
    bool only_policies;        /* no flows are kept, no protocols read, unless policies want it */
    uint32_t number;           /* among all workers */
    uint32_t index;      /* which list of a chunk is its own */
    struct memory_plan memory;
    const uint64_t *draw;    /* the connection whose graph is drawn, by its first packet; or NULL */
    uint32_t drawers;        /* else graphs of so many connections at a time */
    uint64_t seed;
    bool wants_events;       /* of any kind; */
    bool wants_lines;        /* of transactions as JSON only */
    bool wants_flows;        /* of flows */
    bool skips_counts;       /* nobody wants deltas: there is one at the end, of what protocols that
                              * listen have met */
    bool is_live;        /* timers are worked off a few at a time, losses are possible */
};

/* Counters that any thread may read. */
struct worker_stats {
    _Atomic uint64_t packets;
    _Atomic uint64_t bytes;
    _Atomic uint64_t flows_active;
    _Atomic uint64_t flows_created;
    _Atomic uint64_t flows_evicted;
    _Atomic uint64_t talks_active;
    _Atomic uint64_t talks_refused;
    _Atomic uint64_t talk_memory_refused;
    _Atomic uint64_t events_cut;
    _Atomic uint64_t proxy_headers;
    _Atomic uint64_t memory;
    _Atomic uint64_t load_ppm; /* share of the last second spent working, set by its driver */
};
