// SPDX-License-Identifier: Apache-2.0
#include "dashboard/dashboard.h"

#include <stdio.h>
#include <string.h>

#include "dashboard/dashboard_chart.h"

#define LEAD "vantage-"
#define SOURCE "kibanaSavedObjectMeta.searchSourceJSON.index" /* the name of a reference */

enum {
    GRID_WIDTH = 48,
    NOTE_HEIGHT = 5,
    NUMBERS_HEIGHT = 8,
    CHART_HEIGHT = 13,
    EVENTS_HEIGHT = 18,
    TITLE_ROOM = 160,
};

/* ---- Names ------------------------------------------------------------------------------------------- */

void dashboard_id(char ret[DASHBOARD_ID], const struct dashboard *dashboard)
{
    snprintf(ret, DASHBOARD_ID, LEAD "%s", dashboard->name);
}

const struct dashboard *dashboard_find(const char *id)
{
    size_t lead = strncmp(id, LEAD, sizeof LEAD - 1) == 0 ? sizeof LEAD - 1 : 0;
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        if (strcmp(d->name, id + lead) == 0) {
            return d;
        }
    }
    return NULL;
}

static void chart_id(char ret[DASHBOARD_ID], const struct dashboard *dashboard, const char *name)
{
    snprintf(ret, DASHBOARD_ID, LEAD "%s-%s", dashboard->name, name);
}

static const char *type_of(const struct dashboard_chart *chart)
{
    return chart->kind == DASHBOARD_EVENTS ? "search" : "visualization";
}

/* ---- Objects ----------------------------------------------------------------------------------------- */

/* Up to its attributes, which are left open. */
static void begin_object(struct json *to, const char *type, const char *id, const char *title,
                         const char *description)
{
    to->comma = false;
    json_object_begin(to);
    json_member_text(to, "id", id);
    json_member_text(to, "type", type);
    json_key(to, "attributes");
    json_object_begin(to);
    json_member_text(to, "title", title);
    if (description != NULL) {
        json_member_text(to, "description", description);
        json_member_u64(to, "version", 1);
    }
}

static void add_reference(struct json *to, const char *name, const char *type, const char *id)
{
    json_object_begin(to);
    json_member_text(to, "name", name);
    json_member_text(to, "type", type);
    json_member_text(to, "id", id);
    json_object_end(to);
}

/* References are open before, the line is whole behind it. */
static void end_object(struct json *to, const char *type, const char *version)
{
    json_array_end(to);
    json_key(to, "migrationVersion");
    json_object_begin(to);
    json_member_text(to, type, version);
    json_object_end(to);
    json_object_end(to);
    json_append(to, "\n", 1);
}

static void begin_references(struct json *to)
{
    json_object_end(to); /* the attributes */
    json_key(to, "references");
    json_array_begin(to);
}

/* JSON as a text in JSON, which is what several attributes are. */
static void member_inner(struct json *to, const char *name, struct json *inner)
{
    json_key(to, name);
    json_span(to, span_of(inner->data, inner->size));
    json_done(inner);
}

/* What is asked for; `query` NULL: nothing by itself, and of no index. */
static void add_source(struct json *to, const char *query)
{
    struct json inner;
    json_init(&inner);
    json_object_begin(&inner);
    json_key(&inner, "query");
    json_object_begin(&inner);
    json_member_text(&inner, "query", query != NULL ? query : "");
    json_member_text(&inner, "language", "kuery");
    json_object_end(&inner);
    json_key(&inner, "filter");
    json_raw(&inner, span_str("[]"));
    if (query != NULL) {
        json_member_text(&inner, "indexRefName", SOURCE);
    }
    json_object_end(&inner);
    json_key(to, "kibanaSavedObjectMeta");
    json_object_begin(to);
    member_inner(to, "searchSourceJSON", &inner);
    json_object_end(to);
}

/* ---- Index patterns ---------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t wanted = strlen(end);
    return size >= wanted && strcmp(text + size - wanted, end) == 0;
}

/* How a number is shown, by the field's name; NULL: as it is. */
static const char *format_of(const char *field)
{
    if (strcmp(field, "event.duration") == 0 || strcmp(field, "flow.tcp.handshake") == 0) {
        return "{\"id\":\"duration\",\"params\":{\"inputFormat\":\"nanoseconds\","
               "\"outputFormat\":\"asMilliseconds\",\"outputPrecision\":2}}";
    }
    if (ends_with(field, ".bytes") || ends_with(field, "_bytes")) {
        return "{\"id\":\"bytes\"}";
    }
    if (ends_with(field, ".port") || ends_with(field, "status_code")) {
        return "{\"id\":\"number\",\"params\":{\"pattern\":\"0\"}}";
    }
    return NULL;
}

