// SPDX-License-Identifier: Apache-2.0
/* Private to cmd/: one command line held against its command's table. Long and short options,
 * `--name=value` and `--name value`, `-xvalue`, `-abc`, options behind operands, `--` before
 * operands that begin with a dash. Every value is validated before the command runs. */
#pragma once

#include "base/err.h"
#include "cmd/command.h"

/* The value of one option; which member counts is its kind's affair. */
struct option_value {
    bool given;
    const char *text;
    int64_t number;
    const char **items; /* LIST: owned array of borrowed strings */
    size_t count;
};

struct arguments {
    const struct command *command;
    struct option_value *values; /* one a row of the command's options, in its order */
    const char **operands;
    size_t operand_count;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP, /* --help was there; the rest was not looked at */
    OPTIONS_BAD,  /* err says what and what instead */
};

/* Fills `ret`, whatever the result, from `count` words behind the command's name. */
enum options_result options_parse(const struct command *command, size_t count, char *const *words,
                                  struct arguments *ret, struct err *err);
void options_done(struct arguments *arguments);

/* How many operands a command takes at least and at most, by its `operands` text. */
void options_operands(const struct command *command, size_t *ret_least, size_t *ret_most);

/* Whether -h means --help: not where a command's table has a letter h of its own. */
bool options_has_short_help(const struct command *command);

/* Prints the line `vantage NAME: TEXT; see 'vantage NAME --help'` on standard error. */
void options_complain(const struct command *command, const char *text);
