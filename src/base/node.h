// SPDX-License-Identifier: Apache-2.0
/* Documents that are looked into and changed by name: maps, lists and scalars, as JSON and YAML know
 * them. For another program's configuration, and for events that somebody wants changed on their way
 * out; whoever has neither pays nothing. All nodes and texts live in the blocks of a `struct nodes` and
 * go with it; node_reset() keeps the first block, so that one serves document after document without
 * asking for memory. Memory that ends while a document is built ends the program. (A document that is
 * only read is a struct tree, base/tree.h.)
 *
 * One thread at a time; off the packet path. */
#pragma once

#include "base/span.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_NUMBER, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
    struct node *next;  /* in its list or map */
    struct node *first; /* of a list or map */
    struct node *last;
    struct span name;   /* in a map */
    struct span text;   /* of a scalar: a number's digits, true or false, or the text itself */
    uint32_t line;      /* where it stands in a file, from 1; 0: in none */
    uint32_t column;
    uint8_t kind;       /* enum node_kind */
    uint8_t file;       /* which, for whoever reads several */
    bool used;          /* for whoever walks a document twice */
};

struct node_block;

struct nodes {
    struct node_block *first; /* NULL: nothing yet; zeroed, it is empty */
    struct node_block *at;
};

/* Forgets all nodes, or gives all memory back. */
void node_reset(struct nodes *tree);
void node_done(struct nodes *tree);

/* Zeroed memory that lives as long as the nodes do. */
void *node_allocate(struct nodes *tree, size_t size);

/* A copy of a text, with a terminator behind it; by a format, too. */
struct span node_copy(struct nodes *tree, struct span text);
__attribute__((format(printf, 2, 3))) struct span node_format(struct nodes *tree,
                                                              const char *format, ...);

/* A new node; a scalar borrows its text. */
struct node *node_new(struct nodes *tree, enum node_kind kind, struct span text);

/* Copies a node with all below it, borrowing their texts. */
struct node *node_clone(struct nodes *tree, const struct node *node);

/* Appends to a list, or to a map under a name that is borrowed and not there yet. */
void node_append(struct node *parent, struct node *child);
void node_append_named(struct node *map, struct span name, struct node *child);

/* The member of a map by its name, as it stands; NULL when there is none or it is no map. */
struct node *node_member(const struct node *map, struct span name);

/* The node at a path of names with dots between them; a member whose own name has dots is found,
 * too. NULL when there is none. */
struct node *node_find(const struct node *map, struct span path);

/* Puts a node at a path, in place of what is there; maps on the way are made. False when something
 * on the way is no map. `path` is borrowed. */
bool node_put(struct nodes *tree, struct node *map, struct span path, struct node *node);

/* Takes the node at a path out; NULL when there is none. Maps that become empty stay. */
struct node *node_take(struct node *map, struct span path);

/* Takes a child out of its list or map. */
void node_unlink(struct node *parent, struct node *child);

/* Makes a node another kind of value, in its place. */
void node_become(struct node *node, enum node_kind kind, struct span text);

/* Merges a map into another, maps member by member; all else of `from` takes the place of what is
 * there. Nodes are moved, not copied. */
void node_merge(struct node *to, struct node *from);

/* Whether a scalar's text is this. */
bool node_is(const struct node *node, const char *text);

static inline bool node_is_scalar(const struct node *node)
{
    return node->kind < NODE_LIST;
}
