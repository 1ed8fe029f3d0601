// SPDX-License-Identifier: Apache-2.0
/* The weather of latencies: TCP connections by path, which is the client's country, its autonomous
 * system, the server's zone and its port, or some of these; of each path quantiles of round trip,
 * loss and throughput, and how many connections have which verdict (docs/tcp-health.md). Settings are
 * constant once read. */
#pragma once

#include "flow/health.h"
#include "handler/breakdown.h"
#include "handler/hosts.h"
#include "summary/quantiles.h"

/* What no distance on earth explains: half way round and back through fibre is 200 ms, and real
 * cables are a little longer. */
#define TCP_PATH_NORMAL_MS 300.0

enum tcp_path_key { TCP_PATH_ASN, TCP_PATH_COUNTRY, TCP_PATH_PORT, TCP_PATH_ZONE, TCP_PATH_KEYS };

struct tcp_path_settings {
    uint32_t keys; /* of which paths are made: a bit each, by enum tcp_path_key */
    struct hosts zones;
    const char **zone_names; /* of `zones` */
};

struct tcp_path {
    uint64_t connections;
    uint64_t failed;
    uint64_t beyond_normal;
    uint64_t verdicts[HEALTH_VERDICTS];
    struct quantiles rtt;        /* microseconds */
    struct quantiles loss;       /* per cent */
    struct quantiles throughput; /* bits per second */
};

/* The paths of a block. */
struct tcp_paths {
    struct breakdown names;
    struct tcp_path items[BREAKDOWN_ITEMS];
};

extern const struct metric_set tcp_path_set; /* all of its rows are of the group `TCP_PATH_GROUP` */
#define TCP_PATH_GROUP 4

/* Reads `path_keys` and `zones` ("NAME=NETWORK"). */
bool tcp_path_read(const struct handler_options *options, struct tcp_path_settings *ret,
                   struct err *err);

/* The path of a connection's event, made if need be. */
struct tcp_path *tcp_path_of(const struct tcp_path_settings *settings,
                             const struct handler_world *world, struct tcp_paths *paths,
                             const struct handler_event *event);

void tcp_path_reset(struct tcp_paths *paths);
void tcp_path_merge(struct tcp_paths *into, const struct tcp_paths *from);
/* Part `number`, with its labels; the longest round trips rank first. */
bool tcp_path_part(const struct tcp_paths *paths, uint32_t number, struct handler_part *ret);
