// SPDX-License-Identifier: Apache-2.0
/* The latency weather: what the TCP connections between a place of clients and a service had, summed up.
 * A path is the client's country and autonomous system, the server's zone and port; of each there are
 * quantiles of round trip, loss and throughput, and how many connections got which verdict. At most
 * HEALTH_PATHS_MAX paths, 13 KB each once used; connections beyond go to one for all others, without
 * places. Live, they cover the last ten to twenty minutes; of a file, all of it.
 *
 * The output thread adds, any thread reads. */
#pragma once

#include "engine/health_event.h"

enum { HEALTH_PATHS_MAX = 256 };

/* By what connections are told apart on reading; what is left out is summed up. */
enum health_paths_key {
    HEALTH_PATHS_COUNTRY = 1,
    HEALTH_PATHS_ASN = 2,
    HEALTH_PATHS_ZONE = 4,
    HEALTH_PATHS_PORT = 8,
    HEALTH_PATHS_ALL = 15,
};

/* What a round trip anywhere in the world may take, in ms: beyond it, something is wrong on the way
 * (docs/tcp-health.md). */
#define HEALTH_PATHS_NORMAL_MS 300.0

struct health_path {
    char country[PLACES_COUNTRY];
    uint32_t as_number;
    char as_name[PLACES_OWNER];
    char zone[PLACES_OWNER];
    uint32_t port;        /* 0: of any */
    bool is_rest;         /* of all others */
    uint64_t connections;
    uint64_t verdicts[HEALTH_VERDICTS]; /* connections with each */
    double rtt_p50_ms, rtt_p95_ms, rtt_p99_ms; /* NAN: none was measured */
    double loss_p50_percent, loss_p95_percent;
    double throughput_p5_mbps, throughput_p50_mbps;
};

struct health_paths; /* opaque */

/* `rolls`: forget what is older than twenty minutes. NULL without memory. */
struct health_paths *health_paths_new(bool rolls);
/* NULL is fine. */
void health_paths_free(struct health_paths *paths);

/* Adds a connection that has ended: its last report. */
void health_paths_add(struct health_paths *paths, const struct health_event *event);

/* Reads a list such as "country,port" as a set of keys. False: it is none, or names one twice. */
bool health_paths_keys(const char *text, unsigned *ret);

/* Copies the paths with the longest round trips (95th percentile), worst first, into `ret`, which has room
 * for `max`; `ret_total`: how many there are. `keys`: by what paths are told apart, a set of enum
 * health_paths_key. Returns how many were copied. */
uint32_t health_paths_worst(struct health_paths *paths, unsigned keys, struct health_path *ret,
                            uint32_t max, uint32_t *ret_total);
