// SPDX-License-Identifier: Apache-2.0
#include "dashboard/dashboard_chart.h"

#include <stdio.h>
#include <string.h>

static void member_bool(struct json *to, const char *name, bool value)
{
    json_key(to, name);
    json_bool(to, value);
}

static void member_raw(struct json *to, const char *name, const char *value)
{
    json_key(to, name);
    json_raw(to, span_str(value));
}

static unsigned measure_count(const struct dashboard_chart *chart)
{
    unsigned n = 0;
    while (n < DASHBOARD_MEASURES && chart->measures[n].what != 0) {
        n++;
    }
    return n;
}

/* ---- Aggregations ---------------------------------------------------------------------------------- */

/* Measures have the numbers from 1 on, splits those behind them. */
static void begin_aggregation(struct json *to, unsigned number, const char *type, const char *schema)
{
    char id[16];
    snprintf(id, sizeof id, "%u", number);
    json_object_begin(to);
    json_member_text(to, "id", id);
    member_bool(to, "enabled", true);
    json_member_text(to, "type", type);
    json_member_text(to, "schema", schema);
    json_key(to, "params");
    json_object_begin(to);
}

static void end_aggregation(struct json *to)
{
    json_object_end(to);
    json_object_end(to);
}

static void add_measure(struct json *to, const struct dashboard_measure *measure, unsigned number)
{
    static const char *const types[] = {
        [DASHBOARD_COUNT] = "count", [DASHBOARD_SUM] = "sum",
        [DASHBOARD_MAX] = "max",     [DASHBOARD_MIN] = "min",
        [DASHBOARD_PERCENTILES] = "percentiles", [DASHBOARD_DISTINCT] = "cardinality",
    };
    begin_aggregation(to, number, types[measure->what], "metric");
    if (measure->field != NULL) {
        json_member_text(to, "field", measure->field);
    }
    if (measure->what == DASHBOARD_PERCENTILES) {
        member_raw(to, "percents", "[50,95]");
    }
    if (measure->label != NULL) {
        json_member_text(to, "customLabel", measure->label);
    }
    end_aggregation(to);
}

static bool is_time(const struct dashboard_split *split)
{
    return strcmp(split->field, "@timestamp") == 0;
}

static void add_time(struct json *to, unsigned number)
{
    begin_aggregation(to, number, "date_histogram", "segment");
    json_member_text(to, "field", "@timestamp");
    member_bool(to, "useNormalizedEsInterval", true);
    member_bool(to, "scaleMetricValues", false);
    json_member_text(to, "interval", "auto");
    member_bool(to, "drop_partials", false);
    json_member_u64(to, "min_doc_count", 1);
    member_raw(to, "extended_bounds", "{}");
    end_aggregation(to);
}

/* By the first measure; of percentiles, by the higher one. */
static void add_values(struct json *to, const struct dashboard_chart *chart,
                       const struct dashboard_split *split, unsigned number, const char *schema)
{
    bool is_share = chart->measures[0].what == DASHBOARD_PERCENTILES;
    begin_aggregation(to, number, "terms", schema);
    json_member_text(to, "field", split->field);
    json_member_text(to, "orderBy", is_share ? "1.95" : "1");
    json_member_text(to, "order", split->is_ascending ? "asc" : "desc");
    json_member_u64(to, "size", split->most);
    member_bool(to, "otherBucket", false);
    json_member_text(to, "otherBucketLabel", "Other");
    member_bool(to, "missingBucket", false);
    json_member_text(to, "missingBucketLabel", "Missing");
    end_aggregation(to);
}

/* Where a split goes: rows of a table, slices of a pie, the axis below, or a series each. */
static const char *schema_of(const struct dashboard_chart *chart, unsigned i)
{
    if (chart->kind == DASHBOARD_TABLE) {
        return "bucket";
    }
    return chart->kind == DASHBOARD_PIE || i == 0 ? "segment" : "group";
}

static void add_aggregations(struct json *to, const struct dashboard_chart *chart)
{
    unsigned count = measure_count(chart);
    json_key(to, "aggs");
    json_array_begin(to);
    for (unsigned i = 0; i < count; i++) {
        add_measure(to, &chart->measures[i], i + 1);
    }
    for (unsigned i = 0; i < DASHBOARD_SPLITS && chart->splits[i].field != NULL; i++) {
        const struct dashboard_split *split = &chart->splits[i];
        if (is_time(split)) {
            add_time(to, count + i + 1);
        } else {
            add_values(to, chart, split, count + i + 1, schema_of(chart, i));
        }
    }
    json_array_end(to);
}

/* ---- How it is drawn ------------------------------------------------------------------------------- */

static const char *type_of(enum dashboard_kind kind)
{
    static const char *const types[] = {
        [DASHBOARD_LINE] = "line",   [DASHBOARD_AREA] = "area", [DASHBOARD_BARS] = "histogram",
        [DASHBOARD_PIE] = "pie",     [DASHBOARD_TABLE] = "table", [DASHBOARD_NUMBERS] = "metric",
        [DASHBOARD_EVENTS] = "search",
    };
    return types[kind];
}

