// SPDX-License-Identifier: Apache-2.0
/* Processors that move and copy what is there: rename, copy_fields, move_fields, append, extract_array. */
#include "event/processor_core.h"

#include <stdio.h>

enum { PATH_ROOM = 256 };

/* ---- rename, copy_fields ------------------------------------------------------------------------ */

static void *make_pairs(struct processor_making *m)
{
    struct processor_pairs *pairs = node_allocate(m->tree, sizeof *pairs);
    return processor_read_pairs(m, pairs) ? pairs : NULL;
}

/* The source, when there is one and nothing stands where it is to go; else what is wrong. */
static struct node *source_of(struct processor_event *e, const struct processor_pair *pair,
                              struct span *at, const char **fault)
{
    if (processor_get(e, pair->to) != NULL) {
        *at = pair->to;
        *fault = "is there already: drop it or rename it first";
        return NULL;
    }
    struct node *node = processor_get(e, pair->from);
    *fault = node == NULL ? processor_is_missing : NULL;
    return node;
}

/* The source goes first: a may become a.b. */
static const char *rename_one(struct processor_event *e, const struct processor_pair *pair,
                              struct span *at)
{
    const char *fault;
    if (source_of(e, pair, at, &fault) == NULL) {
        return fault;
    }
    struct node *node = processor_take(e, pair->from);
    if (node == NULL) {
        return "stays where it is";
    }
    if (node_put(e->tree, e->root, pair->to, node)) {
        return NULL;
    }
    *at = pair->to;
    node_put(e->tree, e->root, pair->from, node);
    return "would be within a field that is no object";
}

static void rename_fields(const void *state, struct processor_event *e)
{
    processor_run_pairs(state, e, "rename", rename_one);
}

static const char *copy_one(struct processor_event *e, const struct processor_pair *pair,
                            struct span *at)
{
    const char *fault;
    struct node *node = source_of(e, pair, at, &fault);
    if (node == NULL || node_put(e->tree, e->root, pair->to, node_clone(e->tree, node))) {
        return fault;
    }
    *at = pair->to;
    return "would be within a field that is no object";
}

static void copy_fields(const void *state, struct processor_event *e)
{
    processor_run_pairs(state, e, "copy_fields", copy_one);
}

/* ---- move_fields --------------------------------------------------------------------------------- */

struct moving {
    struct span from; /* empty: the root */
    struct span to;
    const struct node *fields; /* NULL: all */
    const struct node *exclude;
    bool ignore_missing;
};

static void *make_moving(struct processor_making *m)
{
    struct moving *move = node_allocate(m->tree, sizeof *move);
    struct span parent = processor_text(m, "parent_path", "");
    move->from = processor_text(m, "from", NULL);
    move->from = move->from.size > 0 ? move->from : parent;
    move->to = processor_text(m, "to", "");
    move->fields = processor_option(m, "fields") != NULL ? processor_list(m, "fields") : NULL;
    move->exclude = processor_option(m, "exclude") != NULL ? processor_list(m, "exclude") : NULL;
    move->ignore_missing = processor_flag(m, "ignore_missing", false);
    if (move->fields != NULL && move->fields->first == NULL) {
        move->fields = NULL;
    }
    return move;
}

static bool has_item(const struct node *list, struct span text)
{
    const struct node *item = list != NULL ? list->first : NULL;
    while (item != NULL && !span_equal(item->text, text)) {
        item = item->next;
    }
    return item != NULL;
}

static bool move_one(const struct moving *move, struct processor_event *e, struct node *parent,
                     struct span name)
{
    bool is_own = parent == e->root &&
                  (span_equal(name, span_str("@timestamp")) || span_equal(name, span_str("@metadata")));
    if (is_own || has_item(move->exclude, name)) {
        return true;
    }
    struct node *node = node_take(parent, name);
    struct span to = node_format(e->tree, "%.*s%.*s", (int)move->to.size, move->to.data,
                                 (int)name.size, name.data);
    return node != NULL ? node_put(e->tree, e->root, to, node) : move->ignore_missing;
}