static void add_format(struct json *formats, const char *field)
{
    char key[DASHBOARD_ID];
    const char *format = field != NULL ? format_of(field) : NULL;
    int size = snprintf(key, sizeof key, "\"%s\":", field != NULL ? field : "");
    if (format == NULL || memmem(formats->data, formats->size, key, (size_t)size) != NULL) {
        return; /* of another chart, too */
    }
    json_key(formats, field);
    json_raw(formats, span_str(format));
}

static void add_formats(struct json *formats, const struct dashboard_chart *chart)
{
    for (unsigned i = 0; i < DASHBOARD_MEASURES; i++) {
        add_format(formats, chart->measures[i].field);
    }
    for (unsigned i = 0; i < DASHBOARD_SPLITS; i++) {
        add_format(formats, chart->splits[i].field);
    }
    for (unsigned i = 0; i < DASHBOARD_COLUMNS; i++) {
        add_format(formats, chart->columns[i]);
    }
}

void dashboard_write_pattern(struct json *to, const char *index)
{
    struct json formats;
    json_init(&formats);
    json_object_begin(&formats);
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        for (const struct dashboard_chart *chart = d->charts; chart->title != NULL; chart++) {
            add_formats(&formats, chart);
        }
    }
    json_object_end(&formats);
    begin_object(to, "index-pattern", index, index, NULL);
    json_member_text(to, "timeFieldName", "@timestamp");
    json_member_text(to, "fields", "[]"); /* as the cluster has them */
    member_inner(to, "fieldFormatMap", &formats);
    begin_references(to);
    end_object(to, "index-pattern", "7.6.0");
}

/* ---- Charts ------------------------------------------------------------------------------------------ */

static void write_visualization(struct json *to, const struct dashboard_chart *chart, const char *id,
                                const char *title)
{
    struct json state;
    json_init(&state);
    dashboard_chart_state(&state, chart, title);
    begin_object(to, "visualization", id, title, "");
    member_inner(to, "visState", &state);
    json_member_text(to, "uiStateJSON", "{}");
}

static void write_search(struct json *to, const struct dashboard_chart *chart, const char *id,
                         const char *title)
{
    begin_object(to, "search", id, title, "");
    json_key(to, "columns");
    json_array_begin(to);
    for (unsigned i = 0; i < DASHBOARD_COLUMNS && chart->columns[i] != NULL; i++) {
        json_text(to, chart->columns[i]);
    }
    json_array_end(to);
    json_key(to, "sort");
    json_raw(to, span_str("[[\"@timestamp\",\"desc\"]]"));
    json_member_u64(to, "hits", 0);
}

static void write_chart(struct json *to, const struct dashboard *dashboard,
                        const struct dashboard_chart *chart, const char *index)
{
    char id[DASHBOARD_ID];
    char title[TITLE_ROOM];
    chart_id(id, dashboard, chart->name);
    snprintf(title, sizeof title, "%s [vantage %s]", chart->title, dashboard->title);
    if (chart->kind == DASHBOARD_EVENTS) {
        write_search(to, chart, id, title);
    } else {
        write_visualization(to, chart, id, title);
    }
    add_source(to, chart->query);
    begin_references(to);
    add_reference(to, SOURCE, "index-pattern", index);
    end_object(to, type_of(chart), chart->kind == DASHBOARD_EVENTS ? "7.9.3" : "7.10.0");
}

/* Ways to the others, and what fills this one. */
static void write_note(struct json *to, const struct dashboard *dashboard)
{
    char id[DASHBOARD_ID];
    char title[TITLE_ROOM];
    struct json text, state;
    json_init(&text);
    json_init(&state);
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        const char *between = d == dashboards ? "" : " | ";
        if (d == dashboard) {
            json_printf(&text, "%s**%s**", between, d->title);
        } else {
            json_printf(&text, "%s[%s](#/view/" LEAD "%s)", between, d->title, d->name);
        }
    }
    json_printf(&text, "\n\n%s %s", dashboard->description, dashboard->note);
    chart_id(id, dashboard, "note");
    snprintf(title, sizeof title, "Dashboards [vantage %s]", dashboard->title);
    dashboard_chart_text(&state, title, span_of(text.data, text.size));
    json_done(&text);
    begin_object(to, "visualization", id, title, "");
    member_inner(to, "visState", &state);
    json_member_text(to, "uiStateJSON", "{}");
    add_source(to, NULL);
    begin_references(to);
    end_object(to, "visualization", "7.10.0");
}

