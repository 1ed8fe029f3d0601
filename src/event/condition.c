// SPDX-License-Identifier: Apache-2.0
#include "event/condition.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/expression.h"
#include "event/networks.h"

enum { PATH_MAX_BYTES = 256, NUMBER_MAX = 64, DEPTH_MAX = 20 };

enum test { TEST_EQUALS, TEST_CONTAINS, TEST_REGEXP, TEST_RANGE, TEST_NETWORK, TEST_HAS,
            TEST_AND, TEST_OR, TEST_NOT };

enum bound { BOUND_GT, BOUND_GTE, BOUND_LT, BOUND_LTE };

struct condition {
    struct condition *next;  /* beside it, in what it is part of */
    struct condition *first; /* of AND, OR, NOT */
    enum test test;
    struct span field;
    const struct node *value; /* EQUALS, CONTAINS */
    enum bound bound;              /* RANGE */
    double number;
    struct expression expression;  /* REGEXP */
    struct networks *networks;     /* NETWORK */
};

bool condition_refuse(const struct node *at, struct err *err, const char *format, ...)
{
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (at != NULL && at->line != 0) {
        return err_set(err, ERR_USAGE, "%u:%u: %s", at->line, at->column, text);
    }
    return err_set(err, ERR_USAGE, "%s", text);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

struct maker {
    struct nodes *tree;
    struct err *err;
    unsigned depth;
};

static bool make_into(struct maker *m, struct condition *parent, const struct node *map);

static struct condition *add(struct maker *m, struct condition *parent, enum test test)
{
    struct condition *c = node_allocate(m->tree, sizeof *c);
    c->test = test;
    c->next = parent->first;
    parent->first = c;
    return c;
}

static bool to_number(struct span text, double *ret)
{
    char copy[NUMBER_MAX];
    if (text.size == 0 || text.size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    *ret = strtod(copy, &end);
    return *end == '\0';
}

static bool set_regex(struct maker *m, struct condition *c, const struct node *value)
{
    char why[200];
    return expression_make(&c->expression, value->text, why, sizeof why) ||
           condition_refuse(value, m->err, "regexp '%.*s': %s", (int)value->text.size,
                            value->text.data, why);
}

static bool set_networks(struct maker *m, struct condition *c, const struct node *value)
{
    c->networks = node_allocate(m->tree, sizeof *c->networks);
    const struct node *item = node_is_scalar(value) ? value : value->first;
    for (; item != NULL; item = node_is_scalar(value) ? NULL : item->next) {
        struct err err = {0};
        if (!networks_add(c->networks, item->text, &err)) {
            return condition_refuse(item, m->err, "network: %s", err.text);
        }
    }
    return true;
}

static bool set_value(struct maker *m, struct condition *c, const struct node *value)
{
    c->value = value;
    switch (c->test) {
    case TEST_REGEXP:
        return set_regex(m, c, value);
    case TEST_NETWORK:
        return set_networks(m, c, value);
    case TEST_RANGE:
        return to_number(value->text, &c->number) ||
               condition_refuse(value, m->err, "range: '%.*s' is no number", (int)value->text.size,
                                value->text.data);
    default:
        return true;
    }
}

/* The last name of a path, as a bound: gt, gte, lt, lte. */
static bool take_bound(struct condition *c)
{
    static const char *const names[] = {".gt", ".gte", ".lt", ".lte"};
    for (size_t i = 0; i < 4; i++) {
        size_t size = strlen(names[i]);
        if (c->field.size > size &&
            span_equal(span_skip(c->field, c->field.size - size), span_str(names[i]))) {
            c->field.size -= size;
            c->bound = (enum bound)i;
            return true;
        }
    }
    return false;
}

static bool make_leaf(struct maker *m, struct condition *parent, enum test test, struct span path,
                      const struct node *value)
{
    struct condition *c = add(m, parent, test);
    c->field = node_copy(m->tree, path);
    if (test == TEST_RANGE && !take_bound(c)) {
        return condition_refuse(value, m->err, "range: it takes gt, gte, lt or lte below the field");
    }
    if (value->kind == NODE_LIST && test != TEST_NETWORK) {
        return condition_refuse(value, m->err, "a condition compares with one value, not with a list");
    }
    return set_value(m, c, value);
}

/* Fields and values, however their names are nested. */
static bool make_leaves(struct maker *m, struct condition *parent, enum test test,
                        struct span prefix, const struct node *map)
{
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        char path[PATH_MAX_BYTES];
        int size = snprintf(path, sizeof path, "%.*s%s%.*s", (int)prefix.size, prefix.data,
                            prefix.size > 0 ? "." : "", (int)child->name.size, child->name.data);
        if ((size_t)size >= sizeof path) {
            return condition_refuse(child, m->err, "a name of a field that is too long");
        }
        struct span at = span_of(path, (size_t)size);
        bool is_good = child->kind == NODE_MAP ? make_leaves(m, parent, test, at, child)
                                               : make_leaf(m, parent, test, at, child);
        if (!is_good) {
            return false;
        }
    }
    return true;
}

static bool make_fields(struct maker *m, struct condition *parent, const struct node *list)
{
    if (list->kind == NODE_TEXT) { /* a list of one */
        add(m, parent, TEST_HAS)->field = list->text;
        return true;
    }
    if (list->kind != NODE_LIST) {
        return condition_refuse(list, m->err, "has_fields takes a list of names");
    }
    for (const struct node *item = list->first; item != NULL; item = item->next) {
        add(m, parent, TEST_HAS)->field = item->text;
    }
    return true;
}

/* and, or: a list of conditions; not: one. */
static bool make_joined(struct maker *m, struct condition *parent, enum test test,
                        const struct node *node)
{
    struct condition *c = add(m, parent, test);
    if (node->kind == NODE_MAP) {
        struct condition *all = test == TEST_NOT ? add(m, c, TEST_AND) : c;
        return make_into(m, all, node);
    }
    if (node->kind != NODE_LIST || test == TEST_NOT) {
        return condition_refuse(node, m->err, "'%.*s' takes %s", (int)node->name.size,
                                node->name.data,
                                test == TEST_NOT ? "a condition" : "a list of conditions");
    }
    for (const struct node *item = node->first; item != NULL; item = item->next) {
        if (!make_into(m, add(m, c, TEST_AND), item)) {
            return false;
        }
    }
    return true;
}

static bool make_one(struct maker *m, struct condition *parent, const struct node *node)
{
    static const char *const names[] = {"equals",  "contains", "regexp", "range", "network",
                                        "has_fields", "and", "or", "not"};
    enum test test = TEST_EQUALS;
    while (test <= TEST_NOT && !span_equal(node->name, span_str(names[test]))) {
        test++;
    }
    if (test > TEST_NOT) {
        return condition_refuse(node, m->err,
                                "'%.*s' is no condition: equals, contains, regexp, range, network, "
                                "has_fields, and, or, not",
                                (int)node->name.size, node->name.data);
    }
    if (test >= TEST_AND) {
        return make_joined(m, parent, test, node);
    }
    if (test == TEST_HAS) {
        return make_fields(m, parent, node);
    }
    if (node->kind != NODE_MAP) {
        return condition_refuse(node, m->err, "'%s' takes names of fields and their values",
                                names[test]);
    }
    return make_leaves(m, parent, test, (struct span){0}, node);
}

static bool make_into(struct maker *m, struct condition *parent, const struct node *map)
{
    if (map->kind != NODE_MAP || map->first == NULL) {
        return condition_refuse(map, m->err, "a condition is a mapping, such as equals.type: dns");
    }
    if (m->depth == DEPTH_MAX) {
        return condition_refuse(map, m->err, "conditions more than %d deep", DEPTH_MAX);
    }
    m->depth++;
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        if (!make_one(m, parent, child)) {
            return false;
        }
    }
    m->depth--;
    return true;
}

