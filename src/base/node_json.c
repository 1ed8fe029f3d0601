// SPDX-License-Identifier: Apache-2.0
#include "base/node_json.h"

enum { INDENT = 2 };

struct reader {
    struct nodes *tree;
    const uint8_t *at;
    const uint8_t *end;
    unsigned depth;
};

static struct node *read_value(struct reader *r);

static void skip_blank(struct reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) {
        r->at++;
    }
}

static bool accept(struct reader *r, char c)
{
    skip_blank(r);
    bool is_there = r->at < r->end && *r->at == (uint8_t)c;
    r->at += is_there;
    return is_there;
}

/* ---- Texts ---------------------------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits behind \u; -1 when there are none. */
static int32_t read_unit(struct reader *r)
{
    int32_t unit = 0;
    for (unsigned i = 0; i < 4; i++) {
        int digit = r->at < r->end ? hex_digit(*r->at++) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (uint8_t)point;
        return to;
    }
    unsigned more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (uint8_t)(lead[more] | point >> (6 * more));
    while (more-- > 0) {
        *to++ = (uint8_t)(0x80 | ((point >> (6 * more)) & 0x3f));
    }
    return to;
}

/* What stands behind \u; half a pair becomes U+FFFD. */
static uint8_t *read_point(struct reader *r, uint8_t *to)
{
    int32_t unit = read_unit(r);
    if (unit < 0) {
        return NULL;
    }
    uint32_t point = (uint32_t)unit;
    bool is_high = unit >= 0xd800 && unit < 0xdc00;
    if (is_high && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        struct reader ahead = *r;
        ahead.at += 2;
        int32_t low = read_unit(&ahead);
        if (low >= 0xdc00 && low < 0xe000) {
            r->at = ahead.at;
            return put_utf8(to, 0x10000u + (((uint32_t)unit & 0x3ff) << 10) +
                                    ((uint32_t)low & 0x3ff));
        }
    }
    return put_utf8(to, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : point);
}

static uint8_t *read_escape(struct reader *r, uint8_t *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end) {
        return NULL;
    }
    uint8_t c = *r->at++;
    if (c == 'u') {
        return read_point(r, to);
    }
    const char *letter = c != 0 ? strchr(letters, c) : NULL;
    if (letter == NULL) {
        return NULL;
    }
    *to++ = (uint8_t)meant[letter - letters];
    return to;
}

/* The rest of a text in which there are escapes; it never grows. */
static bool read_escaped(struct reader *r, const uint8_t *from, struct span *ret)
{
    const uint8_t *end = r->at;
    while (end < r->end && *end != '"') {
        end += *end == '\\' && end + 1 < r->end ? 2 : 1;
    }
    uint8_t *text = node_allocate(r->tree, (size_t)(end - from) + 1);
    memcpy(text, from, (size_t)(r->at - from));
    uint8_t *to = text + (r->at - from);
    while (r->at < r->end && *r->at != '"') {
        if (*r->at < 0x20) {
            return false;
        }
        if (*r->at != '\\') {
            *to++ = *r->at++;
            continue;
        }
        r->at++;
        to = read_escape(r, to);
        if (to == NULL) {
            return false;
        }
    }
    *ret = span_of(text, (size_t)(to - text));
    return r->at < r->end && *r->at++ == '"';
}

/* Behind the opening quote. */
static bool read_text(struct reader *r, struct span *ret)
{
    const uint8_t *from = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
        if (*r->at < 0x20) {
            return false;
        }
        r->at++;
    }
    if (r->at == r->end) {
        return false;
    }
    if (*r->at == '\\') {
        return read_escaped(r, from, ret);
    }
    *ret = span_of(from, (size_t)(r->at - from));
    r->at++;
    return true;
}

/* ---- Other values --------------------------------------------------------------------------- */

static struct node *read_word(struct reader *r, const char *word, enum node_kind kind)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) {
        return NULL;
    }
    struct node *node = node_new(r->tree, kind, span_of(r->at, size));
    r->at += size;
    return node;
}

static bool skip_digits(struct reader *r)
{
    const uint8_t *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        r->at++;
    }
    return r->at > from;
}

static bool skip_char(struct reader *r, const char *any)
{
    bool is_there = r->at < r->end && *r->at != 0 && strchr(any, *r->at) != NULL;
    r->at += is_there;
    return is_there;
}

