// SPDX-License-Identifier: Apache-2.0
/* What nobody used: settings of Packetbeat that have no meaning here, each with the reason; all others
 * are names that it does not know either. One line a reason. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "engine/beat_core.h"

enum { PATH_ROOM = 512 };

struct reason {
    const char *prefix; /* of a path; the first that fits counts */
    const char *text;
};

static const struct reason reasons[] = {
    {"path", "only files that the configuration names are used"},
    {"packetbeat.interfaces.metrics_interval", "counters are always up to date"},
    {"packetbeat.interfaces.poll_default_route", "the interface is chosen at the start"},
    {"packetbeat.interfaces.fanout_group", "one process spreads packets over threads: max_procs"},
    {"packetbeat.interfaces", "not known to Packetbeat"},
    {"packetbeat.procs", "sockets are looked through once a second at most"},
    {"packetbeat.overwrite_pipelines", "there are no ingest pipelines to write"},
    {"packetbeat.shutdown_timeout", "outputs are emptied at the end in any case"},
    {"packetbeat.protocols", "an option that the protocol has not"},
    {"npcap", "there is no Npcap on Linux"},
    {"queue.disk", "events wait in memory"},
    {"queue", "events go out as they come; outputs that send in bulk have a queue of their own"},
    {"output.console", "nothing that a console has"},
    {"output.file", "nothing that a file has"},
    {"output.elasticsearch.worker", "one connection sends; the next host when one is away"},
    {"output.elasticsearch.loadbalance", "one connection sends; the next host when one is away"},
    {"output.elasticsearch", "not supported by this output"},
    {"logging", "log lines go to standard error"},
    {"monitoring", "counters are served as Prometheus metrics"},
    {"http", "the API has none of it"},
    {"setup.dashboards", "'vantage packetbeat setup --dashboards' says what there is"},
    {"setup", "set-up is done by 'vantage packetbeat setup'"},
    {"cloud", "give hosts, user name and password of the cluster themselves"},
    {"keystore", "secrets come from the environment: ${NAME}"},
    {"seccomp", "the process gives up its rights by itself"},
    {"instrumentation", "there is no APM agent inside"},
    {"migration", "there are no aliases of version 6"},
    {"features", "there are no feature flags"},
    {"management", "there is no central management"},
    {"runtime", "it is no Go program"},
    {"gc_percent", "it is no Go program"},
};
enum { REASONS = sizeof reasons / sizeof *reasons };

struct leftovers {
    struct beat_reading *r;
    struct json names[REASONS + 1]; /* the last: unknown ones */
};

static size_t reason_of(const char *path)
{
    for (size_t i = 0; i < REASONS; i++) {
        size_t size = strlen(reasons[i].prefix);
        bool fits = strncmp(path, reasons[i].prefix, size) == 0 &&
                    (path[size] == '\0' || path[size] == '.');
        if (fits) {
            return i;
        }
    }
    return REASONS;
}

static void note(struct leftovers *all, const char *path)
{
    struct json *names = &all->names[reason_of(path)];
    json_printf(names, "%s%s", names->size > 0 ? ", " : "", path);
}

static void look(struct leftovers *all, const struct node *node, const char *path)
{
    bool is_inner = node->kind == NODE_MAP || (node->kind == NODE_LIST && node->first != NULL &&
                                               node->first->kind == NODE_MAP);
    if (!is_inner || node->first == NULL) {
        if (!node->used && node->kind != NODE_NULL) {
            note(all, path);
        }
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        char inner[PATH_ROOM];
        bool is_named = node->kind == NODE_MAP;
        snprintf(inner, sizeof inner, "%s%s%.*s", path, is_named && path[0] != '\0' ? "." : "",
                 is_named ? (int)child->name.size : 0, child->name.data);
        look(all, child, inner);
    }
}

void beat_tell_leftovers(struct beat_reading *r)
{
    struct leftovers all = {.r = r};
    for (size_t i = 0; i <= REASONS; i++) {
        json_init(&all.names[i]);
    }
    look(&all, r->root, "");
    for (size_t i = 0; i <= REASONS; i++) {
        struct json *names = &all.names[i];
        if (names->size > 0) {
            struct span line = node_format(
                r->tree, "%s: %.*s (%s)", i < REASONS ? "not applicable" : "unknown settings",
                (int)names->size, names->data,
                i < REASONS ? reasons[i].text : "ignored, as Packetbeat does");
            config_list_add(r->config, &r->to->warnings, (const char *)line.data); /* of any length */
        }
        json_done(names);
    }
}
