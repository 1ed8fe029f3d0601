// SPDX-License-Identifier: Apache-2.0
/* `vantage help`: everything that is made from the tables, for people and for packagers. */
#include "cmd/command.h"

#include <stdio.h>

#include "base/err.h"
#include "cmd/completion.h"
#include "cmd/manual.h"
#include "cmd/usage.h"
#include "engine/config.h"

static const struct option_spec options[] = {
    {.name = "config", .kind = OPTION_FLAG,
     .help = "print the reference configuration: every key with its default"},
    {.name = "man", .kind = OPTION_FLAG, .help = "print the manual page as man(7) source"},
    {.name = "completion", .kind = OPTION_CHOICE, .argument = "SHELL",
     .help = "print the completion script for a shell", .choices = completion_shells},
    {0},
};

static const char *const examples[] = {
    "vantage help read",
    "options and examples of one command",
    "vantage help --config > vantage.yml",
    "a configuration to begin with",
    "source <(vantage help --completion bash)",
    "completion in this shell",
    "vantage help --man | man -l -",
    "the manual page",
    NULL,
};

static int help_command(const struct arguments *arguments, const char *name)
{
    const struct command *command = command_find(name);
    if (command == NULL) {
        const char *near = command_suggest(name);
        return near != NULL ? arguments_refuse(arguments, "no command '%s' (did you mean %s?)",
                                               name, near)
                            : arguments_refuse(arguments, "no command '%s'", name);
    }
    usage_command(command, stdout);
    return ERR_NONE;
}

static int run(const struct arguments *arguments)
{
    const char *shell = arguments_string(arguments, "completion");
    const char *name = arguments_operand(arguments, 0);
    if (shell != NULL) {
        completion_print(shell, stdout);
    } else if (arguments_flag(arguments, "man")) {
        manual_print(stdout);
    } else if (arguments_flag(arguments, "config")) {
        config_reference(stdout);
    } else if (name != NULL) {
        return help_command(arguments, name);
    } else {
        usage_overview(stdout);
    }
    return ERR_NONE;
}

const struct command command_help = {
    .name = "help",
    .summary = "what there is, and how it is used",
    .operands = "[COMMAND]",
    .operand_hint = HINT_COMMAND,
    .options = options,
    .examples = examples,
    .description = "Shows the commands, or the options and examples of one. It also prints what is "
                   "made from the same tables: the reference configuration, the manual page, and "
                   "the completion scripts of the shells.",
    .run = run,
};
