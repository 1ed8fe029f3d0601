// SPDX-License-Identifier: Apache-2.0
/* YAML text (JSON is YAML, too) as a tree. Aliases are followed, within bounds, so that no small
 * file becomes a large tree; a key that stands twice in a map stays there twice. Cold path. */
#pragma once

#include "base/err.h"
#include "base/tree.h"

enum {
    YAML_TREE_NODES = 50000, /* of the tree, aliases written out */
    YAML_TREE_DEPTH = 32,
    YAML_TREE_TEXT = 1 << 20, /* bytes of the document */
};

/* Reads the first document; false and err, which names the line and the column. An empty document is
 * TREE_NULL. */
bool yaml_tree_read(struct tree_memory *memory, struct span text, struct tree *ret,
                    struct err *err);

/* Puts the fields of `node`, a node of a libyaml document, into a tree; for those who have a
 * document at hand (struct yaml_document_s *, and the number of the node). */
struct yaml_document_s;
bool yaml_tree_of(struct tree_memory *memory, struct yaml_document_s *document, int node,
                  struct tree *ret, struct err *err);
