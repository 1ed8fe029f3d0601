// SPDX-License-Identifier: Apache-2.0
/* dissect: a text taken apart by what stands between its parts, as "%{method} %{path} %{rest}". A key may
 * begin with + (append to the key of that name), ? or * (a name for a later &), & (under that name), and
 * end with /2 (order of appending), #3 (so many bytes), -> (what ends it may come several times), |type. */
#include "event/processor_core.h"

enum { KEYS_MAX = 64 };

enum role { ROLE_PLAIN, ROLE_SKIP, ROLE_APPEND, ROLE_NAME, ROLE_UNDER };

struct token {
    enum role role;
    struct span key;
    struct span before; /* what stands in front of it */
    struct span end;    /* what ends it; empty for the last: all that is left */
    struct span type;
    unsigned ordinal;
    size_t length; /* 0: up to its end */
    bool is_padded;
};

struct dissecting {
    struct span field;
    struct span prefix;
    struct span lead;
    size_t count;
    struct token tokens[KEYS_MAX]; /* as they stand */
    uint8_t order[KEYS_MAX];       /* as they are worked off */
    bool has_end;                  /* something stands behind the last key */
    bool trims_left;
    bool trims_right;
    struct span trimmed;
    bool overwrite;
};

/* What has been taken out. */
struct part {
    struct span key;
    struct span value;
    struct span type;
    bool is_name; /* for others only */
};

struct parts {
    size_t count;
    struct part items[KEYS_MAX];
};

/* ---- Reading the tokenizer ---------------------------------------------------------------------- */

/* Takes a mark and the word behind it off the end of a key; empty when it has none. */
static struct span take_suffix(struct span *key, uint8_t mark)
{
    for (size_t at = key->size; at > 1; at--) {
        if (key->data[at - 1] == mark) {
            struct span word = span_skip(*key, at);
            *key = span_head(*key, at - 1);
            return word;
        }
    }
    return (struct span){0};
}

/* The number behind a mark; false when what stands there is none. */
static bool take_number(struct span *key, uint8_t mark, unsigned *ret)
{
    struct span whole = *key;
    struct span digits = take_suffix(key, mark);
    *ret = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || digits.size > 3) {
            *key = whole;
            *ret = 0;
            return false;
        }
        *ret = *ret * 10 + digits.data[i] - '0';
    }
    return true;
}

static bool read_key(struct token *token, struct span key)
{
    unsigned length;
    if (memchr(key.size > 0 ? key.data : (const uint8_t *)"", '|', key.size) != NULL) {
        token->type = take_suffix(&key, '|');
        if (!processor_is_type(token->type)) {
            return false;
        }
    }
    if (key.size >= 2 && memcmp(key.data + key.size - 2, "->", 2) == 0) {
        token->is_padded = true;
        key.size -= 2;
    }
    (void)take_number(&key, '#', &length);
    token->length = length;
    (void)take_number(&key, '/', &token->ordinal);
    static const char marks[] = "+?*&";
    static const enum role roles[] = {ROLE_APPEND, ROLE_NAME, ROLE_NAME, ROLE_UNDER};
    const char *mark = key.size > 0 && *key.data != '\0' ? strchr(marks, *key.data) : NULL;
    token->role = key.size == 0 ? ROLE_SKIP : mark != NULL ? roles[mark - marks] : ROLE_PLAIN;
    token->key = span_skip(key, mark != NULL);
    return true;
}

static void put_in_order(struct dissecting *d)
{
    for (size_t i = 0; i < d->count; i++) {
        size_t at = i;
        for (; at > 0 && d->tokens[d->order[at - 1]].ordinal > d->tokens[i].ordinal; at--) {
            d->order[at] = d->order[at - 1];
        }
        d->order[at] = (uint8_t)i;
    }
}