static struct node *read_number(struct reader *r)
{
    const uint8_t *from = r->at;
    (void)skip_char(r, "-");
    if (!skip_char(r, "0") && !skip_digits(r)) {
        return NULL;
    }
    if (skip_char(r, ".") && !skip_digits(r)) {
        return NULL;
    }
    if (skip_char(r, "eE")) {
        (void)skip_char(r, "+-");
        if (!skip_digits(r)) {
            return NULL;
        }
    }
    return node_new(r->tree, NODE_NUMBER, span_of(from, (size_t)(r->at - from)));
}

static bool read_member(struct reader *r, struct node *map)
{
    struct span name;
    if (!accept(r, '"') || !read_text(r, &name) || !accept(r, ':')) {
        return false;
    }
    struct node *value = read_value(r);
    if (value == NULL) {
        return false;
    }
    node_append_named(map, name, value);
    return true;
}

static struct node *read_many(struct reader *r, enum node_kind kind, char close)
{
    struct node *node = node_new(r->tree, kind, (struct span){0});
    if (accept(r, close)) {
        return node;
    }
    do {
        if (kind == NODE_MAP) {
            if (!read_member(r, node)) {
                return NULL;
            }
            continue;
        }
        struct node *value = read_value(r);
        if (value == NULL) {
            return NULL;
        }
        node_append(node, value);
    } while (accept(r, ','));
    return accept(r, close) ? node : NULL;
}

static struct node *read_deeper(struct reader *r, enum node_kind kind, char close)
{
    if (r->depth == NODE_JSON_DEPTH) {
        return NULL;
    }
    r->depth++;
    struct node *node = read_many(r, kind, close);
    r->depth--;
    return node;
}

static struct node *read_value(struct reader *r)
{
    struct span text;
    skip_blank(r);
    if (r->at == r->end) {
        return NULL;
    }
    switch (*r->at) {
    case '{':
        r->at++;
        return read_deeper(r, NODE_MAP, '}');
    case '[':
        r->at++;
        return read_deeper(r, NODE_LIST, ']');
    case '"':
        r->at++;
        return read_text(r, &text) ? node_new(r->tree, NODE_TEXT, text) : NULL;
    case 't':
        return read_word(r, "true", NODE_BOOL);
    case 'f':
        return read_word(r, "false", NODE_BOOL);
    case 'n':
        return read_word(r, "null", NODE_NULL);
    default:
        return read_number(r);
    }
}

struct node *node_json_parse(struct nodes *tree, struct span json)
{
    struct reader r = {.tree = tree, .at = json.data, .end = json.data + json.size};
    struct node *node = read_value(&r);
    skip_blank(&r);
    return r.at == r.end ? node : NULL;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void break_line(struct json *to, int level)
{
    if (level >= 0) {
        json_printf(to, "\n%*s", level * INDENT, "");
    }
}

static void write_scalar(struct json *to, const struct node *node)
{
    to->comma = false;
    if (node->kind == NODE_TEXT) {
        json_span(to, node->text);
    } else if (node->kind == NODE_NULL) {
        json_null(to);
    } else {
        json_raw(to, node->text);
    }
}

/* `level`: how deep it is, -1 for one line. */
static void write_node(struct json *to, const struct node *node, int level)
{
    if (node_is_scalar(node)) {
        write_scalar(to, node);
        return;
    }
    bool is_map = node->kind == NODE_MAP;
    int inner = level < 0 ? -1 : level + 1;
    json_append(to, is_map ? "{" : "[", 1);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        break_line(to, inner);
        if (is_map) {
            to->comma = false;
            json_span(to, child->name);
            json_append(to, ": ", level < 0 ? 1 : 2);
        }
        write_node(to, child, inner);
        json_append(to, ",", child->next != NULL ? 1 : 0);
    }
    if (node->first != NULL) {
        break_line(to, level);
    }
    json_append(to, is_map ? "}" : "]", 1);
}

void node_json_write(struct json *to, const struct node *node)
{
    write_node(to, node, -1);
    to->comma = true;
}

void node_json_pretty(struct json *to, const struct node *node)
{
    write_node(to, node, 0);
    to->comma = true;
}

static bool is_markup(char c)
{
    return c == '<' || c == '>' || c == '&';
}

void node_json_escape_html(struct json *to, size_t from)
{
    size_t more = 0;
    for (size_t i = from; i < to->size; i++) {
        more += is_markup(to->data[i]) ? 5 : 0;
    }
    if (more == 0 || json_reserve(to, more) == NULL) {
        return;
    }
    char *end = to->data + to->size + more; /* from behind, so that nothing is overwritten */
    for (size_t i = to->size; i-- > from;) {
        char c = to->data[i];
        if (!is_markup(c)) {
            *--end = c;
            continue;
        }
        end -= 6;
        memcpy(end, c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026", 6);
    }
    to->size += more;
}
