// SPDX-License-Identifier: Apache-2.0
/* A worker's inside, private to its three files: worker.c is its shell (memory, marks, what other
 * threads ask of it), pipeline.c carries packets, flow_life.c keeps flows from their first packet
 * to their last report. */
#pragma once

#include "base/seconds.h"
#include "engine/conversation.h"
#include "engine/flood.h"
#include "engine/unit.h"
#include "engine/watch.h"
#include "engine/worker_options.h"
#include "flow/health.h"
#include "policy/policy.h"

enum {
    TOUCHED_MAX = 1 << 18, /* flows that may gain between two flushes before one is forced */
    DUE_STEP = 1024,       /* timers worked off between two batches, live */
};

/* What pays for what; the first is behind all others. */
enum worker_memory { MEMORY_SHARED, MEMORY_FLOWS, MEMORY_TALKS, MEMORY_BLOCKS };

/* A flow that had packets since the last flush, with its counters as they were before. */
struct touched {
    flow_index index;
    struct flow_counters before;
};

/* A flow whose timer came up. */
struct due {
    uint64_t order;
    flow_index index;
};

/* Of a connection that was listened to and closed: a hash of its ends, and when it was heard last. */
struct gone {
    uint64_t hash;
    uint64_t last_ns;
};
enum { WORKER_GONE = 4096 };

struct worker {
    struct worker_options options;
    struct config_flows config;
    struct flow_table *flows;
    struct flow_counters *reported; /* at the last report, when reports are of differences */
    struct budget memory[4];        /* by enum worker_memory */
    struct conversations *talks;    /* what flows say; NULL when no protocol listens */
    struct gone gone[WORKER_GONE];    /* the latest by hash */
    struct intake *intake;          /* of policies; NULL: there are none */
    struct finish *finish;          /* what they may want beside packets; NULL with it */
    struct health_book *health;     /* of TCP connections; NULL when nobody asked yet */
    struct health_book *book;       /* which it will be when somebody asks; NULL: nobody can */
    struct flood_told flood;        /* servers that are under one */
    struct watch *watch;            /* graphs of connections; NULL when nobody asked */
    struct delta *delta;            /* being filled */
    struct touched *touched;
    uint32_t touched_count;
    struct due *due;
    uint64_t due_second;  /* timers up to here are to be worked off */
    uint64_t now_ns;      /* packet time of the latest mark */
    uint64_t step;        /* of the unit or mark under way */
    uint32_t marks;       /* of the packet at hand, for its flow (intake_packet) */
    uint64_t period;      /* seconds; 0: no intermediate reports */
    uint64_t packets, bytes, created, evicted;
    uint32_t on_frame, on_packet, on_flow, on_end; /* of the layout, those that somebody wants */
    uint64_t last_layers; /* the path of the last frame is likely the next one's */
    struct board_path *last_path;
    /* read by other threads */
    struct worker_stats stats;
    _Atomic(struct delta *) ready;
    _Atomic(struct delta *) spare;
    _Atomic(struct worker_query *) question;
    _Atomic bool lost_packets;
};

/* What a conversation may use of the worker now, for a flow. */
static inline struct conversation_moment worker_moment(const struct worker *w, flow_index index,
                                                       uint64_t now_ns)
{
    return (struct conversation_moment){
        .blocks = w->delta->blocks,
        .order = w->step,
        .now_ns = now_ns,
        .cold = flow_cold_at(w->flows, index),
    };
}

/* ---- pipeline.c ------------------------------------------------------------------------------ */

/* Works on the units at positions from..to-1 of this worker's list. */
void pipeline_run(struct worker *w, const struct chunk *chunk, uint32_t from, uint32_t to);

/* ---- flow_life.c ----------------------------------------------------------------------------- */

/* Begins the flow of a unit; when the table is full another one makes room. */
flow_index flow_life_begin(struct worker *w, const struct unit *unit);
/* Ends a flow: judged, reported, dropped. */
void flow_life_end(struct worker *w, flow_index index, enum flow_reason reason, uint64_t now_ns);
/* Notes that a flow is about to gain. */
void flow_life_touch(struct worker *w, flow_index index, struct flow *flow);
/* Tells the protocols what each touched flow gained, and begins anew. */
void flow_life_fold(struct worker *w);
/* A closed connection waits a little for stragglers, then ends. */
void flow_life_close(struct worker *w, flow_index index);
/* Works off at most `max` timers that are due; true when there may be more. */
bool flow_life_due(struct worker *w, uint64_t second, uint32_t max);
/* The capture ended: judges and reports every flow, in the order in which they began. */
void flow_life_end_all(struct worker *w);