static bool read_tokenizer(struct dissecting *d, struct span text)
{
    const uint8_t *open = text.size > 0 ? memmem(text.data, text.size, "%{", 2) : NULL;
    if (open == NULL) {
        return false;
    }
    d->lead = span_head(text, (size_t)(open - text.data));
    struct span before = d->lead;
    text = span_skip(text, d->lead.size);
    while (text.size > 0 && d->count < KEYS_MAX) {
        struct token *token = &d->tokens[d->count++];
        const uint8_t *close = memchr(text.data, '}', text.size);
        if (close == NULL ||
            !read_key(token, span_of(text.data + 2, (size_t)(close - text.data - 2)))) {
            return false;
        }
        text = span_skip(text, (size_t)(close + 1 - text.data));
        open = text.size > 0 ? memmem(text.data, text.size, "%{", 2) : NULL;
        d->has_end = open == NULL && text.size > 0;
        token->before = before;
        token->end = before =
            span_head(text, open != NULL ? (size_t)(open - text.data) : text.size);
        text = span_skip(text, before.size);
    }
    put_in_order(d);
    return text.size == 0;
}

static bool read_trimming(struct processor_making *m, struct dissecting *d)
{
    struct span side = processor_text(m, "trim_values", "none");
    d->trimmed = processor_text(m, "trim_chars", " ");
    bool both = span_equal(side, span_str("all"));
    d->trims_left = both || span_equal(side, span_str("left"));
    d->trims_right = both || span_equal(side, span_str("right"));
    return d->trims_left || d->trims_right || span_equal(side, span_str("none")) ||
           condition_refuse(m->options, m->err, "dissect: trim_values is none, left, right or all");
}

static void *make_dissect(struct processor_making *m)
{
    struct dissecting *d = node_allocate(m->tree, sizeof *d);
    struct span tokenizer = processor_text(m, "tokenizer", "");
    d->field = processor_text(m, "field", "message");
    d->prefix = processor_text(m, "target_prefix", "dissect");
    d->overwrite = processor_flag(m, "overwrite_keys", false);
    (void)processor_flag(m, "ignore_failure", false); /* nobody logs them in any case */
    if (!read_tokenizer(d, tokenizer)) {
        condition_refuse(m->options, m->err, "dissect: 'tokenizer' has up to %d keys such as "
                         "%%{a} - %%{+b/2} %%{c->} %%{d|long}", KEYS_MAX);
        return NULL;
    }
    return read_trimming(m, d) ? d : NULL;
}

/* ---- Taking apart ------------------------------------------------------------------------------- */

/* The value of one key, at the beginning of *rest, which is behind it then. */
static bool take_value(const struct token *token, bool takes_rest, struct span *rest, struct span *ret)
{
    size_t size = token->length;
    if (size == 0) {
        const uint8_t *end = takes_rest             ? rest->data + rest->size
                             : token->end.size == 0 ? rest->data
                             : rest->size > 0       ? memmem(rest->data, rest->size,
                                                             token->end.data, token->end.size)
                                                    : NULL;
        size = end != NULL ? (size_t)(end - rest->data) : rest->size + 1;
    }
    if (size > rest->size || (takes_rest && size != rest->size)) {
        return false;
    }
    *ret = span_head(*rest, size);
    *rest = span_skip(*rest, size);
    if (takes_rest || !span_equal(span_head(*rest, token->end.size), token->end)) {
        return takes_rest;
    }
    do {
        *rest = span_skip(*rest, token->end.size);
    } while (token->is_padded && token->end.size > 0 && rest->size >= token->end.size &&
             span_equal(span_head(*rest, token->end.size), token->end));
    return true;
}

static struct span trim(const struct dissecting *d, struct span text)
{
    while (d->trims_left && text.size > 0 &&
           memchr(d->trimmed.data, *text.data, d->trimmed.size) != NULL) {
        text = span_skip(text, 1);
    }
    while (d->trims_right && text.size > 0 &&
           memchr(d->trimmed.data, text.data[text.size - 1], d->trimmed.size) != NULL) {
        text.size--;
    }
    return text;
}

