// SPDX-License-Identifier: Apache-2.0
/* The door of engine/: configuration in, a running analysis out. It owns the taps, the workers, the
 * collector and the output thread. Everything that people look at while it runs is on the board,
 * which the collector brings up to date once a second; readers lock it for the time of a rendering
 * and never touch a worker. */
#pragma once

#include "base/err.h"
#include "engine/config.h"
#include "engine/flow_event.h"
#include "engine/health_event.h"
#include "engine/health_flat.h"
#include "engine/health_paths.h"
#include "flow/tcp_graph.h"
#include "summary/metric.h"

struct engine; /* opaque */

/* ---- Running -------------------------------------------------------------------------------- */

struct pcapwrite;

struct policies;

struct engine_options {
    const char *mode;         /* "live", "demo", "read": shown on the board */
    bool serves;              /* an API will ask: recent flows are kept */
    bool listens;             /* protocols read what flows say: transactions, and their metrics */
    bool only_events;         /* files only: nobody will look at the board: what would stand there is not counted
                               * unless an output wants it */
    bool keep_courses;        /* a report will ask for the course of top items over time */
    uint32_t keep_connections; /* so many of the worst TCP connections, for engine_connections() */
    const uint64_t *draw;     /* files only: for engine_graph(), or NULL */
    struct policies *policies; /* counted on the way, if there are any; NULL: none */
    bool only_policies;        /* and nothing else is: no flows, no protocols */
    struct pcapwrite *writer; /* every frame that passes the filter goes there; live with one worker
                               * only; or NULL */
};

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

enum engine_status {
    ENGINE_MORE,   /* there is more to read */
    ENGINE_DONE,   /* all was read */
    ENGINE_FAILED, /* err says why; what came before the damage was analysed */
};

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

enum { BOARD_HISTORY = 300, BOARD_WORKERS = 64, BOARD_SETS = 32, BOARD_PATHS = 256 };

/* One second of history. */
struct board_second {
    uint64_t second;     /* since 1970, packet time */
    uint64_t packets[2]; /* 0: in (or from the responder), 1: out (or from the initiator) */
    uint64_t bytes[2];
    uint64_t dropped;    /* by the kernel or our own rings */
    uint64_t flows_new;
};

struct board_worker {
    uint64_t packets;
    uint64_t bytes;
    uint64_t flows_active;
    uint64_t flows_created;
    uint64_t flows_evicted;
    uint64_t flow_capacity;
    uint64_t talks_active;  /* connections and datagram flows that a protocol follows */
    uint64_t talks_refused; /* flows that none follows, for want of memory */
    uint64_t talk_memory_refused; /* times that what is said found no memory to wait in */
    uint64_t memory_bytes; /* touched by its tables */
    uint64_t events_dropped; /* the output could not take them in time */
    double load;           /* 0..1: share of the last second spent working */
};

/* One path of the protocol hierarchy: layers as in packet.layers. */
struct board_path {
    uint64_t layers;
    uint64_t packets;
    uint64_t bytes;
};

struct board_tap {
    char name[64];
    char source[128];       /* interfaces or files */
    uint64_t received;
    uint64_t dropped;
    uint64_t interface_drops;
};

/* Where events go. */
struct board_output {
    char kind[32];
    uint64_t events;   /* delivered */
    uint64_t bytes;
    uint64_t lost;
    uint64_t refused;  /* of those lost: that the other side would not have */
    uint64_t waiting;  /* in a queue of its own */
    uint64_t retries;
    char trouble[200]; /* empty: all is well */
};

/* A protocol's metric blocks: since start, and the last whole minute window. */
struct board_set {
    const struct metric_set *set;
    const void *total;
    const void *window;
};

struct board {
    uint64_t started_ns;  /* wall clock */
    uint64_t now_ns;      /* packet time */
    bool ready;           /* taps are open and workers run */
    char mode[16];        /* "live", "demo", "read" */
    char note[256];       /* e.g. why `auto` chose its interface; may be empty */
    uint64_t frames;      /* all frames taken from the taps */
    uint64_t bytes;       /* their length on the wire */
    uint64_t dropped;
    uint64_t fragments_held;
    uint64_t fragments_dropped; /* given up for want of budget or time */
    uint64_t memory_limit;
    uint64_t memory_used;
    uint64_t window_ns;   /* packet time at which the window of sets began; 0: there is none yet */
    uint32_t tap_count, worker_count, set_count, path_count;
    struct board_tap taps[16];
    uint32_t output_count;
    struct board_output outputs[16];
    struct board_worker workers[BOARD_WORKERS];
    struct board_set sets[BOARD_SETS];
    struct board_path paths[BOARD_PATHS];
    uint32_t history_count; /* seconds valid, at most BOARD_HISTORY, oldest first */
    struct board_second history[BOARD_HISTORY];
};

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

enum flow_sort {
    FLOW_SORT_BYTES, FLOW_SORT_PACKETS, FLOW_SORT_START, FLOW_SORT_LAST, FLOW_SORT_DURATION,
};

/* Which flows a reader wants: every condition that is set must hold. */
struct flow_query {
    bool active;            /* flows in the tables now; false: recently ended ones */
    uint8_t protocol;       /* IANA number, 0: any */
    uint8_t version;        /* 4, 6, 0: any */
    uint16_t port;          /* either end, 0: any */
    struct event_address network; /* either end within it; version 0: any */
    uint8_t prefix;         /* bits of the network */
    enum flow_sort sort;
    bool ascending;
    uint32_t offset;
    uint32_t limit;         /* at most FLOW_PAGE_MAX */
};

enum { FLOW_PAGE_MAX = 1000, FLOW_OFFSET_MAX = 10000 };

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

/* The latency weather, with flows.health: the paths with the longest round trips, worst first; see
 * health_paths.h. Any thread. */
uint32_t engine_paths(struct engine *engine, struct health_path *ret, uint32_t max,
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
