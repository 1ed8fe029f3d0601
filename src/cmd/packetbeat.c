// SPDX-License-Identifier: Apache-2.0
/* `vantage packetbeat`: Packetbeat's command line and its configuration, and the events that it would
 * write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/agent.h"
#include "cmd/command.h"
#include "cmd/interrupt.h"
#include "cmd/packetbeat_tools.h"
#include "engine/beat_config.h"
#include "event/beat.h"
#include "tap/pcapwrite.h"
#include "tap/tap.h"

enum { DUMP_PATH = 4096 };

static const struct option_spec options[] = {
    {.name = "I", .letter = 'I', .kind = OPTION_STRING, .argument = "FILE",
     .help = "read packets from a capture instead of an interface", .hint = HINT_FILE},
    {.name = "t", .letter = 't', .kind = OPTION_FLAG,
     .help = "read it as fast as it goes, with the times of its packets; else as it came, now"},
    {.name = "l", .letter = 'l', .kind = OPTION_NUMBER, .argument = "N",
     .help = "read it so many times; 0: without end", .fallback = "1", .maximum = 1 << 30},
    {.name = "c", .letter = 'c', .kind = OPTION_LIST, .argument = "FILE",
     .help = "the configuration; several are laid over one another; default packetbeat.yml",
     .hint = HINT_FILE},
    {.name = "E", .letter = 'E', .kind = OPTION_LIST, .argument = "KEY=VALUE",
     .help = "set one key of the configuration"},
    {.name = "e", .letter = 'e', .kind = OPTION_FLAG,
     .help = "log to standard error, where the log goes in any case"},
    {.name = "d", .letter = 'd', .kind = OPTION_LIST, .argument = "SELECTORS",
     .help = "debug lines; publish prints every event"},
    {.name = "v", .letter = 'v', .kind = OPTION_FLAG, .help = "log what is going on"},
    {.name = "N", .letter = 'N', .kind = OPTION_FLAG, .help = "publish nothing: a trial"},
    {.name = "O", .letter = 'O', .kind = OPTION_FLAG,
     .help = "one packet of -I per Enter key, with its own time"},
    {.name = "dump", .kind = OPTION_STRING, .argument = "PREFIX",
     .help = "write all packets to PREFIX-DATE.pcap"},
    {.name = "devices", .kind = OPTION_FLAG, .help = "list the interfaces, as the command devices"},
    {.name = "strict.perms", .kind = OPTION_SWITCH, .fallback = "true",
     .help = "refuse a configuration that others may write (default true)"},
    {.name = "path.home", .kind = OPTION_STRING, .argument = "FOLDER", .help = "${path.home}"},
    {.name = "path.config", .kind = OPTION_STRING, .argument = "FOLDER",
     .help = "where configurations are looked for"},
    {.name = "path.data", .kind = OPTION_STRING, .argument = "FOLDER", .help = "${path.data}"},
    {.name = "path.logs", .kind = OPTION_STRING, .argument = "FOLDER", .help = "${path.logs}"},
    {.name = "hostname", .kind = OPTION_STRING, .argument = "NAME",
     .help = "what events call this machine"},
    {.name = "environment", .kind = OPTION_STRING, .argument = "NAME",
     .help = "taken for compatibility"},
    {.name = "system.hostfs", .kind = OPTION_STRING, .argument = "FOLDER",
     .help = "taken for compatibility"},
    {.name = "cpuprofile", .kind = OPTION_STRING, .argument = "FILE",
     .help = "taken for compatibility"},
    {.name = "memprofile", .kind = OPTION_STRING, .argument = "FILE",
     .help = "taken for compatibility"},
    {.name = "httpprof", .kind = OPTION_STRING, .argument = "ADDRESS",
     .help = "taken for compatibility"},
    {.name = "es.version", .kind = OPTION_STRING, .argument = "VERSION",
     .help = "export: for which Elasticsearch"},
    {.name = "dir", .kind = OPTION_STRING, .argument = "FOLDER", .help = "export: into a folder"},
    {.name = "noilm", .kind = OPTION_FLAG, .help = "export template: without a lifecycle policy"},
    {.name = "dashboards", .kind = OPTION_FLAG, .help = "setup: dashboards"},
    {.name = "index-management", .kind = OPTION_FLAG, .help = "setup: index template and policy"},
    {.name = "pipelines", .kind = OPTION_FLAG, .help = "setup: ingest pipelines; there are none"},
    {0},
};

static const char *const examples[] = {
    "sudo vantage packetbeat -e -c packetbeat.yml",
    "in place of packetbeat, with its own configuration",
    "vantage packetbeat -e -t -I capture.pcap -c packetbeat.yml", "the events of a capture",
    "vantage packetbeat test config -c packetbeat.yml", "what is wrong with it, or Config OK",
    "vantage packetbeat export config -c packetbeat.yml", "what it amounts to",
    NULL,
};

/* ---- Configuration ---------------------------------------------------------------------------------- */

static struct beat_arguments beat_arguments_of(const struct arguments *a)
{
    static const char *const usual[] = {"packetbeat.yml"};
    size_t files, settings;
    const char *const *file = arguments_list(a, "c", &files);
    const char *const *setting = arguments_list(a, "E", &settings);
    return (struct beat_arguments){
        .source =
            {
                .files = files > 0 ? file : usual,
                .file_count = files > 0 ? files : 1,
                .settings = setting,
                .setting_count = settings,
                .home = arguments_string(a, "path.home"),
                .config = arguments_string(a, "path.config"),
                .data = arguments_string(a, "path.data"),
                .logs = arguments_string(a, "path.logs"),
                .strict_permissions = arguments_flag(a, "strict.perms"),
            },
        .capture = arguments_string(a, "I"),
        .hostname = arguments_string(a, "hostname"),
        .top_speed = arguments_flag(a, "t"),
        .steps = arguments_flag(a, "O"),
        .publishes = !arguments_flag(a, "N"),
    };
}

