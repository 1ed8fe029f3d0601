// SPDX-License-Identifier: Apache-2.0
#include "policy/yaml_tree.h"

#include <yaml.h>

struct yaml_walk {
    struct tree_memory *memory;
    yaml_document_t *document;
    unsigned left; /* nodes that may still be made */
    struct err *err;
};

static bool refuse(struct yaml_walk *walk, const yaml_node_t *node, const char *what)
{
    return err_set(walk->err, ERR_USAGE, "line %zu, column %zu: %s", node->start_mark.line + 1,
                   node->start_mark.column + 1, what);
}

static bool read_node(struct yaml_walk *walk, int number, unsigned depth, struct tree *ret);

static bool is_null(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool read_map(struct yaml_walk *walk, const yaml_node_t *node, unsigned depth,
                     struct tree *ret)
{
    *ret = tree_map();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(walk->document, pair->key);
        struct tree value;
        if (key->type != YAML_SCALAR_NODE) {
            return refuse(walk, key, "a key is no name");
        }
        if (!read_node(walk, pair->value, depth, &value)) {
            return false;
        }
        value.line = (uint32_t)key->start_mark.line + 1;
        if (!tree_add(walk->memory, ret, (const char *)key->data.scalar.value, &value)) {
            return refuse(walk, node, "too many keys");
        }
    }
    return true;
}

static bool read_list(struct yaml_walk *walk, const yaml_node_t *node, unsigned depth,
                      struct tree *ret)
{
    *ret = tree_list();
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        struct tree value;
        if (!read_node(walk, *item, depth, &value)) {
            return false;
        }
        value.line = (uint32_t)yaml_document_get_node(walk->document, *item)->start_mark.line + 1;
        if (!tree_add(walk->memory, ret, NULL, &value)) {
            return refuse(walk, node, "too many items");
        }
    }
    return true;
}

static bool read_node(struct yaml_walk *walk, int number, unsigned depth, struct tree *ret)
{
    const yaml_node_t *node = yaml_document_get_node(walk->document, number);
    if (depth == 0 || walk->left-- == 0) {
        walk->left = 0;
        return refuse(walk, node, "the document is too large");
    }
    switch (node->type) {
    case YAML_SCALAR_NODE:
        *ret = is_null(node)
                   ? (struct tree){.kind = TREE_NULL}
                   : tree_scalar(walk->memory, (const char *)node->data.scalar.value);
        return true;
    case YAML_MAPPING_NODE:
        return read_map(walk, node, depth - 1, ret);
    case YAML_SEQUENCE_NODE:
        return read_list(walk, node, depth - 1, ret);
    default:
        *ret = (struct tree){.kind = TREE_NULL};
        return true;
    }
}

bool yaml_tree_of(struct tree_memory *memory, struct yaml_document_s *document, int node,
                  struct tree *ret, struct err *err)
{
    struct yaml_walk walk = {memory, document, YAML_TREE_NODES, err};
    return read_node(&walk, node, YAML_TREE_DEPTH, ret);
}

bool yaml_tree_read(struct tree_memory *memory, struct span text, struct tree *ret,
                    struct err *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    *ret = (struct tree){.kind = TREE_NULL};
    if (text.size > YAML_TREE_TEXT) {
        return err_set(err, ERR_USAGE, "the document is too large");
    }
    if (text.size == 0) {
        return true; /* the library wants bytes */
    }
    if (!yaml_parser_initialize(&parser)) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    yaml_parser_set_input_string(&parser, text.data, text.size);
    bool done = yaml_parser_load(&parser, &document);
    if (!done) {
        err_set(err, ERR_USAGE, "line %zu, column %zu: this is not YAML: %s",
                parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                parser.problem != NULL ? parser.problem : "unreadable");
    } else {
        done = yaml_document_get_root_node(&document) == NULL ||
               yaml_tree_of(memory, &document, 1, ret, err);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return done;
}
