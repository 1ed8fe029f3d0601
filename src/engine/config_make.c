// SPDX-License-Identifier: Apache-2.0
/* Makes a config with its defaults, adds to it, sets keys of it, checks it. */
#include "engine/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/node.h"
#include "base/suggest.h"
#include "base/tree.h"
#include "engine/config_protocols.h"

struct config *config_new(void)
{
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        abort();
    }
    config->memory = tree_memory_new();
    config->taps = config_allocate(config, CONFIG_TAPS_MAX * sizeof *config->taps);
    config->outputs = config_allocate(config, CONFIG_OUTPUTS_MAX * sizeof *config->outputs);
    config->tree = config_allocate(config, sizeof *config->tree);
    config_values_default(config, config_keys, NULL, config);
    config_protocols_default(config);
    config_add_tap(config, "afpacket");
    config->pktvisor.instance = "";
    return config;
}

struct nodes *config_tree(struct config *config)
{
    return config->tree;
}

void config_free(struct config *config)
{
    if (config == NULL) {
        return;
    }
    node_done(config->tree);
    config_protocols_release(config);
    tree_memory_free(config->memory);
    tree_memory_free(config->policies_memory);
    free(config);
}

/* Whether a tap other than the last has that name. */
static bool is_taken(const struct config *config, const char *name)
{
    for (size_t i = 0; i + 1 < config->tap_count; i++) {
        if (strcmp(config->taps[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

struct config_tap *config_add_tap(struct config *config, const char *kind)
{
    if (config->tap_count == CONFIG_TAPS_MAX) {
        return NULL;
    }
    struct config_tap *tap = &config->taps[config->tap_count++];
    *tap = (struct config_tap){.kind = config_text(config, kind)};
    config_values_default(config, config_tap_keys, kind, tap);
    char name[64];
    snprintf(name, sizeof name, "%s", kind);
    for (size_t i = 2; is_taken(config, name); i++) {
        snprintf(name, sizeof name, "%s%zu", kind, i);
    }
    tap->name = config_text(config, name);
    return tap;
}

struct config_output *config_add_output(struct config *config, const char *kind)
{
    if (config->output_count == CONFIG_OUTPUTS_MAX) {
        return NULL;
    }
    struct config_output *output = &config->outputs[config->output_count++];
    *output = (struct config_output){.kind = config_text(config, kind)};
    config_values_default(config, config_output_keys, kind, output);
    return output;
}

void config_clear_taps(struct config *config)
{
    config->tap_count = 0;
}

/* The texts of a list, with commas between them. */
static bool set_list(struct config *config, const struct config_key *key, void *object,
                     const char *value, struct err *err)
{
    config_value_clear(key, object);
    while (*value != '\0') {
        size_t size = strcspn(value, ",");
        char item[256];
        snprintf(item, sizeof item, "%.*s", (int)(size < 255 ? size : 255), value);
        if (size > 0 && !config_value_set(config, key, object, item, err)) {
            return false;
        }
        value += size + (value[size] == ',');
    }
    return true;
}

static bool set_option(struct config *config, const char *path, const char *value, struct err *err)
{
    struct config_protocol *protocol;
    const struct config_key *key = config_protocol_key(config, path, &protocol, err);
    if (key == NULL) {
        return false;
    }
    bool is_good = key->kind == CONFIG_LIST
                       ? set_list(config, key, protocol->options, value, err)
                       : config_value_set(config, key, protocol->options, value, err);
    protocol->given |= 1ull << (key - protocol->keys);
    return is_good && config_protocol_check(protocol, err);
}

bool config_set(struct config *config, const char *path, const char *value, struct err *err)
{
    static const char options[] = "protocols.";
    if (strncmp(path, options, sizeof options - 1) == 0) {
        return set_option(config, path + sizeof options - 1, value, err);
    }
    const struct config_key *key = config_key_find(config_keys, path);
    if (key == NULL) {
        struct suggest suggest = suggest_of(path);
        for (key = config_keys; key->path != NULL; key++) {
            suggest_offer(&suggest, key->path);
        }
        return suggest.best != NULL
                   ? err_set(err, ERR_USAGE, "unknown key '%s' (did you mean '%s'?)", path,
                             suggest.best)
                   : err_set(err, ERR_USAGE, "unknown key '%s'", path);
    }
    if (key->kind == CONFIG_SECTION || key->kind == CONFIG_ITEMS || key->kind == CONFIG_PROTOCOLS ||
        key->kind == CONFIG_TREE) {
        return err_set(err, ERR_USAGE, "'%s' is more than one value: write it in a file", path);
    }
    config_value_clear(key, config);
    if (!config_value_set(config, key, config, value, err)) {
        return false;
    }
    config->given |= 1ull << (key - config_keys);
    return true;
}

static bool check_items(const struct config *config, const struct config_key *key, struct err *err)
{
    for (size_t i = 0; i < config_items_count(config, key); i++) {
        const void *item = config_items_at(config, key, i);
        if (!config_values_check(key->items->keys, config_item_kind(key, item), item, err) ||
            !key->items->check(config, i, err)) {
            return false;
        }
    }
    return true;
}

static bool check_protocols(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->protocol_count; i++) {
        const struct config_protocol *protocol = &config->protocols[i];
        if (!config_values_check(protocol->keys, NULL, protocol->options, err) ||
            !config_protocol_check(protocol, err)) {
            return false;
        }
    }
    return true;
}

bool config_check(const struct config *config, struct err *err)
{
    if (!config_values_check(config_keys, NULL, config, err)) {
        return false;
    }
    for (const struct config_rule *rule = config_rules; rule->path != NULL; rule++) {
        if (!rule->holds(config, err)) {
            return false;
        }
    }
    for (const struct config_key *key = config_keys; key->path != NULL; key++) {
        if (key->kind == CONFIG_ITEMS && !check_items(config, key, err)) {
            return false;
        }
    }
    return check_protocols(config, err);
}

void config_problems_done(struct config_problems *problems)
{
    for (size_t i = 0; i < CONFIG_PROBLEMS_MAX; i++) {
        free(problems->lines[i]);
    }
    *problems = (struct config_problems){0};
}
