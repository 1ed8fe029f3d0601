// SPDX-License-Identifier: Apache-2.0
#include "api/get_connections.h"

#include <stdlib.h>

#include "base/text.h"
#include "event/event_writer.h"

enum { CONNECTIONS_LIMIT_DEFAULT = 100 };

/* ---- Parameters ------------------------------------------------------------------------------ */

static bool read_limit(const char *text, void *values)
{
    int64_t limit;
    if (!text_parse_number(text, &limit) || limit < 1 || limit > CONNECTION_PAGE_MAX) {
        return false;
    }
    *(uint32_t *)values = (uint32_t)limit;
    return true;
}

struct wanted {
    char id[PARAMETER_VALUE_MAX + 1];
};

static bool read_id(const char *text, void *values)
{
    struct wanted *wanted = values;
    size_t size = strlen(text);
    if (size == 0 || size > PARAMETER_VALUE_MAX) {
        return false;
    }
    memcpy(wanted->id, text, size + 1);
    return true;
}

const struct parameter get_connections_parameters[] = {
    {"limit", "a whole number from 1 to 500", "connections at most, 100 if not given", read_limit},
    {0},
};

const struct parameter get_connections_one_parameters[] = {
    {"id", "a flow.id", "which connection, as /api/v1/connections has it", read_id},
    {0},
};

/* ---- The list -------------------------------------------------------------------------------- */

void get_connections(struct exchange *x)
{
    uint32_t limit = CONNECTIONS_LIMIT_DEFAULT;
    if (!parameters_read(x, get_connections_parameters, &limit)) {
        return;
    }
    struct connection_page page;
    struct err err = {0};
    if (!engine_connection_page(x->service->engine, limit, &page, &err)) {
        exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", err.text);
        return;
    }
    struct json *to = &x->body;
    json_object_begin(to);
    json_key(to, "judged");
    json_bool(to, page.judged);
    json_key(to, "total");
    json_u64(to, page.total);
    json_key(to, "connections");
    json_array_begin(to);
    event_writer_list(to, &page.connections->flow.head, page.count, sizeof *page.connections);
    json_array_end(to);
    json_object_end(to);
    free(page.connections);
}

/* ---- One ------------------------------------------------------------------------------------- */

/* [microseconds since the first mark, kind, way, from, to, count] */
static void write_mark(struct json *to, const struct tcp_mark *mark, uint64_t first_ns)
{
    json_array_begin(to);
    json_u64(to, (mark->time_ns - first_ns) / 1000);
    json_u64(to, mark->kind);
    json_u64(to, mark->way);
    json_i64(to, mark->from);
    json_i64(to, mark->to);
    json_u64(to, mark->count);
    json_array_end(to);
}

static void write_graph(struct json *to, const struct connection_view *view)
{
    json_object_begin(to);
    json_key(to, "drawn");
    json_text(to, view->drawn);
    json_key(to, "seen");
    json_u64(to, view->seen);
    json_key(to, "columns");
    json_u64(to, view->columns);
    json_key(to, "kinds");
    json_array_begin(to);
    for (unsigned kind = 0; engine_mark_name(kind) != NULL; kind++) {
        json_text(to, engine_mark_name(kind));
    }
    json_array_end(to);
    json_key(to, "marks");
    json_array_begin(to);
    for (uint32_t i = 0; i < view->mark_count; i++) {
        write_mark(to, &view->marks[i], view->marks[0].time_ns);
    }
    json_array_end(to);
    json_object_end(to);
}

void get_connections_one(struct exchange *x)
{
    struct wanted wanted = {0};
    if (!parameters_read(x, get_connections_one_parameters, &wanted)) {
        return;
    }
    if (wanted.id[0] == '\0') {
        exchange_refuse(x, MHD_HTTP_BAD_REQUEST,
                        "id is missing: a flow.id, as /api/v1/connections has it");
        return;
    }
    struct connection_view view;
    struct err err = {0};
    pthread_mutex_lock(x->service->searching);
    bool found = engine_connection(x->service->engine, wanted.id, &view, &err);
    pthread_mutex_unlock(x->service->searching);
    if (!found) {
        bool missing = err.code == ERR_USAGE;
        exchange_refuse(x, missing ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE, "%s",
                        err.text);
        return;
    }
    json_object_begin(&x->body);
    json_key(&x->body, "connection");
    event_json(&x->body, &view.connection->flow.head);
    json_key(&x->body, "graph");
    write_graph(&x->body, &view);
    json_object_end(&x->body);
    connection_view_done(&view);
}
