// SPDX-License-Identifier: Apache-2.0
#include "base/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 16 << 10 };

struct node_block {
    struct node_block *next;
    size_t used;
    size_t room;
    max_align_t bytes[];
};

/* ---- Memory --------------------------------------------------------------------------------- */

void node_reset(struct nodes *tree)
{
    if (tree->first == NULL) {
        return;
    }
    for (struct node_block *block = tree->first->next; block != NULL;) {
        struct node_block *next = block->next;
        free(block);
        block = next;
    }
    tree->first->next = NULL;
    tree->first->used = 0;
    tree->at = tree->first;
}

void node_done(struct nodes *tree)
{
    node_reset(tree);
    free(tree->first);
    *tree = (struct nodes){0};
}

static struct node_block *add_block(struct nodes *tree, size_t least)
{
    size_t room = least > BLOCK_BYTES ? least : BLOCK_BYTES;
    struct node_block *block = malloc(sizeof *block + room);
    if (block == NULL) {
        abort();
    }
    *block = (struct node_block){.room = room};
    if (tree->at != NULL) {
        tree->at->next = block;
    } else {
        tree->first = block;
    }
    tree->at = block;
    return block;
}

/* Memory that is not zeroed. */
static void *take(struct nodes *tree, size_t size)
{
    size_t step = sizeof(max_align_t);
    size = (size + step - 1) / step * step;
    struct node_block *block = tree->at;
    if (block == NULL || block->room - block->used < size) {
        block = add_block(tree, size);
    }
    void *memory = (char *)block->bytes + block->used;
    block->used += size;
    return memory;
}

void *node_allocate(struct nodes *tree, size_t size)
{
    return memset(take(tree, size), 0, size);
}

struct span node_copy(struct nodes *tree, struct span text)
{
    char *to = take(tree, text.size + 1);
    if (text.size > 0) {
        memcpy(to, text.data, text.size);
    }
    to[text.size] = '\0';
    return span_of(to, text.size);
}

struct span node_format(struct nodes *tree, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text;
    int size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0) {
        abort();
    }
    struct span copy = node_copy(tree, span_of(text, (size_t)size));
    free(text);
    return copy;
}

/* ---- Nodes ---------------------------------------------------------------------------------- */

struct node *node_new(struct nodes *tree, enum node_kind kind, struct span text)
{
    struct node *node = node_allocate(tree, sizeof *node);
    node->kind = (uint8_t)kind;
    node->text = text;
    return node;
}

void node_append(struct node *parent, struct node *child)
{
    child->next = NULL;
    if (parent->last != NULL) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
}

void node_append_named(struct node *map, struct span name, struct node *child)
{
    child->name = name;
    node_append(map, child);
}

struct node *node_clone(struct nodes *tree, const struct node *node)
{
    struct node *copy = take(tree, sizeof *copy);
    *copy = *node;
    copy->next = copy->first = copy->last = NULL;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        node_append(copy, node_clone(tree, child));
    }
    return copy;
}

struct node *node_member(const struct node *map, struct span name)
{
    if (map == NULL || map->kind != NODE_MAP) {
        return NULL;
    }
    struct node *child = map->first;
    while (child != NULL && !span_equal(child->name, name)) {
        child = child->next;
    }
    return child;
}

/* Whether `name` is the beginning of a path, up to a dot. */
static bool leads(struct span name, struct span path)
{
    return name.size > 0 && name.size < path.size && path.data[name.size] == '.' &&
           memcmp(name.data, path.data, name.size) == 0;
}

/* The node at a path and, in `parent`, the map that it is in. */
static struct node *find_in(const struct node *map, struct span path, struct node **parent)
{
    struct node *child = map->kind == NODE_MAP ? map->first : NULL;
    for (; child != NULL; child = child->next) {
        if (span_equal(child->name, path)) {
            *parent = (struct node *)map;
            return child;
        }
        if (leads(child->name, path)) {
            struct node *found = find_in(child, span_skip(path, child->name.size + 1), parent);
            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

struct node *node_find(const struct node *map, struct span path)
{
    struct node *parent;
    return find_in(map, path, &parent);
}

void node_unlink(struct node *parent, struct node *child)
{
    struct node *before = NULL;
    for (struct node *at = parent->first; at != child; at = at->next) {
        before = at;
    }
    if (before != NULL) {
        before->next = child->next;
    } else {
        parent->first = child->next;
    }
    if (parent->last == child) {
        parent->last = before;
    }
    child->next = NULL;
}

struct node *node_take(struct node *map, struct span path)
{
    struct node *parent;
    struct node *node = find_in(map, path, &parent);
    if (node != NULL) {
        node_unlink(parent, node);
    }
    return node;
}

/* Gives a node the value of another one. */
static void replace(struct node *node, const struct node *by)
{
    node->kind = by->kind;
    node->text = by->text;
    node->first = by->first;
    node->last = by->last;
    node->line = by->line;
    node->column = by->column;
}

/* The map of that name in a map, made if need be; NULL when something else has the name. */
static struct node *map_in(struct nodes *tree, struct node *map, struct span name)
{
    struct node *next = node_member(map, name);
    if (next == NULL) {
        next = node_new(tree, NODE_MAP, (struct span){0});
        node_append_named(map, name, next);
    } else if (next->kind == NODE_NULL) {
        next->kind = NODE_MAP;
    }
    return next->kind == NODE_MAP ? next : NULL;
}

bool node_put(struct nodes *tree, struct node *map, struct span path, struct node *node)
{
    struct node *known = node_find(map, path);
    if (known != NULL) {
        replace(known, node);
        return true;
    }
    const uint8_t *dot;
    while (map != NULL && (dot = memchr(path.data, '.', path.size)) != NULL) {
        struct span name = span_head(path, (size_t)(dot - path.data));
        map = map_in(tree, map, name);
        path = span_skip(path, name.size + 1);
    }
    if (map != NULL) {
        node_append_named(map, path, node);
    }
    return map != NULL;
}

void node_become(struct node *node, enum node_kind kind, struct span text)
{
    node->kind = (uint8_t)kind;
    node->text = text;
    node->first = node->last = NULL;
}

void node_merge(struct node *to, struct node *from)
{
    for (struct node *child = from->first; child != NULL;) {
        struct node *next = child->next;
        struct node *known = node_member(to, child->name);
        if (known == NULL) {
            node_append(to, child);
        } else if (known->kind == NODE_MAP && child->kind == NODE_MAP) {
            node_merge(known, child);
        } else {
            replace(known, child);
        }
        child = next;
    }
    from->first = from->last = NULL;
}

bool node_is(const struct node *node, const char *text)
{
    return node != NULL && node_is_scalar(node) && span_equal(node->text, span_str(text));
}
