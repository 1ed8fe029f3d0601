// SPDX-License-Identifier: Apache-2.0
#include "api/metrics_paths.h"

#include "api/metrics_text.h"

#include <math.h>
#include <stddef.h>

/* A quantile of a metric: where it is, and what it is multiplied by to have the unit. */
struct row {
    const char *name; /* NULL: of the row before */
    const char *help;
    const char *rank;
    size_t offset;
    double factor;
};

static const struct row rows[] = {
    {"vantage_path_rtt_seconds", "Round trips of TCP connections, both sides of the tap together",
     "0.5", offsetof(struct health_path, rtt_p50_ms), 1e-3},
    {NULL, NULL, "0.95", offsetof(struct health_path, rtt_p95_ms), 1e-3},
    {NULL, NULL, "0.99", offsetof(struct health_path, rtt_p99_ms), 1e-3},
    {"vantage_path_loss_ratio", "Share of data segments that were sent again", "0.5",
     offsetof(struct health_path, loss_p50_percent), 1e-2},
    {NULL, NULL, "0.95", offsetof(struct health_path, loss_p95_percent), 1e-2},
    {"vantage_path_throughput_bytes_per_second", "Bytes acknowledged, while not idle", "0.05",
     offsetof(struct health_path, throughput_p5_mbps), 125000},
    {NULL, NULL, "0.5", offsetof(struct health_path, throughput_p50_mbps), 125000},
};

/* {client_country="SE",client_as="64500",server_zone="paris",server_port="443" and what the caller adds. */
static void write_labels(struct json *to, const char *name, const struct health_path *path)
{
    json_printf(to, "%s{client_country=\"", name);
    metrics_text_value(to, path->country);
    json_printf(to, "\",client_as=\"");
    if (path->as_number != 0) {
        json_printf(to, "%u", path->as_number);
    }
    json_printf(to, "\",server_zone=\"");
    metrics_text_value(to, path->zone);
    if (path->is_rest) {
        json_printf(to, "\",server_port=\"others\"");
    } else {
        json_printf(to, "\",server_port=\"%u\"", path->port);
    }
}

static void write_row(struct json *to, const struct row *row, const char *name,
                      const struct health_path *paths, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        double value = *(const double *)((const char *)&paths[i] + row->offset);
        if (!isnan(value)) {
            write_labels(to, name, &paths[i]);
            json_printf(to, ",quantile=\"%s\"} %.6g\n", row->rank, value * row->factor);
        }
    }
}

static void write_connections(struct json *to, const struct health_path *paths, uint32_t count)
{
    metrics_text_head(to, "vantage_path_connections", "TCP connections that ended, of the worst paths");
    for (uint32_t i = 0; i < count; i++) {
        write_labels(to, "vantage_path_connections", &paths[i]);
        json_printf(to, "} %llu\n", (unsigned long long)paths[i].connections);
    }
}

static void write_verdicts(struct json *to, const struct health_path *paths, uint32_t count)
{
    metrics_text_head(to, "vantage_path_verdict_ratio", "Share of connections with a verdict");
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < HEALTH_VERDICTS; k++) {
            write_labels(to, "vantage_path_verdict_ratio", &paths[i]);
            json_printf(to, ",verdict=\"%s\"} %.6g\n", health_verdict_name(k),
                        (double)paths[i].verdicts[k] / (double)paths[i].connections);
        }
    }
}

void metrics_paths_write(struct json *to, struct engine *engine)
{
    struct health_path paths[METRICS_PATHS];
    uint32_t total;
    uint32_t count = engine_paths(engine, HEALTH_PATHS_ALL, paths, METRICS_PATHS, &total);
    if (count == 0) {
        return;
    }
    write_connections(to, paths, count);
    const char *name = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].name != NULL) {
            name = rows[i].name;
            json_printf(to, "# HELP %s %s\n# TYPE %s summary\n", name, rows[i].help, name);
        }
        write_row(to, &rows[i], name, paths, count);
    }
    write_verdicts(to, paths, count);
}
