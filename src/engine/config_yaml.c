// SPDX-License-Identifier: Apache-2.0
/* The loader: YAML to values, by the schema. libyaml builds the document; we walk only where the
 * schema leads, so that neither aliases nor cycles nor depth can make the walk long. Faults are
 * collected, each with its place, so that a user mends a file in one go. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/suggest.h"
#include "base/text.h"
#include "engine/config_policies.h"
#include "engine/config_protocols.h"
#include "engine/config_variables.h"
#include "engine/node_yaml.h"
#include "event/processor.h"
#include "proto/proto.h"

enum { ROWS_MAX = 64, PATH_ROOM = 128, VALUE_MAX = 64 << 10 };

/* Names of the root that the plan has and this version has not. */
static const char *const reserved[] = {"store", "alerts", NULL};

/* What the walk carries along. */
struct loader {
    const char *name;
    yaml_document_t *document;
    struct config *config;
    struct config_problems *problems;
    yaml_mark_t places[ROWS_MAX]; /* of the root's values; the file's start for those not there */
};

/* One mapping of the file and the table that it is held against. */
struct scope {
    const struct config_key *keys;
    const char *prefix; /* "" or "flows." */
    void *object;
    const char *kind; /* of the item; NULL at the root */
    uint64_t *given;
    uint64_t seen; /* rows, sections too */
};

/* ---- Problems. ---- */

static bool is_full(const struct loader *loader)
{
    return loader->problems->count == CONFIG_PROBLEMS_MAX;
}

__attribute__((format(printf, 3, 4))) static void problem(struct loader *loader, yaml_mark_t at,
                                                          const char *format, ...)
{
    struct config_problems *problems = loader->problems;
    if (is_full(loader)) {
        return;
    }
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *line;
    if (asprintf(&line, "%s:%zu:%zu: %s", loader->name, at.line + 1, at.column + 1, text) < 0) {
        abort();
    }
    problems->lines[problems->count++] = line;
}

static const char *node_what(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE    ? "a mapping"
           : node->type == YAML_SEQUENCE_NODE ? "a list"
                                              : "a single value";
}

