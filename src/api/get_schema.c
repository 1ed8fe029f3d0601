// SPDX-License-Identifier: Apache-2.0
#include "api/get_schema.h"

#include <stdio.h>

#include "api/routes.h"

enum { PATH_ROOM = 256 };

static void member_text(struct json *to, const char *name, const char *value)
{
    json_key(to, name);
    json_text(to, value);
}

/* ---- Metrics --------------------------------------------------------------------------------- */

static const char *kind_name(enum metric_kind kind)
{
    static const char *const names[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge",
        [METRIC_CARDINALITY] = "cardinality", [METRIC_TOPN] = "topn",
        [METRIC_LABELLED] = "labelled", [METRIC_QUANTILES] = "quantiles",
        [METRIC_HISTOGRAM] = "histogram", [METRIC_RATE] = "rate", [METRIC_INFO] = "info",
        [METRIC_PEAK] = "gauge", [METRIC_VIEW] = "histogram",
    };
    return names[kind];
}

static const char *key_name(enum metric_key key)
{
    static const char *const names[] = {
        [METRIC_KEY_NONE] = "none", [METRIC_KEY_ADDRESS] = "address",
        [METRIC_KEY_PAIR] = "pair", [METRIC_KEY_PORT] = "port", [METRIC_KEY_TEXT] = "text",
        [METRIC_KEY_ESCAPED] = "text",
    };
    return names[key];
}

static void write_topn(struct json *to, const struct metric *metric)
{
    member_text(to, "key", key_name(metric->key));
    json_key(to, "extras");
    json_array_begin(to);
    for (const char *const *extra = metric->extras; extra != NULL && *extra != NULL; extra++) {
        json_text(to, *extra);
    }
    json_array_end(to);
}

static void write_metric(struct json *to, const struct metric *metric)
{
    json_object_begin(to);
    member_text(to, "name", metric->name);
    member_text(to, "kind", kind_name(metric->kind));
    member_text(to, "unit", metric->unit);
    member_text(to, "group", metric->group);
    member_text(to, "help", metric->help);
    if (metric->kind == METRIC_LABELLED) {
        member_text(to, "label", metric->label);
    }
    if (metric->kind == METRIC_TOPN) {
        write_topn(to, metric);
    }
    json_object_end(to);
}

static void write_sets(struct json *to, const struct board *board)
{
    json_array_begin(to);
    for (uint32_t i = 0; i < board->set_count; i++) {
        const struct metric_set *set = board->sets[i].set;
        json_object_begin(to);
        member_text(to, "name", set->name);
        member_text(to, "help", set->help);
        json_key(to, "metrics");
        json_array_begin(to);
        for (const struct metric *metric = set->metrics; metric->name != NULL; metric++) {
            write_metric(to, metric);
        }
        json_array_end(to);
        json_object_end(to);
    }
    json_array_end(to);
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* The type that an index of such events would give the field. */
static const char *field_type(enum event_kind kind)
{
    switch (kind) {
    case EVENT_BOOL:
    case EVENT_TRUTH: return "boolean";
    case EVENT_U8:
    case EVENT_U16:
    case EVENT_U32:
    case EVENT_U64:
    case EVENT_I64:
    case EVENT_OPTIONAL:
    case EVENT_U16_LIST: return "long";
    case EVENT_NUMBER: return "double";
    case EVENT_TIME: return "date";
    case EVENT_ADDRESS:
    case EVENT_ADDRESSES: return "ip";
    case EVENT_PAIRS:
    case EVENT_ITEMS: return "object";
    case EVENT_MAC:
    case EVENT_SPAN:
    case EVENT_SPANS:
    case EVENT_VALUE:
    case EVENT_TEXT:
    case EVENT_INLINE:
    case EVENT_JSON: return "keyword";
    }
    return "keyword";
}

static void write_field(struct json *to, const char *name, const struct event_field *field)
{
    json_object_begin(to);
    member_text(to, "name", name);
    member_text(to, "type", field_type(field->kind));
    member_text(to, "help", field->help);
    json_object_end(to);
}

/* Fields, and those of an object that is one value to its event. */
static void write_fields(struct json *to, const struct event_type *type, const char *above)
{
    struct event_walk walk = event_walk_of(type);
    for (const struct event_field *field; (field = event_walk_next(&walk)) != NULL;) {
        char name[PATH_ROOM];
        snprintf(name, sizeof name, "%s%s%s", above, *above != '\0' ? "." : "", field->name);
        if (field->kind == EVENT_VALUE && field->item != NULL) {
            write_fields(to, field->item, name);
        } else {
            write_field(to, name, field);
        }
    }
}

static void write_event_type(struct json *to, const struct event_type *type)
{
    json_object_begin(to);
    member_text(to, "dataset", type->dataset);
    member_text(to, "help", type->help);
    json_key(to, "fields");
    json_array_begin(to);
    write_fields(to, type, "");
    json_array_end(to);
    json_object_end(to);
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static void write_parameters(struct json *to, const struct parameter *parameters)
{
    json_array_begin(to);
    for (const struct parameter *p = parameters; p != NULL && p->name != NULL; p++) {
        json_object_begin(to);
        member_text(to, "name", p->name);
        member_text(to, "takes", p->takes);
        member_text(to, "help", p->help);
        json_object_end(to);
    }
    json_array_end(to);
}

static void write_routes(struct json *to)
{
    json_array_begin(to);
    for (const struct route *route = routes; route->path != NULL; route++) {
        json_object_begin(to);
        member_text(to, "method", route->method);
        member_text(to, "path", route->path);
        member_text(to, "help", route->help);
        json_key(to, "parameters");
        write_parameters(to, route->parameters);
        json_object_end(to);
    }
    json_array_end(to);
}

void get_schema(struct exchange *x)
{
    struct json *to = &x->body;
    json_object_begin(to);
    json_key(to, "metrics");
    write_sets(to, engine_lock(x->service->engine));
    engine_unlock(x->service->engine);
    json_key(to, "events");
    json_array_begin(to);
    write_event_type(to, &flow_event_type);
    write_event_type(to, &health_event_type);
    write_event_type(to, &health_flat_type);
    json_array_end(to);
    json_key(to, "routes");
    write_routes(to);
    json_object_end(to);
}
