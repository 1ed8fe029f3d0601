// SPDX-License-Identifier: Apache-2.0
#include "engine/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/seconds.h"
#include "engine/board_rows.h"
#include "summary/point.h"

enum { SINKS = 16, LAG_S = 2, NUMBERS = 2048, INDEX_ROOM = 12 };

/* What one sink was told. */
struct export {
    const struct sink_kind *kind;
    struct sink *sink;
    const struct config_output *wanted;
    bool is_delta;
    uint64_t turn;     /* number of the last interval */
    uint64_t minute;
    uint64_t window;   /* the board's minute that was told last, ns */
    uint64_t told_ns;
    struct told {
        uint64_t key;   /* of name and labels; 0: free */
        uint64_t value; /* told last */
    } numbers[NUMBERS]; /* of the board: taps come and go, so they are known by what they are called */
};

struct exporter {
    struct engine *engine;
    uint32_t count;
    struct export exports[SINKS];
};

/* A walk under way. */
struct walk {
    struct sink_snapshot snapshot; /* the first member: the sink gives it back */
    struct exporter *exporter;
    struct export *export;
    struct point_walk to;
};

/* ---- The board ------------------------------------------------------------------------------ */

/* Where the last value of a point is kept; NULL when there is no room. */
static uint64_t *told_of(struct export *e, const struct point *point)
{
    uint64_t key = hash64(point->name, strlen(point->name), 1);
    for (uint32_t i = 0; i < point->label_count; i++) {
        key = hash64(point->labels[i].value.data, point->labels[i].value.size, key);
    }
    key += key == 0;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        struct told *told = &e->numbers[(key + i) % NUMBERS];
        if (told->key == 0 || told->key == key) {
            told->key = key;
            return &told->value;
        }
    }
    return NULL;
}

static void put_row(struct walk *w, const struct board_row *row, const void *of,
                    struct point *point)
{
    struct export *e = w->export;
    uint64_t value = board_row_value(row, of);
    bool grows = board_row_grows(row);
    point->name = row->name;
    point->help = row->help;
    point->kind = grows ? POINT_SUM : POINT_GAUGE;
    point->value = (double)value;
    point->is_period = false;
    point->start_ns = w->snapshot.started_ns;
    uint64_t *told = grows && e->is_delta ? told_of(e, point) : NULL;
    if (told != NULL) {
        point->value = (double)(value >= *told ? value - *told : value);
        point->is_period = true;
        point->start_ns = e->told_ns;
        *told = value;
    }
    w->to.visit(w->to.context, point);
}

static struct point point_of(const struct walk *w)
{
    return (struct point){.scope = "vantage", .unit = "",
                          .start_ns = w->snapshot.started_ns, .end_ns = w->snapshot.time_ns};
}

static void put_taps(struct walk *w, const struct board *board)
{
    const struct board_row *row = board_tap_rows;
    for (; row->name != NULL; row++) {
        for (uint32_t i = 0; i < board->tap_count; i++) {
            struct point point = point_of(w);
            point_label(&point, "tap", span_str(board->taps[i].name));
            put_row(w, row, &board->taps[i], &point);
        }
    }
}

static void put_workers(struct walk *w, const struct board *board)
{
    const struct board_row *row = board_worker_rows;
    for (; row->name != NULL; row++) {
        for (uint32_t i = 0; i < board->worker_count; i++) {
            char index[INDEX_ROOM];
            struct point point = point_of(w);
            snprintf(index, sizeof index, "%u", i);
            point_label(&point, "worker", span_str(index));
            put_row(w, row, &board->workers[i], &point);
        }
    }
}

static void put_outputs(struct walk *w, const struct board *board)
{
    const struct board_row *row = board_output_rows;
    for (; row->name != NULL; row++) {
        for (uint32_t i = 0; i < board->output_count; i++) {
            char index[INDEX_ROOM];
            struct point point = point_of(w);
            snprintf(index, sizeof index, "%u", i);
            point_label(&point, "output", span_str(index));
            point_label(&point, "kind", span_str(board->outputs[i].kind));
            put_row(w, row, &board->outputs[i], &point);
        }
    }
}

