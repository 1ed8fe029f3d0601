// SPDX-License-Identifier: Apache-2.0
/* `vantage read`: captures in, an answer out. */
#include "cmd/command.h"

#include "base/terminal.h"
#include "cmd/agent.h"
#include "cmd/interrupt.h"
#include "cmd/policy_agent.h"
#include "cmd/one_connection.h"
#include "cmd/read_files.h"
#include "cmd/report.h"
#include "cmd/report_connections.h"
#include "cmd/report_paths.h"
#include "cmd/summary_json.h"
#include "engine/engine.h"
#include "tap/pcapwrite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS_KEPT = 10000 };

static const char *const outputs[] = {"report", "events", "summary", NULL};

static const struct option_spec options[] = {
    {.name = "output", .letter = 'o', .kind = OPTION_CHOICE, .argument = "FORMAT",
     .help = "report for people, events as NDJSON, or one JSON summary; "
             "default: report on a terminal, else events",
     .choices = outputs},
    {.name = "filter", .letter = 'f', .kind = OPTION_STRING, .argument = "EXPRESSION",
     .help = "only packets that this pcap-filter(7) expression lets through"},
    {.name = "write", .letter = 'w', .kind = OPTION_STRING, .argument = "FILE",
     .help = "write those packets to a capture; pcapng if its name ends so, - for standard output",
     .hint = HINT_FILE},
    {.name = "config", .letter = 'c', .kind = OPTION_STRING, .argument = "FILE",
     .help = "take flows, limits and outputs from a configuration", .hint = HINT_FILE},
    {.name = "workers", .kind = OPTION_NUMBER, .argument = "N",
     .help = "threads that follow flows", .fallback = "1", .minimum = 1,
     .maximum = CONFIG_WORKERS_MAX},
    {.name = "memory", .kind = OPTION_SIZE, .argument = "SIZE",
     .help = "budget of all tables; default: a quarter of the machine, at most 2G",
     .minimum = 32 << 20, .maximum = INT64_MAX},
    {.name = "period", .kind = OPTION_DURATION, .argument = "TIME",
     .help = "report flows that go on so often; -1s: only when they end"},
    {.name = "paths", .kind = OPTION_FLAG,
     .help = "what TCP connections had by the clients' place and the servers' zone and port"},
    {.name = "by", .kind = OPTION_STRING, .argument = "KEYS",
     .help = "paths by some of country, asn, zone and port only, as country,zone"},
    {.name = "connections", .kind = OPTION_FLAG,
     .help = "TCP connections instead of flows: what each one suffered from"},
    {.name = "connection", .kind = OPTION_STRING, .argument = "ID",
     .help = "all about one of them: by its number in that list, its Community ID, or its ends as "
             "192.0.2.1:5000-192.0.2.2:80"},
    {.name = "plot", .kind = OPTION_STRING, .argument = "FILE",
     .help = "draw that connection as SVG: time and sequence, round trips, bytes in flight; - for "
             "standard output", .hint = HINT_FILE},
    {.name = "transactions", .kind = OPTION_FLAG,
     .help = "read what connections say for the report and the summary, too, as events always do"},
    {.name = "deltas", .kind = OPTION_FLAG,
     .help = "reports count from the one before instead of from the flow's start"},
    {0},
};

static const char *const examples[] = {
    "vantage read capture.pcapng", "what is in a capture",
    "vantage read -o events capture.pcap.gz | jq .network", "flows, one JSON object a line",
    "tcpdump -w - | vantage read -", "a report when tcpdump ends",
    "vantage read --connections capture.pcap", "TCP connections, worst first",
    "vantage read --paths -c vantage.yml capture.pcap",
    "the latency weather by the clients' place and the servers' zone",
    "vantage read --connection 1 --plot worst.svg capture.pcap", "a picture of the worst",
    "vantage read -f 'port 53' -w dns.pcap big.pcap.zst", "keep the packets that match", NULL,
};

enum output { OUTPUT_REPORT, OUTPUT_EVENTS, OUTPUT_SUMMARY, OUTPUT_NONE };

static bool writes_to_stdout(const struct arguments *arguments)
{
    const char *path = arguments_string(arguments, "write");
    return path != NULL && strcmp(path, "-") == 0;
}

static enum output choose_output(const struct arguments *arguments)
{
    const char *name = arguments_string(arguments, "output");
    for (unsigned i = 0; name != NULL && outputs[i] != NULL; i++) {
        if (strcmp(name, outputs[i]) == 0) {
            return (enum output)i;
        }
    }
    if (writes_to_stdout(arguments)) {
        return OUTPUT_NONE; /* the capture is the answer */
    }
    if (arguments_flag(arguments, "paths")) {
        return OUTPUT_REPORT; /* it is one: there are no events of paths */
    }
    return isatty(STDOUT_FILENO) ? OUTPUT_REPORT : OUTPUT_EVENTS;
}

