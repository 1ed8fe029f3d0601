// SPDX-License-Identifier: Apache-2.0
/* output.*: one of them. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/beat_access.h"
#include "engine/beat_core.h"
#include "event/pattern.h"
#include "sink/sink.h"

static bool read_codec(struct beat_reading *r, const struct node *map, struct config_output *output)
{
    struct err err = {0};
    output->pretty = beat_flag(r, map, "codec.json.pretty", false) || beat_flag(r, map, "pretty", false);
    output->escape_html = beat_flag(r, map, "codec.json.escape_html", false);
    output->format = beat_text(r, map, "codec.format.string", "");
    return pattern_check(output->format, &err) ||
           beat_refuse(r, node_find(map, span_str("codec.format.string")), "%s", err.text);
}

static bool read_console(struct beat_reading *r, const struct node *map)
{
    struct config_output *output = config_add_output(r->config, "stdout");
    (void)beat_take(r, map, "bulk_max_size"); /* lines go as they come */
    return read_codec(r, map, output);
}

static bool read_file(struct beat_reading *r, const struct node *map)
{
    struct config_output *output = config_add_output(r->config, "file");
    const char *folder = beat_text(r, map, "path", NULL);
    const char *name = beat_text(r, map, "filename", "packetbeat");
    if (folder == NULL) {
        return beat_refuse(r, map, "output.file: 'path' is what it needs");
    }
    struct span path = node_format(r->tree, "%s/%s", folder, name);
    output->path = config_text(r->config, (const char *)path.data);
    output->rotate_size = beat_number(r, map, "rotate_every_kb", 10240) * 1024;
    output->keep = beat_number(r, map, "number_of_files", 7) - 1;
    output->permissions = beat_text(r, map, "permissions", "0600");
    output->is_dated = true;
    output->makes_folder = true;
    output->rotate_on_start = beat_flag(r, map, "rotate_on_startup", true);
    return read_codec(r, map, output);
}

/* The same name by which the templates of this version go. */
static const char *expand_version(struct beat_reading *r, const char *pattern)
{
    static const char part[] = "%{[agent.version]}";
    const char *at = strstr(pattern, part);
    if (at == NULL) {
        return pattern;
    }
    struct span text = node_format(r->tree, "%.*s%s%s", (int)(at - pattern), pattern, BEAT_VERSION,
                                   at + sizeof part - 1);
    return (const char *)text.data;
}

static void read_access(struct beat_reading *r, const struct node *map, struct sink_cluster *c)
{
    struct text_list hosts = beat_list(r, map, "hosts");
    struct text_list parameters = beat_pairs(r, map, "parameters", "=");
    c->hosts = hosts.count > 0 ? hosts : c->hosts;
    c->balances = beat_flag(r, map, "loadbalance", true);
    for (size_t i = 0; i < parameters.count; i++) {
        struct span all = node_format(r->tree, "%s%s%s", c->parameters, i > 0 ? "&" : "",
                                      parameters.items[i]);
        c->parameters = config_text(r->config, (const char *)all.data);
    }
}

static void read_pace(struct beat_reading *r, const struct node *map, struct sink_cluster *c)
{
    static const char *const presets[] = {"balanced", "throughput", "scale", "latency", "custom", NULL};
    const char *preset = beat_word(r, map, "preset", presets);
    bool is_slow = strcmp(preset, "scale") == 0;
    bool is_quick = strcmp(preset, "latency") == 0;
    bool is_large = strcmp(preset, "throughput") == 0;
    int64_t events = beat_number(r, r->root, "queue.mem.events", is_large ? 12800 : 0);
    (void)beat_number(r, r->root, "queue.mem.flush.min_events", 0); /* requests fill by themselves */
    c->bulk_wait_ns = beat_duration(r, r->root, "queue.mem.flush.timeout",
                                    is_slow ? 20000000000 : 1000000000);
    c->bulk_wait_ns = c->bulk_wait_ns > 10000000000 ? 10000000000 : c->bulk_wait_ns;
    c->bulk_events = beat_number(r, map, "bulk_max_size", is_quick ? 50 : 1600);
    c->bulk_events = c->bulk_events < 1 ? 100000 : c->bulk_events;
    c->compression = beat_number(r, map, "compression_level", 1);
    c->timeout_ns = beat_duration(r, map, "timeout", 90000000000);
    c->retries = beat_number(r, map, "max_retries", 3);
    c->backoff_ns = beat_duration(r, map, "backoff.init", 1000000000);
    c->backoff_max_ns = beat_duration(r, map, "backoff.max", 60000000000);
    c->close_ns = beat_duration(r, r->root, "packetbeat.shutdown_timeout", 10000000000);
    c->close_ns = c->close_ns == 0 ? 10000000000 : c->close_ns;
    events = events > UINT32_MAX / 4 ? UINT32_MAX / 4 : events;
    if (events > 0) { /* about 2 KiB each; one with bodies is to fit, however few events may wait */
        const int64_t least = 64 << 20;
        c->queue_events = events;
        c->queue_bytes = events * 2048 > least ? events * 2048 : least;
    }
}

