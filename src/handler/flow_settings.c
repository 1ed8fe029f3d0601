// SPDX-License-Identifier: Apache-2.0
#include "handler/flow_settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Reading -------------------------------------------------------------------------------- */

static bool read_address(const char *text, struct flow_address *ret)
{
    *ret = (struct flow_address){0};
    ret->version = inet_pton(AF_INET, text, ret->bytes) == 1    ? 4
                   : inet_pton(AF_INET6, text, ret->bytes) == 1 ? 6
                                                                : 0;
    return ret->version != 0;
}

static bool read_number(const char *text, const char **ret_end, uint32_t *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *ret = (uint32_t)value;
    *ret_end = end;
    return *text >= '0' && *text <= '9' && value <= UINT32_MAX;
}

static bool read_range(const char *text, struct flow_range *ret)
{
    const char *end;
    if (!read_number(text, &end, &ret->first)) {
        return false;
    }
    ret->last = ret->first;
    if (*end == '-' && !read_number(end + 1, &end, &ret->last)) {
        return false;
    }
    if (ret->first > ret->last) {
        *ret = (struct flow_range){ret->last, ret->first};
    }
    return *end == '\0';
}

/* Ranges of a list; NULL when all is well, else the one that is none. */
static const char *read_ranges(const struct handler_options *options,
                               const struct handler_words *words, struct flow_ranges *ret)
{
    struct flow_range *list = tree_take(options->memory, (words->count + 1) * sizeof *list);
    ret->list = list;
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->words[i], "*") == 0) {
            list[ret->count++] = (struct flow_range){0, UINT32_MAX};
        } else if (!read_range(words->words[i], &list[ret->count++])) {
            return words->written[i];
        }
    }
    return NULL;
}

static bool read_hosts(const struct handler_options *options, const char *name, struct hosts *ret,
                       struct err *err)
{
    struct handler_words words = handler_list(options, name);
    for (size_t i = 0; i < words.count; i++) {
        if (!hosts_add(ret, words.words[i], err)) {
            return false;
        }
    }
    return true;
}

static bool read_ports(const struct handler_options *options, struct flow_settings *s,
                       struct err *err)
{
    struct handler_words words = handler_list(options, "only_ports");
    const char *wrong = read_ranges(options, &words, &s->only_ports);
    s->has_ports = tree_get(options->map, "only_ports") != NULL;
    return wrong == NULL ||
           err_set(err, ERR_USAGE, "FlowHandler: invalid 'only_ports' filter value: %s", wrong);
}

static bool read_directions(const struct handler_options *options, struct flow_settings *s,
                            struct err *err)
{
    struct handler_words words = handler_list(options, "only_directions");
    s->no_input = s->no_output = tree_get(options->map, "only_directions") != NULL;
    for (size_t i = 0; i < words.count; i++) {
        if (strcmp(words.words[i], "in") == 0) {
            s->no_input = false;
        } else if (strcmp(words.words[i], "out") == 0) {
            s->no_output = false;
        } else {
            return err_set(err, ERR_USAGE,
                           "FlowStreamHandler: only_directions filter contained an "
                           "invalid/unsupported direction: %s",
                           words.written[i]);
        }
    }
    return true;
}

static bool read_wanted(const struct handler_options *options, struct flow_settings *s,
                        struct err *err)
{
    const struct tree *map = tree_get(options->map, "only_device_interfaces");
    if (map == NULL || map->kind != TREE_MAP) {
        return true;
    }
    struct flow_wanted *list = tree_take(options->memory, (map->count + 1) * sizeof *list);
    struct handler_options inner = {options->title, map, options->memory};
    s->wanted = list;
    s->has_wanted = true;
    for (size_t i = 0; i < map->count; i++) {
        struct flow_wanted *one = &list[s->wanted_count++];
        if (!read_address(map->keys[i], &one->device)) {
            return err_set(err, ERR_USAGE,
                           "FlowHandler: 'only_device_interfaces' filter has an invalid device IP: "
                           "%s",
                           map->keys[i]);
        }
        struct handler_words words = handler_list(&inner, map->keys[i]);
        const char *wrong = read_ranges(options, &words, &one->interfaces);
        if (wrong != NULL) {
            return err_set(err, ERR_USAGE,
                           "FlowHandler: invalid 'only_device_interfaces' filter interface value: "
                           "%s",
                           wrong);
        }
    }
    return true;
}

/* ---- Summing up ----------------------------------------------------------------------------- */