/* ---- Scalars. ---- */

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* Nothing written behind the colon, or one of YAML's words for it. */
static bool is_null(const yaml_node_t *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof words / sizeof *words && node->type == YAML_SCALAR_NODE &&
                       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
         i++) {
        if (strcmp(scalar(node), words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The scalar's text with variables expanded; to be freed. NULL after a problem. */
static char *expand(struct loader *loader, const yaml_node_t *node)
{
    struct err err = {0};
    if (strlen(scalar(node)) != node->data.scalar.length ||
        node->data.scalar.length > VALUE_MAX) {
        problem(loader, node->start_mark, "a value with a NUL character, or beyond %d bytes",
                VALUE_MAX);
        return NULL;
    }
    char *text = config_variables_expand(scalar(node), &err);
    if (text == NULL) {
        problem(loader, node->start_mark, "%s", err.text);
    }
    return text;
}

/* Reads a scalar into the row's value; false after a problem. */
static bool bind_scalar(struct loader *loader, const struct scope *scope,
                        const struct config_key *key, const yaml_node_t *node)
{
    struct err err = {0};
    if (node->type != YAML_SCALAR_NODE) {
        problem(loader, node->start_mark, "%s is %s, not a single value", key->path,
                node_what(node));
        return false;
    }
    char *text = expand(loader, node);
    if (text == NULL) {
        return false;
    }
    if (!config_value_set(loader->config, key, scope->object, text, &err)) {
        problem(loader, node->start_mark, "%s", err.text);
    }
    free(text);
    return err.code == ERR_NONE;
}

static void bind_list(struct loader *loader, const struct scope *scope,
                      const struct config_key *key, const yaml_node_t *node)
{
    config_value_clear(key, scope->object);
    if (node->type != YAML_SEQUENCE_NODE) {
        bind_scalar(loader, scope, key, node);
        return;
    }
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        if (!bind_scalar(loader, scope, key, yaml_document_get_node(loader->document, *item))) {
            return; /* one fault a list is enough */
        }
    }
}

/* ---- Mappings. ---- */

static void bind_mapping(struct loader *loader, struct scope *scope, const yaml_node_t *node);

/* The value of a key in a mapping node, or NULL. */
static const yaml_node_t *lookup(struct loader *loader, const yaml_node_t *mapping,
                                 const char *name)
{
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(loader->document, pair->key);
        if (key->type == YAML_SCALAR_NODE && strcmp(scalar(key), name) == 0) {
            return yaml_document_get_node(loader->document, pair->value);
        }
    }
    return NULL;
}

/* The kind that an item's mapping names, or the default; NULL after a problem. */
static const char *item_kind(struct loader *loader, const struct config_key *key,
                             const yaml_node_t *node)
{
    const yaml_node_t *kind = lookup(loader, node, "kind");
    if (kind == NULL || is_null(kind)) {
        return key->items->default_kind;
    }
    if (kind->type != YAML_SCALAR_NODE) {
        problem(loader, kind->start_mark, "kind is %s, not a single value", node_what(kind));
        return NULL;
    }
    struct err err = {0};
    char *text = expand(loader, kind);
    if (text == NULL) {
        return NULL;
    }
    const char *name = config_choice(config_key_find(key->items->keys, "kind"), text, &err);
    if (name == NULL) {
        problem(loader, kind->start_mark, "%s", err.text);
    }
    free(text);
    return name;
}

static void bind_item(struct loader *loader, const struct config_key *key, size_t index,
                      const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE) {
        problem(loader, node->start_mark, "%s holds %s, not mappings of keys", key->path,
                node_what(node));
        return;
    }
    const char *kind = item_kind(loader, key, node);
    void *item = kind != NULL ? key->items->add(loader->config, kind) : NULL;
    if (item == NULL) {
        if (kind != NULL) {
            problem(loader, node->start_mark, "%s has more than %zu items", key->path, index);
        }
        return;
    }
    size_t before = loader->problems->count;
    struct scope scope = {.keys = key->items->keys, .prefix = "", .object = item, .kind = kind,
                          .given = config_item_given(key, item)};
    bind_mapping(loader, &scope, node);
    struct err err = {0};
    if (loader->problems->count == before &&
        !key->items->check(loader->config, config_items_count(loader->config, key) - 1, &err)) {
        problem(loader, node->start_mark, "%s", err.text);
    }
}

/* Policies, and taps by name, are kept for those who make policies of them. */
static void bind_policies(struct loader *loader, const char *key, const yaml_node_t *node)
{
    struct err err = {0};
    if (!config_policies_keep(loader->config, key, loader->document, node, &err)) {
        problem(loader, node->start_mark, "%s: %s", key, err.text);
    }
}

static void bind_items(struct loader *loader, const struct config_key *key,
                       const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE && key->items->keys == config_tap_keys) {
        bind_policies(loader, key->path, node);
        return;
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        problem(loader, node->start_mark, "%s is %s, not a list: begin each item with '- '",
                key->path, node_what(node));
        return;
    }
    config_items_clear(loader->config, key);
    size_t index = 0;
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top && !is_full(loader); item++) {
        bind_item(loader, key, index++, yaml_document_get_node(loader->document, *item));
    }
}

static void bind_protocol(struct loader *loader, const yaml_node_t *name, const yaml_node_t *node)
{
    struct err err = {0};
    struct config_protocol *protocol =
        name->type == YAML_SCALAR_NODE
            ? config_protocol_named(loader->config, scalar(name), &err)
            : NULL;
    if (protocol == NULL) {
        problem(loader, name->start_mark, "%s",
                err.code != ERR_NONE ? err.text : "a protocol's name is a single word");
        return;
    }
    if (is_null(node)) {
        return;
    }
    if (node->type != YAML_MAPPING_NODE) {
        problem(loader, node->start_mark, "%s is %s, not a mapping of keys", scalar(name),
                node_what(node));
        return;
    }
    size_t before = loader->problems->count;
    struct scope scope = {.keys = protocol->keys, .prefix = "", .object = protocol->options,
                          .kind = protocol->proto->name, .given = &protocol->given};
    bind_mapping(loader, &scope, node);
    if (loader->problems->count == before && !config_protocol_check(protocol, &err)) {
        problem(loader, node->start_mark, "%s", err.text);
    }
}

