// SPDX-License-Identifier: Apache-2.0
/* The back half of the walk: units in; flows, metrics and events out. A worker shares nothing: its
 * flow table, its delta and its outbox are its own, and it is run by one thread. It never waits for
 * readers. */
#pragma once

#include "engine/flow_search.h"
#include "engine/unit.h"
#include "engine/watch.h"
#include "engine/worker_options.h"

struct worker; /* opaque */

struct worker *worker_new(const struct worker_options *options, struct err *err);
void worker_free(struct worker *worker);

/* Works through its list of a chunk. Several workers may be at the same chunk. */
void worker_run(struct worker *worker, const struct chunk *chunk);

/* Packets come from the tap of that name from now on, for policies that care. */
void worker_select_tap(struct worker *worker, const char *name);

/* Works off timers that are due, at most a batch of them; true while there may be more. Live only:
 * a worker of a file does all at each tick. */
bool worker_step(struct worker *worker);

/* The order of the reports that worker_end() makes: behind all others. */
#define WORKER_LAST_STEP (UINT64_MAX - 1)

/* Reports all flows for the last time: the capture ended, and the worker is not run again. */
void worker_end(struct worker *worker);

/* For those whose policies go on when their capture has ended: ends all flows and forgets them; and has
 * policies see what was counted. */
void worker_conclude(struct worker *worker);
void worker_settle(struct worker *worker);

/* After worker_end(): what was counted since the last flush. */
const struct delta *worker_rest(struct worker *worker);

/* The capture lost packets (true) or not (false) in the last second: flows seen in that time are
 * marked incomplete. Any thread. */
void worker_note_loss(struct worker *worker, bool lost);

/* Collector: takes the delta that is ready, or NULL; gives it back, reset. */
struct delta *worker_take_delta(struct worker *worker);
void worker_give_delta(struct worker *worker, struct delta *delta);

/* After worker_end(): the graph of the connection that was to be drawn; NULL: it was not met. */
const struct tcp_marks *worker_graph(const struct worker *worker);

const struct worker_stats *worker_stats(const struct worker *worker);
/* The thread that drives the worker tells how busy it was, in millionths. */
void worker_set_load(struct worker *worker, uint64_t ppm);
uint32_t worker_capacity(const struct worker *worker);
/* Its flows, for its own thread. */
const struct flow_table *worker_flows(const struct worker *worker);

/* ---- Looking through the flows of a running worker ------------------------------------------ */

enum worker_graph_state {
    WORKER_GRAPH_NONE,  /* no such connection here, or it has ended and was not drawn */
    WORKER_GRAPH_BEGUN, /* it is drawn from now on, because somebody asked */
    WORKER_GRAPH_PART,  /* here it is, from when somebody asked first */
    WORKER_GRAPH_WHOLE,
};

/* A question for the graph of one connection. */
struct worker_graph {
    struct watch_id id;
    struct tcp_mark *marks; /* the reader's; room for WORKER_GRAPH_ROOM */
    uint32_t count, columns;
    uint64_t seen;
    enum worker_graph_state state;
};

enum { WORKER_GRAPH_ROOM = 2048, WORKER_DRAWERS = 96 };

/* A reader's question; it lives with the reader, who waits until `done`. */
struct worker_query {
    struct worker_graph *graph; /* this one, or NULL: */
    struct flow_search search;
    _Atomic bool done;
};

/* Reader: asks; false when another question is under way. The worker answers between batches. */
bool worker_ask(struct worker *worker, struct worker_query *query);
/* Reader: takes the question back when it took too long; true: it was never answered. */
bool worker_withdraw(struct worker *worker, struct worker_query *query);
/* Worker: spends a bounded time on a question, if there is one. */
void worker_answer(struct worker *worker);
