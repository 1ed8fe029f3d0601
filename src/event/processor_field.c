// SPDX-License-Identifier: Apache-2.0
/* Processors that add, drop, move and copy whole fields. */
#include "event/processor_core.h"

#include <stdio.h>

enum { PATH_ROOM = 256 };

/* ---- drop_event, drop_fields, include_fields --------------------------------------------------- */

static void drop_event(const void *state, struct processor_event *e)
{
    (void)state;
    e->is_dropped = true;
}

struct names {
    const struct node *list;
    bool ignore_missing;
};

static void *make_names(struct processor_making *m)
{
    struct names *names = node_allocate(m->tree, sizeof *names);
    names->list = processor_list(m, "fields");
    names->ignore_missing = processor_flag(m, "ignore_missing", false);
    return names->list != NULL ? names : NULL;
}

/* What no document does without. */
static bool is_kept(struct span name)
{
    return span_equal(name, span_str("@timestamp")) || span_equal(name, span_str("type"));
}

static void drop_fields(const void *state, struct processor_event *e)
{
    const struct names *names = state;
    for (const struct node *name = names->list->first; name != NULL; name = name->next) {
        if (!is_kept(name->text)) {
            (void)node_take(e->root, name->text);
        }
    }
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
        struct node *node = node_take(e->root, name->text);
        if (node != NULL) {
            node_put(e->tree, kept, name->text, node);
        }
    }
    e->root->first = kept->first;
    e->root->last = kept->last;
}

/* ---- add_fields, add_labels, add_tags, append --------------------------------------------------- */

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