/* A network of address zero stands for all that have no network of their own. */
static bool take_wildcard(struct flow_summary *summary, bool *ret_is_one, struct err *err)
{
    static const uint8_t zero[16];
    struct hosts *subnets = &summary->subnets;
    const struct hosts_network *last = &subnets->networks[subnets->count - 1];
    uint8_t *wildcard = &summary->wildcard[last->version == 6];
    *ret_is_one = memcmp(last->address, zero, handler_address_size(last->version)) == 0;
    if (!*ret_is_one) {
        return true;
    }
    if (*wildcard != 0) {
        return err_set(err, ERR_USAGE,
                       "FlowHandler: 'subnets_for_summarization' only allows one ipv4 and one ipv6 "
                       "wildcard");
    }
    *wildcard = last->bits;
    subnets->count--;
    return true;
}

static bool read_subnets(const struct handler_options *options, struct flow_summary *summary,
                         struct err *err)
{
    struct handler_words words = handler_list(options, "subnets_for_summarization");
    summary->subnet_texts = tree_take(options->memory, (words.count + 1) * sizeof(char *));
    for (size_t i = 0; i < words.count; i++) {
        bool is_wildcard;
        if (!hosts_add(&summary->subnets, words.words[i], err) ||
            !take_wildcard(summary, &is_wildcard, err)) {
            return false;
        }
        if (!is_wildcard) {
            summary->subnet_texts[summary->subnets.count - 1] = words.written[i];
        }
    }
    return true;
}

