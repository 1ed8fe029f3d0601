// SPDX-License-Identifier: Apache-2.0
#include "cmd/manual.h"

#include <stdbool.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/usage.h"

/* Prints text so that roff shows it as it is: a dash stays a dash that can be copied, and a line
 * that begins like a request is none. A blank line begins a paragraph. */
static void put(FILE *out, const char *text)
{
    bool is_line_start = true;
    for (; *text != '\0'; text++) {
        if (is_line_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", out);
        }
        is_line_start = *text == '\n';
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else if (*text == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", out);
            text++;
            is_line_start = true;
        } else {
            fputc(*text, out);
        }
    }
}

/* A term in bold and what it means. */
static void put_term(FILE *out, const char *term, const char *text)
{
    fputs(".TP\n\\fB", out);
    put(out, term);
    fputs("\\fR\n", out);
    put(out, text);
    fputs(".\n", out);
}

static void put_usage(FILE *out, const struct command *command)
{
    fputs("\\fBvantage ", out);
    put(out, command->name);
    fputs("\\fR [\\fIOPTION\\fR...]", out);
    if (command->operands != NULL) {
        fputs(" \\fI", out);
        put(out, command->operands);
        fputs("\\fR", out);
    }
    fputc('\n', out);
}

static void put_synopsis(FILE *out)
{
    fputs(".SH SYNOPSIS\n", out);
    for (const struct command *const *command = commands; *command != NULL; command++) {
        put_usage(out, *command);
        fputs(".br\n", out);
    }
    fputs("\\fBvantage\\fR \\fB\\-\\-version\\fR\n", out);
}

static void put_command(FILE *out, const struct command *command)
{
    char name[USAGE_ROOM];
    char help[USAGE_ROOM];
    fputs(".SS ", out);
    put(out, command->name);
    fputc('\n', out);
    put_usage(out, command);
    fputs(".PP\n", out);
    put(out, command->description != NULL ? command->description : command->summary);
    fputc('\n', out);
    for (const struct option_spec *option = command->options;
         option != NULL && option->name != NULL; option++) {
        put_term(out, usage_option_name(name, option), usage_option_help(help, option));
    }
}

static void put_examples(FILE *out)
{
    fputs(".SH EXAMPLES\n", out);
    for (const struct command *const *command = commands; *command != NULL; command++) {
        for (const char *const *line = (*command)->examples; line != NULL && *line != NULL;
             line += 2) {
            put_term(out, line[0], line[1]);
        }
    }
}

/* What holds for all commands. */
static void put_common(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    put_term(out, "0", "The work was done");
    put_term(out, "1", "The work failed; standard error says why");
    put_term(out, "2", "Bad usage or configuration; standard error names the place and the remedy");
    put_term(out, "77", "A right is missing; standard error says how to give it");
    fputs(".SH ENVIRONMENT\n", out);
    put_term(out, "NO_COLOR", "If set and not empty, nothing is coloured");
    put_term(out, "TERM", "If \"dumb\", nothing is coloured");
    put_term(out, "COLUMNS", "The width to print for where there is no terminal to ask");
    put_term(out, "LC_ALL, LC_CTYPE, LANG",
             "Whether bars and charts may be drawn with Unicode characters");
    put_term(out, "Any other", "The configuration's ${NAME:default} takes the value of NAME");
    fputs(".SH FILES\n", out);
    put_term(out, "vantage.yml",
             "The configuration; vantage help --config prints every key with its default");
}

void manual_print(FILE *out)
{
    fputs(".TH VANTAGE 1 \"\" \"vantage " VANTAGE_VERSION "\" \"User Commands\"\n"
          ".SH NAME\n"
          "vantage \\- turn packets into answers\n",
          out);
    put_synopsis(out);
    fputs(".SH DESCRIPTION\n"
          "\\fBvantage\\fR analyses network traffic, live or from captures, and says what goes on\n"
          "in it: flows, and the health of what carries them.\n"
          "Every command takes \\fB\\-\\-help\\fR.\n"
          "Nothing leaves the machine unless an output is configured, and nothing listens on\n"
          "other addresses than loopback unless told.\n"
          ".SH COMMANDS\n",
          out);
    for (const struct command *const *command = commands; *command != NULL; command++) {
        put_command(out, *command);
    }
    put_common(out);
    put_examples(out);
    fputs(".SH SEE ALSO\n.BR pcap\\-filter (7),\n.BR capabilities (7)\n", out);
}