static void add_legend(struct json *to, const char *type)
{
    json_member_text(to, "type", type);
    member_bool(to, "addTooltip", true);
    member_bool(to, "addLegend", true);
    json_member_text(to, "legendPosition", "right");
}

/* One for each measure: what it is drawn as. */
static void add_series(struct json *to, const struct dashboard_chart *chart)
{
    const char *type = type_of(chart->kind);
    json_key(to, "seriesParams");
    json_array_begin(to);
    for (unsigned i = 0; i < measure_count(chart); i++) {
        const struct dashboard_measure *measure = &chart->measures[i];
        char number[16];
        snprintf(number, sizeof number, "%u", i + 1);
        json_object_begin(to);
        member_bool(to, "show", true);
        json_member_text(to, "type", type);
        json_member_text(to, "mode", chart->kind == DASHBOARD_LINE ? "normal" : "stacked");
        json_key(to, "data");
        json_object_begin(to);
        json_member_text(to, "label", measure->label != NULL ? measure->label : "Count");
        json_member_text(to, "id", number);
        json_object_end(to);
        json_member_text(to, "valueAxis", "ValueAxis-1");
        json_member_text(to, "interpolate", "linear");
        json_member_u64(to, "lineWidth", 2);
        member_bool(to, "drawLinesBetweenPoints", true);
        member_bool(to, "showCircles", true);
        json_object_end(to);
    }
    json_array_end(to);
}

static void draw_axes(struct json *to, const struct dashboard_chart *chart)
{
    add_legend(to, type_of(chart->kind));
    member_raw(to, "grid", "{\"categoryLines\":false}");
    member_raw(to, "categoryAxes",
               "[{\"id\":\"CategoryAxis-1\",\"type\":\"category\",\"position\":\"bottom\",\"show\":true,"
               "\"style\":{},\"scale\":{\"type\":\"linear\"},\"labels\":{\"show\":true,\"filter\":true,"
               "\"truncate\":100},\"title\":{}}]");
    member_raw(to, "valueAxes",
               "[{\"id\":\"ValueAxis-1\",\"name\":\"LeftAxis-1\",\"type\":\"value\",\"position\":\"left\","
               "\"show\":true,\"style\":{},\"scale\":{\"type\":\"linear\",\"mode\":\"normal\"},\"labels\":"
               "{\"show\":true,\"rotate\":0,\"filter\":false,\"truncate\":100},\"title\":{\"text\":\"\"}}]");
    add_series(to, chart);
    member_raw(to, "times", "[]");
    member_bool(to, "addTimeMarker", false);
    member_raw(to, "labels", "{}");
    member_raw(to, "thresholdLine",
               "{\"show\":false,\"value\":10,\"width\":1,\"style\":\"full\",\"color\":\"#E7664C\"}");
}

static void draw_pie(struct json *to)
{
    add_legend(to, "pie");
    member_bool(to, "isDonut", true);
    member_raw(to, "labels", "{\"show\":false,\"values\":true,\"last_level\":true,\"truncate\":100}");
}

static void draw_table(struct json *to)
{
    json_member_u64(to, "perPage", 10);
    member_bool(to, "showPartialRows", false);
    member_bool(to, "showMetricsAtAllLevels", false);
    member_bool(to, "showTotal", false);
    json_member_text(to, "totalFunc", "sum");
    json_member_text(to, "percentageCol", "");
}

static void draw_numbers(struct json *to)
{
    json_member_text(to, "type", "metric");
    member_bool(to, "addTooltip", true);
    member_bool(to, "addLegend", false);
    member_raw(to, "metric",
               "{\"percentageMode\":false,\"useRanges\":false,\"colorSchema\":\"Green to Red\","
               "\"metricColorMode\":\"None\",\"colorsRange\":[{\"from\":0,\"to\":10000}],\"labels\":"
               "{\"show\":true},\"invertColors\":false,\"style\":{\"bgFill\":\"#000\",\"bgColor\":false,"
               "\"labelColor\":false,\"subText\":\"\",\"fontSize\":32}}");
}

static void draw(struct json *to, const struct dashboard_chart *chart)
{
    if (chart->kind == DASHBOARD_PIE) {
        draw_pie(to);
    } else if (chart->kind == DASHBOARD_TABLE) {
        draw_table(to);
    } else if (chart->kind == DASHBOARD_NUMBERS) {
        draw_numbers(to);
    } else {
        draw_axes(to, chart);
    }
}

void dashboard_chart_state(struct json *to, const struct dashboard_chart *chart, const char *title)
{
    json_object_begin(to);
    json_member_text(to, "title", title);
    json_member_text(to, "type", type_of(chart->kind));
    add_aggregations(to, chart);
    json_key(to, "params");
    json_object_begin(to);
    draw(to, chart);
    json_object_end(to);
    json_object_end(to);
}

void dashboard_chart_text(struct json *to, const char *title, struct span text)
{
    json_object_begin(to);
    json_member_text(to, "title", title);
    json_member_text(to, "type", "markdown");
    member_raw(to, "aggs", "[]");
    json_key(to, "params");
    json_object_begin(to);
    json_member_u64(to, "fontSize", 12);
    member_bool(to, "openLinksInNewTab", false);
    json_key(to, "markdown");
    json_span(to, text);
    json_object_end(to);
    json_object_end(to);
}
