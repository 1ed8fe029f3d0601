// SPDX-License-Identifier: Apache-2.0
/* Finds the command, reads its arguments, runs it. The exit status is the command's, unless what
 * it printed could not be written. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/options.h"
#include "cmd/usage.h"

static int run(const struct command *command, size_t count, char **words)
{
    struct arguments arguments;
    struct err err = {0};
    int status = ERR_NONE;
    enum options_result result = options_parse(command, count, words, &arguments, &err);
    if (result == OPTIONS_RUN) {
        status = command->run(&arguments);
    } else if (result == OPTIONS_HELP) {
        usage_command(command, stdout);
    } else {
        options_complain(command, err.text);
        status = (int)err.code;
    }
    options_done(&arguments);
    return status;
}

static int begin(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        usage_overview(stdout);
        return ERR_NONE;
    }
    if (strcmp(name, "--version") == 0) {
        puts("vantage " VANTAGE_VERSION);
        return ERR_NONE;
    }
    const struct command *command = command_find(name);
    if (command != NULL) {
        return run(command, (size_t)argc - 2, argv + 2);
    }
    const char *near = command_suggest(name);
    fprintf(stderr, "vantage: unknown command '%s'%s%s%s; see 'vantage help'\n", name,
            near != NULL ? " (did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?)" : "");
    return ERR_USAGE;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, told like any other */
    int status = begin(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == ERR_NONE) {
        fprintf(stderr, "vantage: cannot write to standard output: %s\n", strerror(errno));
        return ERR_FAILED;
    }
    return status;
}
