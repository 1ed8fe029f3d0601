// SPDX-License-Identifier: Apache-2.0
/* packetbeat.protocols: only what is listed is followed, and only on its ports. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/beat_core.h"
#include "engine/beat_types.h"
#include "engine/config_protocols.h"
#include "proto/proto.h"

static struct proto_settings *settings_of(const struct config_protocol *protocol)
{
    return protocol->options;
}

/* Of which protocols it tells responses whose request was not seen; those of others it drops. */
static bool tells_unmatched(const char *name)
{
    static const char *const names[] = {"http", "dns", "icmp", "memcache"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* What this dialect has otherwise than ours: nothing is hidden that is not asked for, what came without
 * its question is told, and events have no fields that Packetbeat's do not have. */
static void set_habits(struct beat_reading *r, struct config_protocol *protocol)
{
    struct proto_settings *settings = settings_of(protocol);
    settings->enabled = false;
    settings->only_ports = true;
    settings->report_unmatched = tells_unmatched(protocol->proto->name);
    static const char *const off[] = {"redact_secrets", "ja3s", "ja4"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        const struct config_key *key = config_key_find(protocol->keys, off[i]);
        struct err err = {0};
        if (key != NULL) {
            (void)config_value_set(r->config, key, protocol->options, "false", &err);
        }
    }
}

/* Bare numbers are seconds where a duration is wanted. */
static const char *text_of(struct beat_reading *r, const struct config_key *key,
                           const struct node *node)
{
    bool is_seconds = key->kind == CONFIG_DURATION && node->kind == NODE_NUMBER;
    struct span text = node_format(r->tree, "%.*s%s", (int)node->text.size, node->text.data,
                                   is_seconds ? "s" : "");
    return (const char *)text.data;
}

static bool set_one(struct beat_reading *r, struct config_protocol *protocol,
                    const struct config_key *key, const struct node *node)
{
    struct err err = {0};
    if (!node_is_scalar(node)) {
        return beat_refuse(r, node, "%s of %s is not a single value", key->path,
                           protocol->proto->name);
    }
    return config_value_set(r->config, key, protocol->options, text_of(r, key, node), &err) ||
           beat_refuse(r, node, "%s: %s", protocol->proto->name, err.text);
}

static bool set_option(struct beat_reading *r, struct config_protocol *protocol,
                       const struct config_key *key, struct node *node)
{
    beat_use_all(node);
    protocol->given |= 1ull << (key - protocol->keys);
    config_value_clear(key, protocol->options);
    if (key->kind != CONFIG_LIST || node->kind != NODE_LIST) {
        return node->kind == NODE_NULL || set_one(r, protocol, key, node);
    }
    for (const struct node *item = node->first; item != NULL; item = item->next) {
        if (!set_one(r, protocol, key, item)) {
            return false;
        }
    }
    return true;
}

/* The protocol that a `type` names; NULL when there is none, which is told. */
static struct config_protocol *find(struct beat_reading *r, struct node *at, const char *type)
{
    struct err err = {0};
    struct config_protocol *protocol = config_protocol_named(r->config, type, &err);
    if (protocol == NULL) {
        beat_warn(r, "packetbeat.protocols: %s: not followed", err.text);
        beat_use_all(at);
    }
    return protocol;
}

static bool read_options(struct beat_reading *r, struct config_protocol *protocol, struct node *map)
{
    for (const struct config_key *key = protocol->keys; key->path != NULL; key++) {
        beat_offer(r, map, key->path);
    }
    for (struct node *child = map->first; child != NULL; child = child->next) {
        char name[64] = "";
        if (child->name.size < sizeof name) {
            memcpy(name, child->name.data, child->name.size);
        }
        const struct config_key *key = config_key_find(protocol->keys, name);
        if (key != NULL && !set_option(r, protocol, key, child)) {
            return false;
        }
    }
    struct err err = {0};
    return config_protocol_check(protocol, &err) ||
           beat_refuse(r, map, "%s: %s", protocol->proto->name, err.text);
}

static bool read_protocol(struct beat_reading *r, const char *type, struct node *map)
{
    struct config_protocol *protocol = find(r, map, type);
    if (protocol == NULL) {
        return true;
    }
    struct proto_settings *settings = settings_of(protocol);
    bool has_ports = node_member(map, span_str("ports")) != NULL;
    settings->enabled = true;
    map->used = true;
    (void)beat_take(r, map, "type");
    if (!read_options(r, protocol, map) || !beat_read_type(r, protocol->proto->name, map)) {
        return false;
    }
    if (!has_ports && !protocol->proto->reads_icmp) {
        settings->enabled = false; /* a protocol without ports is one that is switched off */
    }
    return true;
}

static bool read_list(struct beat_reading *r, struct node *list)
{
    for (struct node *item = list->first; item != NULL; item = item->next) {
        item->used = true;
        if (!beat_is_map(r, item, "packetbeat.protocols")) {
            return false;
        }
        const char *type = beat_text(r, item, "type", NULL);
        if (type == NULL) {
            return beat_refuse(r, item, "packetbeat.protocols: each begins with '- type: NAME'");
        }
        if (!read_protocol(r, type, item)) {
            return false;
        }
    }
    return true;
}

/* The older way: a mapping by name. */
static bool read_map(struct beat_reading *r, struct node *map)
{
    for (struct node *child = map->first; child != NULL; child = child->next) {
        child->used = true;
        if (!beat_is_map(r, child, "packetbeat.protocols")) {
            return false;
        }
        const char *type = (const char *)node_copy(r->tree, child->name).data;
        if (!read_protocol(r, type, child)) {
            return false;
        }
    }
    return true;
}

bool beat_read_protocols(struct beat_reading *r)
{
    for (size_t i = 0; i < r->config->protocol_count; i++) {
        set_habits(r, &r->config->protocols[i]);
    }
    struct node *protocols = beat_take(r, r->root, "packetbeat.protocols");
    if (protocols == NULL) {
        return true;
    }
    if (protocols->kind == NODE_LIST) {
        return read_list(r, protocols);
    }
    return beat_is_map(r, protocols, "packetbeat.protocols") && read_map(r, protocols);
}
