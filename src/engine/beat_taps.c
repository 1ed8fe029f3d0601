// SPDX-License-Identifier: Apache-2.0
/* packetbeat.interfaces and packetbeat.flows. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/beat_core.h"
#include "engine/beat_types.h"
#include "tap/capture_filter.h"
#include "tap/interfaces.h"

enum { ROUTE_LINE = 512, MEBIBYTE = 1 << 20, RING_LEAST = 2 * MEBIBYTE, BUFFER_MOST = 4096 };

/* ---- Devices -------------------------------------------------------------------------------------- */

/* The interface of the default route of IPv4 (/proc/net/route: destination and mask are zero). */
static bool route_v4(char name[IF_NAMESIZE])
{
    FILE *file = fopen("/proc/net/route", "re");
    char line[ROUTE_LINE];
    char destination[16];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "%15s %15s", name, destination) == 2 &&
                strcmp(destination, "00000000") == 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static bool route_v6(char name[IF_NAMESIZE])
{
    FILE *file = fopen("/proc/net/ipv6_route", "re");
    char line[ROUTE_LINE];
    char destination[40];
    char prefix[4];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = sscanf(line, "%39s %3s %*s %*s %*s %*s %*s %*s %*s %15s", destination, prefix,
                       name) == 3 &&
                strspn(destination, "0") == 32 && strcmp(prefix, "00") == 0 &&
                strcmp(name, "lo") != 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/* The device of that number in the list that `devices` prints. */
static bool by_number(int64_t number, char name[IF_NAMESIZE])
{
    struct interfaces list;
    struct err err = {0};
    if (!interfaces_read(&list, &err)) {
        return false;
    }
    bool is_there = number >= 0 && (size_t)number < list.count;
    if (is_there) {
        memcpy(name, list.entries[number].name, IF_NAMESIZE);
    }
    interfaces_done(&list);
    return is_there;
}

static bool resolve(struct beat_reading *r, const struct node *at, const char *device,
                    char name[IF_NAMESIZE])
{
    int64_t number;
    bool is_default = strcmp(device, "default_route") == 0;
    if (is_default || strncmp(device, "default_route_ipv", 17) == 0) {
        bool found = (strcmp(device, "default_route_ipv6") != 0 && route_v4(name)) ||
                     (strcmp(device, "default_route_ipv4") != 0 && route_v6(name));
        return found || beat_refuse(r, at, "device %s: there is no default route now", device);
    }
    if (text_parse_number(device, &number)) {
        return by_number(number, name) ||
               beat_refuse(r, at, "device %s: there is none of that number; see 'vantage packetbeat "
                           "devices'", device);
    }
    snprintf(name, IF_NAMESIZE, "%s", device);
    return true;
}

/* ---- Interfaces ----------------------------------------------------------------------------------- */

static bool check_filter(struct beat_reading *r, const struct node *map, const char *filter)
{
    struct err err = {0};
    if (filter[0] == '\0') {
        return true;
    }
    struct capture_filter *compiled = capture_filter_new(filter, &err);
    capture_filter_free(compiled);
    return compiled != NULL ||
           beat_refuse(r, node_find(map, span_str("bpf_filter")), "bpf_filter: %s", err.text);
}

static bool check_type(struct beat_reading *r, const struct node *map)
{
    static const char *const types[] = {"", "pcap", "af_packet", "autodetect"};
    const char *type = beat_text(r, map, "type", "");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return beat_refuse(r, node_find(map, span_str("type")),
                       "type '%s' is not pcap or af_packet, which are the same here", type);
}

static bool add_internal(struct beat_reading *r, const struct node *map)
{
    struct text_list list = beat_list(r, map, "internal_networks");
    for (size_t i = 0; i < list.count; i++) {
        struct err err = {0};
        if (!networks_add(&r->beat->internal, span_str(list.items[i]), &err)) {
            return beat_refuse(r, node_find(map, span_str("internal_networks")),
                               "internal_networks: %s", err.text);
        }
    }
    r->beat->has_internal = r->beat->has_internal || list.count > 0;
    return true;
}

static bool add_live(struct beat_reading *r, const struct node *map, const char *filter)
{
    char name[IF_NAMESIZE];
    const char *device = beat_text(r, map, "device", "any");
    if (!resolve(r, node_find(map, span_str("device")), device, name)) {
        return false;
    }
    for (size_t i = 0; i < r->config->tap_count; i++) {
        if (strcmp(r->config->taps[i].interfaces.items[0], name) == 0) {
            return beat_refuse(r, map, "device %s is there twice", name);
        }
    }
    struct config_tap *tap = config_add_tap(r->config, "afpacket");
    if (tap == NULL) {
        return beat_refuse(r, map, "more than %d interfaces", CONFIG_TAPS_MAX);
    }
    int64_t snap_len = beat_number_within(r, map, "snaplen", 65535, 1, INT32_MAX);
    int64_t buffer = beat_number_within(r, map, "buffer_size_mb", 24, 1, BUFFER_MOST) * MEBIBYTE;
    config_list_add(r->config, &tap->interfaces, name);
    tap->filter = config_text(r->config, filter);
    tap->snap_len = snap_len < 64 ? 64 : snap_len > 65535 ? 65535 : snap_len;
    tap->ring_size = buffer < RING_LEAST ? RING_LEAST : buffer;
    tap->promiscuous = beat_flag(r, map, "auto_promisc_mode", false);
    return true;
}

static bool add_file(struct beat_reading *r, const char *file, const char *filter)
{
    if (filter[0] != '\0') {
        beat_warn(r, "bpf_filter is for interfaces: a file is read as it is");
    }
    if (r->config->tap_count > 0) {
        return true;
    }
    const char *kind = r->arguments->steps ? "stepped" : r->arguments->top_speed ? "pcapfile" : "paced";
    struct config_tap *tap = config_add_tap(r->config, kind);
    if (strcmp(kind, "pcapfile") != 0) {
        r->config->limits.workers = 1;
    }
    config_list_add(r->config, &tap->files, file);
    return true;
}

static bool add_interface(struct beat_reading *r, struct node *map)
{
    const char *file = beat_text(r, map, "file", NULL);
    const char *filter = beat_text(r, map, "bpf_filter", "");
    (void)beat_flag(r, map, "with_vlans", false); /* tags are looked behind anyway */
    if (!check_type(r, map) || !check_filter(r, map, filter) || !add_internal(r, map)) {
        return false;
    }
    file = r->arguments->capture != NULL ? r->arguments->capture : file;
    if (file == NULL) {
        return add_live(r, map, filter);
    }
    static const char *const live[] = {"device", "snaplen", "buffer_size_mb", "auto_promisc_mode"};
    for (size_t i = 0; i < sizeof live / sizeof *live; i++) {
        (void)beat_take(r, map, live[i]);
    }
    return add_file(r, file, filter);
}

/* Whose own addresses tell what goes out and what comes in; of a file nobody knows. */
static void add_local(struct beat_reading *r)
{
    struct interfaces list;
    struct err err = {0};
    if (strcmp(r->config->taps[0].kind, "afpacket") != 0 || !interfaces_read(&list, &err)) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        char *rest = list.entries[i].addresses;
        for (char *one; (one = strsep(&rest, " ")) != NULL;) {
            one[strcspn(one, "/")] = '\0';
            (void)networks_add(&r->beat->local, span_str(one), &err);
        }
    }
    interfaces_done(&list);
}