static bool take_all(const struct dissecting *d, struct span text, struct span values[KEYS_MAX])
{
    if (text.size == 0 || !span_equal(span_head(text, d->lead.size), d->lead)) {
        return false;
    }
    text = span_skip(text, d->lead.size);
    for (size_t i = 0; i < d->count; i++) {
        bool takes_rest = i + 1 == d->count && !d->has_end;
        if (!take_value(&d->tokens[i], takes_rest, &text, &values[i])) {
            return false;
        }
        values[i] = trim(d, values[i]);
    }
    return true;
}

/* ---- Putting together --------------------------------------------------------------------------- */

static struct part *part_named(struct parts *parts, struct span key)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (span_equal(parts->items[i].key, key)) {
            return &parts->items[i];
        }
    }
    return NULL;
}

static void set_part(struct parts *parts, const struct token *token, struct span key, struct span value)
{
    struct part *part = part_named(parts, key);
    if (part == NULL) {
        part = &parts->items[parts->count++];
    }
    *part = (struct part){.key = key, .value = value, .type = token->type,
                          .is_name = token->role == ROLE_NAME};
}

static void add_part(struct processor_event *e, struct parts *parts, const struct token *token,
                     struct span value)
{
    struct part *known = part_named(parts, token->key);
    if (token->role == ROLE_UNDER) {
        if (known != NULL) {
            set_part(parts, token, known->value, value);
        }
    } else if (token->role == ROLE_APPEND && known != NULL) {
        struct span between = token->before.size > 0 ? token->before : span_str(" ");
        known->value = node_format(e->tree, "%.*s%.*s%.*s", (int)known->value.size,
                                   known->value.data, (int)between.size, between.data,
                                   (int)value.size, value.data);
    } else if (token->role != ROLE_SKIP) {
        set_part(parts, token, token->key, value);
    }
}

/* False when something is there that is not to be replaced. */
static bool put_part(const struct dissecting *d, struct processor_event *e, const struct part *part)
{
    struct span path = node_format(e->tree, "%.*s%s%.*s", (int)d->prefix.size, d->prefix.data,
                                   d->prefix.size > 0 ? "." : "", (int)part->key.size,
                                   part->key.data);
    if (!d->overwrite && processor_get(e, path) != NULL) {
        return false;
    }
    struct span value = part->value;
    while (part->type.size > 0 && value.size > 0 && value.data[value.size - 1] == ' ') {
        value.size--;
    }
    struct node *node = node_new(e->tree, NODE_TEXT, value);
    if (part->type.size > 0 && !processor_convert(e->tree, node, part->type)) {
        node_become(node, NODE_TEXT, part->value); /* stays a text */
    }
    return node_put(e->tree, e->root, path, node);
}

static void dissect(const void *state, struct processor_event *e)
{
    const struct dissecting *d = state;
    const struct node *node = processor_get(e, d->field);
    struct span values[KEYS_MAX];
    struct parts parts = {0};
    if (node == NULL || node->kind != NODE_TEXT || !take_all(d, node->text, values)) {
        e->has_failed = true;
        if (node != NULL && node->kind == NODE_TEXT) {
            processor_flag_event(e, "dissect_parsing_error");
        }
        return;
    }
    for (size_t i = 0; i < d->count; i++) {
        add_part(e, &parts, &d->tokens[d->order[i]], values[d->order[i]]);
    }
    const struct node *was = processor_remember(e);
    for (size_t i = 0; i < parts.count && !e->has_failed; i++) {
        e->has_failed = !parts.items[i].is_name && !put_part(d, e, &parts.items[i]);
    }
    if (e->has_failed) {
        processor_restore(e, was);
    }
}

const struct processor_kind processor_dissect_kinds[] = {
    {"dissect", make_dissect, dissect},
    {0},
};
