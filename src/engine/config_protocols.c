// SPDX-License-Identifier: Apache-2.0
#include "engine/config_protocols.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "proto/proto.h"

enum { ROWS_MAX = 64, PORTS_TEXT = 256 };

static bool reads_conversations(const struct proto *proto)
{
    return proto->on_chunk != NULL || proto->on_datagram != NULL;
}

/* ---- Tables --------------------------------------------------------------------------------- */

static enum config_kind kind_of(enum proto_option_kind kind)
{
    static const enum config_kind kinds[] = {
        [PROTO_OPTION_FLAG] = CONFIG_FLAG,         [PROTO_OPTION_NUMBER] = CONFIG_NUMBER,
        [PROTO_OPTION_SIZE] = CONFIG_SIZE,         [PROTO_OPTION_DURATION] = CONFIG_DURATION,
        [PROTO_OPTION_TEXT] = CONFIG_TEXT,         [PROTO_OPTION_CHOICE] = CONFIG_CHOICE,
        [PROTO_OPTION_LIST] = CONFIG_LIST,
    };
    return kinds[kind];
}

static struct config_key key_of(const struct proto_option *option)
{
    return (struct config_key){
        .path = option->name,
        .kind = kind_of(option->kind),
        .offset = option->offset,
        .fallback = option->fallback,
        .help = option->help,
        .minimum = option->minimum,
        .maximum = option->maximum,
        .choices = option->choices,
    };
}

static size_t count_options(const struct proto_option *options)
{
    size_t count = 0;
    while (options != NULL && options[count].name != NULL) {
        count++;
    }
    return count;
}