struct condition *condition_new(struct nodes *tree, const struct node *map, struct err *err)
{
    struct maker m = {.tree = tree, .err = err};
    struct condition *c = node_allocate(tree, sizeof *c);
    c->test = TEST_AND;
    if (!make_into(&m, c, map)) {
        condition_free(c);
        return NULL;
    }
    return c;
}

void condition_free(struct condition *c)
{
    for (; c != NULL; c = c->next) {
        condition_free(c->first);
        expression_done(&c->expression);
    }
}

/* ---- Asking ----------------------------------------------------------------------------------- */

/* Numbers with numbers, texts with texts: what a configuration has in quotes is a text. */
static bool equals(const struct condition *c, const struct node *node)
{
    double a, b;
    if (node->kind != c->value->kind) {
        return false;
    }
    return node->kind == NODE_NUMBER && to_number(node->text, &a) && to_number(c->value->text, &b)
               ? a == b
               : span_equal(node->text, c->value->text);
}

static bool contains(const struct condition *c, struct span text)
{
    struct span part = c->value->text;
    return part.size == 0 ||
           (text.size > 0 && memmem(text.data, text.size, part.data, part.size) != NULL);
}

static bool is_within(const struct condition *c, struct span text)
{
    double number;
    if (!to_number(text, &number)) {
        return false;
    }
    switch (c->bound) {
    case BOUND_GT:
        return number > c->number;
    case BOUND_GTE:
        return number >= c->number;
    case BOUND_LT:
        return number < c->number;
    default:
        return number <= c->number;
    }
}

static bool one_holds(const struct condition *c, const struct node *node)
{
    struct networks_address address;
    bool is_text = node->kind == NODE_TEXT;
    switch (c->test) {
    case TEST_CONTAINS:
        return is_text && contains(c, node->text);
    case TEST_REGEXP:
        return is_text && expression_matches(&c->expression, node->text);
    case TEST_RANGE:
        return is_within(c, node->text);
    case TEST_NETWORK:
        return networks_address_read(node->text, &address) && networks_have(c->networks, &address);
    default:
        return equals(c, node);
    }
}

/* Of a list, contains, regexp and network ask for any item; equals and range know single values. */
static bool field_holds(const struct condition *c, const struct node *event)
{
    const struct node *node = node_find(event, c->field);
    if (node == NULL || c->test == TEST_HAS) {
        return node != NULL;
    }
    if (node->kind != NODE_LIST) {
        return node_is_scalar(node) && one_holds(c, node);
    }
    bool takes_lists = c->test != TEST_EQUALS && c->test != TEST_RANGE;
    const struct node *item = takes_lists ? node->first : NULL;
    while (item != NULL && !(node_is_scalar(item) && one_holds(c, item))) {
        item = item->next;
    }
    return item != NULL;
}

bool condition_holds(const struct condition *c, const struct node *event)
{
    if (c->test < TEST_AND) {
        return field_holds(c, event);
    }
    for (const struct condition *part = c->first; part != NULL; part = part->next) {
        bool holds = condition_holds(part, event);
        if (c->test == TEST_NOT) {
            return !holds;
        }
        if (holds != (c->test == TEST_AND)) {
            return holds;
        }
    }
    return c->test == TEST_AND;
}
