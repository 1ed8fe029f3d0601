// SPDX-License-Identifier: Apache-2.0
/* `vantage read`: captures in, an answer out. */
#include "cmd/command.h"

#include "base/json.h"
#include "base/terminal.h"
#include "base/text.h"
#include "cmd/agent.h"
#include "cmd/interrupt.h"
#include "cmd/report.h"
#include "cmd/report_connections.h"
#include "cmd/summary_json.h"
#include "engine/engine.h"
#include "tap/pcapwrite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
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
    {.name = "connections", .kind = OPTION_FLAG,
     .help = "TCP connections instead of flows: what each one suffered from"},
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
    if (arguments_given(arguments, "connections")) {
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

/* Progress on standard error, for work over a second, on a terminal. */
struct progress {
    bool wanted;
    bool shown;
    struct timespec began;
};

static void show_progress(struct progress *progress, const struct engine *engine)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!progress->wanted || now.tv_sec - progress->began.tv_sec < 1) {
        return;
    }
    uint64_t done, total;
    engine_progress(engine, &done, &total);
    char text[TEXT_ROOM];
    text_short_bytes(text, (double)done);
    if (total > 0) {
        fprintf(stderr, "\r\033[K%s read, %.0f %%", text, 100.0 * (double)done / (double)total);
    } else {
        fprintf(stderr, "\r\033[K%s read", text);
    }
    progress->shown = true;
}

static void end_progress(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
    }
}

/* Reads all there is, or until the user has had enough. */
static enum engine_status read_all(struct engine *engine, struct err *err)
{
    struct progress progress = {.wanted = isatty(STDERR_FILENO)};
    clock_gettime(CLOCK_MONOTONIC, &progress.began);
    enum engine_status status = ENGINE_MORE;
    while (status == ENGINE_MORE && !interrupt_seen()) {
        status = engine_read(engine, err);
        show_progress(&progress, engine);
    }
    end_progress(&progress);
    return status;
}

static void print_answer(struct engine *engine, const struct arguments *arguments,
                         enum output output)
{
    if (output == OUTPUT_REPORT && arguments_flag(arguments, "connections")) {
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

/* Prints the lines of an error as what this command says. */
static void complain(const struct err *err)
{
    char text[sizeof err->text];
    memcpy(text, err->text, sizeof text);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] != '\0') {
            fprintf(stderr, "vantage read: %s\n", line);
        }
    }
}

static int analyse(const struct arguments *arguments, const struct config *config,
                   enum output output, struct pcapwrite *writer)
{
    struct err err = {0};
    struct engine_options engine_options = {
        .mode = "read",
        .listens = output == OUTPUT_EVENTS || arguments_flag(arguments, "transactions"),
        .keep_courses = output == OUTPUT_REPORT,
        .keep_connections = arguments_flag(arguments, "connections") ? CONNECTIONS_KEPT : 0,
        .writer = writer,
    };
    struct engine *engine =
        config_check(config, &err) ? engine_new(config, &engine_options, &err) : NULL;
    if (engine == NULL) {
        complain(&err);
        return err.code;
    }
    interrupt_watch();
    enum engine_status status = read_all(engine, &err);
    engine_stop(engine, &err);
    print_answer(engine, arguments, output);
    engine_free(engine);
    if (status == ENGINE_FAILED || err.code != ERR_NONE) {
        complain(&err);
        return err.code != ERR_NONE ? (int)err.code : ERR_FAILED;
    }
    return ERR_NONE;
}

static int run(const struct arguments *arguments)
{
    if (writes_to_stdout(arguments) && arguments_given(arguments, "output")) {
        return arguments_refuse(arguments, "-w - and -o both want standard output; "
                                           "write the capture to a file");
    }
    enum output output = choose_output(arguments);
    struct config *config = make_config(arguments, output);
    if (config == NULL) {
        return ERR_USAGE;
    }
    struct err err = {0};
    struct pcapwrite *writer = NULL;
    const char *path = arguments_string(arguments, "write");
    if (path != NULL) {
        writer = pcapwrite_open(path, PCAPWRITE_BY_NAME, &err);
        if (writer == NULL) {
            complain(&err);
            config_free(config);
            return err.code;
        }
    }
    int status = analyse(arguments, config, output, writer);
    if (!pcapwrite_close(writer, &err) && err.code != ERR_NONE) {
        complain(&err);
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
