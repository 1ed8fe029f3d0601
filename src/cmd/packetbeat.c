// SPDX-License-Identifier: Apache-2.0
/* `vantage packetbeat`: Packetbeat's command line and its configuration, and the events that it would
 * write. */
#include "cmd/packetbeat_tools.h"

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
     .help = "refuse a configuration that others may write"},
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
    {.name = "force", .kind = OPTION_FLAG, .help = "keystore: in place of what is there"},
    {.name = "stdin", .kind = OPTION_FLAG, .help = "keystore add: the secret is on standard input"},
    {.name = "es.version", .kind = OPTION_STRING, .argument = "VERSION",
     .help = "export: for which Elasticsearch"},
    {.name = "dir", .kind = OPTION_STRING, .argument = "FOLDER", .help = "export: into a folder"},
    {.name = "noilm", .kind = OPTION_FLAG, .help = "export template: without a lifecycle policy"},
    {.name = "id", .kind = OPTION_STRING, .argument = "ID",
     .help = "export dashboard: this one, such as http; default all"},
    {.name = "folder", .kind = OPTION_STRING, .argument = "FOLDER",
     .help = "export dashboard: into a folder, a file each"},
    {.name = "dashboards", .kind = OPTION_FLAG, .help = "setup: dashboards, into Kibana"},
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
    "vantage packetbeat setup --dashboards -E setup.kibana.host=kibana.example:5601",
    "dashboards into Kibana or OpenSearch Dashboards",
    NULL,
};

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
        "export dashboard, export index-pattern, keystore create, add NAME, list and remove NAME, setup, "
        "devices, version.",
    .run = run,
};
