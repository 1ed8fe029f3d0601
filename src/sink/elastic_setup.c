// SPDX-License-Identifier: Apache-2.0
#include "sink/elastic_setup.h"

#include <stdio.h>

#include "base/node_json.h"

enum { STATUS_OK = 200, STATUS_MISSING = 404, PATH_ROOM = 512 };

static bool fail(struct elastic_http *http, const char *what, long status, char *why,
                 size_t why_size)
{
    if (status == 0) {
        snprintf(why, why_size, "%s", elastic_http_error(http));
        return false;
    }
    struct nodes scratch = {0};
    const struct node *answer = node_json_parse(&scratch, elastic_http_answer(http));
    const struct node *reason = answer != NULL ? node_find(answer, span_str("error.reason")) : NULL;
    snprintf(why, why_size, "%s: status %ld%s%.*s", what, status, reason != NULL ? ", " : "",
             reason != NULL ? (int)reason->text.size : 0,
             reason != NULL ? (const char *)reason->text.data : "");
    node_done(&scratch);
    return false;
}

enum kind {
    KIND_USUAL,
    KIND_OTHER, /* OpenSearch: neither lifecycle policies of that kind nor their settings */
    KIND_OLD,   /* before 7.9: neither data streams nor the templates that make them */
};

/* Whether a version, "7.17.3", is one before 7.9. */
static bool is_old(const struct node *version)
{
    const struct node *number = version != NULL ? node_find(version, span_str("number")) : NULL;
    char text[32] = "";
    unsigned major = 8, minor = 0;
    if (number != NULL && number->text.size < sizeof text) {
        memcpy(text, number->text.data, number->text.size);
    }
    return sscanf(text, "%u.%u", &major, &minor) == 2 && (major < 7 || (major == 7 && minor < 9));
}

static bool ask_kind(struct elastic_http *http, enum kind *ret, char *why, size_t why_size)
{
    long status = elastic_http_send(http, "GET", "/", NULL, (struct span){0});
    *ret = KIND_USUAL;
    if (status != STATUS_OK) {
        return status == 403 || fail(http, "GET /", status, why, why_size);
    }
    struct nodes scratch = {0};
    const struct node *answer = node_json_parse(&scratch, elastic_http_answer(http));
    const struct node *version = answer != NULL ? node_find(answer, span_str("version")) : NULL;
    const struct node *name =
        version != NULL ? node_find(version, span_str("distribution")) : NULL;
    if (name != NULL && node_is(name, "opensearch")) {
        *ret = KIND_OTHER;
    } else if (is_old(version)) {
        *ret = KIND_OLD;
    }
    node_done(&scratch);
    return true;
}

static bool put(struct elastic_http *http, const char *path, const char *text, bool overwrite,
                char *why, size_t why_size)
{
    if (!overwrite) {
        long status = elastic_http_send(http, "GET", path, NULL, (struct span){0});
        if (status != STATUS_MISSING) {
            return status == STATUS_OK || fail(http, path, status, why, why_size);
        }
    }
    long status = elastic_http_send(http, "PUT", path, "application/json", span_str(text));
    return status == STATUS_OK || status == 201 || fail(http, path, status, why, why_size);
}

/* As versions before 7.9 want it: patterns, settings and mappings side by side, no data stream. */
static struct node *flatten(struct nodes *scratch, struct node *root)
{
    static const char *const parts[] = {"template.mappings", "template.settings"};
    (void)node_take(root, span_str("data_stream"));
    (void)node_take(root, span_str("priority"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct node *part = node_take(root, span_str(parts[i]));
        if (part != NULL) {
            node_append_named(root, span_str(parts[i] + sizeof "template"), part);
        }
    }
    (void)node_take(root, span_str("template"));
    (void)node_take(root, span_str("_meta"));
    node_append_named(root, span_str("order"), node_new(scratch, NODE_NUMBER, span_str("1")));
    return root;
}

/* The template without what names a lifecycle policy. */
static bool put_plain(struct elastic_http *http, const char *path,
                      const struct sink_cluster *cluster, char *why, size_t why_size)
{
    bool is_flat = strncmp(path, "/_template/", 11) == 0;
    struct nodes scratch = {0};
    struct json text;
    json_init(&text);
    struct node *root = node_json_parse(&scratch, span_str(cluster->template_text));
    struct node *settings = root != NULL ? node_find(root, span_str("template.settings.index")) : NULL;
    if (settings != NULL) {
        (void)node_take(settings, span_str("lifecycle"));
    }
    if (root != NULL) {
        node_json_write(&text, is_flat ? flatten(&scratch, root) : root);
    }
    json_append(&text, "", 1);
    bool is_good = put(http, path, text.data, cluster->template_overwrite, why, why_size);
    json_done(&text);
    node_done(&scratch);
    return is_good;
}

bool elastic_setup(struct elastic_http *http, const struct sink_cluster *cluster, char *why,
                   size_t why_size)
{
    char path[PATH_ROOM];
    enum kind kind;
    if (cluster->template_name[0] == '\0' && cluster->policy_name[0] == '\0') {
        return true;
    }
    if (!ask_kind(http, &kind, why, why_size)) {
        return false;
    }
    if (cluster->policy_name[0] != '\0' && kind == KIND_USUAL) {
        snprintf(path, sizeof path, "/_ilm/policy/%s", cluster->policy_name);
        if (!put(http, path, cluster->policy_text, cluster->policy_overwrite, why, why_size)) {
            return false;
        }
    }
    if (cluster->template_name[0] == '\0') {
        return true;
    }
    snprintf(path, sizeof path, "/%s/%s", kind == KIND_OLD ? "_template" : "_index_template",
             cluster->template_name);
    return kind != KIND_USUAL ? put_plain(http, path, cluster, why, why_size)
                    : put(http, path, cluster->template_text, cluster->template_overwrite, why,
                          why_size);
}
