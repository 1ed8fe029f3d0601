// SPDX-License-Identifier: Apache-2.0
/* setup.kibana.* and setup.dashboards.*. */
#include "engine/beat_kibana.h"

#include <stdio.h>
#include <string.h>

#include "engine/beat_access.h"
#include "engine/beat_core.h"

static const char *keep(struct beat_reading *r, struct span text)
{
    return config_text(r->config, (const char *)text.data);
}

/* ---- The pattern of indices -------------------------------------------------------------------------- */

/* setup.dashboards.index; else what the template is for, if somebody said that; else all of Packetbeat. */
static void read_index(struct beat_reading *r, const struct node *map, struct beat_kibana *k)
{
    static const char part[] = "%{[agent.version]}";
    const struct node *template = beat_take(r, r->root, "setup.template");
    const char *text = beat_text(r, map, "index", NULL);
    k->has_index = text != NULL;
    text = text != NULL ? text : beat_text(r, template, "pattern", NULL);
    if (text == NULL) {
        k->index = "packetbeat-*";
        return;
    }
    const char *at = strstr(text, part);
    struct span full = at == NULL ? span_str(text)
                                  : node_format(r->tree, "%.*s%s%s", (int)(at - text), text,
                                                BEAT_VERSION, at + sizeof part - 1);
    bool is_open = full.size > 0 && full.data[full.size - 1] == '*';
    k->index = keep(r, node_format(r->tree, "%.*s%s", (int)full.size, (const char *)full.data,
                                   is_open || at == NULL ? "" : "*"));
}

/* ---- Where Kibana is --------------------------------------------------------------------------------- */

/* "HOST", "HOST:PORT" or a URL, with Kibana's port where none is said. */
static const char *with_port(struct beat_reading *r, const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme != NULL ? scheme + 3 : text;
    size_t size = strcspn(host, "/");
    const char *bracket = memchr(host, ']', size);
    const char *from = bracket != NULL ? bracket : host;
    bool has_port = memchr(from, ':', size - (size_t)(from - host)) != NULL;
    size_t lead = (size_t)(host - text) + size;
    return has_port || size == 0
               ? config_text(r->config, text)
               : keep(r, node_format(r->tree, "%.*s:5601%s", (int)lead, text, text + lead));
}

static bool read_host(struct beat_reading *r, const struct node *map, struct beat_kibana *k)
{
    const char *cloud = beat_cloud_kibana(r);
    const char *host = beat_text(r, map, "host", "localhost:5601");
    host = with_port(r, cloud != NULL ? cloud : host);
    const char *scheme = strstr(host, "://");
    const char *name = scheme != NULL ? scheme + 3 : host;
    if (strcspn(name, "/:") == 0 || strpbrk(name, " \t") != NULL) {
        return beat_refuse(r, node_find(map, span_str("host")), "setup.kibana.host '%s' is no host "
                           "such as kibana.example:5601", host);
    }
    config_list_add(r->config, &k->cluster.hosts, host);
    return true;
}

/* Of a space's id Kibana allows small letters, digits, _ and -. */
static bool read_space(struct beat_reading *r, const struct node *map, struct beat_kibana *k)
{
    k->space = config_text(r->config, beat_text(r, map, "space.id", ""));
    bool is_good = strspn(k->space, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(k->space);
    return is_good || beat_refuse(r, node_find(map, span_str("space.id")), "setup.kibana.space.id "
                                  "'%s' is no id of a space: a-z, 0-9, _ and -", k->space);
}

/* Who says no user for Kibana is the one that the cluster knows. */
static void borrow_user(struct beat_reading *r, struct sink_cluster *c)
{
    const struct config *config = r->config;
    bool is_cluster = config->output_count > 0 &&
                      strcmp(config->outputs[0].kind, "elasticsearch") == 0;
    if (is_cluster && c->username[0] == '\0' && c->api_key[0] == '\0') {
        const struct sink_cluster *output = &config->outputs[0].cluster;
        c->username = output->username;
        c->password = c->password[0] != '\0' ? c->password : output->password;
        c->api_key = output->api_key;
    }
}

static bool read_cluster(struct beat_reading *r, const struct node *map, struct beat_kibana *k)
{
    struct sink_cluster *c = &k->cluster;
    if (!beat_read_access(r, map, c)) {
        return false;
    }
    c->index = c->pipeline = c->parameters = "";
    c->template_name = c->template_text = c->policy_name = c->policy_text = "";
    c->timeout_ns = beat_duration(r, map, "timeout", 90000000000);
    config_list_add(r->config, &c->headers, "kbn-xsrf: true"); /* no form of a web page has these */
    config_list_add(r->config, &c->headers, "osd-xsrf: true");
    borrow_user(r, c);
    return read_host(r, map, k) && read_space(r, map, k);
}

/* ---- Dashboards -------------------------------------------------------------------------------------- */

static const char *text_at(struct beat_reading *r, const struct node *map, const char *path)
{
    return config_text(r->config, beat_text(r, map, path, ""));
}

static void read_source(struct beat_reading *r, const struct node *map, struct beat_kibana *k)
{
    char place[BEAT_PLACE];
    const char *url = beat_text(r, map, "url", "");
    k->folder = text_at(r, map, "directory");
    k->file = text_at(r, map, "file");
    k->beat = config_text(r->config, beat_text(r, map, "beat", "packetbeat"));
    k->url = "";
    if (url[0] != '\0') {
        const struct node *node = node_find(map, span_str("url"));
        k->url = keep(r, node_format(r->tree, "%s%s",
                                     beat_source_place(&r->arguments->source, node, place), url));
    }
}

bool beat_read_kibana(struct beat_reading *r)
{
    struct beat_kibana *k = r->kibana;
    const struct node *map = beat_take(r, r->root, "setup.dashboards");
    const struct node *kibana = beat_take(r, r->root, "setup.kibana");
    if ((map != NULL && !beat_is_map(r, map, "setup.dashboards")) ||
        (kibana != NULL && !beat_is_map(r, kibana, "setup.kibana"))) {
        return false;
    }
    const struct node *enabled = map != NULL ? node_find(map, span_str("enabled")) : NULL;
    k->is_wanted = beat_flag(r, map, "enabled", false);
    k->is_unwanted = enabled != NULL && node_is(enabled, "false");
    k->is_named = map != NULL || kibana != NULL || beat_cloud_kibana(r) != NULL;
    k->retries = beat_flag(r, map, "retry.enabled", false);
    k->retry_ns = beat_duration(r, map, "retry.interval", 1000000000);
    k->retry_most = beat_number_within(r, map, "retry.maximum", 0, 0, INT32_MAX);
    (void)beat_flag(r, map, "always_kibana", true); /* there is no other way */
    read_index(r, map, k);
    read_source(r, map, k);
    return read_cluster(r, kibana, k);
}
