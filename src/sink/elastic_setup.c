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

/* Whether it is OpenSearch, which has neither lifecycle policies of that kind nor their settings. */
static bool ask_kind(struct elastic_http *http, bool *is_other, char *why, size_t why_size)
{
    long status = elastic_http_send(http, "GET", "/", NULL, (struct span){0});
    *is_other = false;
    if (status != STATUS_OK) {
        return status == 403 || fail(http, "GET /", status, why, why_size);
    }
    struct nodes scratch = {0};
    const struct node *answer = node_json_parse(&scratch, elastic_http_answer(http));
    const struct node *kind =
        answer != NULL ? node_find(answer, span_str("version.distribution")) : NULL;
    *is_other = kind != NULL && node_is(kind, "opensearch");
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

/* The template without what names a lifecycle policy. */
static bool put_plain(struct elastic_http *http, const char *path,
                      const struct sink_cluster *cluster, char *why, size_t why_size)
{
    struct nodes scratch = {0};
    struct json text;
    json_init(&text);
    struct node *root = node_json_parse(&scratch, span_str(cluster->template_text));
    struct node *settings = root != NULL ? node_find(root, span_str("template.settings.index")) : NULL;
    if (settings != NULL) {
        (void)node_take(settings, span_str("lifecycle"));
    }
    if (root != NULL) {
        node_json_write(&text, root);
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
    bool is_other;
    if (cluster->template_name[0] == '\0' && cluster->policy_name[0] == '\0') {
        return true;
    }
    if (!ask_kind(http, &is_other, why, why_size)) {
        return false;
    }
    if (cluster->policy_name[0] != '\0' && !is_other) {
        snprintf(path, sizeof path, "/_ilm/policy/%s", cluster->policy_name);
        if (!put(http, path, cluster->policy_text, cluster->policy_overwrite, why, why_size)) {
            return false;
        }
    }
    if (cluster->template_name[0] == '\0') {
        return true;
    }
    snprintf(path, sizeof path, "/_index_template/%s", cluster->template_name);
    return is_other ? put_plain(http, path, cluster, why, why_size)
                    : put(http, path, cluster->template_text, cluster->template_overwrite, why,
                          why_size);
}
