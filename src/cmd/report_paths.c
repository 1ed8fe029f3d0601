// SPDX-License-Identifier: Apache-2.0
#include "cmd/report_paths.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/health.h"

enum { NAME_WIDTH = 28, NUMBER_ROOM = 8 };

/* "SE AS1221 > paris:443", as far as paths are told apart by it. */
static void write_name(char ret[128], const struct health_path *path)
{
    if (path->is_rest) {
        memcpy(ret, "all others", sizeof "all others");
        return;
    }
    size_t at = (size_t)snprintf(ret, 128, "%s", path->country);
    if (path->as_number != 0) {
        at += (size_t)snprintf(ret + at, 128 - at, "%sAS%u", at > 0 ? " " : "", path->as_number);
    }
    at += (size_t)snprintf(ret + at, 128 - at, "%s> %.40s", at > 0 ? " " : "", path->zone);
    if (path->port != 0) {
        snprintf(ret + at, 128 - at, ":%u", path->port);
    }
}

static const char *write_number(char ret[NUMBER_ROOM], double value)
{
    if (isnan(value)) {
        return "-";
    }
    snprintf(ret, NUMBER_ROOM, value < 99.95 ? "%.1f" : "%.0f", value < 999999 ? value : 999999);
    return ret;
}

/* The verdict that most connections have, and their share. */
static void write_verdict(char ret[48], const struct health_path *path)
{
    unsigned most = 0;
    for (unsigned i = 1; i < HEALTH_VERDICTS; i++) {
        most = path->verdicts[i] > path->verdicts[most] ? i : most;
    }
    if (path->verdicts[most] == 0) {
        memcpy(ret, "ok", sizeof "ok");
        return;
    }
    const char *name =
        most == HEALTH_APPLICATION_LIMITED ? "app-limited" : health_verdict_name(most);
    snprintf(ret, 48, "%.0f%% %s", 100.0 * (double)path->verdicts[most] / (double)path->connections,
             name);
    for (char *at = ret; *at != '\0'; at++) {
        *at = *at == '_' ? '-' : *at;
    }
}

static void print_row(const struct health_path *path, const struct terminal *terminal, FILE *out)
{
    char name[128];
    char verdict[48];
    char half[NUMBER_ROOM], most[NUMBER_ROOM], lost[NUMBER_ROOM], rate[NUMBER_ROOM];
    bool slow = path->rtt_p95_ms > HEALTH_PATHS_NORMAL_MS;
    write_name(name, path);
    write_verdict(verdict, path);
    fprintf(out, "%-*.*s %6" PRIu64 " %6s %s%6s%s%s %5s %6s  %.15s\n", NAME_WIDTH, NAME_WIDTH, name,
            path->connections, write_number(half, path->rtt_p50_ms),
            terminal_style(terminal, slow ? TERMINAL_BAD : TERMINAL_PLAIN),
            write_number(most, path->rtt_p95_ms), terminal_style(terminal, TERMINAL_PLAIN),
            slow ? "!" : " ", write_number(lost, path->loss_p95_percent),
            write_number(rate, path->throughput_p50_mbps), verdict);
}

void report_paths_print(struct engine *engine, unsigned keys, const struct terminal *terminal,
                        FILE *out)
{
    struct health_path *paths = calloc(HEALTH_PATHS_MAX + 1, sizeof *paths);
    uint32_t total = 0;
    uint32_t count =
        paths != NULL ? engine_paths(engine, keys, paths, HEALTH_PATHS_MAX + 1, &total) : 0;
    fprintf(out, "%s%-*s %6s %6s %6s  %5s %6s  %s%s\n", terminal_style(terminal, TERMINAL_BOLD),
            NAME_WIDTH, "Clients > servers, worst first", "conns", "RTT ms", "p95", "lost%", "Mbit/s",
            "most often", terminal_style(terminal, TERMINAL_PLAIN));
    bool any_slow = false;
    for (uint32_t i = 0; i < count; i++) {
        print_row(&paths[i], terminal, out);
        any_slow = any_slow || paths[i].rtt_p95_ms > HEALTH_PATHS_NORMAL_MS;
    }
    if (count == 0) {
        fprintf(out, "none\n");
    }
    if (any_slow) {
        fprintf(out, "! longer than %.0f ms, which a round trip anywhere in the world may take\n",
                HEALTH_PATHS_NORMAL_MS);
    }
    free(paths);
}
