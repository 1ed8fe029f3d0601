// SPDX-License-Identifier: Apache-2.0
/* Instances of handlers: their settings and groups, read and checked. */
#include "policy/policy_handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/policy_store.h"

enum { PERIODS = 5, PERIODS_MAX = 10, TOPN_COUNT = 10 };

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : (uint32_t)value;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool refuse_group(const struct handler *handler, const char *group, struct err *err)
{
    const char *names[33] = {"all"};
    uint32_t count = 1;
    for (uint32_t i = 0; i < handler_group_count(handler); i++) {
        names[count++] = handler->groups[i].name;
    }
    qsort(names, count, sizeof *names, by_name);
    char list[512] = "";
    for (size_t i = 0, at = 0; i < count; i++) {
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return err_set(err, ERR_USAGE,
                   "%s is an invalid/unsupported metric group. The valid groups are: %s", group,
                   list);
}

static bool switch_groups(const struct handler *handler, const struct tree *list, bool on,
                          uint32_t *groups, struct err *err)
{
    for (size_t i = 0; list != NULL && list->kind == TREE_LIST && i < list->count; i++) {
        const char *name = list->items[i].text != NULL ? list->items[i].text : "";
        uint32_t bits = strcmp(name, "all") == 0 ? UINT32_MAX : 0;
        for (uint32_t k = 0; k < handler_group_count(handler); k++) {
            bits |= strcmp(handler->groups[k].name, name) == 0 ? 1u << k : 0;
        }
        if (bits == 0) {
            return refuse_group(handler, name, err);
        }
        *groups = on ? *groups | bits : *groups & ~bits;
    }
    return true;
}

static bool read_groups(const struct handler *handler, const struct tree *groups, uint32_t *ret,
                        struct err *err)
{
    *ret = 0;
    for (uint32_t i = 0; i < handler_group_count(handler); i++) {
        *ret |= handler->groups[i].is_on ? 1u << i : 0;
    }
    if (groups == NULL) {
        return true;
    }
    const struct tree *enable = tree_get(groups, "enable"), *disable = tree_get(groups, "disable");
    if (groups->kind != TREE_MAP) {
        return err_set(err, ERR_USAGE, "stream handler metric groups is not a map");
    }
    if (enable == NULL && disable == NULL) {
        return err_set(err, ERR_USAGE,
                       "stream handler metric groups should contain enable and/or disable tags");
    }
    bool done = switch_groups(handler, disable, false, ret, err) &&
                switch_groups(handler, enable, true, ret, err);
    *ret &= handler_group_count(handler) < 32 ? (1u << handler_group_count(handler)) - 1
                                              : UINT32_MAX;
    return done;
}

static bool check_options(const struct handler *handler, const struct tree *options,
                          struct err *err)
{
    for (size_t i = 0; i < options->count; i++) {
        bool known = false;
        for (const char *const *name = handler->options; *name != NULL && !known; name++) {
            known = strcmp(*name, options->keys[i]) == 0;
        }
        if (!known) {
            char list[1024] = "";
            for (size_t k = 0, at = 0; handler->options[k] != NULL; k++) {
                at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", k > 0 ? ", " : "",
                                       handler->options[k]);
            }
            return err_set(err, ERR_USAGE,
                           "%s is an invalid/unsupported config or filter. "
                           "The valid configs/filters are: %s",
                           options->keys[i], list);
        }
    }
    return true;
}

/* Options that must be a whole number, a flag or a map, whichever handler has them. */
static bool check_types(const struct tree *options, struct err *err)
{
    static const struct {
        const char *name;
        enum tree_kind kind;
    } types[] = {
        {"num_periods", TREE_NUMBER}, {"deep_sample_rate", TREE_NUMBER}, {"topn_count", TREE_NUMBER},
        {"topn_percentile_threshold", TREE_NUMBER}, {"xact_ttl_secs", TREE_NUMBER},
        {"xact_ttl_ms", TREE_NUMBER}, {"exclude_noerror", TREE_FLAG},
        {"only_queries", TREE_FLAG}, {"only_responses", TREE_FLAG},
        {"only_dnssec_response", TREE_FLAG}, {"geoloc_notfound", TREE_FLAG},
        {"asn_notfound", TREE_FLAG}, {"public_suffix_list", TREE_FLAG}, {"enrichment", TREE_FLAG},
        {"summarize_ips_by_asn", TREE_FLAG}, {"sample_rate_scaling", TREE_FLAG},
        {"exclude_unknown_asns_from_summarization", TREE_FLAG}, {"device_map", TREE_MAP},
        {"only_device_interfaces", TREE_MAP},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct tree *value = tree_get(options, types[i].name);
        if (value != NULL && value->kind != types[i].kind) {
            return err_set(err, ERR_USAGE, "wrong type for key: %s: it is %s", types[i].name,
                           types[i].kind == TREE_FLAG  ? "true or false"
                           : types[i].kind == TREE_MAP ? "a map"
                                                       : "a whole number");
        }
    }
    return true;
}

