// SPDX-License-Identifier: Apache-2.0
/* convert, and what its types mean. */
#include "event/processor_core.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/networks.h"

enum { NUMBER_ROOM = 64 };

/* ---- Types -------------------------------------------------------------------------------------- */

static const char *const types[] = {"integer", "long", "float", "double", "string", "boolean", "ip"};
enum { TYPES = sizeof types / sizeof *types };

bool processor_is_type(struct span type)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (span_equal(type, span_str(types[i]))) {
            return true;
        }
    }
    return false;
}

/* A number's text with a terminator; false when it is too long, or begins with blanks. */
static bool number_text(const struct node *node, char text[NUMBER_ROOM])
{
    if (node->text.size == 0 || node->text.size >= NUMBER_ROOM || *node->text.data <= ' ') {
        return false;
    }
    memcpy(text, node->text.data, node->text.size);
    text[node->text.size] = '\0';
    return strlen(text) == node->text.size;
}

/* Texts are decimal, or hexadecimal behind 0x; numbers lose their fractions. */
static bool to_whole(struct nodes *tree, struct node *node, bool is_short)
{
    char text[NUMBER_ROOM];
    if (node->kind == NODE_BOOL || node->kind == NODE_NULL || !number_text(node, text)) {
        return false;
    }
    const char *digits = text + (*text == '+' || *text == '-');
    bool is_hexadecimal = digits[0] == '0' && (digits[1] | 0x20) == 'x';
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, is_hexadecimal ? 16 : 10);
    if (*end != '\0' && node->kind == NODE_NUMBER) {
        double real = strtod(text, &end);
        value = real > -9.2e18 && real < 9.2e18 ? (long long)real : 0;
    }
    bool fits = !is_short || (value >= INT32_MIN && value <= INT32_MAX);
    if (*end != '\0' || errno != 0 || !fits) {
        return false;
    }
    node_become(node, NODE_NUMBER, node_format(tree, "%lld", value));
    return true;
}

/* The shortest text that reads back the same. */
static struct span real_text(struct nodes *tree, double value, bool is_short)
{
    char text[NUMBER_ROOM];
    for (int digits = is_short ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        bool is_same = is_short ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
        if (is_same) {
            break;
        }
    }
    return node_copy(tree, span_str(text));
}

static bool to_real(struct nodes *tree, struct node *node, bool is_short)
{
    char text[NUMBER_ROOM];
    if (node->kind == NODE_BOOL || node->kind == NODE_NULL || !number_text(node, text)) {
        return false;
    }
    char *end;
    double value = is_short ? (double)strtof(text, &end) : strtod(text, &end);
    if (*end != '\0' || !isfinite(value)) {
        return false;
    }
    node_become(node, NODE_NUMBER, real_text(tree, value, is_short));
    return true;
}

static bool to_truth(struct node *node)
{
    static const char *const words[] = {"false", "true", "f", "t", "0", "1", "False", "True", "FALSE",
                                        "TRUE", "F", "T"};
    for (size_t i = 0; i < sizeof words / sizeof *words && node->kind == NODE_TEXT; i++) {
        if (node_is(node, words[i])) {
            node_become(node, NODE_BOOL, span_str(i % 2 == 0 ? "false" : "true"));
            return true;
        }
    }
    return node->kind == NODE_BOOL;
}

bool processor_convert(struct nodes *tree, struct node *node, struct span type)
{
    struct networks_address address;
    if (!node_is_scalar(node)) {
        return false;
    }
    switch (*type.data) {
    case 'l':
        return to_whole(tree, node, false);
    case 'i':
        return type.data[1] == 'n' ? to_whole(tree, node, true)
                                   : node->kind == NODE_TEXT && networks_address_read(node->text, &address);
    case 'f':
    case 'd':
        return to_real(tree, node, *type.data == 'f');
    case 'b':
        return to_truth(node);
    default:
        if (node->kind != NODE_NULL) {
            node_become(node, NODE_TEXT, node->text);
        }
        return node->kind == NODE_TEXT;
    }
}

/* ---- convert ------------------------------------------------------------------------------------ */

struct conversion {
    struct processor_pairs pairs;
    struct span *types; /* empty: as it is */
    bool is_move;
};

static void *make_convert(struct processor_making *m)
{
    struct conversion *c = node_allocate(m->tree, sizeof *c);
    struct span mode = processor_text(m, "mode", "copy");
    c->is_move = span_equal(mode, span_str("rename"));
    if (!processor_read_pairs(m, &c->pairs)) {
        return NULL;
    }
    if (!c->is_move && !span_equal(mode, span_str("copy"))) {
        condition_refuse(m->options, m->err, "convert: the mode is copy or rename");
        return NULL;
    }
    c->types = node_allocate(m->tree, (c->pairs.count + 1) * sizeof *c->types);
    for (size_t i = 0; i < c->pairs.count; i++) {
        struct node *type = node_member(c->pairs.items[i].options, span_str("type"));
        c->types[i] = type != NULL ? type->text : span_str("");
        if (c->types[i].size > 0 && !processor_is_type(c->types[i])) {
            condition_refuse(type, m->err, "convert: the type is one of integer, long, float, "
                             "double, string, boolean, ip");
            return NULL;
        }
    }
    return c;
}

/* The values that are to be written; NULL: none. False when one fails that must not. */
static bool convert_all(const struct conversion *c, struct processor_event *e, struct node **values)
{
    for (size_t i = 0; i < c->pairs.count; i++) {
        const struct node *node = processor_get(e, c->pairs.items[i].from);
        values[i] = node != NULL ? node_clone(e->tree, node) : NULL;
        bool is_good = node != NULL ? c->types[i].size == 0 ||
                                          processor_convert(e->tree, values[i], c->types[i])
                                    : c->pairs.ignore_missing;
        if (!is_good && c->pairs.fail_on_error) {
            return false;
        }
        values[i] = is_good ? values[i] : NULL;
    }
    return true;
}

static bool write_one(const struct conversion *c, struct processor_event *e,
                      const struct processor_pair *pair, struct node *value)
{
    bool is_elsewhere = !span_equal(pair->from, pair->to);
    if (!node_put(e->tree, e->root, pair->to, value)) {
        return false;
    }
    if (c->is_move && is_elsewhere) {
        (void)processor_take(e, pair->from);
    }
    return true;
}

/* First all are converted, then all are written; nothing is where one fails that must not. */
static void convert(const void *state, struct processor_event *e)
{
    const struct conversion *c = state;
    struct node **values = node_allocate(e->tree, (c->pairs.count + 1) * sizeof *values);
    if (!convert_all(c, e, values)) {
        e->has_failed = true;
        return;
    }
    const struct node *was = c->pairs.fail_on_error && c->pairs.count > 1 ? processor_remember(e) : NULL;
    for (size_t i = 0; i < c->pairs.count; i++) {
        bool is_good = values[i] == NULL || write_one(c, e, &c->pairs.items[i], values[i]);
        if (!is_good && c->pairs.fail_on_error) {
            processor_restore(e, was);
            e->has_failed = true;
            return;
        }
    }
}

const struct processor_kind processor_convert_kinds[] = {
    {"convert", make_convert, convert},
    {0},
};