/* Retransmissions back off for minutes before a sender gives up (RFC 1122 §4.2.3.5). */
static const int64_t PATIENCE_NS = INT64_C(300000000000);

static void judge_connections(const struct arguments *arguments, struct config *config)
{
    config->flows.health = true;
    config->flows.only_health = true;
    if (config->flows.tcp_timeout == 0) {
        config->flows.tcp_timeout = PATIENCE_NS;
    }
    if (!arguments_given(arguments, "period") && !arguments_given(arguments, "config")) {
        config->flows.period = -1;
    }
}

static struct config *make_config(const struct arguments *arguments, enum output output)
{
    const char *path = arguments_string(arguments, "config");
    struct config *config = agent_config(path);
    if (config == NULL) {
        return NULL;
    }
    config_clear_taps(config);
    struct config_tap *tap = config_add_tap(config, "pcapfile");
    for (size_t i = 0; i < arguments_operand_count(arguments); i++) {
        config_list_add(config, &tap->files, arguments_operand(arguments, i));
    }
    if (arguments_given(arguments, "filter")) {
        tap->filter = config_text(config, arguments_string(arguments, "filter"));
    }
    if (arguments_given(arguments, "workers") || path == NULL) {
        config->limits.workers = arguments_number(arguments, "workers");
    }
    if (arguments_given(arguments, "memory")) {
        config->limits.memory = arguments_number(arguments, "memory");
    }
    if (arguments_given(arguments, "period")) {
        config->flows.period = arguments_number(arguments, "period");
    }
    if (arguments_given(arguments, "connections") || arguments_given(arguments, "connection") ||
        arguments_given(arguments, "paths")) {
        judge_connections(arguments, config);
    }
    if (arguments_given(arguments, "deltas")) {
        config->flows.deltas = true;
    }
    if (output == OUTPUT_EVENTS) {
        config_add_output(config, "stdout");
    }
    return config;
}

/* By what paths are told apart. */
static unsigned keys_of(const struct arguments *arguments)
{
    unsigned keys = HEALTH_PATHS_ALL;
    if (arguments_given(arguments, "by")) {
        health_paths_keys(arguments_string(arguments, "by"), &keys); /* checked before */
    }
    return keys;
}

static void print_answer(struct engine *engine, const struct arguments *arguments,
                         enum output output)
{
    if (output == OUTPUT_REPORT && arguments_flag(arguments, "paths")) {
        struct terminal terminal = terminal_of(stdout);
        report_paths_print(engine, keys_of(arguments), &terminal, stdout);
    } else if (output == OUTPUT_REPORT && arguments_flag(arguments, "connections")) {
        struct terminal terminal = terminal_of(stdout);
        report_connections_print(engine, &terminal, stdout);
    } else if (output == OUTPUT_REPORT) {
        struct report report = {
            .engine = engine,
            .terminal = terminal_of(stdout),
            .file_count = arguments_operand_count(arguments),
            .first_file = arguments_operand(arguments, 0),
        };
        report_print(&report, stdout);
    } else if (output == OUTPUT_SUMMARY) {
        summary_json_print(engine, stdout);
    }
    fflush(stdout);
}

/* Files of dnstap, if that is what the policies are about. */
static int analyse_dnstap(const struct arguments *arguments, struct policies *policies)
{
    struct err err = {0};
    for (size_t i = 0; i < arguments_operand_count(arguments) && err.code == ERR_NONE; i++) {
        policies_read_dnstap(policies, arguments_operand(arguments, i), &err);
    }
    if (err.code == ERR_NONE) {
        policy_agent_print(policies);
    } else {
        read_files_complain(&err);
    }
    policies_free(policies);
    return err.code;
}

static int analyse(const struct arguments *arguments, struct config *config,
                   enum output output, struct pcapwrite *writer)
{
    struct err err = {0};
    struct policies *policies = NULL;
    if (config->policies != NULL) {
        policies = policy_agent_make(config, true, &err);
        if (policies == NULL) {
            read_files_complain(&err);
            return err.code;
        }
        config->limits.workers = policies_reads_flows(policies) ? 1 : config->limits.workers;
    }
    if (policies != NULL && output == OUTPUT_SUMMARY && policies_reads_dnstap(policies)) {
        return analyse_dnstap(arguments, policies);
    }
    struct engine_options engine_options = {
        .mode = "read",
        .policies = policies,
        .listens = (output == OUTPUT_EVENTS && !config->flows.only_health) ||
                   arguments_flag(arguments, "transactions"),
        .only_events = output == OUTPUT_EVENTS || output == OUTPUT_NONE,
        .keep_courses = output == OUTPUT_REPORT,
        .keep_connections = arguments_flag(arguments, "connections") ? CONNECTIONS_KEPT
                            : arguments_flag(arguments, "paths")     ? 1 /* events are made */
                                                                     : 0,
        .writer = writer,
    };
    struct engine *engine =
        config_check(config, &err) ? engine_new(config, &engine_options, &err) : NULL;
    if (engine == NULL) {
        read_files_complain(&err);
        policies_free(policies);
        return err.code;
    }
    interrupt_watch();
    enum engine_status status = read_files_all(engine, &err);
    engine_stop(engine, &err);
    if (policies != NULL && output == OUTPUT_SUMMARY) {
        policy_agent_print(policies);
    } else {
        print_answer(engine, arguments, output);
    }
    engine_free(engine);
    policies_free(policies);
    if (status == ENGINE_FAILED || err.code != ERR_NONE) {
        read_files_complain(&err);
        return err.code != ERR_NONE ? (int)err.code : ERR_FAILED;
    }
    return ERR_NONE;
}

