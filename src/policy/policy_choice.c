// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_choice.h"

/* The text of a scalar in a map, or NULL. */
static const char *scalar_at(const struct tree *map, const char *key)
{
    const struct tree *value = tree_get(map, key);
    return value != NULL ? value->text : NULL;
}

static bool has_tag(const struct policy_tap *tap, const char *key, const char *value)
{
    const char *own = scalar_at(&tap->tags, key);
    return own != NULL && strcmp(own, value) == 0;
}

/* Whether a tap's tags are of the kinds that the selector's are. */
static bool check_kinds(struct loading *l, const struct policy_tap *tap, const struct tree *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        const struct tree *own = tree_get(&tap->tags, tags->items[i].keys[0]);
        if (own != NULL && own->kind != tags->items[i].items[0].kind) {
            return REFUSE(l, "Tap [%s]: tag and selector value types are different for key '%s'",
                          tap->name, tags->items[i].keys[0]);
        }
    }
    return true;
}

static bool check_tags(struct loading *l, const struct tree *tags, const char *how)
{
    if (tags->kind != TREE_LIST) {
        return REFUSE(l, "'input.tap_selector.%s' is not a sequence", how);
    }
    for (size_t i = 0; i < tags->count; i++) {
        if (tags->items[i].kind != TREE_MAP || tags->items[i].count != 1) {
            return REFUSE(l, "selector tag must contain only one key/value pair per sequence index");
        }
        if (tags->items[i].items[0].text == NULL) {
            return REFUSE(l, "tag key '%s' must have scalar value", tags->items[i].keys[0]);
        }
    }
    return true;
}

static bool is_selected(const struct policy_tap *tap, const struct tree *tags, bool all)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (has_tag(tap, tags->items[i].keys[0], tags->items[i].items[0].text) != all) {
            return !all;
        }
    }
    return all && tags->count > 0;
}

static bool check_type(struct loading *l, const struct policy_tap *tap, const char *type)
{
    return strcmp(tap->input_type, type) == 0 ||
           REFUSE(l,
                  "input_type for policy specified tap '%s' doesn't match tap's defined input type: "
                  "%s/%s",
                  tap->name, type, tap->input_type);
}

static bool select_taps(struct loading *l, const struct tree *selector, const char *input_type,
                        struct policy_choice *ret)
{
    const struct tree *any = tree_get(selector, "any"), *all = tree_get(selector, "all");
    if (selector->kind != TREE_MAP) {
        return REFUSE(l, "'input.tap_selector' is not a map");
    }
    if ((any != NULL) == (all != NULL)) {
        return REFUSE(l, any != NULL ? "input can have only key 'input.tap_selector.all' or key "
                                       "'input.tap_selector.any'"
                                     : "missing key 'input.tap_selector.all' or key "
                                       "'input.tap_selector.any'");
    }
    const struct tree *tags = any != NULL ? any : all;
    if (!check_tags(l, tags, any != NULL ? "any" : "all")) {
        return false;
    }
    for (struct policy_tap *tap = l->set->taps; tap != NULL; tap = tap->next) {
        if (!check_kinds(l, tap, tags)) {
            return false;
        }
        if (ret->count < POLICY_TAPS_MAX && is_selected(tap, tags, any == NULL)) {
            if (!check_type(l, tap, input_type)) {
                return false;
            }
            ret->taps[ret->count++] = tap;
        }
    }
    if (ret->count == 0) {
        l->status = POLICIES_UNMATCHED;
        return REFUSE(l, "no tap match found for specified 'input.tap_selector' tags");
    }
    return true;
}

bool policy_choose(struct loading *l, const struct tree *input, struct policy_choice *ret)
{
    const struct tree *name = tree_get(input, "tap"), *selector = tree_get(input, "tap_selector");
    if ((name != NULL) == (selector != NULL)) {
        return REFUSE(l, name != NULL
                             ? "input can have only key 'input.tap' or key 'input.tap_selector'"
                             : "missing key 'input.tap' or key 'input.tap_selector'");
    }
    const char *type = scalar_at(input, "input_type");
    if (type == NULL) {
        return REFUSE(l, "missing or invalid input_type at key 'input.input_type'");
    }
    if (selector != NULL) {
        return select_taps(l, selector, type, ret);
    }
    if (name->text == NULL) {
        return REFUSE(l, "invalid tap at key 'input.tap'");
    }
    struct policy_tap *tap = policy_tap_find(l->set, name->text);
    if (tap == NULL) {
        return REFUSE(l, "tap '%s' does not exist", name->text);
    }
    if (!check_type(l, tap, type)) {
        return false;
    }
    ret->taps[ret->count++] = tap;
    return true;
}
