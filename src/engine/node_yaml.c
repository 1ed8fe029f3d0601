// SPDX-License-Identifier: Apache-2.0
#include "engine/node_yaml.h"

#include <stdlib.h>

struct walk {
    struct nodes *tree;
    yaml_document_t *document;
    node_yaml_expand *expand; /* NULL: values are as they stand */
    struct err *err;
    size_t nodes;
    unsigned depth;
};

static struct node *node_of(struct walk *walk, const yaml_node_t *node);

static bool is_word(struct span text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (span_equal(text, span_str(*words))) {
            return true;
        }
    }
    return false;
}

/* A whole or a broken decimal number. */
static bool is_number(struct span text)
{
    size_t i = text.size > 0 && *text.data == '-';
    size_t digits = 0;
    bool has_dot = false;
    bool is_octal = text.size - i > 1 && text.data[i] == '0' && text.data[i + 1] != '.';
    for (; i < text.size; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (!is_digit && (text.data[i] != '.' || has_dot || digits == 0 || i + 1 == text.size)) {
            return false;
        }
        has_dot = has_dot || !is_digit;
        digits += is_digit;
    }
    return digits > 0 && !is_octal;
}

/* Which kind a plain scalar is (YAML 1.1, as far as configurations use it). */
static struct node *plain_of(struct nodes *tree, struct span text)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "on", "On", NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no", "No", "off", "Off", NULL};
    if (is_word(text, nothing)) {
        return node_new(tree, NODE_NULL, span_str("null"));
    }
    if (is_word(text, yes) || is_word(text, no)) {
        return node_new(tree, NODE_BOOL, span_str(is_word(text, yes) ? "true" : "false"));
    }
    return node_new(tree, is_number(text) ? NODE_NUMBER : NODE_TEXT, node_copy(tree, text));
}

/* A value with what belongs into it; data is NULL after a fault. */
static struct span text_of(struct walk *walk, const yaml_node_t *node)
{
    struct span text = span_of(node->data.scalar.value, node->data.scalar.length);
    if (walk->expand == NULL || memchr(text.data, '$', text.size) == NULL) {
        return text;
    }
    struct err err = {0};
    char *expanded = walk->expand((const char *)text.data, &err);
    if (expanded == NULL) {
        err_set(walk->err, err.code, "%zu:%zu: %s", node->start_mark.line + 1,
                node->start_mark.column + 1, err.text);
        return (struct span){0};
    }
    text = node_copy(walk->tree, span_str(expanded));
    free(expanded);
    return text;
}

static struct node *scalar_of(struct walk *walk, const yaml_node_t *node)
{
    struct span text = text_of(walk, node);
    if (text.data == NULL) {
        return NULL;
    }
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        return plain_of(walk->tree, text);
    }
    return node_new(walk->tree, NODE_TEXT, node_copy(walk->tree, text));
}

/* Puts a value under its name, in a map of its own for each part of the name before a dot; maps that
 * are there already take it in. */
static void put_dotted(struct nodes *tree, struct node *map, struct span name,
                       struct node *value)
{
    struct node *inner = value;
    const uint8_t *dot;
    while ((dot = name.size > 0 ? memrchr(name.data, '.', name.size) : NULL) != NULL) {
        struct node *outer = node_new(tree, NODE_MAP, (struct span){0});
        size_t before = (size_t)(dot - name.data);
        outer->line = value->line;
        outer->column = value->column;
        node_append_named(outer, span_skip(name, before + 1), inner);
        inner = outer;
        name = span_head(name, before);
    }
    struct node holder = {.kind = NODE_MAP};
    node_append_named(&holder, name, inner);
    node_merge(map, &holder);
}

static struct node *map_of(struct walk *walk, const yaml_node_t *node)
{
    struct node *map = node_new(walk->tree, NODE_MAP, (struct span){0});
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(walk->document, pair->key);
        struct node *value =
            node_of(walk, yaml_document_get_node(walk->document, pair->value));
        if (value == NULL || key->type != YAML_SCALAR_NODE) {
            err_set(walk->err, ERR_USAGE, "%zu:%zu: a key that is no name",
                    key->start_mark.line + 1, key->start_mark.column + 1); /* the first fault stays */
            return NULL;
        }
        struct span name = span_of(key->data.scalar.value, key->data.scalar.length);
        value->line = (uint32_t)key->start_mark.line + 1;
        value->column = (uint32_t)key->start_mark.column + 1;
        put_dotted(walk->tree, map, node_copy(walk->tree, name), value);
    }
    return map;
}

static struct node *list_of(struct walk *walk, const yaml_node_t *node)
{
    struct node *list = node_new(walk->tree, NODE_LIST, (struct span){0});
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        struct node *value = node_of(walk, yaml_document_get_node(walk->document, *item));
        if (value == NULL) {
            return NULL;
        }
        node_append(list, value);
    }
    return list;
}

static struct node *node_of(struct walk *walk, const yaml_node_t *node)
{
    if (++walk->nodes > NODE_YAML_NODES || walk->depth == NODE_YAML_DEPTH) {
        err_set(walk->err, ERR_USAGE, "%zu:%zu: too deep or too large", node->start_mark.line + 1,
                node->start_mark.column + 1);
        return NULL;
    }
    walk->depth++;
    struct node *ret = node->type == YAML_SCALAR_NODE     ? scalar_of(walk, node)
                            : node->type == YAML_SEQUENCE_NODE ? list_of(walk, node)
                                                               : map_of(walk, node);
    walk->depth--;
    if (ret != NULL) {
        ret->line = (uint32_t)node->start_mark.line + 1;
        ret->column = (uint32_t)node->start_mark.column + 1;
    }
    return ret;
}

struct node *node_yaml_node(struct nodes *tree, yaml_document_t *document, const yaml_node_t *node,
                            node_yaml_expand *expand, struct err *err)
{
    struct walk walk = {.tree = tree, .document = document, .expand = expand, .err = err};
    return node_of(&walk, node);
}

static void complain(const yaml_parser_t *parser, const char *name, struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu:%zu: %s", name, parser->problem_mark.line + 1,
            parser->problem_mark.column + 1,
            parser->problem != NULL ? parser->problem : "it cannot be read");
}

struct node *node_yaml_parse(struct nodes *tree, const char *name, struct span text,
                                  struct err *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    struct err fault = {0};
    struct node *root = NULL;
    if (!yaml_parser_initialize(&parser)) {
        abort();
    }
    yaml_parser_set_input_string(&parser, text.data, text.size);
    if (!yaml_parser_load(&parser, &document)) {
        complain(&parser, name, err);
        yaml_parser_delete(&parser);
        return NULL;
    }
    const yaml_node_t *node = yaml_document_get_root_node(&document);
    root = node == NULL ? node_new(tree, NODE_MAP, (struct span){0})
                        : node_yaml_node(tree, &document, node, NULL, &fault);
    if (root == NULL) {
        err_set(err, ERR_USAGE, "%s:%s", name, fault.text);
    }
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return root;
}
