// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include "base/hash.h"
#include "base/seconds.h"
#include "engine/engine_core.h"
#include "engine/exporter.h"
#include "engine/health_desk.h"
#include "engine/publisher.h"
#include "flow/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RECENT_FLOWS = 4096,
    QUERY_MS = 1000,
};

/* ---- Building ------------------------------------------------------------------------------- */

static int64_t longest_timeout(const struct config_flows *flows)
{
    int64_t all[] = {flows->timeout, flows->tcp_timeout, flows->udp_timeout, flows->icmp_timeout};
    int64_t longest = WORKER_CLOSED_NS;
    for (unsigned i = 0; i < 4; i++) {
        longest = all[i] > longest ? all[i] : longest;
    }
    return longest;
}

static bool sort_of_taps(struct engine *engine, struct err *err)
{
    const struct config *config = engine->config;
    for (size_t i = 0; i < config->tap_count; i++) {
        const struct tap_kind *kind = tap_kind_find(config->taps[i].kind);
        if (kind == NULL) {
            return err_set(err, ERR_USAGE, "no such tap: %s", config->taps[i].kind);
        }
        if (i == 0) {
            engine->is_live = kind->is_live;
        } else if (!kind->is_live || !engine->is_live) {
            return err_set(err, ERR_USAGE,
                           "taps: files cannot be mixed with other taps; "
                           "give all files to one tap, or run two agents");
        }
    }
    if (config->tap_count == 0 && engine->options.policies != NULL) {
        engine->is_live = true; /* policies may have inputs that are no taps, and get them later */
        return true;
    }
    return config->tap_count > 0 || err_set(err, ERR_USAGE, "taps: there is none");
}

/* Whether somebody looks at the board: a caller, a sink that is pushed to, or the log. */
static bool wants_counts(const struct engine *engine)
{
    const struct sink_kind *kind;
    struct sink *sink;
    bool wants = !engine->options.only_events || engine->config->beat != NULL;
    for (uint32_t i = 0; (kind = output_sink(engine->output, i, &sink)) != NULL; i++) {
        wants = wants || kind->snapshot != NULL;
    }
    return wants;
}

/* The configuration as it is planned for: what policies want of connections costs what it would if
 * it said so. */
static struct config planned(const struct engine *engine)
{
    struct config config = *engine->config;
    config.flows.health |= (engine->wanted & INTAKE_CONNECTION) != 0;
    return config;
}