static bool read_summary(const struct handler_options *options, struct flow_summary *summary,
                         struct err *err)
{
    if (handler_flag(options, "summarize_ips_by_asn")) {
        summary->kind = FLOW_SUMMARY_OWNER;
        summary->excluded_owners = handler_list(options, "exclude_asns_from_summarization");
        summary->excludes_unknown = handler_flag(options, "exclude_unknown_asns_from_summarization");
    }
    if (tree_get(options->map, "subnets_for_summarization") != NULL &&
        summary->kind == FLOW_SUMMARY_NONE) {
        summary->kind = FLOW_SUMMARY_SUBNET;
    }
    return read_hosts(options, "exclude_ips_from_summarization", &summary->excluded, err) &&
           read_subnets(options, summary, err);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static const char *text_of(const struct tree *map, const char *key)
{
    const struct tree *value = tree_get(map, key);
    return value != NULL ? value->text : NULL;
}

static bool read_interfaces(const struct handler_options *options, const char *device,
                            const struct tree *map, struct flow_device_name *ret, struct err *err)
{
    struct flow_interface_name *list = tree_take(options->memory, (map->count + 1) * sizeof *list);
    ret->interfaces = list;
    for (size_t i = 0; i < map->count; i++) {
        const char *end, *name = text_of(&map->items[i], "name");
        struct flow_interface_name *one = &list[ret->count++];
        if (name == NULL) {
            return err_set(err, ERR_USAGE,
                           "FlowHandler: 'device_map' config with device IP %s does not have 'name' "
                           "key",
                           device);
        }
        if (!read_number(map->keys[i], &end, &one->number) || *end != '\0') {
            return err_set(err, ERR_USAGE,
                           "FlowHandler: 'device_map' config with device IP %s has an interface that "
                           "is no number: %s",
                           device, map->keys[i]);
        }
        one->name = name;
    }
    return true;
}

static bool read_device(const struct handler_options *options, const char *address,
                        const struct tree *map, struct flow_device_name *ret, struct err *err)
{
    const struct tree *interfaces = tree_get(map, "interfaces");
    ret->name = text_of(map, "name");
    if (!read_address(address, &ret->device)) {
        return err_set(err, ERR_USAGE,
                       "FlowHandler: 'device_map' config has an invalid device IP: %s", address);
    }
    if (ret->name == NULL || interfaces == NULL || interfaces->kind != TREE_MAP) {
        return err_set(err, ERR_USAGE,
                       "FlowHandler: 'device_map' config with device IP %s does not have '%s' key",
                       address, ret->name == NULL ? "name" : "interfaces");
    }
    return read_interfaces(options, address, interfaces, ret, err);
}

static bool read_devices(const struct handler_options *options, struct flow_settings *s,
                         struct err *err)
{
    const struct tree *map = tree_get(options->map, "device_map");
    const struct tree *enrichment = tree_get(options->map, "enrichment");
    if (map == NULL || map->kind != TREE_MAP) {
        return true;
    }
    struct flow_device_name *list = tree_take(options->memory, (map->count + 1) * sizeof *list);
    for (size_t i = 0; i < map->count; i++) {
        if (!read_device(options, map->keys[i], &map->items[i], &list[i], err)) {
            return false;
        }
    }
    if (enrichment == NULL || enrichment->kind != TREE_FLAG || enrichment->flag) {
        s->devices = list;
        s->device_count = map->count;
    }
    return true;
}

bool flow_settings_read(const struct handler_options *options, void *settings, struct err *err)
{
    struct flow_settings *s = settings;
    const struct tree *scaling = tree_get(options->map, "sample_rate_scaling");
    s->scales = scaling == NULL || scaling->kind != TREE_FLAG || scaling->flag;
    s->is_nowhere = handler_flag(options, "geoloc_notfound");
    s->is_nobodys = handler_flag(options, "asn_notfound");
    return read_devices(options, s, err) && read_summary(options, &s->summary, err) &&
           read_hosts(options, "only_ips", &s->only_hosts, err) && read_wanted(options, s, err) &&
           read_ports(options, s, err) && read_directions(options, s, err);
}

/* ---- Use ------------------------------------------------------------------------------------ */

static bool is_same(const struct flow_address *a, const struct flow_address *b)
{
    return a->version == b->version &&
           memcmp(a->bytes, b->bytes, handler_address_size(a->version)) == 0;
}

static bool is_within(const struct flow_ranges *ranges, uint32_t number)
{
    for (size_t i = 0; i < ranges->count; i++) {
        if (number >= ranges->list[i].first && number <= ranges->list[i].last) {
            return true;
        }
    }
    return false;
}

static bool take_interfaces(const struct flow_settings *s, const struct flow_record *r,
                            bool *ret_input, bool *ret_output)
{
    *ret_input = !s->no_input;
    *ret_output = !s->no_output;
    if (!s->has_wanted) {
        return *ret_input || *ret_output;
    }
    for (size_t i = 0; i < s->wanted_count; i++) {
        if (is_same(&s->wanted[i].device, &r->exporter)) {
            *ret_input &= is_within(&s->wanted[i].interfaces, r->input);
            *ret_output &= is_within(&s->wanted[i].interfaces, r->output);
            return *ret_input || *ret_output;
        }
    }
    return false;
}

static bool has_host(const struct hosts *hosts, const struct flow_address *a)
{
    return a->version != 0 && hosts_have(hosts, a->version, a->bytes);
}

typedef void look_up(struct geo *geo, unsigned version, const uint8_t *address,
                     struct geo_place *ret);

/* Whether both ends are known; without a database nobody is asked. */
static bool are_known(struct geo *geo, look_up *look, const struct flow_record *r)
{
    struct geo_place place[2] = {{0}, {0}};
    if (geo == NULL || r->source.version == 0 || r->destination.version == 0) {
        return false;
    }
    look(geo, r->source.version, r->source.bytes, &place[0]);
    look(geo, r->destination.version, r->destination.bytes, &place[1]);
    return place[0].found && place[1].found;
}

bool flow_settings_take(const struct flow_settings *s, const struct flow_record *r, bool *ret_input,
                        bool *ret_output)
{
    if (s->only_hosts.count > 0 && !has_host(&s->only_hosts, &r->source) &&
        !has_host(&s->only_hosts, &r->destination)) {
        return false;
    }
    if (s->has_ports && !is_within(&s->only_ports, r->source_port) &&
        !is_within(&s->only_ports, r->destination_port)) {
        return false;
    }
    return take_interfaces(s, r, ret_input, ret_output) &&
           !(s->is_nowhere && are_known(s->common.world->city, geo_city, r)) &&
           !(s->is_nobodys && are_known(s->common.world->owner, geo_owner, r));
}

const struct flow_device_name *flow_settings_device(const struct flow_settings *settings,
                                                    const struct flow_address *device)
{
    for (size_t i = 0; i < settings->device_count; i++) {
        if (is_same(&settings->devices[i].device, device)) {
            return &settings->devices[i];
        }
    }
    return NULL;
}

void flow_settings_interface(const struct flow_device_name *device, uint32_t number, char *to,
                             size_t room)
{
    for (size_t i = 0; device != NULL && i < device->count; i++) {
        if (device->interfaces[i].number == number) {
            snprintf(to, room, "%s", device->interfaces[i].name);
            return;
        }
    }
    snprintf(to, room, "%u", number);
}
