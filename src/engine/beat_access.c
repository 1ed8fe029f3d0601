// SPDX-License-Identifier: Apache-2.0
#include "engine/beat_access.h"

#include <stdio.h>
#include <string.h>

static const char *text_at(struct beat_reading *r, const struct node *map, const char *path)
{
    return config_text(r->config, beat_text(r, map, path, ""));
}

/* Of a list that may be there, the first; others are left over. */
static const char *first_of(struct beat_reading *r, const struct node *map, const char *path)
{
    struct text_list list = beat_list(r, map, path);
    if (list.count > 1) {
        beat_warn(r, "%s: the first file is taken", path);
    }
    return list.count > 0 ? list.items[0] : "";
}

/* The lowest and the highest of the versions that are allowed. */
static bool read_versions(struct beat_reading *r, const struct node *map, struct sink_cluster *c)
{
    static const char *const known[] = {"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
    struct text_list list = beat_list(r, map, "ssl.supported_protocols");
    size_t least = 4, most = 0;
    for (size_t i = 0; i < list.count; i++) {
        const char *name = strcmp(list.items[i], "TLSv1") == 0 ? known[0] : list.items[i];
        size_t at = 0;
        while (at < 4 && strcmp(known[at], name) != 0) {
            at++;
        }
        if (at == 4) {
            return beat_refuse(r, node_find(map, span_str("ssl.supported_protocols")),
                               "ssl.supported_protocols: '%s' is none of TLSv1.0, TLSv1.1, TLSv1.2, "
                               "TLSv1.3", name);
        }
        least = at < least ? at : least;
        most = at > most ? at : most;
    }
    c->tls_least = list.count > 0 ? known[least] : NULL;
    c->tls_most = list.count > 0 ? known[most] : NULL;
    return true;
}

static bool read_tls(struct beat_reading *r, const struct node *map, struct sink_cluster *c)
{
    if (!read_versions(r, map, c)) {
        return false;
    }
    const char *mode = beat_text(r, map, "ssl.verification_mode", "full");
    bool is_on = beat_flag(r, map, "ssl.enabled", false);
    c->scheme = is_on ? "https://" : "http://";
    c->ca_file = first_of(r, map, "ssl.certificate_authorities");
    c->certificate_file = text_at(r, map, "ssl.certificate");
    c->key_file = text_at(r, map, "ssl.key");
    c->key_password = text_at(r, map, "ssl.key_passphrase");
    c->verify = strcmp(mode, "strict") == 0 ? "full" : config_text(r->config, mode);
    bool is_known = strcmp(c->verify, "full") == 0 || strcmp(c->verify, "certificate") == 0 ||
                    strcmp(c->verify, "none") == 0;
    return is_known || beat_refuse(r, node_find(map, span_str("ssl.verification_mode")),
                                   "ssl.verification_mode '%s' is not full, strict, certificate or "
                                   "none", mode);
}

struct text_list beat_pairs(struct beat_reading *r, const struct node *map, const char *path,
                            const char *between)
{
    struct text_list list = {0};
    struct node *node = beat_take(r, map, path);
    if (node == NULL || !beat_is_map(r, node, path)) {
        return list;
    }
    beat_use_all(node);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct span line = node_format(r->tree, "%.*s%s%.*s", (int)child->name.size,
                                       child->name.data, between, (int)child->text.size,
                                       child->text.data);
        config_list_add(r->config, &list, (const char *)line.data);
    }
    return list;
}

static void read_who(struct beat_reading *r, const struct node *map, struct sink_cluster *c)
{
    static const char *const protocols[] = {"", "http", "https", NULL};
    const char *protocol = beat_word(r, map, "protocol", protocols);
    c->scheme = protocol[0] == '\0' ? c->scheme : strcmp(protocol, "https") == 0 ? "https://" : "http://";
    c->path = text_at(r, map, "path");
    c->username = text_at(r, map, "username");
    c->password = text_at(r, map, "password");
    c->api_key = text_at(r, map, "api_key");
    c->headers = beat_pairs(r, map, "headers", ": ");
    c->is_direct = beat_flag(r, map, "proxy_disable", false);
    c->proxy = text_at(r, map, "proxy_url");
}

bool beat_read_access(struct beat_reading *r, const struct node *map, struct sink_cluster *c)
{
    if (!read_tls(r, map, c)) {
        return false;
    }
    read_who(r, map, c);
    return true;
}
