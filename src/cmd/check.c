// SPDX-License-Identifier: Apache-2.0
/* `vantage check`: what is wrong with a configuration, or what it means in full. */
#include <stdio.h>

#include "base/err.h"
#include "cmd/command.h"
#include "engine/config.h"

static const struct option_spec options[] = {
    {.name = "config", .letter = 'c', .kind = OPTION_STRING, .argument = "FILE",
     .help = "the file; - is standard input", .hint = HINT_FILE},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG,
     .help = "print nothing when the file is good"},
    {0},
};

static const char *const examples[] = {
    "vantage check -c vantage.yml",
    "print every value that is in force, defaults marked",
    "vantage check -q -c vantage.yml && systemctl restart vantage",
    "go on only when the file is good",
    NULL,
};

static int run(const struct arguments *arguments)
{
    const char *path = arguments_string(arguments, "config");
    const char *operand = arguments_operand(arguments, 0);
    if ((path == NULL) == (operand == NULL)) {
        return arguments_refuse(arguments, "name one file: -c FILE");
    }
    struct config_problems problems;
    struct config *config = config_load(path != NULL ? path : operand, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        fprintf(stderr, "%s\n", problems.lines[i]);
    }
    config_problems_done(&problems);
    if (config == NULL) {
        return ERR_USAGE;
    }
    if (!arguments_flag(arguments, "quiet")) {
        config_print(config, stdout);
    }
    config_free(config);
    return ERR_NONE;
}

const struct command command_check = {
    .name = "check",
    .summary = "what is wrong with a configuration, or what it means in full",
    .operands = "[FILE]",
    .operand_hint = HINT_FILE,
    .options = options,
    .examples = examples,
    .description = "Reads a configuration as `vantage run` would. Every fault is one line on "
                   "standard error: FILE:LINE:COLUMN, what is wrong, and what would be right; the "
                   "exit status is then 2. A good file is printed with all values that are in "
                   "force, those that it does not set marked as defaults, secrets hidden.",
    .run = run,
};
