// SPDX-License-Identifier: Apache-2.0
/* From what a document says to what there is: taps, policies, handlers. Everything is checked before
 * anything is added. The texts of errors are pktvisor's, for those who know them. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/intake_thread.h"
#include "policy/policy_band.h"
#include "policy/policy_choice.h"
#include "policy/policy_handler.h"
#include "policy/policy_input.h"
#include "policy/policy_life.h"
#include "policy/policy_plan.h"
#include "policy/policy_resources.h"
#include "policy/yaml_tree.h"

static const char *scalar_at(const struct tree *map, const char *key)
{
    const struct tree *value = tree_get(map, key);
    return value != NULL ? value->text : NULL;
}

/* ---- Taps ----------------------------------------------------------------------------------- */

static bool load_tap(struct loading *l, const char *name, const struct tree *body)
{
    if (policy_tap_find(l->set, name) != NULL) {
        l->status = POLICIES_CONFLICT;
        return REFUSE(l, "tap with name '%s' already defined", name);
    }
    const char *type = scalar_at(body, "input_type");
    if (body->kind != TREE_MAP) {
        return REFUSE(l, "expecting tap configuration map");
    }
    if (type == NULL) {
        return REFUSE(l, "missing or invalid tap type key 'input_type'");
    }
    if (policy_input_kind(type) == 0) {
        return REFUSE(l, "Tap '%s' requires input stream type '%s' which is not available", name,
                      type);
    }
    struct policy_tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        abort();
    }
    tap->memory = tree_memory_new();
    tap->name = tree_keep(tap->memory, name);
    tap->input_type = tree_keep(tap->memory, type);
    struct tree none = tree_map();
    const struct tree *parts[] = {tree_get(body, "config"), tree_get(body, "filter"),
                                  tree_get(body, "tags")};
    tap->config = tree_copy(tap->memory, parts[0] != NULL ? parts[0] : &none);
    tap->filter = tree_copy(tap->memory, parts[1] != NULL ? parts[1] : &none);
    tap->tags = tree_copy(tap->memory, parts[2] != NULL ? parts[2] : &none);
    tap->next = l->set->taps;
    l->set->taps = tap;
    if (tap->config.kind != TREE_MAP) {
        return REFUSE(l, "tap configuration is not a map");
    }
    return tap->tags.kind == TREE_MAP || REFUSE(l, "tap tags is not a map");
}

static void tap_free(struct policy_tap *tap)
{
    tree_memory_free(tap->memory);
    free(tap);
}

static bool load_taps(struct loading *l, const struct tree *taps)
{
    if (taps->kind != TREE_MAP) {
        return REFUSE(l, "expecting tap configuration map");
    }
    for (size_t i = 0; i < taps->count; i++) {
        l->line = taps->items[i].line;
        if (!load_tap(l, taps->keys[i], &taps->items[i])) {
            return false;
        }
    }
    return true;
}

/* ---- Handlers ------------------------------------------------------------------------------- */

/* One module of a policy, for one of its inputs. */
static bool load_module(struct loading *l, struct policy *policy, struct policy_input *input,
                        const char *name, const struct tree *body, const struct tree *window)
{
    const char *type = scalar_at(body, "type");
    const char *version = scalar_at(body, "require_version");
    l->line = body->line;
    if (body->kind != TREE_MAP) {
        return REFUSE(l, "expecting Handler configuration map");
    }
    if (type == NULL) {
        return REFUSE(l, "missing or invalid stream handler type at key 'type'");
    }
    const struct handler *handler = handler_find(type, version != NULL ? version : "1.0");
    if (handler == NULL) {
        return REFUSE(l,
                      "Policy '%s' requires stream handler type '%s' and version '%s' which is not "
                      "available",
                      policy->name, type, version != NULL ? version : "1.0");
    }
    const struct tree *config = tree_get(body, "config"), *filter = tree_get(body, "filter");
    if (config != NULL && config->kind != TREE_MAP) {
        return REFUSE(l, "stream handler configuration is not a map");
    }
    if (filter != NULL && filter->kind != TREE_MAP) {
        return REFUSE(l, "stream handler filter is not a map");
    }
    struct tree options = tree_map();
    tree_merge(policy->memory, &options, tree_get(&l->global, type));
    tree_merge(policy->memory, &options, config);
    tree_merge(policy->memory, &options, window);
    tree_merge(policy->memory, &options, filter);
    const struct policy_module module = {
        .name = name,
        .handler = handler,
        .options = &options,
        .groups = tree_get(body, "metric_groups"),
    };
    return policy_add_instance(l->set, policy, input, &module, l->err) != NULL;
}

