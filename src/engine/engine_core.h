// SPDX-License-Identifier: Apache-2.0
/* The engine's inside, private to this room: what engine.c builds, file_run.c and live_run.c drive,
 * office.c empties and publisher.c shows. */
#pragma once

#include "engine/collector.h"
#include "engine/engine_options.h"
#include "engine/flood.h"
#include "engine/key_file.h"
#include "engine/lane.h"
#include "engine/notices.h"
#include "engine/output_watch.h"
#include "policy/policy.h"
#include "tap/tap.h"

#include <pthread.h>

/* A tap as opened for one worker. */
struct engine_tap {
    const struct config_tap *config;
    const struct tap_kind *kind;
    struct tap *tap;
};

struct file_run;
struct live_run;
struct live_plan;
struct live_tap;
struct exporter;

struct engine {
    const struct config *config;
    struct engine_options options;
    struct delta_layout layout;
    struct flood flood; /* the fronts' */
    struct listeners listeners;
    struct key_file *keys; /* NULL: none */
    struct front_options front;
    uint64_t seed;
    uint32_t wanted; /* that policies want from the start, beside packets (enum intake_kind) */
    bool is_live;
    bool stopped;
    int64_t refresh_at; /* seconds of the monotonic clock */
    uint32_t worker_count;
    struct worker *workers[CONFIG_WORKERS_MAX];
    struct collector *collector;
    struct output *output;
    struct exporter *exporter;
    struct notices notices;
    struct output_watch watches[16]; /* live: of the outputs */
    struct file_run *file; /* one of the two */
    struct live_run *live;
    pthread_t publisher; /* live: the thread of publisher.c */
    bool publisher_runs;
    _Atomic bool publisher_ends;
};

/* ---- file_run.c: files, read by the calling thread ------------------------------------------- */

struct file_run *file_run_new(struct engine *engine, struct err *err);
void file_run_free(struct file_run *run);
enum engine_status file_run_read(struct file_run *run, struct err *err);
/* Lets the workers finish what was read and report their flows. */
void file_run_end(struct file_run *run);
void file_run_stats(const struct file_run *run, struct tap_stats *ret);
const struct front *file_run_front(const struct file_run *run);
const struct engine_tap *file_run_tap(const struct file_run *run);

/* ---- file_spread.c: several workers on a file --------------------------------------------------- */

struct file_spread;

/* Starts the workers' threads; the tap and the front are the run's. */
struct file_spread *file_spread_new(struct engine *engine, const struct engine_tap *tap,
                                    struct front *front, struct err *err);
void file_spread_free(struct file_spread *spread);
/* Waits a moment and tells how far it is. */
enum engine_status file_spread_wait(struct file_spread *spread, struct err *err);
/* Stops reading and waits until all that was read is done. */
void file_spread_end(struct file_spread *spread);

/* ---- live_run.c: one thread a worker, each with its own taps --------------------------------- */

struct live_run *live_run_new(struct engine *engine, struct err *err);
void live_run_free(struct live_run *run);
bool live_run_start(struct live_run *run, struct err *err);
void live_run_stop(struct live_run *run);
/* False and err when a worker's tap failed for good. */
bool live_run_is_well(struct live_run *run, struct err *err);
/* What policies ask for is opened, what none does any more is closed; as engine_follow(). */
bool live_run_follow(struct live_run *run, struct err *err);
/* The taps there are, which stay open until released (live_taps.h). Hold them briefly. */
const struct live_plan *live_run_hold(struct live_run *run);
void live_run_release(struct live_run *run);
/* Sums the counters of a tap that is held over the workers. */
void live_run_stats(const struct live_run *run, const struct live_tap *tap, struct tap_stats *ret);
/* Sums the fronts' counters as the workers published them last. */
void live_run_fragments(const struct live_run *run, struct defrag_stats *ret);

/* ---- office.c: deltas to the board, events to the sinks -------------------------------------- */

/* One round: takes what the workers have ready. Returns how many events and deltas there were. */
uint32_t office_round(struct engine *engine, bool last);
/* Adds the delta that a worker has ready to the board; returns whether there was one. */
uint32_t office_collect(struct engine *engine, uint32_t worker);
/* Tells the user what a tap has to tell: in the log, and as the board's note. Any thread. */
void office_note(struct engine *engine, const char *text);