struct beat_config *packetbeat_config(const struct arguments *a)
{
    struct err err = {0};
    struct beat_arguments said = beat_arguments_of(a);
    struct beat_config *beat = beat_config_new(&said, &err);
    if (beat == NULL) {
        fprintf(stderr, "vantage packetbeat: %s\n", err.text);
        return NULL;
    }
    for (size_t i = 0; i < beat->warnings.count; i++) {
        fprintf(stderr, "vantage packetbeat: %s\n", beat->warnings.items[i]);
    }
    return beat;
}

/* Whether a debug selector was given; "*" stands for all. */
static bool selects(const struct arguments *a, const char *wanted)
{
    size_t count;
    const char *const *lists = arguments_list(a, "d", &count);
    for (size_t i = 0; i < count; i++) {
        for (const char *at = lists[i]; *at != '\0';) {
            size_t size = strcspn(at, ",");
            bool is_all = size == 1 && *at == '*';
            if (is_all || (strlen(wanted) == size && strncmp(at, wanted, size) == 0)) {
                return true;
            }
            at += size + (at[size] == ',');
        }
    }
    return false;
}

/* ---- Captures ---------------------------------------------------------------------------------------- */

static int complain(const struct err *err)
{
    fprintf(stderr, "vantage packetbeat: %s\n", err->text);
    return err->code != ERR_NONE ? (int)err->code : ERR_FAILED;
}

static int read_once(const struct config *config, struct pcapwrite *writer)
{
    struct err err = {0};
    struct engine_options engine_options = {.mode = "read", .listens = true, .writer = writer};
    struct engine *engine = engine_new(config, &engine_options, &err);
    if (engine == NULL) {
        return complain(&err);
    }
    enum engine_status status = ENGINE_MORE;
    while (status == ENGINE_MORE && !interrupt_seen()) {
        status = engine_read(engine, &err);
    }
    engine_stop(engine, &err);
    engine_free(engine);
    return status == ENGINE_FAILED || err.code != ERR_NONE ? complain(&err) : ERR_NONE;
}

static struct pcapwrite *open_dump(const struct arguments *a, struct err *err)
{
    const char *prefix = arguments_string(a, "dump");
    if (prefix == NULL) {
        return NULL;
    }
    char path[DUMP_PATH];
    char date[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(date, sizeof date, "%Y%m%d%H%M%S", localtime_r(&now, &local));
    snprintf(path, sizeof path, "%s-%s.pcap", prefix, date);
    return pcapwrite_open(path, PCAPWRITE_BY_NAME, err);
}

static int read_capture(const struct arguments *a, const struct config *config)
{
    struct err err = {0};
    struct pcapwrite *writer = open_dump(a, &err);
    if (err.code != ERR_NONE) {
        return complain(&err);
    }
    interrupt_watch();
    int64_t rounds = arguments_number(a, "l");
    int status = ERR_NONE;
    for (int64_t i = 0; (rounds == 0 || i < rounds) && status == ERR_NONE && !interrupt_seen(); i++) {
        status = read_once(config, writer);
    }
    if (!pcapwrite_close(writer, &err) && err.code != ERR_NONE) {
        status = complain(&err);
    }
    return status;
}

/* ---- Commands ---------------------------------------------------------------------------------------- */

static int run_live(const struct arguments *a, struct config *config)
{
    struct err err = {0};
    bool prints = config->output_count > 0 && strcmp(config->outputs[0].kind, "stdout") == 0;
    if (arguments_flag(a, "O")) {
        fprintf(stderr, "vantage packetbeat: not applicable: -O (it is for captures, with -I)\n");
    }
    if (arguments_given(a, "dump") && config->limits.workers > 1) {
        fprintf(stderr, "vantage packetbeat: --dump: one thread writes: max_procs is 1\n");
        config->limits.workers = 1;
    }
    struct pcapwrite *writer = open_dump(a, &err);
    if (err.code != ERR_NONE) {
        return complain(&err);
    }
    int status = agent_run(config, &(struct agent_options){.command = "packetbeat",
                                                           .mode = "live",
                                                           .is_quiet = prints,
                                                           .writer = writer});
    return pcapwrite_close(writer, &err) || err.code == ERR_NONE ? status : complain(&err);
}

int packetbeat_run(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    struct config *config = beat->config;
    bool is_file = !tap_kind_find(config->taps[0].kind)->is_live;
    log_set_level(arguments_given(a, "d")    ? LOG_LEVEL_DEBUG
                  : arguments_flag(a, "v") ? LOG_LEVEL_INFO
                                           : config->log_level);
    config->logs_events = selects(a, "publish");
    int status = is_file ? read_capture(a, config) : run_live(a, config);
    beat_config_free(beat);
    return status;
}

static int run(const struct arguments *arguments)
{
    if (arguments_flag(arguments, "devices")) {
        return packetbeat_devices();
    }
    return packetbeat_command(arguments);
}

const struct command command_packetbeat = {
    .name = "packetbeat",
    .summary = "Packetbeat's flags, configuration and events",
    .operands = "[COMMAND...]",
    .options = options,
    .single_dash = true,
    .examples = examples,
    .description =
        "Runs as Packetbeat would, with its packetbeat.yml: the same events, to the same outputs. What "
        "a setting of it cannot mean here is named in one line at the start. Commands: run (the "
        "default), test config, test output, export config, export template, export ilm-policy, "
        "setup, devices, version.",
    .run = run,
};