static void bind_protocols(struct loader *loader, const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE) {
        problem(loader, node->start_mark, "protocols is %s, not a mapping of protocols",
                node_what(node));
        return;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && !is_full(loader); pair++) {
        bind_protocol(loader, yaml_document_get_node(loader->document, pair->key),
                      yaml_document_get_node(loader->document, pair->value));
    }
}

/* A problem whose text may begin with its place. */
static void problem_at(struct loader *loader, yaml_mark_t otherwise, const char *text)
{
    unsigned line = 0, column = 0;
    int skip = 0;
    (void)sscanf(text, "%u:%u: %n", &line, &column, &skip);
    yaml_mark_t place = {.line = line > 0 ? line - 1 : otherwise.line,
                         .column = column > 0 ? column - 1 : otherwise.column};
    problem(loader, place, "%s", text + skip);
}

/* Processors are made once to see whether they can be, and do what their names say. */
static bool check_processors(struct nodes *tree, const struct node *list, struct err *err)
{
    struct node *ignored = node_new(tree, NODE_LIST, (struct span){0});
    struct processors *processors = processors_new(list, NULL, ignored, err);
    const struct node *idle = ignored->first;
    if (processors != NULL && idle != NULL) {
        err_set(err, ERR_USAGE, "%u:%u: %.*s does nothing here: take it out", idle->line,
                idle->column, (int)idle->text.size, idle->text.data);
    }
    processors_free(processors);
    return err->code == ERR_NONE;
}

static void bind_tree(struct loader *loader, const struct config_key *key, const yaml_node_t *node)
{
    struct config *config = loader->config;
    struct nodes *tree = config_tree(config);
    struct node **at = (struct node **)((char *)config + key->offset);
    struct err err = {0};
    struct node *list =
        node_yaml_node(tree, loader->document, node, config_variables_expand, &err);
    if (list == NULL || !check_processors(tree, list, &err)) {
        problem_at(loader, node->start_mark, err.text);
    }
    *at = list;
}

/* Whether a key's full path is in a table that is not there yet. */
static bool is_reserved(const char *path)
{
    for (const char *const *name = reserved; *name != NULL; name++) {
        if (strcmp(*name, path) == 0) {
            return true;
        }
    }
    return false;
}

/* Says what is wrong with a key that no row has: the nearest among its siblings, if any is near. */
static void refuse_key(struct loader *loader, const struct scope *scope, const char *name,
                       const char *path, yaml_mark_t at)
{
    char quote[PATH_ROOM];
    if (scope->kind == NULL && is_reserved(path)) {
        problem(loader, at, "'%s' is not supported yet: leave it out", path);
        return;
    }
    const char *dot = strchr(path, '.');
    if (dot != NULL && config_key_find(scope->keys, path) != NULL) {
        problem(loader, at, "'%s' is written as '%s' below '%.*s:'", path, dot + 1,
                (int)(dot - path), path);
        return;
    }
    size_t skip = strlen(scope->prefix);
    struct suggest suggest = suggest_of(name);
    for (const struct config_key *key = scope->keys; key->path != NULL; key++) {
        bool is_sibling = strncmp(key->path, scope->prefix, skip) == 0 &&
                          strchr(key->path + skip, '.') == NULL;
        if (is_sibling && (scope->kind == NULL || config_key_applies(key, scope->kind))) {
            suggest_offer(&suggest, key->path + skip);
        }
    }
    for (const char *const *other = reserved; scope->kind == NULL && skip == 0 && *other; other++) {
        suggest_offer(&suggest, *other);
    }
    text_printable(quote, sizeof quote, name);
    if (suggest.best != NULL) {
        problem(loader, at, "unknown key '%s' (did you mean '%s'?)", quote, suggest.best);
    } else {
        problem(loader, at, "unknown key '%s'", quote);
    }
}

