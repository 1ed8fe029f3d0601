// SPDX-License-Identifier: Apache-2.0
#include "api/get_paths.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"

enum { PATHS_LIMIT_DEFAULT = 50, PATHS_LIMIT_MAX = HEALTH_PATHS_MAX + 1 };

struct wanted {
    uint32_t limit;
    unsigned keys;
};

static bool read_limit(const char *text, void *values)
{
    int64_t limit;
    if (!text_parse_number(text, &limit) || limit < 1 || limit > PATHS_LIMIT_MAX) {
        return false;
    }
    ((struct wanted *)values)->limit = (uint32_t)limit;
    return true;
}

static bool read_keys(const char *text, void *values)
{
    return health_paths_keys(text, &((struct wanted *)values)->keys);
}

const struct parameter get_paths_parameters[] = {
    {"limit", "a whole number from 1 to 257", "paths at most, 50 if not given", read_limit},
    {"by", "some of country, asn, zone and port, with commas between them",
     "by what paths are told apart, all four if not given", read_keys},
    {0},
};

static void member_text(struct json *to, const char *key, const char *text)
{
    if (text[0] != '\0') {
        json_key(to, key);
        json_text(to, text);
    }
}

static void member_number(struct json *to, const char *key, double value)
{
    if (!isnan(value)) {
        json_key(to, key);
        json_double(to, value);
    }
}

/* Shares of connections with each verdict that any has. */
static void write_verdicts(struct json *to, const struct health_path *path)
{
    json_key(to, "verdicts");
    json_object_begin(to);
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        if (path->verdicts[i] > 0) {
            json_key(to, health_verdict_name(i));
            json_double(to, (double)path->verdicts[i] / (double)path->connections);
        }
    }
    json_object_end(to);
}

static void write_path(struct json *to, const struct health_path *path)
{
    json_object_begin(to);
    member_text(to, "client_country", path->country);
    if (path->as_number != 0) {
        json_key(to, "client_as_number");
        json_u64(to, path->as_number);
        member_text(to, "client_as_name", path->as_name);
    }
    member_text(to, "server_zone", path->zone);
    if (path->is_rest) {
        json_key(to, "others");
        json_bool(to, true);
    } else if (path->port != 0) {
        json_key(to, "server_port");
        json_u64(to, path->port);
    }
    json_key(to, "connections");
    json_u64(to, path->connections);
    member_number(to, "rtt_p50_ms", path->rtt_p50_ms);
    member_number(to, "rtt_p95_ms", path->rtt_p95_ms);
    member_number(to, "rtt_p99_ms", path->rtt_p99_ms);
    json_key(to, "slow");
    json_bool(to, path->rtt_p95_ms > HEALTH_PATHS_NORMAL_MS);
    member_number(to, "loss_p50_percent", path->loss_p50_percent);
    member_number(to, "loss_p95_percent", path->loss_p95_percent);
    member_number(to, "throughput_p5_mbps", path->throughput_p5_mbps);
    member_number(to, "throughput_p50_mbps", path->throughput_p50_mbps);
    write_verdicts(to, path);
    json_object_end(to);
}

void get_paths(struct exchange *x)
{
    struct wanted wanted = {.limit = PATHS_LIMIT_DEFAULT, .keys = HEALTH_PATHS_ALL};
    if (!parameters_read(x, get_paths_parameters, &wanted)) {
        return;
    }
    struct health_path *paths = calloc(wanted.limit, sizeof *paths);
    if (paths == NULL) {
        exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
        return;
    }
    uint32_t total;
    uint32_t count = engine_paths(x->service->engine, wanted.keys, paths, wanted.limit, &total);
    struct json *to = &x->body;
    json_object_begin(to);
    json_key(to, "total");
    json_u64(to, total);
    json_key(to, "normal_ms");
    json_double(to, HEALTH_PATHS_NORMAL_MS);
    json_key(to, "paths");
    json_array_begin(to);
    for (uint32_t i = 0; i < count; i++) {
        write_path(to, &paths[i]);
    }
    json_array_end(to);
    json_object_end(to);
    free(paths);
}