static bool read_cluster(struct beat_reading *r, const struct node *map)
{
    struct config_output *output = config_add_output(r->config, "elasticsearch");
    struct sink_cluster *c = &output->cluster;
    const char *index = beat_text(r, map, "index", "packetbeat-%{[agent.version]}");
    c->index = config_text(r->config, expand_version(r, index));
    c->pipeline = config_text(r->config, beat_text(r, map, "pipeline", ""));
    (void)beat_flag(r, map, "escape_html", false); /* the same document either way */
    if (!beat_flag(r, map, "allow_older_versions", true)) {
        beat_warn(r, "not applicable: output.elasticsearch.allow_older_versions (every version is "
                     "spoken to)");
    }
    output->makes_template = false; /* its own set-up is read below */
    if (!beat_read_access(r, map, c)) {
        return false;
    }
    read_access(r, map, c);
    read_pace(r, map, c);
    if (!beat_read_cloud(r, c)) {
        return false;
    }
    beat_read_setup(r, c);
    return true;
}

static bool read_discard(struct beat_reading *r, const struct node *map)
{
    (void)r;
    (void)map;
    return true;
}

struct reader {
    const char *name;
    bool (*read)(struct beat_reading *r, const struct node *map);
};

static const struct reader readers[] = {
    {"console", read_console},
    {"file", read_file},
    {"discard", read_discard},
    {"elasticsearch", read_cluster},
};

static const struct reader *reader_of(struct span name)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (span_equal(span_str(readers[i].name), name)) {
            return &readers[i];
        }
    }
    return NULL;
}

/* The output that is on; NULL and r->err when it is not exactly one. */
static struct node *find_enabled(struct beat_reading *r, struct node *outputs)
{
    struct node *found = NULL;
    for (struct node *child = outputs->first; child != NULL; child = child->next) {
        char name[64];
        snprintf(name, sizeof name, "output.%.*s", (int)child->name.size, child->name.data);
        if (!beat_is_map(r, child, name)) {
            return NULL;
        }
        if (!beat_flag(r, child, "enabled", true)) {
            beat_use_all(child);
            continue;
        }
        if (found != NULL) {
            beat_refuse(r, child, "more than one output is defined: %.*s and %.*s",
                        (int)found->name.size, found->name.data, (int)child->name.size,
                        child->name.data);
            return NULL;
        }
        found = child;
        found->used = true;
    }
    if (found == NULL) {
        beat_refuse(r, outputs, "no output is defined: one of output.console, output.file, "
                                "output.elasticsearch");
    }
    return found;
}

bool beat_read_outputs(struct beat_reading *r)
{
    struct node *outputs = beat_take(r, r->root, "output");
    struct node *nothing = node_new(r->tree, NODE_MAP, (struct span){0});
    if (outputs != NULL && !beat_is_map(r, outputs, "output")) {
        return false;
    }
    struct node *output = find_enabled(r, outputs != NULL ? outputs : nothing);
    if (output == NULL) {
        return false;
    }
    const struct reader *reader = reader_of(output->name);
    if (reader == NULL) {
        return beat_refuse(r, output, "output.%.*s is not available: use output.elasticsearch, "
                           "output.file, output.console or output.discard",
                           (int)output->name.size, output->name.data);
    }
    if (!reader->read(r, output)) {
        return false;
    }
    if (!r->arguments->publishes) {
        r->config->output_count = 0;
    }
    return true;
}
