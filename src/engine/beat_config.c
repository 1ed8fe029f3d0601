// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "engine/beat_core.h"
#include "engine/host_facts.h"

enum { TYPES_MAX = 64 };

struct beat_inside {
    struct nodes tree;
    struct beat_options beat;
    struct beat_type types[TYPES_MAX];
};

/* ---- Values -------------------------------------------------------------------------------------- */

bool beat_refuse(struct beat_reading *r, const struct node *at, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const struct beat_source *source = &r->arguments->source;
    if (at != NULL && at->line != 0) {
        return err_set(r->err, ERR_FAILED, "%s:%u:%u: %s", source->files[0], at->line, at->column,
                       text);
    }
    return err_set(r->err, ERR_FAILED, "%s", text);
}

void beat_warn(struct beat_reading *r, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    config_list_add(r->config, &r->to->warnings, text);
}

struct node *beat_take(const struct node *map, const char *path)
{
    struct node *node = map != NULL ? node_find(map, span_str(path)) : NULL;
    if (node == NULL) {
        return NULL;
    }
    node->used = true;
    return node->kind != NODE_NULL ? node : NULL;
}

void beat_use_all(struct node *node)
{
    node->used = true;
    for (struct node *child = node->first; child != NULL; child = child->next) {
        beat_use_all(child);
    }
}

bool beat_flag(struct beat_reading *r, const struct node *map, const char *path, bool otherwise)
{
    const struct node *node = beat_take(map, path);
    if (node == NULL) {
        return otherwise;
    }
    if (!node_is(node, "true") && !node_is(node, "false")) {
        beat_refuse(r, node, "%s is true or false", path);
    }
    return node_is(node, "true");
}

const char *beat_text(struct beat_reading *r, const struct node *map, const char *path,
                      const char *otherwise)
{
    const struct node *node = beat_take(map, path);
    if (node == NULL) {
        return otherwise;
    }
    if (!node_is_scalar(node)) {
        beat_refuse(r, node, "%s is a single value", path);
        return otherwise;
    }
    return (const char *)node_copy(r->tree, node->text).data;
}

int64_t beat_number(struct beat_reading *r, const struct node *map, const char *path,
                    int64_t otherwise)
{
    int64_t number = otherwise;
    const char *text = beat_text(r, map, path, NULL);
    if (text != NULL && !text_parse_number(text, &number)) {
        beat_refuse(r, node_find(map, span_str(path)), "%s '%s' is not a whole number", path, text);
    }
    return number;
}

int64_t beat_duration(struct beat_reading *r, const struct node *map, const char *path,
                      int64_t otherwise)
{
    int64_t value = otherwise;
    const char *text = beat_text(r, map, path, NULL);
    if (text == NULL) {
        return otherwise;
    }
    if (text_parse_number(text, &value)) {
        return value * 1000000000;
    }
    if (!text_parse_duration(text, &value)) {
        beat_refuse(r, node_find(map, span_str(path)), "%s '%s' is not a duration such as 10s", path,
                    text);
    }
    return value;
}

struct text_list beat_list(struct beat_reading *r, const struct node *map, const char *path)
{
    struct text_list list = {0};
    struct node *node = beat_take(map, path);
    if (node == NULL) {
        return list;
    }
    if (node_is_scalar(node)) {
        config_list_add(r->config, &list, (const char *)node_copy(r->tree, node->text).data);
        return list;
    }
    beat_use_all(node);
    for (const struct node *item = node->first; item != NULL; item = item->next) {
        if (!node_is_scalar(item) || list.count == CONFIG_ITEMS_MAX) {
            beat_refuse(r, item, "%s is a list of single values, at most %d", path,
                        CONFIG_ITEMS_MAX);
            return list;
        }
        config_list_add(r->config, &list, (const char *)node_copy(r->tree, item->text).data);
    }
    return list;
}

/* ---- Processors ---------------------------------------------------------------------------------- */

struct processors *beat_processors(struct beat_reading *r, const struct node *list)
{
    struct err err = {0};
    struct node *ignored = node_new(r->tree, NODE_LIST, (struct span){0});
    struct processor_facts facts = host_facts(r->tree);
    struct processors *processors = processors_new(list, &facts, ignored, &err);
    if (processors == NULL) {
        beat_refuse(r, NULL, "%s:%s", r->arguments->source.files[0], err.text);
        return NULL;
    }
    for (const struct node *name = ignored->first; name != NULL; name = name->next) {
        beat_warn(r, "processor %.*s is not available: events pass as they are",
                  (int)name->text.size, name->text.data);
    }
    return processors;
}

static bool read_processors(struct beat_reading *r)
{
    struct node *list = beat_take(r->root, "processors");
    if (list == NULL) {
        return true;
    }
    beat_use_all(list);
    for (struct node *item = list->first; item != NULL; item = item->next) {
        item->used = true;
    }
    struct processors *processors = beat_processors(r, list);
    bool is_good = processors != NULL;
    processors_free(processors); /* the output makes its own */
    r->config->processors = list;
    return is_good;
}

