// SPDX-License-Identifier: Apache-2.0
/* Processors that change texts where they stand: cut, cased, replaced, converted, taken apart. */
#include "event/processor_core.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "event/networks.h"

enum { NUMBER_ROOM = 64, KEYS_MAX = 32 };

/* ---- truncate_fields ---------------------------------------------------------------------------- */

struct cut {
    const struct node *fields;
    size_t bytes;      /* 0: no bound */
    size_t characters; /* likewise */
};

static void *make_cut(struct processor_making *m)
{
    struct cut *cut = node_allocate(m->tree, sizeof *cut);
    cut->fields = processor_list(m, "fields");
    int64_t bytes = processor_number(m, "max_bytes", 0);
    int64_t characters = processor_number(m, "max_characters", 0);
    (void)processor_flag(m, "ignore_missing", false);
    (void)processor_flag(m, "fail_on_error", true);
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

static void mark_cut(struct processor_event *e)
{
    struct node *flag = node_new(e->tree, NODE_LIST, (struct span){0});
    struct node *flags = processor_get(e, span_str("log.flags"));
    if (flags == NULL) {
        node_put(e->tree, e->root, span_str("log.flags"), flag);
        flags = processor_get(e, span_str("log.flags"));
    }
    if (flags != NULL && flags->kind == NODE_LIST) {
        node_append(flags, node_new(e->tree, NODE_TEXT, span_str("truncated")));
    }
}

static void truncate_fields(const void *state, struct processor_event *e)
{
    const struct cut *cut = state;
    for (const struct node *name = cut->fields->first; name != NULL; name = name->next) {
        struct node *node = processor_get(e, name->text);
        if (node == NULL || node->kind != NODE_TEXT) {
            continue;
        }
        size_t size = cut->bytes > 0 ? whole_bytes(node->text, cut->bytes)
                                     : bytes_of(node->text, cut->characters);
        if (size < node->text.size) {
            node->text.size = size;
            mark_cut(e);
        }
    }
}

/* ---- lowercase, uppercase ----------------------------------------------------------------------- */

struct casing {
    const struct node *fields;
    bool up;
};

static void *make_casing(struct processor_making *m, bool up)
{
    struct casing *casing = node_allocate(m->tree, sizeof *casing);
    casing->fields = processor_option(m, "values");
    casing->up = up;
    (void)processor_flag(m, "ignore_missing", false);
    (void)processor_flag(m, "fail_on_error", true);
    if (casing->fields == NULL || casing->fields->kind != NODE_LIST) {
        condition_refuse(m->options, m->err, "'values' is a list of fields that it needs");
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

/* ASCII letters only: what else has cases depends on whom one asks. */
static void change_case(const void *state, struct processor_event *e)
{
    const struct casing *casing = state;
    for (const struct node *name = casing->fields->first; name != NULL; name = name->next) {
        struct node *node = processor_get(e, name->text);
        if (node == NULL || node->kind != NODE_TEXT) {
            continue;
        }
        struct span copy = node_copy(e->tree, node->text);
        uint8_t *at = (uint8_t *)(uintptr_t)copy.data;
        for (size_t i = 0; i < copy.size; i++) {
            bool is_letter = casing->up ? at[i] >= 'a' && at[i] <= 'z'
                                        : at[i] >= 'A' && at[i] <= 'Z';
            at[i] = is_letter ? (uint8_t)(at[i] ^ 0x20) : at[i];
        }
        node->text = copy;
    }
}

/* ---- replace ------------------------------------------------------------------------------------ */

struct replacing {
    struct replacing *next;
    struct span field;
    struct span by;
    bool has_regex;
    regex_t regex;
};

static void replace_done(void *state)
{
    for (struct replacing *r = state; r != NULL; r = r->next) {
        if (r->has_regex) {
            regfree(&r->regex);
        }
    }
}

static bool add_replacing(struct processor_making *m, struct replacing **ret,
                          const struct node *item)
{
    struct node *field = node_member(item, span_str("field"));
    struct node *pattern = node_member(item, span_str("pattern"));
    struct node *by = node_member(item, span_str("replacement"));
    if (field == NULL || pattern == NULL || by == NULL) {
        return condition_refuse(item, m->err, "replace: each takes field, pattern, replacement");
    }
    struct replacing *r = node_allocate(m->tree, sizeof *r);
    *r = (struct replacing){.next = *ret, .field = field->text, .by = by->text};
    *ret = r;
    char *text = (char *)(uintptr_t)node_copy(m->tree, pattern->text).data;
    r->has_regex = regcomp(&r->regex, text, REG_EXTENDED) == 0;
    return r->has_regex ||
           condition_refuse(pattern, m->err, "replace: '%s' is no regular expression", text);
}

static void *make_replace(struct processor_making *m)
{
    struct replacing *first = NULL;
    const struct node *list = processor_list(m, "fields");
    (void)processor_flag(m, "ignore_missing", false);
    (void)processor_flag(m, "fail_on_error", true);
    const struct node *item = list != NULL ? list->first : NULL;
    for (; item != NULL; item = item->next) {
        if (!add_replacing(m, &first, item)) {
            replace_done(first);
            return NULL;
        }
    }
    return first;
}

static struct span replace_text(struct nodes *tree, const struct replacing *r, const char *text)
{
    struct json out;
    json_init(&out);
    regmatch_t match;
    int flags = 0;
    while (*text != '\0' && regexec(&r->regex, text, 1, &match, flags) == 0) {
        size_t step = match.rm_eo > 0 ? (size_t)match.rm_eo : 1;
        bool is_empty = match.rm_eo == match.rm_so;
        json_append(&out, text, (size_t)match.rm_so);
        json_append(&out, r->by.data, r->by.size);
        json_append(&out, text + match.rm_so, is_empty && match.rm_eo == 0 ? 1 : 0);
        text += step;
        flags = REG_NOTBOL;
    }
    json_append(&out, text, strlen(text));
    struct span copy = node_copy(tree, span_of(out.data, out.size));
    json_done(&out);
    return copy;
}

static void replace(const void *state, struct processor_event *e)
{
    for (const struct replacing *r = state; r != NULL; r = r->next) {
        struct node *node = processor_get(e, r->field);
        if (node != NULL && node->kind == NODE_TEXT) {
            struct span copy = node_copy(e->tree, node->text);
            node->text = replace_text(e->tree, r, (const char *)copy.data);
        }
    }
}

/* ---- convert ------------------------------------------------------------------------------------ */

struct conversion {
    struct processor_pairs pairs;
    struct span *types;
    bool is_move;
};

static bool is_type(struct span type)
{
    static const char *const types[] = {"", "integer", "long", "float", "double", "string",
                                        "boolean", "ip"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (span_equal(type, span_str(types[i]))) {
            return true;
        }
    }
    return false;
}

static void *make_convert(struct processor_making *m)
{
    struct conversion *c = node_allocate(m->tree, sizeof *c);
    c->is_move = span_equal(processor_text(m, "mode", "copy"), span_str("rename"));
    if (!processor_read_pairs(m, &c->pairs)) {
        return NULL;
    }
    c->types = node_allocate(m->tree, (c->pairs.count + 1) * sizeof *c->types);
    for (size_t i = 0; i < c->pairs.count; i++) {
        struct node *type = node_member(c->pairs.items[i].options, span_str("type"));
        c->types[i] = type != NULL ? type->text : span_str("");
        if (!is_type(c->types[i])) {
            condition_refuse(type, m->err, "convert: the type is one of integer, long, float, "
                             "double, string, boolean, ip");
            return NULL;
        }
    }
    return c;
}

static bool to_whole(struct processor_event *e, struct node *node)
{
    char text[NUMBER_ROOM] = "";
    if (node->text.size == 0 || node->text.size >= sizeof text) {
        return false;
    }
    memcpy(text, node->text.data, node->text.size);
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 0);
    if (*end == '.') {
        value = (long long)strtod(text, &end);
    }
    if (*end != '\0' || errno != 0) {
        return false;
    }
    node_become(node, NODE_NUMBER, node_format(e->tree, "%lld", value));
    return true;
}

static bool to_real(struct processor_event *e, struct node *node)
{
    char text[NUMBER_ROOM] = "";
    if (node->text.size == 0 || node->text.size >= sizeof text) {
        return false;
    }
    memcpy(text, node->text.data, node->text.size);
    char *end;
    double value = strtod(text, &end);
    if (*end != '\0' || !(value < 1e300 && value > -1e300)) {
        return false;
    }
    node_become(node, NODE_NUMBER, node_format(e->tree, "%.17g", value));
    return true;
}

static bool to_truth(struct node *node)
{
    static const char *const words[] = {"false", "true", "f", "t", "0", "1", "False", "True", "FALSE",
                                        "TRUE", "F", "T"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (node_is(node, words[i])) {
            node_become(node, NODE_BOOL, span_str(i % 2 == 0 ? "false" : "true"));
            return true;
        }
    }
    return false;
}

static bool convert_node(struct processor_event *e, struct node *node, struct span type)
{
    struct networks_address address;
    if (type.size == 0) {
        return true;
    }
    if (!node_is_scalar(node)) {
        return false;
    }
    switch (*type.data) {
    case 'l':
        return to_whole(e, node);
    case 'i':
        return type.data[1] == 'p' ? networks_address_read(node->text, &address)
                                   : to_whole(e, node);
    case 'f':
    case 'd':
        return to_real(e, node);
    case 'b':
        return to_truth(node);
    default:
        node_become(node, NODE_TEXT, node->text);
        return true;
    }
}

static void convert(const void *state, struct processor_event *e)
{
    const struct conversion *c = state;
    for (size_t i = 0; i < c->pairs.count; i++) {
        const struct processor_pair *pair = &c->pairs.items[i];
        struct node *node = processor_get(e, pair->from);
        struct node *copy = node != NULL ? node_clone(e->tree, node) : NULL;
        if (copy == NULL || !convert_node(e, copy, c->types[i])) {
            if (c->pairs.fail_on_error && !(node == NULL && c->pairs.ignore_missing)) {
                processor_complain(e, "convert", pair->from,
                                   node == NULL ? "is not there" : "cannot be converted");
                return;
            }
            continue;
        }
        if (c->is_move) {
            (void)node_take(e->root, pair->from);
        }
        node_put(e->tree, e->root, pair->to, copy);
    }
}

/* ---- dissect ------------------------------------------------------------------------------------ */

/* A tokenizer "%{a} - %{b}" as keys with the text that ends each. */
struct dissecting {
    struct span field;
    struct span prefix;
    struct span lead;
    size_t count;
    struct span keys[KEYS_MAX];
    struct span ends[KEYS_MAX];
    bool overwrite;
};

static bool read_tokenizer(struct dissecting *d, struct span text)
{
    const uint8_t *open = memmem(text.data, text.size, "%{", 2);
    if (open == NULL) {
        return false;
    }
    d->lead = span_head(text, (size_t)(open - text.data));
    text = span_skip(text, d->lead.size);
    while (text.size > 0 && d->count < KEYS_MAX) {
        const uint8_t *close = memchr(text.data, '}', text.size);
        if (close == NULL) {
            return false;
        }
        d->keys[d->count] = span_of(text.data + 2, (size_t)(close - text.data - 2));
        text = span_skip(text, (size_t)(close + 1 - text.data));
        open = text.size > 0 ? memmem(text.data, text.size, "%{", 2) : NULL;
        size_t end = open != NULL ? (size_t)(open - text.data) : text.size;
        d->ends[d->count++] = span_head(text, end);
        text = span_skip(text, end);
    }
    return text.size == 0;
}

static void *make_dissect(struct processor_making *m)
{
    struct dissecting *d = node_allocate(m->tree, sizeof *d);
    struct span tokenizer = processor_text(m, "tokenizer", "");
    d->field = processor_text(m, "field", "message");
    d->prefix = processor_text(m, "target_prefix", "dissect");
    d->overwrite = processor_flag(m, "overwrite_keys", false);
    (void)processor_flag(m, "ignore_failure", false);
    (void)processor_text(m, "trim_values", "none");
    (void)processor_text(m, "trim_chars", " ");
    if (!read_tokenizer(d, tokenizer)) {
        condition_refuse(m->options, m->err, "dissect: 'tokenizer' has keys such as %%{a} - %%{b}");
        return NULL;
    }
    return d;
}

static void dissect(const void *state, struct processor_event *e)
{
    const struct dissecting *d = state;
    struct node *node = processor_get(e, d->field);
    if (node == NULL || node->kind != NODE_TEXT ||
        !span_equal(span_head(node->text, d->lead.size), d->lead)) {
        return;
    }
    struct span values[KEYS_MAX];
    struct span rest = span_skip(node->text, d->lead.size);
    for (size_t i = 0; i < d->count; i++) {
        const uint8_t *end = d->ends[i].size == 0 ? rest.data + rest.size
                             : rest.size > 0 ? memmem(rest.data, rest.size, d->ends[i].data,
                                                      d->ends[i].size)
                                             : NULL;
        if (end == NULL) {
            return;
        }
        values[i] = span_of(rest.data, (size_t)(end - rest.data));
        rest = span_skip(rest, values[i].size + d->ends[i].size);
    }
    for (size_t i = 0; i < d->count; i++) {
        if (d->keys[i].size == 0 || *d->keys[i].data == '?') {
            continue;
        }
        struct span path = node_format(e->tree, "%.*s%s%.*s", (int)d->prefix.size, d->prefix.data,
                                       d->prefix.size > 0 ? "." : "", (int)d->keys[i].size,
                                       d->keys[i].data);
        if (d->overwrite || processor_get(e, path) == NULL) {
            processor_put_text(e, path, values[i]);
        }
    }
}

const struct processor_kind processor_text_kinds[] = {
    {"truncate_fields", make_cut, truncate_fields},
    {"lowercase", make_lower, change_case},
    {"uppercase", make_upper, change_case},
    {"replace", make_replace, replace, replace_done},
    {"convert", make_convert, convert},
    {"dissect", make_dissect, dissect},
    {0},
};
