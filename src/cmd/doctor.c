// SPDX-License-Identifier: Apache-2.0
/* `vantage doctor`: whether this machine lets vantage do its work, and what to do where it does not. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/terminal.h"
#include "base/text.h"
#include "cmd/command.h"
#include "engine/config.h"
#include "tap/interfaces.h"
#include "tap/rights.h"

#define DEFAULT_CONFIG "/etc/vantage/vantage.yml"

static const struct option_spec options[] = {
    {.name = "config", .letter = 'c', .kind = OPTION_STRING, .argument = "FILE",
     .help = "the configuration to hold against this machine; by default " DEFAULT_CONFIG
             " if it is there", .hint = HINT_FILE},
    {0},
};

static const char *const examples[] = {
    "vantage doctor", "what this machine allows, and what to do where it does not",
    "sudo -u vantage vantage doctor -c /etc/vantage/vantage.yml", "the same for the system's service",
    NULL,
};

enum finding { FINE, WARNING, FAILURE };

/* What is told, to whom, and how bad it was so far. */
struct doctor {
    struct terminal terminal;
    const struct config *config;
    unsigned failures;
};

/* One line: `ok    SUBJECT     TEXT`. */
__attribute__((format(printf, 4, 5))) static void tell(struct doctor *d, enum finding finding,
                                                       const char *subject, const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    static const enum terminal_style styles[] = {TERMINAL_GOOD, TERMINAL_WARN, TERMINAL_BAD};
    printf("%s%-4s%s  %-10s  ", terminal_style(&d->terminal, styles[finding]), words[finding],
           terminal_style(&d->terminal, TERMINAL_PLAIN), subject);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    d->failures += finding == FAILURE;
}

static void check_rights(struct doctor *d)
{
    if (rights_may_capture()) {
        tell(d, FINE, "rights", "packets may be captured");
        return;
    }
    tell(d, FAILURE, "rights",
         "no capture: run with sudo, or sudo setcap cap_net_raw,cap_net_admin=eip on the program");
}

/* Fanout by a program of ours came with 4.3, all else before it (packet(7)). */
static void check_kernel(struct doctor *d)
{
    struct utsname name;
    unsigned major = 0;
    unsigned minor = 0;
    if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
        tell(d, WARNING, "kernel", "its version cannot be told");
    } else if (major < 4 || (major == 4 && minor < 3)) {
        tell(d, FAILURE, "kernel", "%s is too old to spread packets over workers: 4.3 or later, or "
             "limits.workers: 1", name.release);
    } else {
        tell(d, FINE, "kernel", "%s has all that a capture needs", name.release);
    }
}

static void check_interfaces(struct doctor *d)
{
    struct interfaces list = {0};
    struct err err = {0};
    if (!interfaces_read(&list, &err)) {
        tell(d, FAILURE, "interfaces", "%s", err.text);
        return;
    }
    unsigned up = 0;
    for (size_t i = 0; i < list.count; i++) {
        const struct interfaces_entry *entry = &list.entries[i];
        up += entry->is_running && !entry->is_loopback;
        if (entry->is_running && !entry->is_loopback && interfaces_joins(entry->name)) {
            tell(d, WARNING, "offload",
                 "%s joins segments (GRO, LRO): bytes stay right, packets are fewer and larger than on "
                 "the wire; ethtool -K %s gro off lro off", entry->name, entry->name);
        }
    }
    if (up == 0) {
        tell(d, WARNING, "interfaces", "none but the loopback is up: ip link set NAME up");
    } else {
        tell(d, FINE, "interfaces", "%u of %zu up; vantage interfaces lists them", up, list.count);
    }
    interfaces_done(&list);
}

/* The tables are taken from what is free now; rings are the kernel's and lie beside them. */
static void check_memory(struct doctor *d)
{
    struct sysinfo info;
    char limit[TEXT_ROOM];
    char rings[TEXT_ROOM];
    char total[TEXT_ROOM];
    int64_t ring_bytes = 0;
    for (size_t i = 0; i < d->config->tap_count; i++) {
        const struct config_tap *tap = &d->config->taps[i];
        size_t interfaces = tap->interfaces.count > 0 ? tap->interfaces.count : 1;
        ring_bytes += tap->ring_size * (int64_t)interfaces * d->config->limits.workers;
    }
    int64_t wanted = d->config->limits.memory + ring_bytes;
    text_size(limit, d->config->limits.memory);
    text_size(rings, ring_bytes);
    if (sysinfo(&info) < 0) {
        tell(d, WARNING, "memory", "the machine's cannot be told: %s", strerror(errno));
        return;
    }
    int64_t machine = (int64_t)info.totalram * info.mem_unit;
    text_short_bytes(total, (double)machine);
    bool fits = wanted <= machine;
    tell(d, fits ? FINE : FAILURE, "memory", "up to %s of tables and %s of rings, of %s%s", limit,
         rings, total, fits ? "" : ": lower limits.memory or ring_size");
}

static void check_clock(struct doctor *d)
{
    struct timex state = {0};
    if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        tell(d, WARNING, "clock",
             "not synchronised: times of events are this machine's own; start chrony or "
             "systemd-timesyncd");
    } else {
        tell(d, FINE, "clock", "synchronised");
    }
}

static void check_port(struct doctor *d)
{
    const char *listen_at = d->config->api.listen;
    struct sockaddr_storage address;
    struct err err = {0};
    if (!d->config->api.enabled || !config_address(listen_at, &address, &err)) {
        return;
    }
    int reuse = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    }
    bool is_free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (is_free) {
        tell(d, FINE, "port", "%s is free for the page and the API", listen_at);
    } else {
        tell(d, WARNING, "port", "%s: %s; if that is no agent of yours, set api.listen", listen_at,
             strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* The configuration to check with: the defaults where there is none or it is bad, which is told. */
static struct config *load(struct doctor *d, const char *path)
{
    bool is_default = path == NULL;
    path = is_default ? DEFAULT_CONFIG : path;
    if (is_default && access(path, F_OK) < 0) {
        tell(d, FINE, "config", "none at " DEFAULT_CONFIG ": the defaults are in force");
        return config_new();
    }
    struct config_problems problems;
    struct config *config = config_load(path, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        tell(d, FAILURE, "config", "%s", problems.lines[i]);
    }
    config_problems_done(&problems);
    if (config == NULL) {
        return config_new();
    }
    tell(d, FINE, "config", "%s is good", path);
    return config;
}

static int run(const struct arguments *arguments)
{
    struct doctor d = {.terminal = terminal_of(stdout)};
    struct config *config = load(&d, arguments_string(arguments, "config"));
    d.config = config;
    check_rights(&d);
    check_kernel(&d);
    check_interfaces(&d);
    check_memory(&d);
    check_clock(&d);
    check_port(&d);
    config_free(config);
    return d.failures > 0 ? ERR_FAILED : ERR_NONE;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "whether this machine lets vantage capture, and what to do where not",
    .options = options,
    .examples = examples,
    .description = "Looks at rights, kernel, interfaces and their offloads, memory, clock, the API's "
                   "port and the configuration: a line each, ok, warn or fail, with the remedy. The "
                   "exit status is 1 when something fails. Changes nothing and captures nothing.",
    .run = run,
};
