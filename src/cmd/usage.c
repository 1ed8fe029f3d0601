// SPDX-License-Identifier: Apache-2.0
#include "cmd/usage.h"

#include <linux/capability.h>
#include <stdarg.h>
#include <string.h>

#include "base/terminal.h"
#include "base/text.h"
#include "cmd/options.h"

enum {
    WIDTH_MOST = 80,
    NAME_COLUMN = 2,  /* where names begin, */
    HELP_COLUMN = 26, /* and what they mean */
    SUMMARY_COLUMN = 16,
};

/* Prints `text` in lines that end before `width` and begin at `indent`; the first begins at
 * `column`, where the cursor is. "\n" in the text ends a line. */
static void fill(FILE *out, const char *text, int column, int indent, int width)
{
    bool is_start = true;
    while (*text != '\0') {
        int size = (int)strcspn(text, " \n");
        if (!is_start && column + 1 + size > width) {
            fputc('\n', out);
            column = 0;
            is_start = true;
        }
        if (column < indent) {
            fprintf(out, "%*s", indent - column, "");
            column = indent;
        }
        if (!is_start) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", size, text);
        column += size;
        is_start = false;
        text += size;
        for (; *text == ' ' || *text == '\n'; text++) {
            if (*text == '\n') {
                fputc('\n', out);
                column = 0;
                is_start = true;
            }
        }
    }
    fputc('\n', out);
}

/* Appends to the text in `to`, cut at its room. */
__attribute__((format(printf, 2, 3))) static void add(char to[USAGE_ROOM], const char *format, ...)
{
    size_t at = strlen(to);
    va_list args;
    va_start(args, format);
    vsnprintf(to + at, USAGE_ROOM - at, format, args);
    va_end(args);
}

char *usage_option_name(char to[USAGE_ROOM], const struct option_spec *option)
{
    to[0] = '\0';
    if (option->letter != 0) {
        add(to, "-%c, ", option->letter);
    }
    add(to, "--%s", option->name);
    if (!option_is_bare(option)) {
        add(to, " %s", option->argument);
    }
    return to;
}

static const char *bound(char to[TEXT_ROOM], enum option_kind kind, int64_t value)
{
    if (kind == OPTION_NUMBER) {
        snprintf(to, TEXT_ROOM, "%lld", (long long)value);
        return to;
    }
    return kind == OPTION_SIZE ? text_size(to, value) : text_duration(to, value);
}

char *usage_option_help(char to[USAGE_ROOM], const struct option_spec *option)
{
    to[0] = '\0';
    add(to, "%s", option->help);
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        add(to, "%s%s", i == 0 ? ": " : option->choices[i + 1] == NULL ? " or " : ", ",
            option->choices[i]);
    }
    if (option->maximum != 0 && option->maximum != INT64_MAX) {
        char least[TEXT_ROOM];
        char most[TEXT_ROOM];
        add(to, ", %s to %s", bound(least, option->kind, option->minimum),
            bound(most, option->kind, option->maximum));
    }
    if (option->kind == OPTION_LIST) {
        add(to, "; may be repeated");
    }
    if (option->fallback != NULL) {
        add(to, " (default %s)", option->fallback);
    }
    return to;
}

static int width_of(const struct terminal *terminal)
{
    return terminal->width < WIDTH_MOST ? (int)terminal->width : WIDTH_MOST;
}

static void heading(FILE *out, const struct terminal *terminal, const char *text)
{
    fprintf(out, "\n%s%s%s\n", terminal_style(terminal, TERMINAL_BOLD), text,
            terminal_style(terminal, TERMINAL_PLAIN));
}

/* Prints "  name     text", or name and text on a line each where the name is long. */
static void entry(FILE *out, const char *name, const char *text, int column, int width)
{
    int at = NAME_COLUMN + (int)strlen(name);
    fprintf(out, "%*s%s", NAME_COLUMN, "", name);
    if (at + 2 > column) {
        fputc('\n', out);
        at = 0;
    }
    fill(out, text, at, column, width);
}

static void print_options(FILE *out, const struct command *command, int width)
{
    char name[USAGE_ROOM];
    char help[USAGE_ROOM];
    for (const struct option_spec *option = command->options;
         option != NULL && option->name != NULL; option++) {
        usage_option_name(name, option);
        if (option->letter == 0) { /* under the long names of the others */
            char shifted[USAGE_ROOM];
            snprintf(shifted, sizeof shifted, "    %.*s", USAGE_ROOM - 8, name);
            entry(out, shifted, usage_option_help(help, option), HELP_COLUMN, width);
        } else {
            entry(out, name, usage_option_help(help, option), HELP_COLUMN, width);
        }
    }
    entry(out, options_has_short_help(command) ? "-h, --help" : "    --help", "show this help",
          HELP_COLUMN, width);
}

void usage_command(const struct command *command, FILE *out)
{
    struct terminal terminal = terminal_of(out);
    int width = width_of(&terminal);
    fprintf(out, "%sUsage:%s vantage %s [OPTION...]%s%s\n",
            terminal_style(&terminal, TERMINAL_BOLD), terminal_style(&terminal, TERMINAL_PLAIN),
            command->name, command->operands != NULL ? " " : "",
            command->operands != NULL ? command->operands : "");
    if (command->description != NULL) {
        fputc('\n', out);
        fill(out, command->description, 0, 0, width);
    }
    heading(out, &terminal, "Options:");
    print_options(out, command, width);
    if (command->examples != NULL) {
        heading(out, &terminal, "Examples:");
        for (const char *const *line = command->examples; *line != NULL; line += 2) {
            fprintf(out, "%*s%s\n", NAME_COLUMN, "", line[0]);
            fill(out, line[1], 0, 6, width);
        }
    }
}

/* Whether this process may open a capture: bit CAP_NET_RAW of its effective capabilities. */
static bool may_capture(void)
{
    unsigned long long effective = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL &&
           sscanf(line, "CapEff: %llx", &effective) != 1) {
    }
    if (status != NULL) {
        fclose(status);
    }
    return effective >> CAP_NET_RAW & 1;
}

/* The first steps, in this order, as far as this build has them. */
static void print_first_steps(FILE *out, int width)
{
    const struct {
        const char *command;
        const char *line;
        const char *text;
    } steps[] = {
        {"demo", "vantage demo", "sample traffic through all of it; needs no rights"},
        {"read", "vantage read FILE", "what a capture holds: pcap, pcapng, compressed or not"},
        {"live", may_capture() ? "vantage live" : "sudo vantage live",
         "what goes on now, on the busiest interface"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (command_find(steps[i].command) != NULL) {
            entry(out, steps[i].line, steps[i].text, HELP_COLUMN, width);
        }
    }
}

void usage_overview(FILE *out)
{
    struct terminal terminal = terminal_of(out);
    int width = width_of(&terminal);
    fputs("vantage turns packets into answers.\n", out);
    heading(out, &terminal, "Begin here:");
    print_first_steps(out, width);
    heading(out, &terminal, "Commands:");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        entry(out, (*command)->name, (*command)->summary, SUMMARY_COLUMN, width);
    }
    fputs("\nvantage COMMAND --help shows options and examples.\n", out);
}
