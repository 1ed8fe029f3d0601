// SPDX-License-Identifier: Apache-2.0
/* The door of cmd/: what a command is, said in tables. One file a command exports one constant
 * `struct command command_NAME`; one word in the list `cmds` of src/meson.build puts it in the
 * table below. From these tables come the parser, `--help`, the manual page and the completion of
 * the shells, so that none of them can disagree.
 *
 * Everything here is constant or belongs to main(): the arguments live until the command has
 * returned, and their strings are those of argv or of the tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* no value: given or not */
    OPTION_SWITCH,   /* --name, --name=true or --name=false; a flag whose default may be true */
    OPTION_STRING,   /* any text */
    OPTION_NUMBER,   /* a whole number */
    OPTION_SIZE,     /* bytes: 16M (2^20), 16MB (10^6), 16MiB */
    OPTION_DURATION, /* nanoseconds: 10s, 1h30m, 250ms, -1s */
    OPTION_CHOICE,   /* one of `choices` */
    OPTION_LIST,     /* text, may be given several times; each one of `choices` if there are any */
};

/* What a shell may offer for a value or an operand; choices are offered in any case. */
enum option_hint {
    HINT_NONE,
    HINT_FILE,
    HINT_INTERFACE,
    HINT_COMMAND,
};

/* One option. A table of them ends with an entry whose name is NULL; `--help` (and -h, unless the
 * table uses that letter) belongs to every command and is not listed. */
struct option_spec {
    const char *name; /* long name without dashes: "snap-len" for --snap-len */
    char letter;      /* short name, or 0 */
    enum option_kind kind;
    const char *argument;       /* what help calls the value: "FILE"; NULL for a flag */
    const char *help;           /* one sentence, small letter first, no full stop */
    const char *const *choices; /* NULL-terminated, or NULL */
    const char *fallback;       /* the default as the user would write it, or NULL for none */
    int64_t minimum;            /* bounds of a number, size or duration, in its unit; */
    int64_t maximum;            /* both 0: unbounded */
    enum option_hint hint;
};

/* Whether an option stands alone, without a value behind it. */
static inline bool option_is_bare(const struct option_spec *option)
{
    return option->kind == OPTION_FLAG || option->kind == OPTION_SWITCH;
}

struct arguments; /* opaque: one command line, parsed and validated */

struct command {
    const char *name;
    const char *summary; /* half a line for the overview, no full stop */
    /* What comes without dashes, as help shows it; the parser holds users to it:
     * "FILE..." one or more, "[FILE...]" any number, "[IFACE]" at most one, NULL none. */
    const char *operands;
    enum option_hint operand_hint;
    const struct option_spec *options; /* or NULL */
    bool single_dash; /* a long name may stand behind one dash, as Go's programs have it */
    /* Lines to copy, each followed by what it does; NULL-terminated pairs. */
    const char *const *examples;
    const char *description; /* paragraphs separated by "\n\n", filled to the width by the house */
    int (*run)(const struct arguments *arguments); /* returns the exit status: enum err_code */
};

/* All commands, NULL-terminated, in the order of the list. */
extern const struct command *const commands[];

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* The name of the command that a user may have meant, or NULL. */
const char *command_suggest(const char *name);

/* Values by long option name; a name that the command's table lacks, or a getter of another kind,
 * is our own bug. An option that was not given has its fallback; without a fallback it is
 * false, NULL, 0 or an empty list. */
bool arguments_flag(const struct arguments *arguments, const char *name);
/* STRING and CHOICE. */
const char *arguments_string(const struct arguments *arguments, const char *name);
/* NUMBER; SIZE in bytes; DURATION in nanoseconds. */
int64_t arguments_number(const struct arguments *arguments, const char *name);
/* LIST: its items in the order given, as many as `*ret_count`. */
const char *const *arguments_list(const struct arguments *arguments, const char *name,
                                  size_t *ret_count);
/* Whether the user wrote the option: a configuration file gives way only then. */
bool arguments_given(const struct arguments *arguments, const char *name);

/* What came without dashes. */
size_t arguments_operand_count(const struct arguments *arguments);
/* The operand at `index`, or NULL behind the last. */
const char *arguments_operand(const struct arguments *arguments, size_t index);

/* The command that these arguments belong to. */
const struct command *arguments_command(const struct arguments *arguments);

/* For a value that only the command can judge: one line on standard error,
 * `vantage NAME: TEXT; see 'vantage NAME --help'`; returns ERR_USAGE, to be returned by run. */
__attribute__((format(printf, 2, 3))) int arguments_refuse(const struct arguments *arguments,
                                                           const char *format, ...);
