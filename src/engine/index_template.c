// SPDX-License-Identifier: Apache-2.0
#include "engine/index_template.h"

#include "base/node_json.h"
#include "engine/template_types.h"

const char index_template_policy[] =
    "{\"policy\":{\"phases\":{\"hot\":{\"actions\":{\"rollover\":{\"max_age\":\"30d\","
    "\"max_size\":\"50gb\"}}}}}}";

/* What a name tells of a field that is not in the list; the first that fits. */
static const char dynamic[] =
    "[{\"ips\":{\"path_match\":\"*.ip\",\"match_mapping_type\":\"string\",\"mapping\":{\"type\":\"ip\"}}},"
    "{\"texts\":{\"match_mapping_type\":\"string\",\"mapping\":{\"type\":\"keyword\","
    "\"ignore_above\":1024}}}]";

static struct node *put(struct nodes *tree, struct node *map, const char *path, enum node_kind kind,
                        const char *text)
{
    node_put(tree, map, span_str(path), node_new(tree, kind, span_str(text)));
    return node_find(map, span_str(path));
}

struct mapping {
    struct nodes *tree;
    struct node *mappings;
};

/* "a.b.c" lies below properties.a.properties.b.properties.c. */
static void add_field(void *context, const char *field, const char *type)
{
    const struct mapping *mapping = context;
    struct nodes *tree = mapping->tree;
    struct node *at = mapping->mappings;
    struct span path = node_copy(tree, span_str(field));
    if (type == NULL) {
        return; /* its name tells, or its first value */
    }
    while (path.size > 0) {
        const uint8_t *dot = memchr(path.data, '.', path.size);
        struct span name = span_head(path, dot != NULL ? (size_t)(dot - path.data) : path.size);
        struct node *properties = node_member(at, span_str("properties"));
        if (properties == NULL) {
            properties = node_new(tree, NODE_MAP, (struct span){0});
            node_append_named(at, span_str("properties"), properties);
        }
        at = node_member(properties, name);
        if (at == NULL) {
            at = node_new(tree, NODE_MAP, (struct span){0});
            node_append_named(properties, name, at);
        }
        path = span_skip(path, name.size + 1);
    }
    if (node_member(at, span_str("type")) != NULL) {
        return; /* of another table, too */
    }
    put(tree, at, "type", NODE_TEXT, type);
    if (strcmp(type, "keyword") == 0) {
        put(tree, at, "ignore_above", NODE_NUMBER, "1024");
    }
}

static void add_settings(struct nodes *tree, struct node *root, const struct index_template *options)
{
    if (options->policy != NULL) {
        put(tree, root, "template.settings.index.lifecycle.name", NODE_TEXT, options->policy);
    }
    put(tree, root, "template.settings.index.mapping.total_fields.limit", NODE_NUMBER, "10000");
    put(tree, root, "template.settings.index.refresh_interval", NODE_TEXT, "5s");
    if (options->settings != NULL && options->settings->kind == NODE_MAP) {
        node_merge(node_find(root, span_str("template.settings")),
                   node_clone(tree, options->settings));
    }
}

void index_template_write(struct json *to, const struct index_template *options)
{
    struct nodes tree = {0};
    struct node *root = node_new(&tree, NODE_MAP, (struct span){0});
    struct node *patterns = node_new(&tree, NODE_LIST, (struct span){0});
    node_append(patterns, node_new(&tree, NODE_TEXT, span_str(options->pattern)));
    node_append_named(root, span_str("index_patterns"), patterns);
    node_append_named(root, span_str("data_stream"), node_new(&tree, NODE_MAP, (struct span){0}));
    put(&tree, root, "priority", NODE_NUMBER, "150");
    add_settings(&tree, root, options);
    put(&tree, root, "template.mappings._meta.beat", NODE_TEXT, options->beat);
    put(&tree, root, "template.mappings._meta.version", NODE_TEXT, options->version);
    put(&tree, root, "template.mappings.date_detection", NODE_BOOL, "false");
    struct node *mappings = node_find(root, span_str("template.mappings"));
    node_append_named(mappings, span_str("dynamic_templates"),
                      node_json_parse(&tree, span_str(dynamic)));
    struct mapping mapping = {.tree = &tree, .mappings = mappings};
    template_types_walk(add_field, &mapping);
    node_json_write(to, root);
    node_done(&tree);
}