static bool read_settings(struct policies *set, struct policy_instance *instance,
                          const struct tree *groups, struct err *err)
{
    const struct handler *handler = instance->handler;
    struct handler_options options = {handler->title, &instance->config, instance->memory};
    size_t size = handler->settings_size;
    instance->settings = tree_take(instance->memory, size > 0 ? size : sizeof(struct handler_settings));
    struct handler_settings *s = instance->settings;
    uint32_t periods = set->options.periods > 0 ? set->options.periods : PERIODS;
    uint32_t rate = set->options.deep_sample_rate > 0 ? set->options.deep_sample_rate : 100;
    s->world = &set->world;
    s->periods = clamp(handler_number(&options, "num_periods", periods), 1, PERIODS_MAX);
    s->deep_sample_rate = clamp(handler_number(&options, "deep_sample_rate", rate), 1, 100);
    s->topn_count = (uint32_t)handler_number(&options, "topn_count", TOPN_COUNT);
    s->topn_percentile = clamp(handler_number(&options, "topn_percentile_threshold", 0), 0, 100);
    s->is_recorded = set->options.is_recorded || handler_flag(&options, "recorded_stream");
    s->hides_rates = handler_flag(&options, "recorded_stream");
    return check_options(handler, &instance->config, err) &&
           check_types(&instance->config, err) &&
           read_groups(handler, groups, &s->groups, err) &&
           (handler->configure == NULL || handler->configure(&options, instance->settings, err));
}

/* What is only for readers of the counts, and may differ where the counts are the same. */
static bool is_for_readers(const char *option)
{
    static const char *const names[] = {"num_periods", "topn_count", "topn_percentile_threshold",
                                        "recorded_stream"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], option) == 0) {
            return true;
        }
    }
    return false;
}

static const char *key_of(const struct policy_instance *instance)
{
    const struct handler_settings *s = instance->settings;
    struct tree seen = tree_map();
    struct json text;
    for (size_t i = 0; i < instance->config.count; i++) {
        if (!is_for_readers(instance->config.keys[i])) {
            tree_add(instance->memory, &seen, instance->config.keys[i], &instance->config.items[i]);
        }
    }
    json_init(&text);
    tree_json(&seen, &text);
    char *key = tree_take(instance->memory, text.size + 32);
    snprintf(key, text.size + 32, "%u %u %.*s", s->groups, s->deep_sample_rate, (int)text.size,
             text.data);
    json_done(&text);
    return key;
}

struct policy_instance *policy_add_instance(struct policies *set, struct policy *policy,
                                            struct policy_input *input,
                                            const struct policy_module *module, struct err *err)
{
    const struct handler *handler = module->handler;
    struct policy_instance *instance = tree_take(policy->memory, sizeof *instance);
    char name[3 * POLICY_NAME];
    snprintf(name, sizeof name, "%s-%s-%s", policy->name, input->tap, module->name);
    instance->policy = policy;
    instance->input = input;
    instance->memory = policy->memory;
    instance->handler = handler;
    instance->name = tree_keep(policy->memory, policy->is_resources ? policy->name : name);
    instance->module = tree_keep(policy->memory, module->name);
    instance->config = tree_copy(policy->memory, module->options);
    instance->chain = policy->chains;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    instance->started_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    if (!read_settings(set, instance, module->groups, err)) {
        return NULL;
    }
    instance->key = key_of(instance);
    if (!(handler->inputs & input->kind)) {
        err_set(err, ERR_USAGE, "%s: unsupported input event for handler", handler->title);
        return NULL;
    }
    if (!policy_store_init(&instance->store, handler, instance->settings)) {
        err_set(err, ERR_FAILED, "out of memory for the metrics of %s", instance->name);
        return NULL;
    }
    input->consumers += !policy->is_resources;
    *policy->instances_end = instance;
    policy->instances_end = &instance->next;
    return instance;
}
