// SPDX-License-Identifier: Apache-2.0
/* Processors that add and drop whole fields. */
#include "event/processor_core.h"

#include <stdio.h>

#include "event/expression.h"

enum { PATH_ROOM = 512 };

/* ---- drop_event, drop_fields, include_fields --------------------------------------------------- */

static void drop_event(const void *state, struct processor_event *e)
{
    (void)state;
    e->is_dropped = true;
}

/* Fields by their names, and those whose whole names match an expression, written between slashes. */
struct names {
    const struct node *list;
    size_t count; /* of expressions */
    struct expression *expressions;
};

static bool is_expression(struct span name)
{
    return name.size > 2 && name.data[0] == '/' && name.data[name.size - 1] == '/';
}

static void names_done(void *state)
{
    struct names *names = state;
    for (size_t i = 0; i < names->count; i++) {
        expression_done(&names->expressions[i]);
    }
}

static bool read_expressions(struct processor_making *m, struct names *names)
{
    size_t count = 0;
    for (const struct node *name = names->list->first; name != NULL; name = name->next) {
        count += is_expression(name->text);
    }
    names->expressions = node_allocate(m->tree, (count + 1) * sizeof *names->expressions);
    for (const struct node *name = names->list->first; name != NULL; name = name->next) {
        struct span inner = span_of(name->text.data + 1, name->text.size - 2);
        char why[200];
        if (!is_expression(name->text)) {
            continue;
        }
        if (!expression_make(&names->expressions[names->count], inner, why, sizeof why)) {
            names_done(names);
            return condition_refuse(name, m->err, "'%.*s': %s", (int)name->text.size, name->text.data,
                                    why);
        }
        names->count++;
    }
    return true;
}

static void *make_drop(struct processor_making *m)
{
    struct names *names = node_allocate(m->tree, sizeof *names);
    names->list = processor_list(m, "fields");
    (void)processor_flag(m, "ignore_missing", false);
    return names->list != NULL && read_expressions(m, names) ? names : NULL;
}

/* What no document does without. */
static bool is_kept(struct span name)
{
    return span_equal(name, span_str("@timestamp")) || span_equal(name, span_str("type"));
}

static bool is_wanted(const struct names *names, struct span path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (expression_matches(&names->expressions[i], path)) {
            return true;
        }
    }
    return false;
}

/* Of a field that matches all goes that is in it. */
static void drop_matches(const struct names *names, struct node *map, const char *prefix)
{
    for (struct node *child = map->first; child != NULL;) {
        struct node *next = child->next;
        char path[PATH_ROOM];
        int size = snprintf(path, sizeof path - 1, "%s%.*s", prefix, (int)child->name.size,
                            child->name.data);
        struct span at = span_of(path, (size_t)size);
        bool is_root = prefix[0] == '\0';
        if ((size_t)size >= sizeof path - 1 || (is_root && is_kept(at)) ||
            (is_root && span_equal(at, span_str("@metadata")))) {
            child = next;
            continue;
        }
        if (is_wanted(names, at)) {
            node_unlink(map, child);
        } else if (child->kind == NODE_MAP) {
            memcpy(path + size, ".", 2);
            drop_matches(names, child, path);
        }
        child = next;
    }
}

static void drop_fields(const void *state, struct processor_event *e)
{
    const struct names *names = state;
    for (const struct node *name = names->list->first; name != NULL; name = name->next) {
        if (!is_expression(name->text) && !is_kept(name->text)) {
            (void)node_take(e->root, name->text);
        }
    }
    if (names->count > 0) {
        drop_matches(names, e->root, "");
    }
}

static void *make_include(struct processor_making *m)
{
    struct names *names = node_allocate(m->tree, sizeof *names);
    names->list = processor_list(m, "fields");
    (void)processor_flag(m, "ignore_missing", false);
    return names->list != NULL ? names : NULL;
}

