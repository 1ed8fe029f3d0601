// SPDX-License-Identifier: Apache-2.0
/* `vantage run`: the daemon. */
#include "cmd/agent.h"
#include "cmd/command.h"
#include "cmd/policy_agent.h"

static const struct option_spec options[] = {
    {.name = "config", .letter = 'c', .kind = OPTION_STRING, .argument = "FILE",
     .help = "the configuration; without it the defaults hold", .hint = HINT_FILE},
    {0},
};

static const char *const examples[] = {
    "vantage run -c /etc/vantage/vantage.yml", "as the system's service does",
    "vantage help --config >vantage.yml", "a configuration to begin with", NULL,
};

static int run(const struct arguments *arguments)
{
    struct config *config = agent_config(arguments_string(arguments, "config"));
    if (config == NULL) {
        return ERR_USAGE;
    }
    struct err err = {0};
    if (!policy_agent_taps(config, &err)) {
        config_free(config);
        return arguments_refuse(arguments, "%s", err.text);
    }
    log_set_level(config->log_level);
    bool prints = false;
    for (size_t i = 0; i < config->output_count; i++) {
        prints = prints || __builtin_strcmp(config->outputs[i].kind, "stdout") == 0;
    }
    int status = agent_run(
        config, &(struct agent_options){.command = "run", .mode = "live", .is_quiet = prints});
    config_free(config);
    return status;
}

const struct command command_run = {
    .name = "run",
    .summary = "the daemon: capture, follow, serve, by a configuration",
    .options = options,
    .examples = examples,
    .description = "Captures on the taps of the configuration, reports flows to its outputs and "
                   "serves the web page, the REST API and Prometheus metrics, until a signal comes.",
    .run = run,
};