/* One that fails leaves all where it was. */
static void move_fields(const void *state, struct processor_event *e)
{
    const struct moving *move = state;
    const struct node *was = processor_remember(e);
    struct node *parent = move->from.size > 0 ? processor_get(e, move->from) : e->root;
    bool is_good = parent != NULL && parent->kind == NODE_MAP;
    struct node *names = is_good ? node_new(e->tree, NODE_LIST, (struct span){0}) : NULL;
    for (struct node *at = is_good ? parent->first : NULL; at != NULL; at = at->next) {
        node_append(names, node_new(e->tree, NODE_TEXT, at->name));
    }
    const struct node *name = !is_good ? NULL : (move->fields != NULL ? move->fields : names)->first;
    for (; name != NULL && is_good; name = name->next) {
        is_good = move_one(move, e, parent, name->text);
    }
    if (!is_good) {
        processor_restore(e, was);
        e->has_failed = true;
    }
}

/* ---- append -------------------------------------------------------------------------------------- */

struct appending {
    struct span target;
    const struct node *fields;
    const struct node *values;
    bool allow_duplicate;
    bool ignore_missing;
    bool ignore_empty;
    bool fail_on_error;
};

static void *make_append(struct processor_making *m)
{
    struct appending *a = node_allocate(m->tree, sizeof *a);
    a->target = processor_text(m, "target_field", NULL);
    a->fields = processor_option(m, "fields") != NULL ? processor_list(m, "fields") : NULL;
    a->values = processor_option(m, "values");
    a->allow_duplicate = processor_flag(m, "allow_duplicate", true);
    a->ignore_missing = processor_flag(m, "ignore_missing", false);
    a->ignore_empty = processor_flag(m, "ignore_empty_values", false);
    a->fail_on_error = processor_flag(m, "fail_on_error", true);
    if (a->target.size == 0) {
        condition_refuse(m->options, m->err, "append: 'target_field' is what it needs");
        return NULL;
    }
    return a;
}

static bool is_empty(const struct node *node)
{
    return node->kind == NODE_NULL ||
           (node_is_scalar(node) ? node->text.size == 0 : node->first == NULL);
}

static void append_item(const struct appending *a, struct processor_event *e, struct node *list,
                        const struct node *item)
{
    if (!(a->ignore_empty && node_is_scalar(item) && is_empty(item)) && (a->allow_duplicate || !has_item(list, item->text))) {
        node_append(list, node_clone(e->tree, item));
    }
}

/* A value, or all of a list. */
static void append_value(const struct appending *a, struct processor_event *e, struct node *list,
                         const struct node *value)
{
    if (value->kind != NODE_LIST) {
        append_item(a, e, list, value);
        return;
    }
    for (const struct node *item = value->first; item != NULL; item = item->next) {
        append_item(a, e, list, item);
    }
}

static void append(const void *state, struct processor_event *e)
{
    const struct appending *a = state;
    struct node *list = node_new(e->tree, NODE_LIST, (struct span){0});
    const struct node *there = processor_get(e, a->target);
    if (there != NULL) {
        append_value(a, e, list, there);
    }
    for (const struct node *name = a->fields != NULL ? a->fields->first : NULL; name != NULL;
         name = name->next) {
        const struct node *value = processor_get(e, name->text);
        if (value != NULL) {
            append_value(a, e, list, value);
        } else if (!a->ignore_missing) {
            if (a->fail_on_error) {
                processor_complain(e, "append", name->text, processor_is_missing);
            }
            return;
        }
    }
    if (a->values != NULL) {
        append_value(a, e, list, a->values);
    }
    node_put(e->tree, e->root, a->target, list);
}

/* ---- extract_array ------------------------------------------------------------------------------- */

struct mapping {
    size_t index;
    struct span to;
};

struct extraction {
    struct span field;
    size_t count;
    struct mapping *mappings; /* by index */
    bool ignore_missing;
    bool overwrite;
    bool omit_empty;
    bool fail_on_error;
};

