// SPDX-License-Identifier: Apache-2.0
/* What taps and policies are, as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "policy/policy_view.h"

static void put_tree(struct json *to, const char *key, const struct tree *tree)
{
    json_key(to, key);
    tree_json(tree, to);
}

static void put_tap(const struct policy_tap *tap, struct json *to)
{
    json_key(to, tap->name);
    json_object_begin(to);
    put_tree(to, "config", &tap->config);
    json_key(to, "input_type");
    json_text(to, tap->input_type);
    json_key(to, "interface");
    json_text(to, "visor.module.input/1.0");
    put_tree(to, "tags", &tap->tags);
    json_object_end(to);
}

bool policies_tap_json(struct policies *set, const char *name, struct json *to)
{
    pthread_mutex_lock(&set->lock);
    const struct policy_tap *tap = name != NULL ? policy_tap_find(set, name) : set->taps;
    bool there = tap != NULL;
    if (there) {
        json_object_begin(to);
        for (; tap != NULL; tap = name != NULL ? NULL : tap->next) {
            put_tap(tap, to);
        }
        json_object_end(to);
    } else if (name == NULL) {
        json_null(to);
    }
    pthread_mutex_unlock(&set->lock);
    return there || name == NULL;
}

/* ---- Policies ------------------------------------------------------------------------------- */

static void put_input(const struct policy_input *input, struct json *to)
{
    json_key(to, input->name);
    json_object_begin(to);
    if (input->kind == HANDLER_FLOW) {
        json_key(to, "flow");
        json_object_begin(to);
        json_member_u64(to, "packet_errors", atomic_load(&input->errors));
        json_object_end(to);
    }
    if (input->kind == HANDLER_DNSTAP) {
        json_key(to, "dnstap");
        json_object_begin(to);
        json_member_u64(to, "frame_errors", atomic_load(&input->errors));
        json_object_end(to);
    }
    json_key(to, "input");
    json_object_begin(to);
    json_member_u64(to, "consumers", input->consumers);
    json_key(to, "running");
    json_bool(to, true);
    json_object_end(to);
    json_key(to, "module");
    json_object_begin(to);
    put_tree(to, "config", &input->config);
    json_key(to, "name");
    json_text(to, input->name);
    json_object_end(to);
    json_object_end(to);
}

static void put_stamp(struct json *to, const char *key, uint64_t second)
{
    char text[32];
    time_t at = (time_t)second;
    struct tm parts;
    gmtime_r(&at, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    json_key(to, key);
    json_text(to, text);
}

static void put_periods(struct policies *set, struct policy_instance *instance, struct json *to)
{
    struct policy_view view;
    json_key(to, "periods");
    json_array_begin(to);
    for (uint64_t i = 0; policy_view_of(set, instance, POLICIES_BUCKET, i, &view, NULL); i++) {
        json_object_begin(to);
        if (i > 0) {
            put_stamp(to, "end_tstamp", view.start_s + view.length_s);
        }
        json_key(to, "events");
        json_object_begin(to);
        json_object_end(to);
        json_member_u64(to, "length", view.length_s);
        json_key(to, "read_only");
        json_bool(to, i > 0);
        put_stamp(to, "start_tstamp", view.start_s);
        json_object_end(to);
    }
    json_array_end(to);
}

static void put_module(struct policies *set, struct policy_instance *i, struct json *to)
{
    const struct handler_settings *s = i->settings;
    json_key(to, i->name);
    json_object_begin(to);
    json_key(to, "metrics");
    json_object_begin(to);
    json_member_u64(to, "deep_sample_rate", s->deep_sample_rate);
    json_member_u64(to, "late_events", i->store.late);
    json_member_u64(to, "future_events", i->store.future);
    put_periods(set, i, to);
    json_member_u64(to, "periods_configured", s->periods);
    json_object_end(to);
    json_key(to, "module");
    json_object_begin(to);
    put_tree(to, "config", &i->config);
    json_key(to, "name");
    json_text(to, i->name);
    json_key(to, "running");
    json_bool(to, true);
    json_key(to, "type");
    json_text(to, i->handler->type);
    json_object_end(to);
    json_object_end(to);
}

static void put_policy(struct policies *set, const struct policy *policy, struct json *to)
{
    json_key(to, policy->name);
    json_object_begin(to);
    json_key(to, "input");
    json_object_begin(to);
    for (size_t i = 0; i < policy->tap_count; i++) {
        put_input(policy->inputs[i], to);
    }
    json_object_end(to);
    json_key(to, "modules");
    json_object_begin(to);
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        put_module(set, i, to);
    }
    json_object_end(to);
    if (!policy->is_resources) {
        json_key(to, "taps");
        json_object_begin(to);
        for (size_t i = 0; i < policy->tap_count; i++) {
            const struct policy_tap *tap = policy_tap_find(set, policy->taps[i]);
            if (tap != NULL) {
                put_tap(tap, to);
            }
        }
        json_object_end(to);
    }
    json_object_end(to);
}

bool policies_policy_json(struct policies *set, const char *name, struct json *to)
{
    pthread_mutex_lock(&set->lock);
    const struct policy *policy = name != NULL ? policy_find(set, name) : set->policies;
    bool there = policy != NULL || name == NULL;
    if (there) {
        json_object_begin(to);
        for (; policy != NULL; policy = name != NULL ? NULL : policy->next) {
            put_policy(set, policy, to);
        }
        json_object_end(to);
    }
    pthread_mutex_unlock(&set->lock);
    return there;
}

void policies_modules_text(struct json *to)
{
    json_printf(to, "input dnstap 1.0\ninput flow 1.0\ninput netprobe 1.0\ninput pcap 1.0\n");
    for (const struct handler *const *h = handlers; *h != NULL; h++) {
        json_printf(to, "handler %s %s\n", (*h)->type, (*h)->version);
    }
}
