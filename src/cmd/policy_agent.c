// SPDX-License-Identifier: Apache-2.0
#include "cmd/policy_agent.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/yaml_tree.h"

enum { CACHED = 10000, CACHED_MAX = 10000000 };

const char *policy_agent_value(const struct config *config, const char *key)
{
    const struct tree *value =
        config->policies != NULL
            ? tree_get(tree_get(tree_get(config->policies, "visor"), "config"), key)
            : NULL;
    return value != NULL ? value->text : NULL;
}

static const char *either(const struct config *config, const char *key, const char *fallback)
{
    const char *value = policy_agent_value(config, key);
    return value != NULL ? value : policy_agent_value(config, fallback);
}

static uint32_t number_of(const struct config *config, const char *key)
{
    int64_t value = 0;
    const char *text = policy_agent_value(config, key);
    return text != NULL && text_parse_number(text, &value) && value > 0 && value <= 100
               ? (uint32_t)value
               : 0;
}

static bool read_cached(const struct config *config, uint32_t *ret, struct err *err)
{
    int64_t value = *ret;
    const char *text = policy_agent_value(config, "geo_cache_size");
    if (text != NULL && (!text_parse_number(text, &value) || value < 0 || value > CACHED_MAX)) {
        return err_set(err, ERR_USAGE, "geo_cache_size %s is no number from 0 to %d", text, CACHED_MAX);
    }
    *ret = (uint32_t)value;
    return true;
}

/* Says where in the file it is, as far as that is known. */
static void add_place(const struct config *config, uint32_t line, struct err *err)
{
    char text[sizeof err->text];
    if (config->policies_source != NULL && line > 0 && err->text[0] != '\0') {
        enum err_code code = err->code;
        snprintf(text, sizeof text, "%s", err->text);
        *err = (struct err){0};
        err_set(err, code, "%s:%u: %s", config->policies_source, line, text);
    }
}

struct policies *policy_agent_make(const struct config *config, bool recorded, struct err *err)
{
    struct policies_options options = {
        .slots = (uint32_t)config->limits.workers,
        .is_recorded = recorded,
        .periods = number_of(config, "periods"),
        .deep_sample_rate = number_of(config, "max_deep_sample"),
    };
    struct policies *policies = policies_new(&options);
    struct policies_geo geo = {either(config, "geo_city", "default_geo_city"),
                               either(config, "geo_asn", "default_geo_asn"), CACHED};
    if (!read_cached(config, &geo.cached, err) || !policies_open_geo(policies, &geo, err) ||
        !policies_open_services(policies,
                                either(config, "iana_service_port_registry",
                                       "default_service_registry"),
                                err)) {
        policies_free(policies);
        return NULL;
    }
    if (policies_load(policies, config->policies, POLICIES_ALL, NULL, err) != POLICIES_DONE) {
        add_place(config, policies_failed_line(policies), err);
        policies_free(policies);
        return NULL;
    }
    return policies;
}

bool policy_agent_taps(struct config *config, struct err *err)
{
    const struct tree *taps =
        config->policies != NULL ? tree_get(tree_get(config->policies, "visor"), "taps") : NULL;
    bool begins = true;
    for (size_t i = 0; taps != NULL && taps->kind == TREE_MAP && i < taps->count; i++) {
        const struct tree *interface = tree_get(tree_get(&taps->items[i], "config"), "iface");
        const struct tree *type = tree_get(&taps->items[i], "input_type");
        if (interface == NULL || interface->text == NULL || type == NULL || type->text == NULL ||
            strcmp(type->text, "pcap") != 0) {
            continue;
        }
        if (begins) {
            config_clear_taps(config); /* the one that is there by default */
            begins = false;
        }
        struct config_tap *to = config_add_tap(config, "afpacket");
        if (to == NULL) {
            return err_set(err, ERR_USAGE, "more than %d taps", CONFIG_TAPS_MAX);
        }
        to->name = config_text(config, taps->keys[i]);
        config_list_add(config, &to->interfaces, interface->text);
    }
    return true;
}

void policy_agent_print(struct policies *policies)
{
    struct json text;
    json_init(&text);
    policies_metrics_json(policies, "__all", POLICIES_BUCKET, 0, &text, NULL);
    fwrite(text.data, 1, text.size, stdout);
    fputc('\n', stdout);
    json_done(&text);
}

/* Sets keys of the map at `key` within `into` to those of the same map of `from`. */
static void merge_maps(struct config *config, struct tree *into, const struct tree *from,
                       const char *key)
{
    const struct tree *more = tree_get(from, key);
    struct tree *old = NULL;
    for (size_t i = 0; i < into->count; i++) {
        old = strcmp(into->keys[i], key) == 0 ? &into->items[i] : old;
    }
    if (more == NULL) {
        return;
    }
    if (old == NULL || old->kind != TREE_MAP) {
        tree_merge(config->policies_memory, into, from);
    } else {
        tree_merge(config->policies_memory, old, more);
    }
}

bool policy_agent_add(struct config *config, const struct json *document, struct err *err)
{
    struct tree more;
    bool begins = config->policies == NULL;
    if (begins) {
        config->policies_memory = tree_memory_new();
        config->policies = tree_take(config->policies_memory, sizeof *config->policies);
    }
    if (!yaml_tree_read(config->policies_memory, span_of(document->data, document->size), &more,
                        err)) {
        return false;
    }
    if (begins) {
        *config->policies = more;
        return true;
    }
    struct tree *visor = NULL;
    for (size_t i = 0; i < config->policies->count; i++) {
        visor = strcmp(config->policies->keys[i], "visor") == 0 ? &config->policies->items[i]
                                                                 : visor;
    }
    assert(visor != NULL); /* there is, where there are policies */
    const struct tree *from = tree_get(&more, "visor");
    merge_maps(config, visor, from, "config");
    merge_maps(config, visor, from, "taps");
    merge_maps(config, visor, from, "policies");
    return true;
}
