// SPDX-License-Identifier: Apache-2.0
/* The door of engine/: configuration in, a running analysis out. It owns the taps, the workers, the
 * collector and the output thread. Everything that people look at while it runs is on the board,
 * which the collector brings up to date once a second; readers lock it for the time of a rendering
 * and never touch a worker. */
#pragma once

#include "base/err.h"
#include "engine/board.h"
#include "engine/config.h"
#include "engine/engine_options.h"
#include "engine/flow_event.h"
#include "engine/flow_query.h"
#include "engine/health_event.h"
#include "engine/health_flat.h"
#include "engine/health_paths.h"
#include "flow/tcp_graph.h"
#include "summary/metric.h"

struct engine; /* opaque */

/* ---- Running -------------------------------------------------------------------------------- */

struct policies;

/* Opens taps and sinks and takes all memory; NULL and err on failure. `config` must outlive the
 * engine. All its taps are live, or there is one tap of files. */
struct engine *engine_new(const struct config *config, const struct engine_options *options,
                          struct err *err);
/* The policies that it counts for, or NULL. */
struct policies *engine_policies(const struct engine *engine);

/* Whether its taps are live: engine_start(); otherwise engine_read(). */
bool engine_is_live(const struct engine *engine);

/* Live: starts the threads and returns. */
bool engine_start(struct engine *engine, struct err *err);
/* Live: true while its threads run; false and err when a sink or a tap failed for good. */
bool engine_is_well(struct engine *engine, struct err *err);

/* Files: reads on for some tens of milliseconds, on the calling thread (and the workers' own, if
 * there are several). */
enum engine_status engine_read(struct engine *engine, struct err *err);
/* Files: bytes read of bytes there are (0: unknown). */
void engine_progress(const struct engine *engine, uint64_t *ret_read, uint64_t *ret_total);

/* Ends the analysis: threads end, the last flows are reported, sinks are flushed. Safe to call
 * twice. False and err when a sink failed. */
bool engine_stop(struct engine *engine, struct err *err);
void engine_free(struct engine *engine);

/* Files: earliest and latest time of any frame; false when none had one. */
bool engine_span(const struct engine *engine, uint64_t *ret_first_ns, uint64_t *ret_last_ns);

/* Files: frames that stand behind one that is more than a second younger. */
uint64_t engine_past_frames(const struct engine *engine);

/* After engine_stop(), with keep_connections: TCP connections, worst first; they live as long as the
 * engine. Returns how many were kept of `ret_total`. */
uint32_t engine_connections(struct engine *engine, const struct health_event *const **ret,
                            uint64_t *ret_total);

/* After engine_stop(), with `draw`, which is the number of a connection's first packet
 * (event_head.suborder of an earlier run over the same files with the same options): its graph, which
 * lives as long as the engine; NULL when no such connection came. */
const struct tcp_marks *engine_graph(const struct engine *engine);

struct series;
/* After engine_stop(), with keep_courses: the course over packet time of an item of a top-N, NULL
 * when it was never among the heaviest; and of all bytes. */
const struct series *engine_course(const struct engine *engine, const struct metric *metric,
                                   struct span key);
const struct series *engine_total_course(const struct engine *engine);

/* ---- The board ------------------------------------------------------------------------------ */

/* Policies came or went: opens what they capture on and the captures that they read, and closes what
 * none asks for any more. False and err when something cannot be opened: drop the policy and call again.
 * Before the start and while it runs; any thread. */
bool engine_follow(struct engine *engine, struct err *err);

/* Borrows the board until engine_unlock(); hold it briefly. */
const struct board *engine_lock(struct engine *engine);
void engine_unlock(struct engine *engine);

/* Waits until the board is newer than `version` or `timeout_ms` have gone by; returns its version. */
uint64_t engine_wait(struct engine *engine, uint64_t version, unsigned timeout_ms);

/* ---- Flows ---------------------------------------------------------------------------------- */

struct flow_page {
    struct flow_event *flows; /* owned by the caller: free() */
    uint32_t count;
    uint64_t matched; /* flows that the conditions let through, all pages */
    bool complete;    /* false: a worker did not answer in time */
};

/* Asks the workers, who look through their tables a few thousand flows at a time between batches;
 * waits for them at most a second. The rows are finished (flow_event_finish). One reader at a time:
 * a second question at the same moment is answered incomplete. False and err on a bad query. */
bool engine_flows(struct engine *engine, const struct flow_query *query, struct flow_page *ret,
                  struct err *err);

/* The latency weather, with flows.health: the paths with the longest round trips, worst first; `keys` as
 * health_paths_worst() takes them. Any thread. */
uint32_t engine_paths(struct engine *engine, unsigned keys, struct health_path *ret, uint32_t max,
                      uint32_t *ret_total);

/* ---- TCP connections of a running agent ------------------------------------------------------- */

enum { CONNECTION_PAGE_MAX = 500 };

struct connection_page {
    struct health_event *connections; /* worst first; owned by the caller: free() */
    uint32_t count;
    uint64_t total; /* that were met; the agent keeps CONNECTION_PAGE_MAX, recent ones and bad ones */
    bool judged;    /* false: flows.health is off */
};

/* The worst `limit` connections as they were reported last. False and err without memory. */
bool engine_connection_page(struct engine *engine, uint32_t limit, struct connection_page *ret,
                            struct err *err);

/* One connection, and its graph if it is drawn. */
struct connection_view {
    struct health_event *connection; /* owned by the caller, as `marks` is: connection_view_done() */
    struct tcp_mark *marks;          /* in the order of time; CONNECTION_MARKS_MAX at most */
    uint32_t mark_count;
    uint32_t columns; /* of the grid that marks were thinned by; 0: all are there */
    uint64_t seen;    /* marks that there were */
    const char *drawn; /* whole: from its first packet; part: since somebody asked; begun: from now on,
                        * because somebody asked now; no: it ended, and there was no drawer for it */
};

enum { CONNECTION_MARKS_MAX = 2048 };

/* The connection with that flow.id. Asks the workers as engine_flows() does, and like it takes one
 * reader at a time. False and err when there is none (ERR_USAGE), or without memory. */
bool engine_connection(struct engine *engine, const char *flow_id, struct connection_view *ret,
                       struct err *err);
void connection_view_done(struct connection_view *view);

/* What a kind of marks is called; NULL behind the last. */
const char *engine_mark_name(unsigned kind);