static bool make_workers(struct engine *engine, struct err *err)
{
    const struct config plan = planned(engine);
    struct worker_options options = {
        .flows = &engine->config->flows,
        .layout = &engine->layout,
        .listeners = &engine->listeners,
        .memory = memory_plan(&plan, engine->worker_count),
        .seed = engine->seed,
        .policies = engine->options.policies,
        .only_policies = engine->options.only_policies,
        .wants_events = output_is_wanted(engine->output),
        .wants_lines = output_takes_lines(engine->output),
        .wants_flows = engine->config->flows.enabled && output_is_wanted(engine->output),
        .skips_counts = !wants_counts(engine),
        .is_live = engine->is_live,
        .draw = engine->options.draw,
        .drawers = engine->options.serves && engine->is_live ? WORKER_DRAWERS : 0,
    };
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        options.outbox = output_outbox(engine->output, i);
        options.number = i;
        options.index = engine->is_live ? 0 : i; /* a lane's chunk has one list */
        engine->workers[i] = worker_new(&options, err);
        if (engine->workers[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool make_output(struct engine *engine, struct err *err)
{
    bool threads = engine->is_live || engine->worker_count > 1;
    struct output_options options = {
        .config = engine->config,
        .workers = engine->worker_count,
        .mode = engine->is_live ? OUTBOX_DROP : threads ? OUTBOX_WAIT : OUTBOX_DRAIN,
        .ordered = !engine->is_live,
        .recent = engine->options.serves ? RECENT_FLOWS : 0,
        .roll = engine->options.serves && engine->config->flows.health ? CONNECTION_PAGE_MAX : 0,
        .connections = engine->options.keep_connections,
    };
    engine->output = output_new(&options, err);
    return engine->output != NULL;
}

static bool make_run(struct engine *engine, struct err *err)
{
    engine->front = (struct front_options){
        .seed = engine->seed,
        .fragments_memory = (uint64_t)engine->config->limits.fragments_memory,
        .linger_ns = (uint64_t)longest_timeout(&engine->config->flows),
        .flood = &engine->flood,
        .is_live = engine->is_live,
    };
    if (engine->is_live) {
        engine->live = live_run_new(engine, err);
        return engine->live != NULL;
    }
    engine->file = file_run_new(engine, err);
    return engine->file != NULL;
}

static void init_board(struct engine *engine)
{
    struct board *board = collector_edit(engine->collector);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    board->started_ns = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
    board->memory_limit = (uint64_t)engine->config->limits.memory;
    snprintf(board->mode, sizeof board->mode, "%s", engine->options.mode);
    collector_publish(engine->collector);
}

/* The secrets that a protocol's option names; true without when none does. Captures may bring their own. */
static bool open_keys(struct engine *engine, struct err *err)
{
    const char *path = engine->listeners.count > 0 ? key_file_path(engine->config) : "";
    if (engine->listeners.count == 0 || (*path == '\0' && engine->is_live)) {
        return true;
    }
    engine->keys = key_file_open(path, engine->is_live, engine->seed, err);
    engine->listeners.keys = engine->keys != NULL ? key_file_log(engine->keys) : NULL;
    return engine->keys != NULL;
}

struct engine *engine_new(const struct config *config, const struct engine_options *options,
                          struct err *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    engine->config = config;
    engine->options = *options;
    engine->seed = hash_seed();
    engine->worker_count = (uint32_t)config->limits.workers;
    engine->wanted = options->policies != NULL ? policies_wanted(options->policies) : 0;
    delta_layout_init(&engine->layout, options->listens || engine->wanted & INTAKE_TRANSACTION);
    listeners_init(&engine->listeners, config, &engine->layout);
    engine->collector = collector_new(&engine->layout, options->keep_courses, err);
    if (engine->collector == NULL || !sort_of_taps(engine, err) || !open_keys(engine, err) ||
        !make_output(engine, err) ||
        !make_workers(engine, err) || !make_run(engine, err)) {
        engine_free(engine);
        return NULL;
    }
    engine->exporter = exporter_new(engine);
    if (engine->exporter == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        engine_free(engine);
        return NULL;
    }
    init_board(engine);
    return engine;
}

uint32_t engine_connections(struct engine *engine, const struct health_event *const **ret,
                            uint64_t *ret_total)
{
    struct health_list *list = health_desk_list(output_health(engine->output));
    return list != NULL ? health_list_sort(list, ret, ret_total) : 0;
}

uint32_t engine_paths(struct engine *engine, unsigned keys, struct health_path *ret, uint32_t max,
                      uint32_t *ret_total)
{
    struct health_paths *paths = health_desk_paths(output_health(engine->output));
    return health_paths_worst(paths, keys, ret, max, ret_total);
}

const struct tcp_marks *engine_graph(const struct engine *engine)
{
    const struct tcp_marks *graph = NULL;
    for (uint32_t i = 0; i < engine->worker_count && graph == NULL; i++) {
        graph = worker_graph(engine->workers[i]);
    }
    return graph;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    file_run_free(engine->file);
    live_run_free(engine->live);
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        worker_free(engine->workers[i]);
    }
    exporter_free(engine->exporter);
    output_free(engine->output);
    collector_free(engine->collector);
    key_file_close(engine->keys);
    free(engine);
}

/* ---- Running -------------------------------------------------------------------------------- */

struct policies *engine_policies(const struct engine *engine)
{
    return engine->options.policies;
}

bool engine_is_live(const struct engine *engine)
{
    return engine->is_live;
}

bool engine_start(struct engine *engine, struct err *err)
{
    publisher_start(engine);
    if (!live_run_start(engine->live, err)) {
        return false;
    }
    collector_edit(engine->collector)->ready = true;
    collector_publish(engine->collector);
    return true;
}

bool engine_is_well(struct engine *engine, struct err *err)
{
    return live_run_is_well(engine->live, err) && !output_failure(engine->output, err);
}

enum engine_status engine_read(struct engine *engine, struct err *err)
{
    return file_run_read(engine->file, err);
}

void engine_progress(const struct engine *engine, uint64_t *ret_read, uint64_t *ret_total)
{
    struct tap_stats stats;
    file_run_stats(engine->file, &stats);
    *ret_read = stats.bytes_read;
    *ret_total = stats.bytes_total;
}

bool engine_stop(struct engine *engine, struct err *err)
{
    if (!engine->stopped) {
        engine->stopped = true;
        if (engine->is_live) {
            live_run_stop(engine->live);
            publisher_stop(engine);
        } else {
            file_run_end(engine->file);
        }
        while (office_round(engine, true) > 0) {
        }
        for (uint32_t i = 0; i < engine->worker_count; i++) {
            collector_add(engine->collector, worker_rest(engine->workers[i]));
        }
        if (engine->options.policies != NULL) {
            policies_finish(engine->options.policies);
        }
        publisher_publish(engine);
        exporter_round(engine->exporter, true);
    }
    return !output_failure(engine->output, err);
}

bool engine_span(const struct engine *engine, uint64_t *ret_first_ns, uint64_t *ret_last_ns)
{
    const struct front_totals *totals = front_totals(file_run_front(engine->file));
    *ret_first_ns = totals->first_ns;
    *ret_last_ns = totals->last_ns;
    return totals->first_ns <= totals->last_ns;
}

uint64_t engine_past_frames(const struct engine *engine)
{
    return front_totals(file_run_front(engine->file))->past;
}

const struct series *engine_course(const struct engine *engine, const struct metric *metric,
                                   struct span key)
{
    return collector_course(engine->collector, metric, key);
}

const struct series *engine_total_course(const struct engine *engine)
{
    return collector_total_course(engine->collector);
}

bool engine_follow(struct engine *engine, struct err *err)
{
    bool has_policies = engine->live != NULL && engine->options.policies != NULL;
    return !has_policies || live_run_follow(engine->live, err);
}

/* ---- The board ------------------------------------------------------------------------------ */

const struct board *engine_lock(struct engine *engine)
{
    return collector_lock(engine->collector);
}

void engine_unlock(struct engine *engine)
{
    collector_unlock(engine->collector);
}

uint64_t engine_wait(struct engine *engine, uint64_t version, unsigned timeout_ms)
{
    return collector_wait(engine->collector, version, timeout_ms);
}

/* ---- Flows ---------------------------------------------------------------------------------- */

/* Collects rows of all workers; each looks for as many as the page needs at most. */
static void ask_workers(struct engine *engine, const struct flow_query *query,
                        struct flow_event *rows, uint32_t room, struct flow_page *ret)
{
    struct worker_query questions[CONFIG_WORKERS_MAX];
    bool asked[CONFIG_WORKERS_MAX];
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        questions[i] = (struct worker_query){
            .search = {.query = query, .rows = rows + (size_t)i * room, .room = room, .at = 1}};
        asked[i] = worker_ask(engine->workers[i], &questions[i]);
        ret->complete = ret->complete && asked[i];
    }
    unsigned waited_ms = 0;
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        while (asked[i] && !atomic_load_explicit(&questions[i].done, memory_order_acquire)) {
            if (waited_ms >= QUERY_MS && worker_withdraw(engine->workers[i], &questions[i])) {
                ret->complete = false;
                break;
            }
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            waited_ms++;
        }
        /* Close the gaps between the workers' rows. */
        const struct flow_search *found = &questions[i].search;
        memmove(rows + ret->count, found->rows, found->count * sizeof *rows);
        ret->count += found->count;
        ret->matched += found->matched;
    }
}