/* A whole number from 0; false for all else. */
static bool to_index(struct span text, size_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *ret > 1 << 20) {
            return false;
        }
        *ret = *ret * 10 + text.data[i] - '0';
    }
    return text.size > 0;
}

static size_t leaves(const struct node *map)
{
    size_t count = 0;
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        count += child->kind == NODE_MAP ? leaves(child) : 1;
    }
    return count;
}

static bool read_mappings(struct processor_making *m, struct extraction *x, const struct node *map,
                          const char *prefix)
{
    for (const struct node *to = map->first; to != NULL; to = to->next) {
        char path[PATH_ROOM];
        size_t index;
        int size = snprintf(path, sizeof path - 1, "%s%.*s", prefix, (int)to->name.size, to->name.data);
        if ((size_t)size >= sizeof path - 1) {
            return condition_refuse(to, m->err, "a name of a field that is too long");
        }
        if (to->kind == NODE_MAP) {
            memcpy(path + size, ".", 2);
            if (!read_mappings(m, x, to, path)) {
                return false;
            }
            continue;
        }
        if (!node_is_scalar(to) || !to_index(to->text, &index)) {
            return condition_refuse(to, m->err, "extract_array: '%s' is to be the number of an item, "
                                    "the first being 0", path);
        }
        size_t at = x->count++;
        for (; at > 0 && x->mappings[at - 1].index > index; at--) {
            x->mappings[at] = x->mappings[at - 1];
        }
        x->mappings[at] = (struct mapping){index, node_copy(m->tree, span_of(path, (size_t)size))};
    }
    return true;
}

static void *make_extraction(struct processor_making *m)
{
    struct extraction *x = node_allocate(m->tree, sizeof *x);
    const struct node *mappings = processor_option(m, "mappings");
    x->field = processor_text(m, "field", NULL);
    x->overwrite = processor_flag(m, "overwrite_keys", false);
    x->ignore_missing = processor_flag(m, "ignore_missing", false);
    x->fail_on_error = processor_flag(m, "fail_on_error", true);
    x->omit_empty = processor_flag(m, "omit_empty", false);
    if (x->field.size == 0 || mappings == NULL || mappings->kind != NODE_MAP) {
        condition_refuse(m->options, m->err, "extract_array needs 'field' and 'mappings'");
        return NULL;
    }
    x->mappings = node_allocate(m->tree, (leaves(mappings) + 1) * sizeof *x->mappings);
    return read_mappings(m, x, mappings, "") ? x : NULL;
}

/* False when it cannot be. */
static bool extract_one(const struct extraction *x, struct processor_event *e,
                        const struct node *list, const struct mapping *mapping)
{
    const struct node *item = list->first;
    for (size_t i = mapping->index; item != NULL && i > 0; i--) {
        item = item->next;
    }
    if (item == NULL || (x->omit_empty && is_empty(item))) {
        return item != NULL;
    }
    bool is_taken = !x->overwrite && processor_get(e, mapping->to) != NULL;
    return !is_taken && node_put(e->tree, e->root, mapping->to, node_clone(e->tree, item));
}

static void extract_array(const void *state, struct processor_event *e)
{
    const struct extraction *x = state;
    const struct node *there = processor_get(e, x->field);
    if (there == NULL || there->kind != NODE_LIST) {
        e->has_failed = there == NULL ? !x->ignore_missing : x->fail_on_error;
        return;
    }
    const struct node *list = node_clone(e->tree, there); /* a mapping may replace it */
    const struct node *was = x->fail_on_error && x->count > 1 ? processor_remember(e) : NULL;
    for (size_t i = 0; i < x->count; i++) {
        if (!extract_one(x, e, list, &x->mappings[i]) && x->fail_on_error) {
            processor_restore(e, was);
            e->has_failed = true;
            return;
        }
    }
}

const struct processor_kind processor_move_kinds[] = {
    {"rename", make_pairs, rename_fields},
    {"copy_fields", make_pairs, copy_fields},
    {"move_fields", make_moving, move_fields},
    {"append", make_append, append},
    {"extract_array", make_extraction, extract_array},
    {0},
};
