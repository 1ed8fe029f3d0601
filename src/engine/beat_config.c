// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_config.h"

#include <stdlib.h>

#include "engine/beat_core.h"
#include "engine/beat_types.h"
#include "engine/host_facts.h"

struct beat_inside {
    struct nodes tree;
    struct beat_options beat;
    struct beat_type types[BEAT_TYPES_MAX];
};

static bool read_processors(struct beat_reading *r)
{
    struct node *list = beat_take(r, r->root, "processors");
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

/* ---- Sections that are short --------------------------------------------------------------------- */

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
    int64_t port = beat_number_within(r, r->root, "http.port", 5066, 1, UINT16_MAX);
    r->config->api.enabled = beat_flag(r, r->root, "http.enabled", false);
    if (r->config->api.enabled) {
        r->beat->host = host_facts(r->tree).host;
        r->beat->cluster = beat_text(r, r->root, "monitoring.cluster_uuid", "");
        struct span listen = node_format(r->tree, "%s:%lld", host, (long long)port);
        r->config->api.listen = config_text(r->config, (const char *)listen.data);
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
    struct node *fields = beat_take(r, r->root, "fields");
    if (fields != NULL && !beat_is_map(r, fields, "fields")) {
        return false;
    }
    if (fields != NULL) {
        beat_use_all(fields);
        beat->fields = fields;
    }
    int64_t workers = beat_number_within(r, r->root, "max_procs", 1, 0, INT32_MAX);
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
    bool is_good = read_general(r) && beat_read_taps(r) && beat_read_flows(r) &&
                   beat_read_processes(r) && beat_read_protocols(r) && read_processors(r) &&
                   beat_read_outputs(r) && beat_read_kibana(r);
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
        .config = beat->config,
        .warnings = &beat->warnings,
        .beat = &inside->beat,
        .kibana = &beat->kibana,
        .types = inside->types,
        .tree = &inside->tree,
        .err = err,
    };
    bool is_good = read_all(&r);
    beat->root = r.root;
    if (!is_good) {
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
    for (size_t i = 0; i < BEAT_TYPES_MAX; i++) {
        processors_free(beat->inside->types[i].processors);
    }
    config_free(beat->config);
    node_done(&beat->inside->tree);
    free(beat->inside);
    free(beat);
}