/* The value of a key whose row is known. */
static void bind_value(struct loader *loader, struct scope *scope, const struct config_key *key,
                       const yaml_node_t *node)
{
    if (is_null(node)) {
        return; /* a key without a value keeps its default */
    }
    if (key->kind == CONFIG_SECTION && node->type != YAML_MAPPING_NODE) {
        problem(loader, node->start_mark, "%s is %s, not a mapping of keys", key->path,
                node_what(node));
        return;
    }
    if (key->kind == CONFIG_SECTION) {
        char prefix[PATH_ROOM];
        snprintf(prefix, sizeof prefix, "%s.", key->path);
        struct scope inner = *scope;
        inner.prefix = prefix;
        bind_mapping(loader, &inner, node);
        return;
    }
    *scope->given |= 1ull << (key - scope->keys);
    if (key->kind == CONFIG_PROTOCOLS) {
        bind_protocols(loader, node);
    } else if (key->kind == CONFIG_TREE) {
        bind_tree(loader, key, node);
    } else if (key->kind == CONFIG_ITEMS) {
        bind_items(loader, key, node);
    } else if (key->kind == CONFIG_LIST) {
        bind_list(loader, scope, key, node);
    } else if (scope->kind == NULL || strcmp(key->path, "kind") != 0) {
        bind_scalar(loader, scope, key, node);
    }
}

static void bind_pair(struct loader *loader, struct scope *scope, const yaml_node_t *key_node,
                      const yaml_node_t *value)
{
    yaml_mark_t at = key_node->start_mark;
    if (key_node->type != YAML_SCALAR_NODE) {
        problem(loader, at, "a key is %s, not a name", node_what(key_node));
        return;
    }
    if (scope->kind == NULL && *scope->prefix == '\0' && config_policies_key(scalar(key_node))) {
        bind_policies(loader, scalar(key_node), value);
        return;
    }
    char path[PATH_ROOM];
    int size = snprintf(path, sizeof path, "%s%s", scope->prefix, scalar(key_node));
    bool fits = (size_t)size < sizeof path && strchr(scalar(key_node), '.') == NULL;
    const struct config_key *key = fits ? config_key_find(scope->keys, path) : NULL;
    if (key == NULL) {
        refuse_key(loader, scope, scalar(key_node), path, at);
        return;
    }
    uint64_t bit = 1ull << (key - scope->keys);
    if (scope->seen & bit) {
        problem(loader, at, "'%s' is there twice", path);
    } else if (!config_key_applies(key, scope->kind != NULL ? scope->kind : "")) {
        problem(loader, at, "'%s' is for kind %s, and this is %s", path, key->only, scope->kind);
    } else {
        scope->seen |= bit;
        if (scope->kind == NULL) {
            loader->places[key - scope->keys] = value->start_mark;
        }
        bind_value(loader, scope, key, value);
    }
}

static void bind_mapping(struct loader *loader, struct scope *scope, const yaml_node_t *node)
{
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && !is_full(loader); pair++) {
        bind_pair(loader, scope, yaml_document_get_node(loader->document, pair->key),
                  yaml_document_get_node(loader->document, pair->value));
    }
}

/* ---- Documents. ---- */

/* Rules between keys, each told at the place of the key that it is about. */
static void check_rules(struct loader *loader)
{
    for (const struct config_rule *rule = config_rules; rule->path != NULL; rule++) {
        struct err err = {0};
        if (!rule->holds(loader->config, &err)) {
            size_t row = (size_t)(config_key_find(config_keys, rule->path) - config_keys);
            problem(loader, loader->places[row], "%s", err.text);
        }
    }
}