/* What --connection and --plot cannot go with; false when it was told. */
static bool are_keys_sound(const struct arguments *arguments)
{
    unsigned keys;
    if (!arguments_given(arguments, "by")) {
        return true;
    }
    if (!arguments_flag(arguments, "paths")) {
        arguments_refuse(arguments, "--by says by what --paths tells paths apart: give both");
        return false;
    }
    if (!health_paths_keys(arguments_string(arguments, "by"), &keys)) {
        arguments_refuse(arguments, "--by takes some of country, asn, zone and port, each once, with "
                                    "commas between them");
        return false;
    }
    return true;
}

static bool is_sound(const struct arguments *arguments)
{
    const char *operand = NULL;
    bool one = arguments_given(arguments, "connection");
    if (!are_keys_sound(arguments)) {
        return false;
    }
    if (arguments_given(arguments, "plot") && !one) {
        arguments_refuse(arguments, "--plot draws one connection: say which with --connection ID");
        return false;
    }
    if (one && arguments_given(arguments, "write")) {
        arguments_refuse(arguments, "--connection prints or draws; -w writes packets");
        return false;
    }
    for (size_t i = 0; (operand = arguments_operand(arguments, i)) != NULL; i++) {
        if (arguments_given(arguments, "plot") && strcmp(operand, "-") == 0) {
            arguments_refuse(arguments, "--plot reads captures twice, which standard input does not "
                                        "allow: write it to a file first");
            return false;
        }
    }
    return true;
}

/* One connection instead of all. */
static int answer_one(const struct arguments *arguments, struct config *config, enum output output)
{
    struct one_connection wanted = {
        .config = config,
        .name = arguments_string(arguments, "connection"),
        .picture = arguments_string(arguments, "plot"),
        .as_event = output == OUTPUT_EVENTS && arguments_given(arguments, "output"),
    };
    struct err err = {0};
    if (!config_check(config, &err)) {
        read_files_complain(&err);
        return err.code;
    }
    interrupt_watch();
    return one_connection_answer(&wanted);
}

static int run(const struct arguments *arguments)
{
    if (!is_sound(arguments)) {
        return ERR_USAGE;
    }
    if (writes_to_stdout(arguments) && arguments_given(arguments, "output")) {
        return arguments_refuse(arguments, "-w - and -o both want standard output; "
                                           "write the capture to a file");
    }
    enum output output = choose_output(arguments);
    bool one = arguments_given(arguments, "connection");
    struct config *config = make_config(arguments, one ? OUTPUT_NONE : output);
    if (config == NULL) {
        return ERR_USAGE;
    }
    if (one) {
        int status = answer_one(arguments, config, output);
        config_free(config);
        return status;
    }
    struct err err = {0};
    struct pcapwrite *writer = NULL;
    const char *path = arguments_string(arguments, "write");
    if (path != NULL) {
        writer = pcapwrite_open(path, PCAPWRITE_BY_NAME, &err);
        if (writer == NULL) {
            read_files_complain(&err);
            config_free(config);
            return err.code;
        }
    }
    int status = analyse(arguments, config, output, writer);
    if (!pcapwrite_close(writer, &err) && err.code != ERR_NONE) {
        read_files_complain(&err);
        status = err.code;
    }
    config_free(config);
    return status;
}

const struct command command_read = {
    .name = "read",
    .summary = "analyse captures: a report, events or a summary",
    .operands = "FILE...",
    .operand_hint = HINT_FILE,
    .options = options,
    .examples = examples,
    .description =
        "Reads pcap and pcapng, plain or compressed by gzip or zstd, from files, from all files of a "
        "directory, or from standard input (-). Several are merged by time.\n\n"
        "A capture that is damaged is analysed up to the damage; then one line says which file, at "
        "which byte and why, and the exit status is 1.",
    .run = run,
};