/* Protocols: since the start, or the last whole minute, once. */
static void put_sets(struct walk *w, const struct board *board)
{
    struct export *e = w->export;
    struct point point = point_of(w);
    if (e->is_delta) {
        if (board->window_ns == 0 || board->window_ns == e->window) {
            return;
        }
        e->window = board->window_ns;
        point.is_period = true;
        point.start_ns = board->window_ns;
        point.end_ns = board->window_ns + MINUTE_NS;
    }
    for (uint32_t i = 0; i < board->set_count; i++) {
        const struct board_set *s = &board->sets[i];
        point_block(&w->to, &point, s->set, e->is_delta ? s->window : s->total, "vantage");
    }
}

static void walk_all(const struct sink_snapshot *snapshot, point_visit *visit, void *context)
{
    struct walk *w = (struct walk *)(uintptr_t)snapshot;
    struct engine *engine = w->exporter->engine;
    w->to = (struct point_walk){.visit = visit, .context = context,
                                .limit = (unsigned)w->export->wanted->push.top};
    const struct board *board = collector_lock(engine->collector);
    struct point about = point_of(w);
    about.name = "vantage_build_info";
    about.help = "Which vantage this is; always 1";
    about.kind = POINT_GAUGE;
    about.value = 1;
    point_label(&about, "version", span_str(VANTAGE_VERSION));
    point_label(&about, "mode", span_str(board->mode));
    visit(context, &about);
    for (const struct board_row *row = board_rows; row->name != NULL; row++) {
        struct point point = point_of(w);
        put_row(w, row, board, &point);
    }
    put_taps(w, board);
    put_workers(w, board);
    put_outputs(w, board);
    put_sets(w, board);
    collector_unlock(engine->collector);
    if (engine->options.policies != NULL) {
        policies_points(engine->options.policies, &w->to);
    }
}

/* ---- Turns ---------------------------------------------------------------------------------- */

static uint64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* The number of the interval that a time is in. */
static uint64_t turn_of(const struct export *e, uint64_t now_ns)
{
    uint64_t interval = (uint64_t)e->wanted->push.interval_ns;
    return (now_ns - (interval >= MINUTE_NS ? LAG_S * SECOND_NS : 0)) / interval;
}

static void take(struct exporter *exporter, struct export *e, uint64_t now_ns, bool last)
{
    uint64_t minute = (now_ns - LAG_S * SECOND_NS) / MINUTE_NS;
    struct walk w = {
        .snapshot = {.time_ns = now_ns,
                     .is_minute = minute != e->minute || last,
                     .is_last = last,
                     .walk = walk_all},
        .exporter = exporter,
        .export = e,
    };
    w.snapshot.started_ns = collector_lock(exporter->engine->collector)->started_ns;
    collector_unlock(exporter->engine->collector);
    e->told_ns = e->told_ns == 0 ? w.snapshot.started_ns : e->told_ns;
    e->kind->snapshot(e->sink, &w.snapshot);
    e->minute = minute;
    e->told_ns = now_ns;
}

void exporter_round(struct exporter *exporter, bool last)
{
    uint64_t now_ns = exporter->count > 0 ? wall_ns() : 0;
    for (uint32_t i = 0; i < exporter->count; i++) {
        struct export *e = &exporter->exports[i];
        uint64_t turn = turn_of(e, now_ns);
        if (last || turn != e->turn) {
            e->turn = turn;
            take(exporter, e, now_ns, last);
        }
    }
}

struct exporter *exporter_new(struct engine *engine)
{
    struct exporter *exporter = calloc(1, sizeof *exporter);
    const struct sink_kind *kind;
    struct sink *sink;
    uint64_t now_ns = wall_ns();
    if (exporter == NULL) {
        return NULL;
    }
    exporter->engine = engine;
    for (uint32_t i = 0; (kind = output_sink(engine->output, i, &sink)) != NULL; i++) {
        if (kind->snapshot == NULL || exporter->count == SINKS) {
            continue;
        }
        struct export *e = &exporter->exports[exporter->count++];
        e->kind = kind;
        e->sink = sink;
        e->wanted = &engine->config->outputs[i];
        e->is_delta = e->wanted->push.temporality != NULL &&
                      strcmp(e->wanted->push.temporality, "delta") == 0;
        e->turn = turn_of(e, now_ns);
        e->minute = (now_ns - LAG_S * SECOND_NS) / MINUTE_NS;
    }
    return exporter;
}

void exporter_free(struct exporter *exporter)
{
    free(exporter);
}
