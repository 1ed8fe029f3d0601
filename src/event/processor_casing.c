// SPDX-License-Identifier: Apache-2.0
/* lowercase and uppercase: the names of `fields`, or what stands in `values`. ASCII letters only: what
 * else has cases depends on whom one asks. */
#include "event/processor_core.h"

struct casing {
    const struct node *names;  /* whose names change; NULL: none */
    const struct node *values; /* whose texts change; NULL: none */
    bool up;
    bool whole; /* all names of a path, else its last */
    bool ignore_missing;
    bool fail_on_error;
};

static void *make_casing(struct processor_making *m, bool up)
{
    struct casing *casing = node_allocate(m->tree, sizeof *casing);
    casing->names = processor_option(m, "fields") != NULL ? processor_list(m, "fields") : NULL;
    casing->values = processor_option(m, "values") != NULL ? processor_list(m, "values") : NULL;
    casing->up = up;
    casing->whole = processor_flag(m, "alter_full_field", true);
    casing->ignore_missing = processor_flag(m, "ignore_missing", false);
    casing->fail_on_error = processor_flag(m, "fail_on_error", true);
    if (casing->names == NULL && casing->values == NULL) {
        condition_refuse(m->options, m->err, "it needs 'fields', whose names change, or 'values', whose "
                                             "texts do: lists of fields");
        return NULL;
    }
    return casing;
}

static void *make_lower(struct processor_making *m)
{
    return make_casing(m, false);
}

static void *make_upper(struct processor_making *m)
{
    return make_casing(m, true);
}

static struct span cased(const struct casing *casing, struct nodes *tree, struct span text)
{
    struct span copy = node_copy(tree, text);
    uint8_t *at = (uint8_t *)(uintptr_t)copy.data;
    for (size_t i = 0; i < copy.size; i++) {
        bool is_letter = casing->up ? at[i] >= 'a' && at[i] <= 'z' : at[i] >= 'A' && at[i] <= 'Z';
        at[i] = is_letter ? (uint8_t)(at[i] ^ 0x20) : at[i];
    }
    return copy;
}

/* The member of that name, whatever its case; as it is written, if there is such a one. */
static struct node *member(struct node *map, struct span name)
{
    struct node *node = node_member(map, name);
    for (struct node *at = map->first; at != NULL && node == NULL; at = at->next) {
        bool is_same = at->name.size == name.size;
        for (size_t i = 0; i < name.size && is_same; i++) {
            uint8_t a = at->name.data[i], b = name.data[i];
            bool is_letter = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
            is_same = a == b || (is_letter && (a ^ b) == 0x20);
        }
        node = is_same ? at : NULL;
    }
    return node;
}

/* False when the field is not there. */
static bool rename_path(const struct casing *casing, struct processor_event *e, struct span path)
{
    struct node *map = e->root;
    while (map != NULL && path.size > 0) {
        const uint8_t *dot = memchr(path.data, '.', path.size);
        size_t size = dot != NULL ? (size_t)(dot - path.data) : path.size;
        struct node *node = map->kind == NODE_MAP ? member(map, span_head(path, size)) : NULL;
        bool is_own = map == e->root && size > 0 && (*path.data == '@' || node == NULL ||
                                                     span_equal(node->name, span_str("type")));
        if (node != NULL && !is_own && (casing->whole || dot == NULL)) {
            node->name = cased(casing, e->tree, node->name);
        }
        map = node;
        path = span_skip(path, size + 1);
    }
    return map != NULL;
}

static const char *change_value(const struct casing *casing, struct processor_event *e, struct span path)
{
    struct node *node = processor_get(e, path);
    if (node == NULL) {
        return processor_is_missing;
    }
    if (node->kind == NODE_TEXT) {
        node->text = cased(casing, e->tree, node->text);
        return NULL;
    }
    for (struct node *item = node->kind == NODE_LIST ? node->first : NULL; item != NULL;
         item = item->next) {
        item->text = item->kind == NODE_TEXT ? cased(casing, e->tree, item->text) : item->text;
    }
    return node->kind == NODE_LIST ? NULL : "is no text";
}

static const struct node *first_of(const struct node *list)
{
    return list != NULL ? list->first : NULL;
}

static void change_case(const void *state, struct processor_event *e)
{
    const struct casing *casing = state;
    const char *fault = NULL;
    const struct node *was = casing->fail_on_error ? processor_remember(e) : NULL;
    const struct node *at = first_of(casing->names);
    bool is_name = at != NULL;
    at = is_name ? at : first_of(casing->values);
    while (at != NULL) {
        fault = !is_name                              ? change_value(casing, e, at->text)
                : rename_path(casing, e, at->text) ? NULL
                                                      : processor_is_missing;
        bool is_fine = fault == NULL || (fault == processor_is_missing && casing->ignore_missing);
        if (!is_fine && casing->fail_on_error) {
            processor_restore(e, was);
            processor_complain(e, casing->up ? "uppercase" : "lowercase", at->text, fault);
            return;
        }
        bool is_last_name = is_name && at->next == NULL;
        at = is_last_name ? first_of(casing->values) : at->next;
        is_name = is_name && !is_last_name;
    }
}

const struct processor_kind processor_casing_kinds[] = {
    {"lowercase", make_lower, change_case},
    {"uppercase", make_upper, change_case},
    {0},
};
