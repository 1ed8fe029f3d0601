// SPDX-License-Identifier: Apache-2.0
#include "engine/shaper.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/node_json.h"
#include "engine/attribution.h"
#include "engine/host_facts.h"
#include "event/beat.h"
#include "event/event_writer.h"
#include "tap/tap.h"

struct shaper {
    const struct beat_options *beat;
    struct processors *processors;
    struct attribution *attribution; /* NULL: not wanted */
    struct nodes facts; /* what processors know of the host */
    struct nodes tree;  /* of the event under way */
    struct event_writer *writer;
    struct json scratch; /* the event as it came: the tree borrows from it */
    struct json shown;   /* in the log */
    bool logs_events;
    uint64_t dropped;
};

/* Of a capture nobody knows whose it was. */
static bool has_processes(const struct config *config)
{
    const struct tap_kind *kind = config->tap_count > 0 ? tap_kind_find(config->taps[0].kind) : NULL;
    return config->processes.enabled && kind != NULL && kind->is_live;
}

bool shaper_is_wanted(const struct config *config)
{
    return config->beat != NULL || config->processors != NULL || has_processes(config);
}

struct shaper *shaper_new(const struct config *config, struct err *err)
{
    struct shaper *shaper = calloc(1, sizeof *shaper);
    struct event_writer *writer = event_writer_new(config->beat != NULL ? EVENT_EXTRA : 0);
    if (shaper == NULL || writer == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        event_writer_free(writer);
        free(shaper);
        return NULL;
    }
    shaper->writer = writer;
    shaper->beat = config->beat;
    shaper->logs_events = config->logs_events;
    json_init(&shaper->scratch);
    json_init(&shaper->shown);
    shaper->attribution = has_processes(config) ? attribution_new(&config->processes, err) : NULL;
    if (has_processes(config) && shaper->attribution == NULL) {
        shaper_free(shaper);
        return NULL;
    }
    if (config->processors != NULL) {
        struct processor_facts facts = host_facts(&shaper->facts);
        shaper->processors = processors_new(config->processors, &facts, NULL, err);
        if (shaper->processors == NULL) {
            shaper_free(shaper);
            return NULL;
        }
    }
    return shaper;
}

void shaper_free(struct shaper *shaper)
{
    if (shaper != NULL) {
        processors_free(shaper->processors);
        attribution_free(shaper->attribution);
        node_done(&shaper->facts);
        node_done(&shaper->tree);
        json_done(&shaper->scratch);
        json_done(&shaper->shown);
        event_writer_free(shaper->writer);
        free(shaper);
    }
}

uint64_t shaper_dropped(const struct shaper *shaper)
{
    return shaper->dropped;
}

/* As its users know it of Packetbeat's debug selector `publish`; whole, so not a line of the log. */
static void log_event(struct shaper *shaper, const struct node *event)
{
    json_reset(&shaper->shown);
    node_json_pretty(&shaper->shown, event);
    fprintf(stderr, "debug: [publish] Publish event: %.*s\n", (int)shaper->shown.size,
            shaper->shown.data);
}

bool shaper_write(struct shaper *shaper, struct json *to, const struct event_head *event)
{
    json_reset(&shaper->scratch);
    node_reset(&shaper->tree);
    event_writer_put(shaper->writer, &shaper->scratch, event);
    struct span text = span_of(shaper->scratch.data, shaper->scratch.size);
    struct node *root = node_json_parse(&shaper->tree, text);
    if (root != NULL && shaper->attribution != NULL) {
        attribution_add(shaper->attribution, &shaper->tree, root);
    }
    if (root != NULL && shaper->beat != NULL) {
        beat_measure(&shaper->tree, root, event);
    }
    bool stays = root != NULL && /* NULL: deeper than a tree may be */
                 (shaper->beat == NULL || beat_shape(shaper->beat, &shaper->tree, root)) &&
                 (shaper->processors == NULL ||
                  processors_run(shaper->processors, &shaper->tree, root));
    if (!stays) {
        shaper->dropped++;
        return false;
    }
    node_json_write(to, root);
    if (shaper->logs_events) {
        log_event(shaper, root);
    }
    return true;
}
