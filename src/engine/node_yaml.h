// SPDX-License-Identifier: Apache-2.0
/* YAML as a tree (base/node.h) in which names with dots are taken apart: `output.console.enabled` and
 * the same nested are one. For what has no schema of its own: another program's configuration, a list
 * of processors. Nodes know their place in the file. Cold path. */
#pragma once

#include <yaml.h>

#include "base/err.h"
#include "base/node.h"

enum { NODE_YAML_NODES = 100000, NODE_YAML_DEPTH = 64 };

/* Reads one document; an empty one is an empty map. NULL and err (`NAME:LINE:COLUMN: text`) when it
 * is no YAML, or aliases make more than NODE_YAML_NODES of it. Texts are copied. */
struct node *node_yaml_parse(struct nodes *tree, const char *name, struct span text,
                                  struct err *err);

/* What is put in place of each single value, from the heap; NULL and err when it cannot be. */
typedef char *node_yaml_expand(const char *text, struct err *err);

/* One node of a document that somebody else has parsed. `expand` may be NULL. NULL and err
 * (`LINE:COLUMN: text` where it is known) when it is too large, or a value cannot be expanded. */
struct node *node_yaml_node(struct nodes *tree, yaml_document_t *document, const yaml_node_t *node,
                            node_yaml_expand *expand, struct err *err);
