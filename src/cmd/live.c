// SPDX-License-Identifier: Apache-2.0
/* `vantage live`: what crosses an interface now. */
#include "cmd/agent.h"
#include "cmd/command.h"
#include "tap/interfaces.h"

#include <stdio.h>
#include <string.h>

static const char *const outputs[] = {"status", "events", NULL};

static const struct option_spec options[] = {
    {.name = "output", .letter = 'o', .kind = OPTION_CHOICE, .argument = "FORMAT",
     .help = "a status line, or events as NDJSON on standard output", .choices = outputs,
     .fallback = "status"},
    {.name = "interface", .letter = 'i', .kind = OPTION_LIST, .argument = "IFACE",
     .help = "another interface to capture on", .hint = HINT_INTERFACE},
    {.name = "filter", .letter = 'f', .kind = OPTION_STRING, .argument = "EXPRESSION",
     .help = "only packets that this pcap-filter(7) expression lets through, in the kernel"},
    {.name = "promiscuous", .letter = 'p', .kind = OPTION_FLAG,
     .help = "packets for other hosts, too"},
    {.name = "ignore-outgoing", .kind = OPTION_FLAG, .help = "leave out what this host sends"},
    {.name = "snap-len", .letter = 's', .kind = OPTION_SIZE, .argument = "BYTES",
     .help = "bytes of each packet to look at", .fallback = "256K", .minimum = 64,
     .maximum = 256 << 10},
    {.name = "ring", .kind = OPTION_SIZE, .argument = "SIZE",
     .help = "kernel ring of each worker", .fallback = "64M", .minimum = 2 << 20,
     .maximum = INT64_C(4) << 30},
    {.name = "workers", .kind = OPTION_NUMBER, .argument = "N",
     .help = "threads, among which the kernel spreads the packets", .fallback = "1", .minimum = 1,
     .maximum = CONFIG_WORKERS_MAX},
    {.name = "memory", .kind = OPTION_SIZE, .argument = "SIZE",
     .help = "budget of all tables; default: a quarter of the machine, at most 2G",
     .minimum = 32 << 20, .maximum = INT64_MAX},
    {.name = "period", .kind = OPTION_DURATION, .argument = "TIME",
     .help = "report flows that go on so often; -1s: only when they end"},
    {.name = "connections", .kind = OPTION_FLAG,
     .help = "judge TCP connections, too: verdicts, and graphs on the page"},
    {.name = "timeout", .kind = OPTION_DURATION, .argument = "TIME",
     .help = "silence that ends a flow", .minimum = 1000000000, .maximum = INT64_MAX},
    {.name = "listen", .kind = OPTION_STRING, .argument = "ADDRESS:PORT",
     .help = "where the page and the API are served"},
    {.name = "token", .kind = OPTION_STRING, .argument = "TEXT",
     .help = "what readers must present; needed to listen on other addresses than loopback"},
    {.name = "no-api", .kind = OPTION_FLAG, .help = "serve nothing"},
    {0},
};

static const char *const examples[] = {
    "sudo vantage live", "the busiest interface, page on http://127.0.0.1:10853/",
    "sudo vantage live any -f 'not port 22'", "all interfaces, without SSH",
    "sudo vantage live eth0 -o events | jq .", "flows every 10 s and as they end, one JSON object a line", NULL,
};

static void take_flows(struct config *config, const struct arguments *arguments)
{
    if (arguments_given(arguments, "memory")) {
        config->limits.memory = arguments_number(arguments, "memory");
    }
    if (arguments_given(arguments, "period")) {
        config->flows.period = arguments_number(arguments, "period");
    }
    config->flows.health = arguments_flag(arguments, "connections");
    if (arguments_given(arguments, "timeout")) {
        config->flows.timeout = arguments_number(arguments, "timeout");
    }
    if (arguments_given(arguments, "listen")) {
        config->api.listen = config_text(config, arguments_string(arguments, "listen"));
    }
    if (arguments_given(arguments, "token")) {
        config->api.token = config_text(config, arguments_string(arguments, "token"));
    }
    config->limits.workers = arguments_number(arguments, "workers");
    config->api.enabled = !arguments_flag(arguments, "no-api");
}

/* Several workers must agree on the interface, so that auto is settled before they start. */
static bool settle_auto(struct config *config, struct config_tap *tap)
{
    char name[IF_NAMESIZE], why[200];
    struct err err = {0};
    for (size_t i = 0; i < tap->interfaces.count && config->limits.workers > 1; i++) {
        if (strcmp(tap->interfaces.items[i], "auto") != 0) {
            continue;
        }
        if (!interfaces_choose(name, why, sizeof why, &err)) {
            fprintf(stderr, "vantage live: %s\n", err.text);
            return false;
        }
        fprintf(stderr, "%s\n", why);
        tap->interfaces.items[i] = config_text(config, name);
    }
    return true;
}

static bool take_interfaces(struct config *config, const struct arguments *arguments)
{
    config_clear_taps(config);
    struct config_tap *tap = config_add_tap(config, "afpacket");
    size_t more;
    const char *const *names = arguments_list(arguments, "interface", &more);
    const char *first = arguments_operand(arguments, 0);
    if (first != NULL || more == 0) {
        config_list_add(config, &tap->interfaces, first != NULL ? first : "auto");
    }
    for (size_t i = 0; i < more; i++) {
        config_list_add(config, &tap->interfaces, names[i]);
    }
    const char *filter = arguments_string(arguments, "filter");
    tap->filter = config_text(config, filter != NULL ? filter : "");
    tap->promiscuous = arguments_flag(arguments, "promiscuous");
    tap->ignore_outgoing = arguments_flag(arguments, "ignore-outgoing");
    tap->snap_len = arguments_number(arguments, "snap-len");
    tap->ring_size = arguments_number(arguments, "ring");
    return settle_auto(config, tap);
}

static int run(const struct arguments *arguments)
{
    struct config *config = agent_config(NULL);
    take_flows(config, arguments);
    if (!take_interfaces(config, arguments)) {
        config_free(config);
        return ERR_FAILED;
    }
    bool events = strcmp(arguments_string(arguments, "output"), "events") == 0;
    if (events) {
        config_add_output(config, "stdout");
    }
    int status = agent_run(
        config, &(struct agent_options){.command = "live", .mode = "live", .is_quiet = events});
    config_free(config);
    return status;
}

const struct command command_live = {
    .name = "live",
    .summary = "analyse what crosses an interface now",
    .operands = "[IFACE]",
    .operand_hint = HINT_INTERFACE,
    .options = options,
    .examples = examples,
    .description =
        "Captures on an interface, on all of them (any), or on the busiest one (auto, the default: "
        "it says which and why), follows flows and serves the web page and the API on loopback. "
        "Needs the capability CAP_NET_RAW, nothing else.",
    .run = run,
};
