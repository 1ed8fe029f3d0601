// SPDX-License-Identifier: Apache-2.0
/* TCP connections of a running agent, for readers: the list from the roll, graphs from the workers. */
#include "engine/engine.h"

#include "engine/engine_core.h"
#include "engine/health_desk.h"

#include <stdlib.h>
#include <time.h>

enum { ASK_MS = 1000 };

_Static_assert((int)CONNECTION_MARKS_MAX == (int)WORKER_GRAPH_ROOM, "one is the other's");

bool engine_connection_page(struct engine *engine, uint32_t limit, struct connection_page *ret,
                            struct err *err)
{
    *ret = (struct connection_page){0};
    struct health_roll *roll = health_desk_roll(output_health(engine->output));
    uint32_t max = limit < CONNECTION_PAGE_MAX ? limit : CONNECTION_PAGE_MAX;
    ret->connections = calloc(max + 1, sizeof *ret->connections);
    if (ret->connections == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    if (roll != NULL) {
        ret->judged = true;
        ret->count = health_roll_worst(roll, ret->connections, max, &ret->total);
    }
    return true;
}

/* Asks one worker; false when it did not answer in time. */
static bool ask(struct worker *worker, struct worker_graph *graph)
{
    struct worker_query query = {.graph = graph};
    if (!worker_ask(worker, &query)) {
        return false;
    }
    for (unsigned waited_ms = 0;; waited_ms++) {
        if (atomic_load_explicit(&query.done, memory_order_acquire)) {
            return true;
        }
        if (waited_ms >= ASK_MS && worker_withdraw(worker, &query)) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void draw(struct engine *engine, struct connection_view *view)
{
    static const char *const words[] = {
        [WORKER_GRAPH_NONE] = "no",
        [WORKER_GRAPH_BEGUN] = "begun",
        [WORKER_GRAPH_PART] = "part",
        [WORKER_GRAPH_WHOLE] = "whole",
    };
    struct worker_graph graph = {
        .id = {.key = view->connection->flow.key, .order = view->connection->flow.head.suborder},
        .marks = view->marks,
    };
    for (uint32_t i = 0; i < engine->worker_count && graph.state == WORKER_GRAPH_NONE; i++) {
        ask(engine->workers[i], &graph);
    }
    view->mark_count = graph.count;
    view->columns = graph.columns;
    view->seen = graph.seen;
    view->drawn = words[graph.state];
}

bool engine_connection(struct engine *engine, const char *flow_id, struct connection_view *ret,
                       struct err *err)
{
    *ret = (struct connection_view){0};
    struct health_roll *roll = health_desk_roll(output_health(engine->output));
    ret->connection = calloc(1, sizeof *ret->connection);
    ret->marks = calloc(CONNECTION_MARKS_MAX, sizeof *ret->marks);
    if (ret->connection == NULL || ret->marks == NULL) {
        connection_view_done(ret);
        return err_set(err, ERR_FAILED, "out of memory");
    }
    if (roll == NULL || !health_roll_find(roll, flow_id, ret->connection)) {
        connection_view_done(ret);
        return err_set(err, ERR_USAGE, "no such connection: it was not judged, or gave way to others");
    }
    draw(engine, ret);
    return true;
}

const char *engine_mark_name(unsigned kind)
{
    return kind < TCP_MARK_KINDS ? tcp_mark_name((enum tcp_mark_kind)kind) : NULL;
}

void connection_view_done(struct connection_view *view)
{
    free(view->connection);
    free(view->marks);
    *view = (struct connection_view){0};
}