static void *make_labels(struct processor_making *m)
{
    struct addition *a = make_addition(m, "labels", NULL);
    if (a != NULL) {
        a->target = span_str("labels");
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

/* Leaves of labels are texts of one level: a.b becomes a_b in Elastic's programs; here the name with
 * its dot. */
static void add_labels(const void *state, struct processor_event *e)
{
    add_fields(state, e);
}

static bool has_item(const struct node *list, struct span text)
{
    for (const struct node *item = list->first; item != NULL; item = item->next) {
        if (span_equal(item->text, text)) {
            return true;
        }
    }
    return false;
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

static void append_all(struct processor_event *e, struct node *list,
                       const struct node *values, bool is_set)
{
    const struct node *item = values->kind == NODE_LIST ? values->first : values;
    for (; item != NULL; item = values->kind == NODE_LIST ? item->next : NULL) {
        if (!is_set || !has_item(list, item->text)) {
            node_append(list, node_clone(e->tree, item));
        }
    }
}

static void add_tags(const void *state, struct processor_event *e)
{
    const struct addition *a = state;
    struct node *list = list_at(e, a->target);
    if (list != NULL) {
        append_all(e, list, a->value, true);
    }
}

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
    a->fields = processor_option(m, "fields");
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

static void append_value(const struct appending *a, struct processor_event *e,
                         struct node *list, const struct node *value)
{
    bool is_empty = node_is_scalar(value) && value->text.size == 0;
    if (!(a->ignore_empty && is_empty)) {
        append_all(e, list, value, !a->allow_duplicate);
    }
}

static void append(const void *state, struct processor_event *e)
{
    const struct appending *a = state;
    struct node *list = list_at(e, a->target);
    const struct node *name = list != NULL && a->fields != NULL ? a->fields->first : NULL;
    for (; name != NULL; name = name->next) {
        const struct node *value = processor_get(e, name->text);
        if (value != NULL && value != list) {
            append_value(a, e, list, value);
        } else if (value == NULL && !a->ignore_missing && a->fail_on_error) {
            processor_complain(e, "append", name->text, "is not there");
        }
    }
    name = list != NULL && a->values != NULL ? a->values->first : NULL;
    for (; name != NULL; name = name->next) {
        append_value(a, e, list, name);
    }
}

/* ---- rename, copy_fields, move_fields ----------------------------------------------------------- */

static void *make_pairs(struct processor_making *m)
{
    struct processor_pairs *pairs = node_allocate(m->tree, sizeof *pairs);
    return processor_read_pairs(m, pairs) ? pairs : NULL;
}

/* What is to be moved or copied; NULL when it cannot be, which is told if it has to be. */
static struct node *pair_source(const struct processor_pairs *all,
                                     const struct processor_pair *pair, const char *name,
                                     struct processor_event *e, bool *go_on)
{
    struct node *node = processor_get(e, pair->from);
    bool is_taken = node != NULL && processor_get(e, pair->to) != NULL;
    if (node != NULL && !is_taken) {
        return node;
    }
    bool is_fault = is_taken || !all->ignore_missing;
    if (is_fault && all->fail_on_error) {
        processor_complain(e, name, is_taken ? pair->to : pair->from,
                           is_taken ? "is there already" : "is not there");
        *go_on = false;
    }
    return NULL;
}

static void rename_fields(const void *state, struct processor_event *e)
{
    const struct processor_pairs *all = state;
    bool go_on = true;
    for (size_t i = 0; i < all->count && go_on; i++) {
        const struct processor_pair *pair = &all->items[i];
        if (pair_source(all, pair, "rename", e, &go_on) != NULL) {
            node_put(e->tree, e->root, pair->to, node_take(e->root, pair->from));
        }
    }
}

static void copy_fields(const void *state, struct processor_event *e)
{
    const struct processor_pairs *all = state;
    bool go_on = true;
    for (size_t i = 0; i < all->count && go_on; i++) {
        const struct processor_pair *pair = &all->items[i];
        struct node *node = pair_source(all, pair, "copy_fields", e, &go_on);
        if (node != NULL) {
            node_put(e->tree, e->root, pair->to, node_clone(e->tree, node));
        }
    }
}

struct moving {
    struct span parent;
    struct span to;
    const struct node *fields;
    const struct node *exclude;
    bool ignore_missing;
};

static void *make_moving(struct processor_making *m)
{
    struct moving *move = node_allocate(m->tree, sizeof *move);
    move->parent = processor_text(m, "parent_path", "");
    move->to = processor_text(m, "to", "");
    move->fields = processor_option(m, "fields");
    move->exclude = processor_option(m, "exclude");
    move->ignore_missing = processor_flag(m, "ignore_missing", false);
    return move;
}

static void move_fields(const void *state, struct processor_event *e)
{
    const struct moving *move = state;
    struct node *parent = move->parent.size > 0 ? processor_get(e, move->parent) : e->root;
    for (struct node *at = parent != NULL ? parent->first : NULL; at != NULL;) {
        struct node *next = at->next;
        bool is_wanted = move->fields == NULL || has_item(move->fields, at->name);
        if (is_wanted && !(move->exclude != NULL && has_item(move->exclude, at->name))) {
            struct span to = node_format(e->tree, "%.*s%.*s", (int)move->to.size, move->to.data,
                                         (int)at->name.size, at->name.data);
            node_unlink(parent, at);
            node_put(e->tree, e->root, to, at);
        }
        at = next;
    }
}

/* ---- extract_array ------------------------------------------------------------------------------ */

struct extraction {
    struct span field;
    const struct node *mappings;
    bool overwrite;
};

static void *make_extraction(struct processor_making *m)
{
    struct extraction *x = node_allocate(m->tree, sizeof *x);
    x->field = processor_text(m, "field", NULL);
    x->mappings = processor_option(m, "mappings");
    x->overwrite = processor_flag(m, "overwrite_keys", false);
    (void)processor_flag(m, "ignore_missing", false);
    (void)processor_flag(m, "fail_on_error", true);
    (void)processor_flag(m, "omit_empty", false);
    if (x->field.size == 0 || x->mappings == NULL || x->mappings->kind != NODE_MAP) {
        condition_refuse(m->options, m->err, "extract_array needs 'field' and 'mappings'");
        return NULL;
    }
    return x;
}

static const struct node *item_at(const struct node *list, struct span number)
{
    size_t index = 0;
    for (size_t i = 0; i < number.size; i++) {
        if (number.data[i] < '0' || number.data[i] > '9' || index > 1 << 20) {
            return NULL;
        }
        index = index * 10 + number.data[i] - '0';
    }
    const struct node *item = list->first;
    for (; item != NULL && index > 0; index--) {
        item = item->next;
    }
    return item;
}

static void extract_below(const struct extraction *x, const struct node *map, const char *prefix,
                          struct processor_event *e)
{
    for (const struct node *to = map->first; to != NULL; to = to->next) {
        char path[PATH_ROOM];
        int size = snprintf(path, sizeof path, "%s%.*s", prefix, (int)to->name.size, to->name.data);
        if ((size_t)size + 1 >= sizeof path) {
            continue;
        }
        if (to->kind == NODE_MAP) {
            memcpy(path + size, ".", 2);
            extract_below(x, to, path, e);
            continue;
        }
        const struct node *item = item_at(processor_get(e, x->field), to->text);
        struct span at = node_copy(e->tree, span_of(path, (size_t)size));
        if (item != NULL && (x->overwrite || processor_get(e, at) == NULL)) {
            node_put(e->tree, e->root, at, node_clone(e->tree, item));
        }
    }
}

static void extract_array(const void *state, struct processor_event *e)
{
    const struct extraction *x = state;
    const struct node *list = processor_get(e, x->field);
    if (list != NULL && list->kind == NODE_LIST) {
        extract_below(x, x->mappings, "", e);
    }
}

const struct processor_kind processor_field_kinds[] = {
    {"drop_event", NULL, drop_event},
    {"drop_fields", make_names, drop_fields},
    {"include_fields", make_names, include_fields},
    {"add_fields", make_fields, add_fields},
    {"add_labels", make_labels, add_labels},
    {"add_tags", make_tags, add_tags},
    {"append", make_append, append},
    {"rename", make_pairs, rename_fields},
    {"copy_fields", make_pairs, copy_fields},
    {"move_fields", make_moving, move_fields},
    {"extract_array", make_extraction, extract_array},
    {0},
};
