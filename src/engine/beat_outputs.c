// SPDX-License-Identifier: Apache-2.0
/* output.*: one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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
    (void)beat_take(map, "bulk_max_size"); /* lines go as they come */
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
    time_t now = time(NULL);
    struct tm today;
    char date[16] = "";
    gmtime_r(&now, &today);
    strftime(date, sizeof date, "%Y%m%d", &today);
    struct span path = node_format(r->tree, "%s/%s-%s.ndjson", folder, name, date);
    output->path = config_text(r->config, (const char *)path.data);
    output->rotate_size = beat_number(r, map, "rotate_every_kb", 10240) * 1024;
    output->keep = beat_number(r, map, "number_of_files", 7) - 1;
    output->permissions = beat_text(r, map, "permissions", "0600");
    output->rotate_on_start = beat_flag(r, map, "rotate_on_startup", true);
    return read_codec(r, map, output);
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
    struct node *outputs = beat_take(r->root, "output");
    struct node nothing = {.kind = NODE_MAP};
    struct node *output = find_enabled(r, outputs != NULL ? outputs : &nothing);
    if (output == NULL) {
        return false;
    }
    const struct reader *reader = reader_of(output->name);
    if (reader == NULL) {
        return beat_refuse(r, output, "output.%.*s is not supported",
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
