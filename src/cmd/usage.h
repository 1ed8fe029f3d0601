// SPDX-License-Identifier: Apache-2.0
/* Private to cmd/: what `--help` and the bare `vantage` print, made from the commands' tables and
 * filled to the width of the terminal, 80 columns at most. */
#pragma once

#include <stdio.h>

#include "cmd/command.h"

/* Prints the help of one command. */
void usage_command(const struct command *command, FILE *out);

/* Prints what there is: every command with its summary, and where to begin. */
void usage_overview(FILE *out);

enum { USAGE_ROOM = 1024 };

/* Writes an option as the user types it: "-o, --output FORMAT". */
char *usage_option_name(char to[USAGE_ROOM], const struct option_spec *option);

/* Writes its help with choices, bounds and default: "what to print: a, b or c (default a)". */
char *usage_option_help(char to[USAGE_ROOM], const struct option_spec *option);