bool beat_read_type(struct beat_reading *r, const char *type, struct node *map)
{
    if (r->beat->type_count == TYPES_MAX) {
        return beat_refuse(r, map, "more than %d protocols", TYPES_MAX);
    }
    struct beat_type *to = &r->to->inside->types[r->beat->type_count];
    *to = (struct beat_type){
        .type = type,
        .index = beat_text(r, map, "index", NULL),
        .tags = beat_list(r, map, "tags"),
        .fields_under_root = beat_flag(r, map, "fields_under_root", false),
    };
    (void)beat_flag(r, map, "keep_null", false); /* no event has null values */
    struct node *fields = beat_take(map, "fields");
    if (fields != NULL) {
        beat_use_all(fields);
        to->fields = fields;
    }
    struct node *list = beat_take(map, "processors");
    if (list != NULL) {
        beat_use_all(list);
        to->processors = beat_processors(r, list);
        if (to->processors == NULL) {
            return false;
        }
    }
    r->beat->type_count++;
    return true;
}

/* ---- General -------------------------------------------------------------------------------------- */

static bool read_precision(struct beat_reading *r)
{
    static const char *const names[] = {"millisecond", "microsecond", "nanosecond"};
    const char *text = beat_text(r, r->root, "timestamp.precision", names[0]);
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], text) == 0) {
            r->beat->precision = (enum beat_precision)i;
            return true;
        }
    }
    return beat_refuse(r, node_find(r->root, span_str("timestamp.precision")),
                       "timestamp.precision '%s' is not millisecond, microsecond or nanosecond",
                       text);
}

static bool read_level(struct beat_reading *r)
{
    const char *level = beat_text(r, r->root, "logging.level", "info");
    if (strcmp(level, "critical") == 0) {
        level = "error";
    }
    for (int i = 0; log_level_names[i] != NULL; i++) {
        if (strcmp(level, log_level_names[i]) == 0) {
            r->config->log_level = (enum log_level)i;
            return true;
        }
    }
    return beat_refuse(r, node_find(r->root, span_str("logging.level")),
                       "logging.level '%s' is not error, warning, info or debug", level);
}

static void read_http(struct beat_reading *r)
{
    const char *host = beat_text(r, r->root, "http.host", "localhost");
    int64_t port = beat_number(r, r->root, "http.port", 5066);
    r->config->api.enabled = beat_flag(r, r->root, "http.enabled", false);
    if (r->config->api.enabled) {
        struct span listen = node_format(r->tree, "%s:%lld", host, (long long)port);
        r->config->api.listen = config_text(r->config, (const char *)listen.data);
        beat_warn(r, "http.enabled: vantage's own API and page are served there, /metrics is "
                     "Prometheus text");
    }
}

static bool read_general(struct beat_reading *r)
{
    struct beat_options *beat = r->beat;
    beat->hostname = r->arguments->hostname != NULL ? r->arguments->hostname : host_facts_name(r->tree);
    beat->name = beat_text(r, r->root, "name", beat->hostname);
    beat->id = host_facts_uuid(r->tree, 1);
    beat->ephemeral_id = host_facts_uuid(r->tree, 0);
    beat->tags = beat_list(r, r->root, "tags");
    beat->fields_under_root = beat_flag(r, r->root, "fields_under_root", false);
    beat->drops_unanswered = r->arguments->capture != NULL && r->arguments->top_speed;
    beat->ignore_outgoing = beat_flag(r, r->root, "packetbeat.ignore_outgoing", false);
    struct node *fields = beat_take(r->root, "fields");
    if (fields != NULL) {
        beat_use_all(fields);
        beat->fields = fields;
    }
    int64_t workers = beat_number(r, r->root, "max_procs", 1);
    workers = workers < 1 ? 1 : workers > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : workers;
    r->config->limits.workers = r->arguments->capture != NULL ? 1 : workers;
    read_http(r);
    return read_precision(r) && read_level(r);
}

/* ---- All of it ------------------------------------------------------------------------------------ */

static bool read_all(struct beat_reading *r)
{
    r->root = beat_source_read(r->tree, &r->arguments->source, r->err);
    if (r->root == NULL) {
        return false;
    }
    r->to->root = r->root;
    bool is_good = read_general(r) && beat_read_taps(r) && beat_read_flows(r) &&
                   beat_read_processes(r) && beat_read_protocols(r) && read_processors(r) &&
                   beat_read_outputs(r);
    if (!is_good || r->err->code != ERR_NONE) {
        return false;
    }
    beat_tell_leftovers(r);
    return config_check(r->config, r->err);
}

struct beat_config *beat_config_new(const struct beat_arguments *arguments, struct err *err)
{
    struct beat_config *beat = calloc(1, sizeof *beat);
    struct beat_inside *inside = calloc(1, sizeof *inside);
    if (beat == NULL || inside == NULL) {
        abort();
    }
    beat->inside = inside;
    beat->config = config_new();
    inside->beat.types = inside->types;
    beat->config->beat = &inside->beat;
    struct beat_reading r = {
        .arguments = arguments,
        .to = beat,
        .config = beat->config,
        .beat = &inside->beat,
        .tree = &inside->tree,
        .err = err,
    };
    if (!read_all(&r)) {
        beat_config_free(beat);
        return NULL;
    }
    return beat;
}

void beat_config_free(struct beat_config *beat)
{
    if (beat == NULL) {
        return;
    }
    for (size_t i = 0; i < TYPES_MAX; i++) {
        processors_free(beat->inside->types[i].processors);
    }
    config_free(beat->config);
    node_done(&beat->inside->tree);
    free(beat->inside);
    free(beat);
}