static void look_at_recent(struct engine *engine, const struct flow_query *query,
                           struct flow_event *rows, struct flow_page *ret)
{
    uint32_t count = output_recent(engine->output, rows, RECENT_FLOWS);
    for (uint32_t i = 0; i < count; i++) {
        if (flow_search_match(query, &rows[i].key)) {
            rows[ret->count++] = rows[i];
        }
    }
    ret->matched = ret->count;
}

bool engine_flows(struct engine *engine, const struct flow_query *query, struct flow_page *ret,
                  struct err *err)
{
    *ret = (struct flow_page){.complete = true};
    if (!flow_search_check(query, err)) {
        return false;
    }
    uint32_t room = query->offset + query->limit;
    size_t total = query->active ? (size_t)room * engine->worker_count : RECENT_FLOWS;
    struct flow_event *rows = calloc(total + 1, sizeof *rows);
    if (rows == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    if (query->active) {
        ask_workers(engine, query, rows, room, ret);
    } else {
        look_at_recent(engine, query, rows, ret);
    }
    flow_search_sort(query, rows, ret->count);
    uint32_t first = query->offset < ret->count ? query->offset : ret->count;
    ret->count -= first;
    ret->count = ret->count < query->limit ? ret->count : query->limit;
    memmove(rows, rows + first, ret->count * sizeof *rows);
    for (uint32_t i = 0; i < ret->count; i++) {
        flow_event_finish(&rows[i]);
    }
    ret->flows = rows;
    return true;
}