bool beat_read_taps(struct beat_reading *r)
{
    struct node *interfaces = beat_take(r, r->root, "packetbeat.interfaces");
    struct node *nothing = node_new(r->tree, NODE_MAP, (struct span){0});
    config_clear_taps(r->config);
    bool is_list = interfaces != NULL && interfaces->kind == NODE_LIST && interfaces->first != NULL;
    struct node *map = is_list ? interfaces->first : interfaces != NULL ? interfaces : nothing;
    for (; map != NULL; map = is_list ? map->next : NULL) {
        map->used = true;
        if (!beat_is_map(r, map, "packetbeat.interfaces") || !add_interface(r, map)) {
            return false;
        }
    }
    add_local(r);
    return true;
}

/* ---- Processes ------------------------------------------------------------------------------------ */

bool beat_read_processes(struct beat_reading *r)
{
    struct config_processes *to = &r->config->processes;
    to->enabled = beat_flag(r, r->root, "packetbeat.procs.enabled", false);
    const struct node *list = beat_take(r, r->root, "packetbeat.procs.monitored");
    if (list == NULL) {
        return true;
    }
    if (list->kind != NODE_LIST) {
        return beat_refuse(r, list, "packetbeat.procs.monitored is a list");
    }
    for (struct node *item = list->first; item != NULL; item = item->next) {
        item->used = true;
        const char *name = beat_text(r, item, "process", NULL);
        const char *part = beat_text(r, item, "cmdline_grep", name);
        if (name == NULL || strchr(name, '=') != NULL || to->names.count == CONFIG_ITEMS_MAX) {
            return beat_refuse(r, item, "packetbeat.procs.monitored: each has a 'process', its name "
                                        "without '=', at most %d", CONFIG_ITEMS_MAX);
        }
        struct span text = node_format(r->tree, "%s=%s", name, part);
        config_list_add(r->config, &to->names, (const char *)text.data);
    }
    return true;
}

/* ---- Flows ---------------------------------------------------------------------------------------- */

bool beat_read_flows(struct beat_reading *r)
{
    struct node *map = node_find(r->root, span_str("packetbeat.flows"));
    struct config_flows *flows = &r->config->flows;
    flows->enabled = false;
    if (map == NULL) {
        beat_offer(r, r->root, "packetbeat.flows");
        return true;
    }
    if (!beat_is_map(r, map, "packetbeat.flows")) {
        return false;
    }
    map->used = true;
    flows->enabled = beat_flag(r, map, "enabled", true);
    flows->timeout = beat_duration(r, map, "timeout", flows->timeout);
    flows->period = beat_duration(r, map, "period", flows->period);
    flows->deltas = beat_flag(r, map, "enable_delta_flow_reports", false);
    (void)beat_flag(r, map, "allow_mismatched_eth", false); /* MACs never tell flows apart here */
    if (flows->timeout < 1000000000) {
        return beat_refuse(r, node_find(map, span_str("timeout")), "timeout is at least 1s");
    }
    if (flows->period >= 0 && flows->period < 1000000000) {
        return beat_refuse(r, node_find(map, span_str("period")), "period is at least 1s, or -1s");
    }
    return beat_read_type(r, "flow", map);
}