/* A chain: each item of the list names its module by the key that has no value. */
static bool load_chain(struct loading *l, struct policy *policy, struct policy_input *input,
                       const struct tree *modules, const struct tree *window)
{
    if (modules->count > POLICY_CHAIN_MAX) {
        return REFUSE(l, "more than %d handlers in one sequence", POLICY_CHAIN_MAX);
    }
    for (size_t i = 0; i < modules->count; i++) {
        const struct tree *item = &modules->items[i];
        if (item->kind != TREE_MAP || item->count == 0) {
            return REFUSE(l, "expecting Handler configuration map");
        }
        const struct tree *body = item->items[0].kind == TREE_MAP ? &item->items[0] : item;
        if (!load_module(l, policy, input, item->keys[0], body, window)) {
            return false;
        }
    }
    policy->chains++;
    return true;
}

static bool load_handlers(struct loading *l, struct policy *policy, const struct tree *body)
{
    const struct tree *window = tree_get(body, "window_config");
    const struct tree *modules = tree_get(body, "modules");
    l->line = modules != NULL ? modules->line : body->line;
    if (window != NULL && window->kind != TREE_MAP) {
        l->line = window->line;
        return REFUSE(l, "window_config is not a map");
    }
    if (modules == NULL || (modules->kind != TREE_MAP && modules->kind != TREE_LIST)) {
        return REFUSE(l, "missing or invalid handler modules at key 'modules'");
    }
    for (size_t t = 0; t < policy->tap_count; t++) {
        if (modules->kind == TREE_LIST) {
            if (!load_chain(l, policy, policy->inputs[t], modules, window)) {
                return false;
            }
            continue;
        }
        for (size_t i = 0; i < modules->count; i++, policy->chains++) {
            if (!load_module(l, policy, policy->inputs[t], modules->keys[i], &modules->items[i],
                             window)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Policies ------------------------------------------------------------------------------- */

static bool take_inputs(struct loading *l, struct policy *policy, const struct tree *input,
                        const struct policy_choice *choice)
{
    policy->inputs = tree_take(policy->memory, choice->count * sizeof *policy->inputs);
    policy->taps = tree_take(policy->memory, choice->count * sizeof *policy->taps);
    for (size_t i = 0; i < choice->count; i++) {
        policy->inputs[i] = policy_input_of(l->set, choice->taps[i], tree_get(input, "config"),
                                            tree_get(input, "filter"), l->err);
        if (policy->inputs[i] == NULL) {
            return false;
        }
        policy->taps[i] = tree_keep(policy->memory, choice->taps[i]->name);
        policy->tap_count++;
    }
    return true;
}

static bool check_policy(struct loading *l, const char *name, const struct tree *body)
{
    if (body->kind != TREE_MAP) {
        return REFUSE(l, "expecting policy configuration map");
    }
    if (policy_find(l->set, name) != NULL) {
        l->status = POLICIES_CONFLICT;
        return REFUSE(l, "policy with name '%s' already defined", name);
    }
    const char *kind = scalar_at(body, "kind");
    if (kind == NULL) {
        return REFUSE(l, "missing or invalid policy kind at key 'kind'");
    }
    if (strcmp(kind, "collection") != 0) {
        return REFUSE(l, "unknown policy kind: %s", kind);
    }
    const struct tree *input = tree_get(body, "input");
    if (input == NULL || input->kind != TREE_MAP) {
        return REFUSE(l, "missing or invalid policy input stream configuration at key 'input'");
    }
    return true;
}

/* What a policy says of itself, if it does. */
static bool read_own(struct loading *l, const char *name, const struct tree *config, bool *ret_merges)
{
    const struct tree *merge = tree_get(config, "merge_like_handlers");
    *ret_merges = merge != NULL && merge->flag;
    if (config == NULL) {
        return true;
    }
    l->line = config->line;
    if (config->kind != TREE_MAP) {
        return REFUSE(l, "policy configuration is not a map");
    }
    return merge == NULL || merge->kind == TREE_FLAG ||
           REFUSE(l,
                  "policy [%s] failed to start: wrong type for key: merge_like_handlers: it is true "
                  "or false",
                  name);
}

static bool load_policy(struct loading *l, const char *name, const struct tree *body)
{
    struct policy_choice choice = {0};
    const struct tree *wanted = tree_get(body, "handlers"), *input = tree_get(body, "input");
    if (!check_policy(l, name, body)) {
        return false;
    }
    l->line = input->line;
    if (!policy_choose(l, input, &choice)) {
        return false;
    }
    l->line = wanted != NULL ? wanted->line : body->line;
    if (wanted == NULL || wanted->kind != TREE_MAP) {
        return REFUSE(l, "missing or invalid handler configuration at key 'handlers'");
    }
    bool merges;
    if (!read_own(l, name, tree_get(body, "config"), &merges)) {
        return false;
    }
    struct policy *policy = policy_new(name);
    policy->merges = merges;
    policy->next = l->set->policies;
    l->set->policies = policy;
    l->line = input->line;
    return take_inputs(l, policy, input, &choice) && load_handlers(l, policy, wanted);
}

static bool load_policies(struct loading *l, const struct tree *policies)
{
    if (policies->kind != TREE_MAP) {
        return REFUSE(l, "expecting policy configuration map");
    }
    for (size_t i = 0; i < policies->count; i++) {
        l->line = policies->items[i].line;
        if (!load_policy(l, policies->keys[i], &policies->items[i])) {
            return false;
        }
    }
    return true;
}

/* ---- Documents ------------------------------------------------------------------------------ */

static bool load_global(struct loading *l, const struct tree *global)
{
    if (global->kind != TREE_MAP) {
        return REFUSE(l, "expecting global_handler_config configuration map");
    }
    for (size_t i = 0; i < global->count; i++) {
        if (global->items[i].kind != TREE_MAP) {
            return REFUSE(l, "expecting global_handler_config configuration map");
        }
    }
    l->global = tree_copy(l->set->memory, global);
    l->has_global = true;
    return true;
}

static bool load_visor(struct loading *l, const struct tree *visor)
{
    const struct tree *global = tree_get(visor, "global_handler_config");
    const struct tree *taps = tree_get(visor, "taps"), *policies = tree_get(visor, "policies");
    return (global == NULL || load_global(l, global)) && (taps == NULL || load_taps(l, taps)) &&
           (policies == NULL || load_policies(l, policies));
}

/* Whether a document has what a request wants, and one of it; its name goes to `ret`. */
static bool check_part(struct loading *l, const struct tree *visor, enum policies_part part,
                       char *ret)
{
    if (part == POLICIES_ALL) {
        return true;
    }
    const char *many = part == POLICIES_TAP ? "taps" : "policies";
    const struct tree *there = tree_get(visor, many);
    if (there == NULL || there->kind != TREE_MAP) {
        return REFUSE(l, "no %s found in schema", many);
    }
    if (there->count != 1) {
        return REFUSE(l, "only a single %s expected but got %zu",
                      part == POLICIES_TAP ? "tap" : "policy", there->count);
    }
    snprintf(ret, POLICY_NAME, "%s", there->keys[0]);
    return true;
}

/* Takes off again what was added. */
static void roll_back(struct loading *l)
{
    while (l->set->policies != l->policies) {
        struct policy *policy = l->set->policies;
        l->set->policies = policy->next;
        policy_free(policy);
    }
    while (l->set->taps != l->taps) {
        struct policy_tap *tap = l->set->taps;
        l->set->taps = tap->next;
        tap_free(tap);
    }
}

/* Takes the policy of an input's resources off the list, on which it is, and frees it; NULL is fine. */
static void drop_resources(struct policies *set, struct policy *resources)
{
    if (resources == NULL) {
        return;
    }
    struct policy **at = &set->policies;
    while (*at != resources) {
        at = &(*at)->next;
    }
    *at = resources->next;
    policy_free(resources);
}

static void drop_idle_inputs(struct policies *set)
{
    for (struct policy_input *input = set->inputs, *next; input != NULL; input = next) {
        next = input->next;
        if (input->consumers == 0) {
            intake_thread_stop(input->thread);
            drop_resources(set, input->resources);
            policy_input_drop(set, input);
        }
    }
}

/* Inputs that are new start, those that nobody wants any more end; workers get their plans. */
static bool settle(struct policies *set, struct err *err)
{
    bool started = true;
    for (struct policy_input *input = set->inputs; input != NULL && started; input = input->next) {
        if (input->resources == NULL && input->consumers > 0) {
            policy_resources_add(set, input);
        }
        started = intake_thread_start(set, input, err);
    }
    return started;
}

enum policies_status policies_load(struct policies *set, const struct tree *document,
                                   enum policies_part part, char *ret_name, struct err *err)
{
    const struct tree *visor = tree_get(document, "visor");
    const char *version = scalar_at(document, "version");
    if (visor == NULL || visor->kind != TREE_MAP) {
        err_set(err, ERR_USAGE, "%s", document->kind == TREE_NULL ? "empty data" : "invalid schema");
        return POLICIES_INVALID;
    }
    if (version != NULL && strcmp(version, "1.0") != 0) {
        set->failed_line = tree_get(document, "version")->line;
        err_set(err, ERR_USAGE, "unsupported version");
        return POLICIES_INVALID;
    }
    pthread_mutex_lock(&set->changes);
    pthread_mutex_lock(&set->lock);
    struct loading l = {.set = set, .err = err, .status = POLICIES_INVALID, .taps = set->taps,
                        .policies = set->policies, .global = set->global_handlers};
    bool done = check_part(&l, visor, part, ret_name) && load_visor(&l, visor) &&
                settle(set, err);
    if (!done) {
        set->failed_line = l.line;
        roll_back(&l);
    } else if (l.has_global) {
        set->global_handlers = l.global;
    }
    drop_idle_inputs(set);
    set->has_changed = true;
    pthread_mutex_unlock(&set->lock);
    policy_plan_publish(set);
    pthread_mutex_unlock(&set->changes);
    return done ? POLICIES_DONE : l.status;
}

uint32_t policies_failed_line(const struct policies *set)
{
    return set->failed_line;
}

enum policies_status policies_load_text(struct policies *set, struct span text,
                                        enum policies_part part, char *ret_name, struct err *err)
{
    struct tree_memory *memory = tree_memory_new();
    struct tree document;
    enum policies_status status = POLICIES_INVALID;
    if (yaml_tree_read(memory, text, &document, err)) {
        status = policies_load(set, &document, part, ret_name, err);
    }
    tree_memory_free(memory);
    return status;
}

enum policies_status policies_drop_tap(struct policies *set, const char *name)
{
    enum policies_status status = POLICIES_UNKNOWN;
    pthread_mutex_lock(&set->changes);
    pthread_mutex_lock(&set->lock);
    for (struct policy_tap **at = &set->taps; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0) {
            struct policy_tap *tap = *at;
            *at = tap->next;
            tap_free(tap);
            status = POLICIES_DONE;
            break;
        }
    }
    pthread_mutex_unlock(&set->lock);
    pthread_mutex_unlock(&set->changes);
    return status;
}

enum policies_status policies_drop(struct policies *set, const char *name)
{
    enum policies_status status = POLICIES_UNKNOWN;
    struct policy *gone = NULL;
    pthread_mutex_lock(&set->changes);
    pthread_mutex_lock(&set->lock);
    for (struct policy **at = &set->policies; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0 && !(*at)->is_resources) {
            gone = *at;
            *at = gone->next;
            status = POLICIES_DONE;
            break;
        }
    }
    for (struct policy_instance *i = gone != NULL ? gone->instances : NULL; i != NULL; i = i->next) {
        struct policy_instance *heir = i->leader == NULL ? i->followers : NULL;
        policy_plan_leave(i);
        if (heir != NULL) {
            policy_band_replace(set, i, heir);
        }
    }
    pthread_mutex_unlock(&set->lock);
    if (gone != NULL) {
        policy_plan_publish(set); /* no worker counts for it from here on */
        pthread_mutex_lock(&set->lock);
        for (const struct policy_instance *i = gone->instances; i != NULL; i = i->next) {
            policy_band_replace(set, i, NULL);
        }
        policy_free(gone);
        drop_idle_inputs(set);
        pthread_mutex_unlock(&set->lock);
    }
    pthread_mutex_unlock(&set->changes);
    return status;
}
