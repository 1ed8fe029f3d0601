// SPDX-License-Identifier: Apache-2.0
/* Processors that change texts where they stand: cut, replaced. */
#include "event/processor_core.h"

#include "base/json.h"
#include "event/expression.h"

/* ---- truncate_fields ---------------------------------------------------------------------------- */

struct cut {
    const struct node *fields;
    size_t bytes;      /* 0: no bound */
    size_t characters; /* likewise */
    bool ignore_missing;
    bool fail_on_error;
};

static void *make_cut(struct processor_making *m)
{
    struct cut *cut = node_allocate(m->tree, sizeof *cut);
    cut->fields = processor_list(m, "fields");
    int64_t bytes = processor_number(m, "max_bytes", 0);
    int64_t characters = processor_number(m, "max_characters", 0);
    cut->ignore_missing = processor_flag(m, "ignore_missing", false);
    cut->fail_on_error = processor_flag(m, "fail_on_error", false);
    if (bytes < 0 || characters < 0 || (bytes == 0) == (characters == 0)) {
        condition_refuse(m->options, m->err,
                         "truncate_fields: give one of max_bytes and max_characters");
        return NULL;
    }
    cut->bytes = (size_t)bytes;
    cut->characters = (size_t)characters;
    return cut->fields != NULL ? cut : NULL;
}

/* Bytes of the first `count` characters. */
static size_t bytes_of(struct span text, size_t count)
{
    size_t at = 0;
    while (at < text.size && count-- > 0) {
        unsigned size = json_utf8(span_skip(text, at));
        at += size > 0 ? size : 1;
    }
    return at;
}

/* Not within a character. */
static size_t whole_bytes(struct span text, size_t size)
{
    if (size >= text.size) {
        return text.size;
    }
    while (size > 0 && (text.data[size] & 0xc0) == 0x80) {
        size--;
    }
    return size;
}

/* False when it cannot be cut. */
static bool cut_one(const struct cut *cut, struct processor_event *e, struct span path)
{
    struct node *node = processor_get(e, path);
    if (node == NULL || node->kind != NODE_TEXT) {
        return node == NULL && cut->ignore_missing;
    }
    size_t size = cut->bytes > 0 ? whole_bytes(node->text, cut->bytes)
                                 : bytes_of(node->text, cut->characters);
    if (size < node->text.size) {
        node->text.size = size;
        processor_flag_event(e, "truncated");
    }
    return true;
}

static void truncate_fields(const void *state, struct processor_event *e)
{
    const struct cut *cut = state;
    bool is_several = cut->fields->first != cut->fields->last;
    const struct node *was = cut->fail_on_error && is_several ? processor_remember(e) : NULL;
    for (const struct node *name = cut->fields->first; name != NULL; name = name->next) {
        if (!cut_one(cut, e, name->text) && cut->fail_on_error) {
            processor_restore(e, was);
            e->has_failed = true;
            return;
        }
    }
}

/* ---- replace ------------------------------------------------------------------------------------ */

struct replacing {
    struct replacing *next;
    struct span field;
    struct span by;
    struct expression expression;
};

struct replacements {
    struct replacing *first; /* in the order of the list */
    bool ignore_missing;
    bool fail_on_error;
};

static void replace_done(void *state)
{
    struct replacements *all = state;
    for (struct replacing *r = all->first; r != NULL; r = r->next) {
        expression_done(&r->expression);
    }
}

static struct replacing *make_replacing(struct processor_making *m, const struct node *item)
{
    struct node *field = node_member(item, span_str("field"));
    struct node *pattern = node_member(item, span_str("pattern"));
    struct node *by = node_member(item, span_str("replacement"));
    char why[200];
    if (field == NULL || pattern == NULL || by == NULL) {
        condition_refuse(item, m->err, "replace: each takes field, pattern, replacement");
        return NULL;
    }
    struct replacing *r = node_allocate(m->tree, sizeof *r);
    r->field = field->text;
    r->by = by->text;
    if (!expression_make(&r->expression, pattern->text, why, sizeof why)) {
        condition_refuse(pattern, m->err, "replace: '%.*s' is no regular expression: %s",
                         (int)pattern->text.size, pattern->text.data, why);
        return NULL;
    }
    if (r->expression.is_lazy) {
        expression_done(&r->expression);
        condition_refuse(pattern, m->err, "replace: '%.*s' has a quantifier that takes as little as it "
                         "can, such as *?, which is not supported: say what it may take, as [^,]*",
                         (int)pattern->text.size, pattern->text.data);
        return NULL;
    }
    return r;
}

static void *make_replace(struct processor_making *m)
{
    struct replacements *all = node_allocate(m->tree, sizeof *all);
    struct replacing **end = &all->first;
    const struct node *list = processor_list(m, "fields");
    all->ignore_missing = processor_flag(m, "ignore_missing", false);
    all->fail_on_error = processor_flag(m, "fail_on_error", true);
    const struct node *item = list != NULL ? list->first : NULL;
    for (; item != NULL; item = item->next, end = &(*end)->next) {
        *end = make_replacing(m, item);
        if (*end == NULL) {
            replace_done(all);
            return NULL;
        }
    }
    return list != NULL ? all : NULL;
}

/* NULL, or what is wrong. */
static const char *replace_one(struct processor_event *e, const struct replacing *r)
{
    struct node *node = processor_get(e, r->field);
    if (node == NULL || node->kind != NODE_TEXT) {
        return node == NULL ? processor_is_missing : "is no text";
    }
    struct json out;
    json_init(&out);
    expression_replace(&r->expression, &out, node_copy(e->tree, node->text), r->by);
    node->text = out.size > 0 ? node_copy(e->tree, span_of(out.data, out.size)) : span_str("");
    json_done(&out);
    return NULL;
}

static void replace(const void *state, struct processor_event *e)
{
    const struct replacements *all = state;
    bool is_several = all->first != NULL && all->first->next != NULL;
    const struct node *was = all->fail_on_error && is_several ? processor_remember(e) : NULL;
    for (const struct replacing *r = all->first; r != NULL; r = r->next) {
        const char *fault = replace_one(e, r);
        bool is_fine = fault == NULL || (fault == processor_is_missing && all->ignore_missing);
        if (!is_fine && all->fail_on_error) {
            processor_restore(e, was);
            processor_complain(e, "replace", r->field, fault);
            return;
        }
    }
}

const struct processor_kind processor_text_kinds[] = {
    {"truncate_fields", make_cut, truncate_fields},
    {"replace", make_replace, replace, replace_done},
    {0},
};