static void include_fields(const void *state, struct processor_event *e)
{
    const struct names *names = state;
    struct node *kept = node_new(e->tree, NODE_MAP, (struct span){0});
    static const char *const always[] = {"@timestamp", "@metadata", "type"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        struct node *node = node_take(e->root, span_str(always[i]));
        if (node != NULL) {
            node_append(kept, node);
        }
    }
    for (const struct node *name = names->list->first; name != NULL; name = name->next) {
        const struct node *node = processor_get(e, name->text);
        if (node != NULL) {
            node_put(e->tree, kept, name->text, node_clone(e->tree, node));
        }
    }
    e->root->first = kept->first;
    e->root->last = kept->last;
}

/* ---- add_fields, add_labels, add_tags ----------------------------------------------------------- */

struct addition {
    struct span target;
    const struct node *value;
};

static void *make_addition(struct processor_making *m, const char *option, const char *target)
{
    struct addition *a = node_allocate(m->tree, sizeof *a);
    a->value = processor_option(m, option);
    a->target = target != NULL ? processor_text(m, "target", target) : (struct span){0};
    if (a->value == NULL) {
        condition_refuse(m->options, m->err, "'%s' is what it needs", option);
        return NULL;
    }
    return a;
}

static void *make_fields(struct processor_making *m)
{
    return make_addition(m, "fields", "fields");
}

/* Labels are texts, one beside the other: a label within a label, or in a list, has a name with dots. */
static void flatten(struct processor_making *m, struct node *to, struct span prefix,
                    const struct node *from)
{
    size_t index = 0;
    for (const struct node *child = from->first; child != NULL; child = child->next, index++) {
        struct span own = from->kind == NODE_LIST ? node_format(m->tree, "%zu", index) : child->name;
        struct span name = prefix.size == 0 ? own
                                            : node_format(m->tree, "%.*s.%.*s", (int)prefix.size,
                                                          prefix.data, (int)own.size, own.data);
        if (node_is_scalar(child)) {
            node_append_named(to, name, node_new(m->tree, NODE_TEXT, child->text));
        } else {
            flatten(m, to, name, child);
        }
    }
}

static void *make_labels(struct processor_making *m)
{
    struct addition *a = make_addition(m, "labels", NULL);
    if (a != NULL) {
        struct node *flat = node_new(m->tree, NODE_MAP, (struct span){0});
        flatten(m, flat, (struct span){0}, a->value);
        a->target = span_str("labels");
        a->value = flat;
    }
    return a;
}

static void *make_tags(struct processor_making *m)
{
    return make_addition(m, "tags", "tags");
}

static void add_fields(const void *state, struct processor_event *e)
{
    const struct addition *a = state;
    struct node *to = e->root;
    if (a->target.size > 0) {
        to = processor_get(e, a->target);
        if (to == NULL || to->kind != NODE_MAP) {
            to = node_new(e->tree, NODE_MAP, (struct span){0});
            node_put(e->tree, e->root, a->target, to);
            to = processor_get(e, a->target);
        }
    }
    if (to != NULL && a->value->kind == NODE_MAP) {
        node_merge(to, node_clone(e->tree, a->value));
    }
}

/* The list at a path, made of what is there. */
static struct node *list_at(struct processor_event *e, struct span path)
{
    struct node *node = processor_get(e, path);
    if (node != NULL && node->kind == NODE_LIST) {
        return node;
    }
    struct node *list = node_new(e->tree, NODE_LIST, (struct span){0});
    if (node != NULL && node->kind != NODE_NULL) {
        node_append(list, node_clone(e->tree, node));
    }
    return node_put(e->tree, e->root, path, list) ? processor_get(e, path) : NULL;
}

static void add_tags(const void *state, struct processor_event *e)
{
    const struct addition *a = state;
    struct node *list = list_at(e, a->target);
    const struct node *tag = a->value->kind == NODE_LIST ? a->value->first : a->value;
    for (; list != NULL && tag != NULL; tag = a->value->kind == NODE_LIST ? tag->next : NULL) {
        node_append(list, node_clone(e->tree, tag));
    }
}

const struct processor_kind processor_field_kinds[] = {
    {"drop_event", NULL, drop_event},
    {"drop_fields", make_drop, drop_fields, names_done},
    {"include_fields", make_include, include_fields},
    {"add_fields", make_fields, add_fields},
    {"add_labels", make_labels, add_fields},
    {"add_tags", make_tags, add_tags},
    {0},
};
