// SPDX-License-Identifier: Apache-2.0
#include "handler/tcp_path.h"

#include <math.h>
#include <stdio.h>

static const char *const key_names[TCP_PATH_KEYS + 1] = {"asn", "country", "port", "zone", NULL};

/* ---- Settings ------------------------------------------------------------------------------- */

static bool read_keys(const struct handler_options *options, uint32_t *ret, struct err *err)
{
    struct handler_words words = handler_list(options, "path_keys");
    *ret = words.count == 0 ? (1u << TCP_PATH_KEYS) - 1 : 0;
    for (size_t i = 0; i < words.count; i++) {
        unsigned k = 0;
        while (k < TCP_PATH_KEYS && strcmp(words.words[i], key_names[k]) != 0) {
            k++;
        }
        if (k == TCP_PATH_KEYS) {
            return err_set(err, ERR_USAGE,
                           "%s: path_keys: %s is none of asn, country, port, zone",
                           options->title, words.written[i]);
        }
        *ret |= 1u << k;
    }
    return true;
}

static bool add_zone(const struct handler_options *options, struct tcp_path_settings *ret,
                     const char *text, struct err *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return err_set(err, ERR_USAGE, "%s: zones: %s is no NAME=NETWORK", options->title, text);
    }
    size_t size = (size_t)(equals - text);
    char *name = tree_take(options->memory, size + 1);
    memcpy(name, text, size);
    ret->zone_names[ret->zones.count] = name;
    return hosts_add(&ret->zones, equals + 1, err);
}

bool tcp_path_read(const struct handler_options *options, struct tcp_path_settings *ret,
                   struct err *err)
{
    struct handler_words zones = handler_list(options, "zones");
    ret->zone_names = tree_take(options->memory, (zones.count + 1) * sizeof *ret->zone_names);
    for (size_t i = 0; i < zones.count; i++) {
        if (!add_zone(options, ret, zones.written[i], err)) {
            return false;
        }
    }
    return read_keys(options, &ret->keys, err);
}

/* ---- Names ---------------------------------------------------------------------------------- */

enum { VALUE_ROOM = 32 };

static const char *zone_of(const struct tcp_path_settings *s, const struct handler_event *event)
{
    const struct hosts_network *network =
        hosts_find(&s->zones, event->version, event->address[1]);
    return network != NULL ? s->zone_names[network - s->zones.networks] : "";
}

static void write_value(const struct tcp_path_settings *s, const struct handler_world *world,
                        const struct handler_event *event, unsigned key, char to[VALUE_ROOM])
{
    char country[3] = "", owner[1];
    to[0] = '\0';
    switch (key) {
    case TCP_PATH_ASN:
        if (world->owner != NULL) {
            uint32_t number = geo_as_number(world->owner, event->version, event->address[0],
                                            owner, sizeof owner);
            snprintf(to, number != 0 ? VALUE_ROOM : 1, "%u", number);
        }
        break;
    case TCP_PATH_COUNTRY:
        if (world->city != NULL) {
            geo_country(world->city, event->version, event->address[0], country);
            snprintf(to, VALUE_ROOM, "%s", country);
        }
        break;
    case TCP_PATH_PORT:
        snprintf(to, VALUE_ROOM, "%u", event->port[1]);
        break;
    default:
        snprintf(to, VALUE_ROOM, "%s", zone_of(s, event));
        break;
    }
}

/* Who only reads them may say so. */
static struct breakdown_of of_paths(const struct tcp_paths *paths)
{
    struct tcp_paths *own = (struct tcp_paths *)(uintptr_t)paths;
    return (struct breakdown_of){&own->names, own->items, &tcp_path_set, key_names};
}

struct tcp_path *tcp_path_of(const struct tcp_path_settings *settings,
                             const struct handler_world *world, struct tcp_paths *paths,
                             const struct handler_event *event)
{
    struct breakdown_name name = {0};
    struct breakdown_of of = of_paths(paths);
    for (unsigned k = 0; k < TCP_PATH_KEYS; k++) {
        char value[VALUE_ROOM] = "";
        if (settings->keys & 1u << k) {
            write_value(settings, world, event, k, value);
        }
        breakdown_put(&name, span_str(value), VALUE_ROOM);
    }
    return breakdown_add(&of, &name);
}

/* ---- Parts ---------------------------------------------------------------------------------- */

void tcp_path_reset(struct tcp_paths *paths)
{
    struct breakdown_of of = of_paths(paths);
    breakdown_reset(&of);
}

void tcp_path_merge(struct tcp_paths *into, const struct tcp_paths *from)
{
    struct breakdown_of to = of_paths(into), of = of_paths(from);
    breakdown_merge(&to, &of);
}

bool tcp_path_part(const struct tcp_paths *paths, uint32_t number, struct handler_part *ret)
{
    struct breakdown_of of = of_paths(paths);
    if (!breakdown_part(&of, number, ret)) {
        return false;
    }
    if (ret->block != NULL && ret->rank > 0) {
        double rtt = quantiles_at(&((const struct tcp_path *)ret->block)->rtt, 0.95);
        ret->rank = isnan(rtt) ? 0 : rtt;
    }
    return true;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define ROW(name_, kind_, member_, path_, unit_, help_)                                            \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct tcp_path, member_),                \
        .unit = unit_, .help = help_, .group = "paths", .path = path_,                             \
        .family = "tcp_path_" name_, .groups = TCP_PATH_GROUP                                      \
    }
#define COUNT(name_, member_, help_)                                                               \
    ROW(name_, METRIC_COUNTER, member_, name_, "connections", help_)
#define VERDICT(name_, verdict_)                                                                   \
    ROW(name_ "_connections", METRIC_COUNTER, verdicts[verdict_], "verdicts/" name_,               \
        "connections", "TCP connections of the path with the verdict " name_)

static const struct metric tcp_path_metrics[] = {
    COUNT("connections", connections, "TCP connections of the path"),
    COUNT("failed_connections", failed, "Those of which no connection came"),
    COUNT("rtt_over_300ms_connections", beyond_normal,
          "Those whose round trip is longer than any distance on earth explains"),
    ROW("rtt_us", METRIC_QUANTILES, rtt, "rtt_us", "us",
        "Quantiles of connections' median round trips, in microseconds"),
    ROW("loss_percent", METRIC_QUANTILES, loss, "loss_percent", "percent",
        "Quantiles of the share of data segments that connections sent again"),
    ROW("throughput_bps", METRIC_QUANTILES, throughput, "throughput_bps", "bits",
        "Quantiles of connections' throughput while they were not idle, in bits per second"),
    VERDICT("bufferbloat", HEALTH_BUFFERBLOAT),
    VERDICT("blackholed", HEALTH_BLACKHOLED),
    VERDICT("lossy", HEALTH_LOSSY),
    VERDICT("reordered", HEALTH_REORDERED),
    VERDICT("receiver_limited", HEALTH_RECEIVER_LIMITED),
    VERDICT("sender_limited", HEALTH_SENDER_LIMITED),
    VERDICT("application_limited", HEALTH_APPLICATION_LIMITED),
    VERDICT("slow_server", HEALTH_SLOW_SERVER),
    VERDICT("short_of_window", HEALTH_SHORT_OF_WINDOW),
    {0},
};

const struct metric_set tcp_path_set = {
    .name = "tcp_path",
    .help = "TCP connections of a path",
    .metrics = tcp_path_metrics,
    .size = sizeof(struct tcp_path),
};
