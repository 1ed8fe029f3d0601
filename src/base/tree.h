// SPDX-License-Identifier: Apache-2.0
/* Documents whose shape is not known beforehand: what stands in a policy, in the way a YAML or JSON
 * file said it. A tree is a value of scalars, lists and maps; all of it lives in one
 * tree_memory, and ends with it. Readers never write to it, so any thread may read. Cold path:
 * memory that ends while a document is read ends the program. */
#pragma once

#include "base/json.h"

enum tree_kind { TREE_NULL, TREE_FLAG, TREE_NUMBER, TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree {
    enum tree_kind kind;
    bool flag;
    uint64_t number;
    uint32_t line;    /* of the document, at which it is named; 0: not known */
    const char *text; /* of every scalar as it was written, NULL of the others */
    const char **keys; /* of a map, in the order of the document */
    struct tree *items;
    size_t count;
};

struct tree_memory; /* opaque */

struct tree_memory *tree_memory_new(void);
/* NULL is fine. */
void tree_memory_free(struct tree_memory *memory);
/* Zeroed bytes, and a copy of text, that live as long. */
void *tree_take(struct tree_memory *memory, size_t size);
const char *tree_keep(struct tree_memory *memory, const char *text);

/* A scalar: "true" and "false" are flags, digits alone a number, all else text. A scalar that was
 * quoted is read alike, as pktvisor does. */
struct tree tree_scalar(struct tree_memory *memory, const char *text);
struct tree tree_map(void);
struct tree tree_list(void);

/* Appends to a list or a map (whose keys may then stand there twice); false beyond TREE_ITEMS. */
enum { TREE_ITEMS = 1024 };
bool tree_add(struct tree_memory *memory, struct tree *to, const char *key, const struct tree *value);

/* The value of a key, or NULL; a null value counts as none. NULL of what is no map, too. */
const struct tree *tree_get(const struct tree *map, const char *key);
/* Sets keys of a map to those of another one, which may be NULL. */
void tree_merge(struct tree_memory *memory, struct tree *into, const struct tree *from);
/* A copy that lives in another memory. */
struct tree tree_copy(struct tree_memory *memory, const struct tree *from);

/* As JSON, the keys of maps in the order of their bytes. */
void tree_json(const struct tree *tree, struct json *to);
