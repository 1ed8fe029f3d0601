// SPDX-License-Identifier: Apache-2.0
/* cloud.id and cloud.auth: where a deployment in Elastic's cloud is, in one word. */
#include <nettle/base64.h>

#include "engine/beat_core.h"

enum { CLOUD_ROOM = 1024 };

/* "NAME:BASE64", in which "DOMAIN[:PORT]$ELASTICSEARCH[:PORT]$…" stands. False when it is no such thing. */
static bool unpack(const char *id, char ret[CLOUD_ROOM])
{
    const char *colon = strrchr(id, ':');
    const char *text = colon != NULL ? colon + 1 : id;
    size_t size = strlen(text);
    size_t room = CLOUD_ROOM;
    struct base64_decode_ctx context;
    base64_decode_init(&context);
    if (BASE64_DECODE_LENGTH(size) >= CLOUD_ROOM ||
        !base64_decode_update(&context, &room, (uint8_t *)ret, size, text) ||
        !base64_decode_final(&context)) {
        return false;
    }
    ret[room] = '\0';
    return strlen(ret) == room && strchr(ret, '$') != NULL;
}

/* The URL of one of its parts, the cluster (0) or Kibana (1); NULL when the word says none. */
static const char *url_of(struct beat_reading *r, const char *id, unsigned part)
{
    char text[CLOUD_ROOM];
    if (!unpack(id, text)) {
        return NULL;
    }
    char *rest = text;
    char *domain = strsep(&rest, "$");
    char *name = strsep(&rest, "$");
    for (unsigned i = 0; i < part; i++) {
        name = strsep(&rest, "$");
    }
    if (name == NULL) {
        return NULL;
    }
    char *port = strchr(domain, ':');
    char *own_port = strchr(name, ':');
    if (port != NULL) {
        *port++ = '\0';
    }
    if (own_port != NULL) {
        *own_port++ = '\0';
    }
    port = own_port != NULL ? own_port : port;
    if (domain[0] == '\0' || name[0] == '\0') {
        return NULL;
    }
    return (const char *)node_format(r->tree, "https://%s.%s:%s", name, domain,
                                     port != NULL ? port : "443").data;
}

const char *beat_cloud_kibana(struct beat_reading *r)
{
    const struct node *id = node_find(r->root, span_str("cloud.id")); /* used by the output, or told */
    bool is_said = id != NULL && node_is_scalar(id) && id->text.size > 0;
    return is_said ? url_of(r, (const char *)node_copy(r->tree, id->text).data, 1) : NULL;
}

static bool read_auth(struct beat_reading *r, struct sink_cluster *c)
{
    const char *auth = beat_text(r, r->root, "cloud.auth", NULL);
    if (auth == NULL) {
        return true;
    }
    const char *colon = strchr(auth, ':');
    if (colon == NULL || colon == auth) {
        return beat_refuse(r, node_find(r->root, span_str("cloud.auth")),
                           "cloud.auth is not USER:PASSWORD");
    }
    struct span user = node_format(r->tree, "%.*s", (int)(colon - auth), auth);
    c->username = config_text(r->config, (const char *)user.data);
    c->password = config_text(r->config, colon + 1);
    c->api_key = "";
    return true;
}

bool beat_read_cloud(struct beat_reading *r, struct sink_cluster *c)
{
    const char *id = beat_text(r, r->root, "cloud.id", NULL);
    if (id != NULL && id[0] != '\0') {
        const char *url = url_of(r, id, 0);
        if (url == NULL) {
            return beat_refuse(r, node_find(r->root, span_str("cloud.id")),
                               "cloud.id cannot be read: copy it whole from the deployment's page");
        }
        c->hosts = (struct text_list){0};
        config_list_add(r->config, &c->hosts, url);
    }
    return read_auth(r, c);
}