/* A file of which no key is known is no configuration of ours. */
static void check_schema(struct loader *loader, const yaml_node_t *root, const struct scope *scope)
{
    bool is_empty = root->data.mapping.pairs.start == root->data.mapping.pairs.top;
    if (scope->seen == 0 && loader->config->policies == NULL && !is_empty) {
        problem(loader, root->start_mark,
                "invalid schema: this is a configuration neither of vantage nor of pktvisor, "
                "which has 'visor:'");
    }
}

/* A document of pktvisor's. Keys of ours that stand beside `visor:` count; others do not matter, as to
 * pktvisor. */
static void bind_visor(struct loader *loader, const yaml_node_t *root)
{
    struct err err = {0};
    struct scope scope = {.keys = config_keys, .prefix = "", .object = loader->config,
                          .given = &loader->config->given};
    if (!config_policies_keep_all(loader->config, loader->document, &err)) {
        problem(loader, root->start_mark, "%s", err.text);
    }
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top && !is_full(loader); pair++) {
        const yaml_node_t *key = yaml_document_get_node(loader->document, pair->key);
        const char *name = key->type == YAML_SCALAR_NODE ? scalar(key) : "";
        if (config_policies_key(name) || strcmp(name, "taps") == 0) {
            problem(loader, key->start_mark, "'%s' beside 'visor:': put it below that", name);
        } else if (strcmp(name, "version") != 0 && config_key_find(config_keys, name) != NULL) {
            bind_pair(loader, &scope, key, yaml_document_get_node(loader->document, pair->value));
        }
    }
}

static void bind_document(struct loader *loader)
{
    const yaml_node_t *root = yaml_document_get_root_node(loader->document);
    if (root != NULL && root->type == YAML_MAPPING_NODE && lookup(loader, root, "visor") != NULL) {
        bind_visor(loader, root);
    } else if (root != NULL && !is_null(root) && root->type != YAML_MAPPING_NODE) {
        problem(loader, root->start_mark, "a configuration is a mapping of keys such as 'taps:'");
    } else if (root != NULL && !is_null(root)) {
        struct scope scope = {.keys = config_keys, .prefix = "", .object = loader->config,
                              .given = &loader->config->given};
        bind_mapping(loader, &scope, root);
        check_schema(loader, root, &scope);
    }
    if (loader->problems->count == 0) {
        check_rules(loader);
    }
}

static void problem_yaml(struct loader *loader, const yaml_parser_t *parser)
{
    problem(loader, parser->problem_mark, "this is not YAML: %s",
            parser->problem != NULL ? parser->problem : "unreadable");
}

/* What follows the document must be the end of the stream. */
static void check_end(struct loader *loader, yaml_parser_t *parser)
{
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next)) {
        problem_yaml(loader, parser);
        return;
    }
    if (yaml_document_get_root_node(&next) != NULL) {
        problem(loader, next.start_mark, "a second document begins here: one file, one document");
    }
    yaml_document_delete(&next);
}

static void parse_yaml(struct loader *loader, yaml_parser_t *parser)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document)) {
        problem_yaml(loader, parser);
        return;
    }
    loader->document = &document;
    bind_document(loader);
    if (!is_full(loader)) {
        check_end(loader, parser);
    }
    yaml_document_delete(&document);
    loader->document = NULL;
}

void config_problem_reading(const char *name, struct config_problems *problems, const char *what)
{
    if (asprintf(&problems->lines[0], "%s: %s", name, what) < 0) {
        abort();
    }
    problems->count = 1;
}

struct config *config_parse(const char *name, struct span text, struct config_problems *problems)
{
    *problems = (struct config_problems){0};
    if (text.size > CONFIG_FILE_MAX) {
        config_problem_reading(name, problems, "larger than 1 MiB, which no configuration is");
        return NULL;
    }
    struct loader loader = {.name = name, .config = config_new(), .problems = problems};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        abort();
    }
    yaml_parser_set_input_string(&parser, text.data, text.size);
    parse_yaml(&loader, &parser);
    yaml_parser_delete(&parser);
    if (problems->count > 0) {
        config_free(loader.config);
        return NULL;
    }
    return loader.config;
}
