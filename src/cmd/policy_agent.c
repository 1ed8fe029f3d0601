// SPDX-License-Identifier: Apache-2.0
#include "cmd/policy_agent.h"

#include <stdio.h>

#include "base/text.h"

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

struct policies *policy_agent_make(const struct config *config, bool recorded, struct err *err)
{
    struct policies_options options = {
        .slots = (uint32_t)config->limits.workers,
        .is_recorded = recorded,
        .periods = number_of(config, "periods"),
        .deep_sample_rate = number_of(config, "max_deep_sample"),
    };
    struct policies *policies = policies_new(&options);
    if (!policies_open_geo(policies, either(config, "geo_city", "default_geo_city"),
                           either(config, "geo_asn", "default_geo_asn"), err) ||
        policies_load(policies, config->policies, POLICIES_ALL, NULL, err) != POLICIES_DONE) {
        policies_free(policies);
        return NULL;
    }
    return policies;
}

bool policy_agent_taps(struct config *config, const struct policies *policies, struct err *err)
{
    struct policies_packet_tap tap;
    for (size_t i = 0; policies_packet_tap(policies, i, &tap); i++) {
        const char *source = tap.interface != NULL ? tap.interface : tap.file;
        if (source == NULL) {
            continue;
        }
        if (i == 0 && !(config->given & 1)) {
            config_clear_taps(config);
        }
        struct config_tap *to =
            config_add_tap(config, tap.interface != NULL ? "afpacket" : "pcapfile");
        if (to == NULL) {
            return err_set(err, ERR_USAGE, "more than %d taps", CONFIG_TAPS_MAX);
        }
        to->name = config_text(config, tap.name);
        config_list_add(config, tap.interface != NULL ? &to->interfaces : &to->files, source);
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