/* The row of that name of the protocol's own, or NULL. */
static const struct proto_option *own_row(const struct proto *proto, const char *name)
{
    for (const struct proto_option *o = proto->options; o != NULL && o->name != NULL; o++) {
        if (strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

static bool is_common(const char *name)
{
    const struct proto_option *o = proto_settings_options;
    while (o->name != NULL && strcmp(o->name, name) != 0) {
        o++;
    }
    return o->name != NULL;
}

/* Appends "80, 8080" to a text of ports. */
static size_t append_ports(char *text, size_t at, const uint16_t *ports)
{
    for (; ports != NULL && *ports != 0 && at < PORTS_TEXT; ports++) {
        at += (size_t)snprintf(text + at, PORTS_TEXT - at, "%s%u", at > 0 ? ", " : "", *ports);
    }
    assert(at < PORTS_TEXT);
    return at;
}

/* The default ports are those of the protocol. A port of both transports is named once. */
static void default_ports(struct config *config, struct config_protocol *protocol,
                          struct config_key *key)
{
    const struct proto *proto = protocol->proto;
    char text[PORTS_TEXT] = "";
    size_t at = append_ports(text, 0, proto->tcp_ports);
    bool same = proto->tcp_ports != NULL && proto->udp_ports != NULL &&
                proto->tcp_ports[0] == proto->udp_ports[0];
    append_ports(text, at, same ? NULL : proto->udp_ports);
    key->fallback = config_text(config, text);
    struct text_list *list = &((struct proto_settings *)protocol->options)->ports;
    *list = (struct text_list){0};
    for (char *rest = text, *port; (port = strsep(&rest, ", ")) != NULL;) {
        if (*port != '\0') {
            config_list_add(config, list, port);
        }
    }
    list->is_default = true;
}

static void make(struct config *config, struct config_protocol *protocol, const struct proto *proto)
{
    size_t common = count_options(proto_settings_options);
    size_t own = count_options(proto->options);
    assert(common + own <= ROWS_MAX);
    struct config_key *keys = config_allocate(config, (common + own + 1) * sizeof *keys);
    for (size_t i = 0; i < common; i++) {
        const struct proto_option *other = own_row(proto, proto_settings_options[i].name);
        keys[i] = key_of(other != NULL ? other : &proto_settings_options[i]);
    }
    size_t count = common;
    for (size_t i = 0; i < own; i++) {
        if (!is_common(proto->options[i].name)) {
            keys[count++] = key_of(&proto->options[i]);
        }
    }
    *protocol = (struct config_protocol){
        .proto = proto, .keys = keys, .options = config_allocate(config, proto_options_size(proto))};
    config_values_default(config, keys, NULL, protocol->options);
    default_ports(config, protocol, (struct config_key *)config_key_find(keys, "ports"));
}

void config_protocols_default(struct config *config)
{
    size_t count = 0;
    for (const struct proto *const *proto = protos; *proto != NULL; proto++) {
        count += reads_conversations(*proto);
    }
    config->protocols = config_allocate(config, (count + 1) * sizeof *config->protocols);
    config->protocol_count = 0;
    for (const struct proto *const *proto = protos; *proto != NULL; proto++) {
        if (reads_conversations(*proto)) {
            make(config, &config->protocols[config->protocol_count++], *proto);
        }
    }
}

/* ---- Names ---------------------------------------------------------------------------------- */

static bool refuse(const char *what, struct suggest suggest, struct err *err)
{
    return suggest.best != NULL
               ? err_set(err, ERR_USAGE, "unknown %s '%s' (did you mean '%s'?)", what, suggest.word,
                         suggest.best)
               : err_set(err, ERR_USAGE, "unknown %s '%s'", what, suggest.word);
}

struct config_protocol *config_protocol_named(const struct config *config, const char *name,
                                              struct err *err)
{
    struct suggest suggest = suggest_of(name);
    for (size_t i = 0; i < config->protocol_count; i++) {
        const char *other = config->protocols[i].proto->name;
        if (strcmp(other, name) == 0) {
            return &config->protocols[i];
        }
        suggest_offer(&suggest, other);
    }
    refuse("protocol", suggest, err);
    return NULL;
}

const struct config_key *config_protocol_key(const struct config *config, const char *path,
                                             struct config_protocol **ret_protocol, struct err *err)
{
    char name[64];
    size_t size = strcspn(path, ".");
    snprintf(name, sizeof name, "%.*s", (int)size, path);
    *ret_protocol = config_protocol_named(config, name, err);
    if (*ret_protocol == NULL) {
        return NULL;
    }
    const char *option = path + size + (path[size] == '.');
    const struct config_key *key = config_key_find((*ret_protocol)->keys, option);
    if (key == NULL) {
        struct suggest suggest = suggest_of(option);
        for (key = (*ret_protocol)->keys; key->path != NULL; key++) {
            suggest_offer(&suggest, key->path);
        }
        refuse("key", suggest, err);
        return NULL;
    }
    return key;
}

/* ---- Ports ---------------------------------------------------------------------------------- */

bool config_port_range(const char *text, struct config_ports *ret)
{
    char first[8];
    size_t size = strcspn(text, "-");
    if (size >= sizeof first) {
        return false;
    }
    memcpy(first, text, size);
    first[size] = '\0';
    int64_t low;
    if (!text_parse_number(first, &low)) {
        return false;
    }
    int64_t high = low;
    if (text[size] == '-' && !text_parse_number(text + size + 1, &high)) {
        return false;
    }
    if (low < 1 || high < low || high > UINT16_MAX) {
        return false;
    }
    *ret = (struct config_ports){.low = (uint16_t)low, .high = (uint16_t)high};
    return true;
}

bool config_protocol_check(const struct config_protocol *protocol, struct err *err)
{
    const struct text_list *ports = &((const struct proto_settings *)protocol->options)->ports;
    struct config_ports range;
    for (size_t i = 0; i < ports->count; i++) {
        if (!config_port_range(ports->items[i], &range)) {
            char quote[80];
            return err_set(err, ERR_USAGE,
                           "ports: '%s' is neither a port nor a range as 8000-8010, of 1 to 65535",
                           text_printable(quote, sizeof quote, ports->items[i]));
        }
    }
    const struct proto *proto = protocol->proto;
    return proto->prepare == NULL || proto->prepare(protocol->options, err);
}

void config_protocols_release(struct config *config)
{
    for (size_t i = 0; i < config->protocol_count; i++) {
        const struct proto *proto = config->protocols[i].proto;
        if (proto->release != NULL) {
            proto->release(config->protocols[i].options);
        }
    }
}