/* ---- Dashboards -------------------------------------------------------------------------------------- */

struct layout {
    struct json *panels;
    unsigned number;
    unsigned x, y;
    unsigned height; /* of the line under way */
};

/* `title` NULL: without one. */
static void add_panel(struct layout *l, const char *title, unsigned width, unsigned height)
{
    char name[32];
    if (l->x + width > GRID_WIDTH) {
        l->x = 0;
        l->y += l->height;
        l->height = 0;
    }
    snprintf(name, sizeof name, "%u", l->number);
    json_object_begin(l->panels);
    json_member_text(l->panels, "version", "7.10.2");
    json_member_text(l->panels, "panelIndex", name);
    if (title != NULL) {
        json_member_text(l->panels, "title", title);
    }
    json_key(l->panels, "gridData");
    json_object_begin(l->panels);
    json_member_u64(l->panels, "x", l->x);
    json_member_u64(l->panels, "y", l->y);
    json_member_u64(l->panels, "w", width);
    json_member_u64(l->panels, "h", height);
    json_member_text(l->panels, "i", name);
    json_object_end(l->panels);
    json_key(l->panels, "embeddableConfig");
    json_raw(l->panels, span_str(title != NULL ? "{}" : "{\"hidePanelTitles\":true}"));
    snprintf(name, sizeof name, "panel_%u", l->number++);
    json_member_text(l->panels, "panelRefName", name);
    json_object_end(l->panels);
    l->x += width;
    l->height = height > l->height ? height : l->height;
}

static void add_panels(struct json *panels, const struct dashboard *dashboard)
{
    struct layout l = {.panels = panels};
    json_array_begin(panels);
    add_panel(&l, NULL, GRID_WIDTH, NOTE_HEIGHT);
    for (const struct dashboard_chart *chart = dashboard->charts; chart->title != NULL; chart++) {
        bool is_wide = chart->kind == DASHBOARD_NUMBERS || chart->kind == DASHBOARD_EVENTS;
        unsigned height = chart->kind == DASHBOARD_NUMBERS  ? NUMBERS_HEIGHT
                          : chart->kind == DASHBOARD_EVENTS ? EVENTS_HEIGHT
                                                            : CHART_HEIGHT;
        add_panel(&l, chart->title, is_wide ? GRID_WIDTH : GRID_WIDTH / 2, height);
    }
    json_array_end(panels);
}

static void add_panel_references(struct json *to, const struct dashboard *dashboard)
{
    char id[DASHBOARD_ID];
    char name[32];
    unsigned number = 0;
    chart_id(id, dashboard, "note");
    add_reference(to, "panel_0", "visualization", id);
    for (const struct dashboard_chart *chart = dashboard->charts; chart->title != NULL; chart++) {
        chart_id(id, dashboard, chart->name);
        snprintf(name, sizeof name, "panel_%u", ++number);
        add_reference(to, name, type_of(chart), id);
    }
}

void dashboard_write(struct json *to, const struct dashboard *dashboard, const char *index)
{
    char id[DASHBOARD_ID];
    char title[TITLE_ROOM];
    struct json panels;
    write_note(to, dashboard);
    for (const struct dashboard_chart *chart = dashboard->charts; chart->title != NULL; chart++) {
        write_chart(to, dashboard, chart, index);
    }
    json_init(&panels);
    add_panels(&panels, dashboard);
    dashboard_id(id, dashboard);
    snprintf(title, sizeof title, "[vantage] %s", dashboard->title);
    begin_object(to, "dashboard", id, title, dashboard->description);
    member_inner(to, "panelsJSON", &panels);
    json_member_text(to, "optionsJSON", "{\"useMargins\":true,\"hidePanelTitles\":false}");
    json_key(to, "timeRestore");
    json_bool(to, false);
    json_member_u64(to, "hits", 0);
    add_source(to, NULL);
    begin_references(to);
    add_panel_references(to, dashboard);
    end_object(to, "dashboard", "7.9.3");
}
