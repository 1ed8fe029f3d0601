// SPDX-License-Identifier: Apache-2.0
/* What nobody used: settings of Packetbeat that have no meaning here, each with the reason; all others
 * are names that it does not know either. One line a reason. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/suggest.h"
#include "engine/beat_core.h"

enum {
    PATH_ROOM = 512,
    SLIPS_MAX = 200, /* names that are compared with those that are known */
};

struct reason {
    const char *prefix; /* of a path; the first that fits counts */
    const char *text;
};

static const struct reason reasons[] = {
    {"path", "only files that the configuration names are used"},
    {"packetbeat.interfaces.metrics_interval", "counters are always up to date"},
    {"packetbeat.interfaces.poll_default_route", "the interface is chosen at the start"},
    {"packetbeat.interfaces.fanout_group", "one process spreads packets over threads: max_procs"},
    {"packetbeat.procs", "sockets are looked through once a second at most"},
    {"packetbeat.overwrite_pipelines", "there are no ingest pipelines to write"},
    {"packetbeat.shutdown_timeout", "outputs are emptied at the end in any case"},
    {"packetbeat.protocols.interface", "every protocol is followed on all interfaces"},
    {"npcap", "there is no Npcap on Linux"},
    {"queue.disk", "events wait in memory"},
    {"queue", "events go out as they come; outputs that send in bulk have a queue of their own"},
    {"output.console", "nothing that a console has"},
    {"output.file", "nothing that a file has"},
    {"output.elasticsearch.worker", "one connection sends, to the hosts in turn"},
    {"output.elasticsearch.workers", "one connection sends, to the hosts in turn"},
    {"output.elasticsearch.indices", "'index' is a pattern and may have fields in it"},
    {"output.elasticsearch.pipelines", "'pipeline' is a pattern and may have fields in it"},
    {"output.elasticsearch.kerberos", "use api_key, or username and password"},
    {"output.elasticsearch.ssl.ca_sha256", "name whom to trust in ssl.certificate_authorities"},
    {"output.elasticsearch.ssl.ca_trusted_fingerprint",
     "name whom to trust in ssl.certificate_authorities"},
    {"output.elasticsearch.ssl.restart_on_cert_change", "files are read at each start"},
    {"output.elasticsearch.ssl", "as the library OpenSSL has it"},
    {"output.elasticsearch", "not supported by this output"},
    {"logging", "log lines go to standard error"},
    {"monitoring", "counters are served as Prometheus metrics"},
    {"http", "the API has none of it"},
    {"setup.dashboards.kibana_index", "Kibana itself knows where it keeps its objects"},
    {"setup.dashboards", "nothing that loading them has here"},
    {"setup.kibana.ssl", "as the library OpenSSL has it"},
    {"setup.kibana", "use username and password, or api_key"},
    {"setup", "set-up is done by 'vantage packetbeat setup'"},
    {"cloud", "events do not go to output.elasticsearch"},
    {"keystore", "only its path is asked for"},
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
    unsigned looked;                /* how many were looked at for slips of the pen */
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

/* Unknown ones with their line, for nobody can look them up. */
static void note(struct leftovers *all, const struct node *node, const char *path)
{
    size_t reason = reason_of(path);
    struct json *names = &all->names[reason];
    json_printf(names, "%s%s", names->size > 0 ? ", " : "", path);
    if (reason == REASONS && node->line != 0) {
        json_printf(names, " at %s:%u:%u", beat_source_file(&all->r->arguments->source, node),
                    node->line, node->column);
    }
}

/* ---- Slips of the pen ----------------------------------------------------------------------------- */

static bool has_used(const struct node *node)
{
    bool found = node->used;
    for (const struct node *child = node->first; child != NULL && !found; child = child->next) {
        found = has_used(child);
    }
    return found;
}

/* The part of an offered path that is missing, where `map` is what it is missing in. */
static struct span missing_in(const struct beat_offer *offer, const struct node *map)
{
    const struct node *at = offer->map;
    struct span rest = span_str(offer->path);
    while (rest.size > 0) {
        const uint8_t *dot = memchr(rest.data, '.', rest.size);
        struct span name = span_head(rest, dot != NULL ? (size_t)(dot - rest.data) : rest.size);
        const struct node *member = node_member(at, name);
        if (member == NULL) {
            return at == map ? name : (struct span){0};
        }
        at = member;
        rest = span_skip(rest, name.size + 1);
    }
    return (struct span){0};
}

/* What somebody may have meant who wrote that name into the map; NULL when nothing is near. */
static const char *meant(struct leftovers *all, const struct node *map, const struct node *node)
{
    struct suggest suggest = suggest_of((const char *)node_copy(all->r->tree, node->name).data);
    for (const struct beat_offer *o = all->r->offers; o != NULL; o = o->next) {
        struct span name = missing_in(o, map);
        if (name.size > 0) {
            suggest_offer(&suggest, (const char *)node_copy(all->r->tree, name).data);
        }
    }
    return suggest.best;
}

/* Tells of a name that is nearly one that is known. */
static bool tell_slip(struct leftovers *all, const struct node *map, const struct node *node,
                      const char *path)
{
    size_t reason = reason_of(path);
    bool is_known = reason < REASONS && strcmp(reasons[reason].prefix, path) == 0;
    if (is_known || map->kind != NODE_MAP || has_used(node) || all->looked == SLIPS_MAX) {
        return false;
    }
    all->looked++;
    const char *name = meant(all, map, node);
    if (name == NULL) {
        return false;
    }
    char place[BEAT_PLACE];
    beat_warn(all->r, "%sunknown setting %s: did you mean '%s'?",
              beat_source_place(&all->r->arguments->source, node, place), path, name);
    return true;
}

/* ---- All of them ---------------------------------------------------------------------------------- */

static void look(struct leftovers *all, const struct node *node, const char *path)
{
    bool is_inner = node->kind == NODE_MAP || (node->kind == NODE_LIST && node->first != NULL &&
                                               node->first->kind == NODE_MAP);
    if (!is_inner || node->first == NULL) {
        if (!node->used && node->kind != NODE_NULL) {
            note(all, node, path);
        }
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        char inner[PATH_ROOM];
        bool is_named = node->kind == NODE_MAP;
        snprintf(inner, sizeof inner, "%s%s%.*s", path, is_named && path[0] != '\0' ? "." : "",
                 is_named ? (int)child->name.size : 0, child->name.data);
        if (!tell_slip(all, node, child, inner)) {
            look(all, child, inner);
        }
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
            config_list_add(r->config, r->warnings, (const char *)line.data); /* of any length */
        }
        json_done(names);
    }
}
