// SPDX-License-Identifier: Apache-2.0
#include "cmd/completion.h"

#include <assert.h>
#include <string.h>

#include "cmd/options.h"

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

/* Heads of loops: `for (EACH_OPTION(option, command))`. */
#define EACH_OPTION(o, command)                                                                    \
    const struct option_spec *o = (command)->options;                                              \
    o != NULL && o->name != NULL;                                                                  \
    o++

#define EACH_COMMAND(c)                                                                            \
    const struct command *const *c = commands;                                                     \
    *c != NULL;                                                                                    \
    c++

/* Prints names with a space between. */
static void put_words(FILE *out, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : " ", words[i]);
    }
}

static void put_command_names(FILE *out)
{
    for (EACH_COMMAND(command)) {
        fprintf(out, "%s%s", command == commands ? "" : " ", (*command)->name);
    }
}

/* Prints help inside single quotes of a shell; `escaped` are characters that want a backslash. */
static void put_quoted(FILE *out, const char *text, const char *escaped)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
            continue;
        }
        if (strchr(escaped, *text) != NULL) {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

/* ---- bash: one function; an empty answer with `compopt -o default` means files. ---- */

static void bash_offer(FILE *out, enum option_hint hint, const char *const *choices)
{
    fputs("COMPREPLY=(", out);
    if (choices != NULL) {
        fputs("$(compgen -W '", out);
        put_words(out, choices);
        fputs("' -- \"$cur\")", out);
    } else if (hint == HINT_INTERFACE) {
        fputs("$(compgen -W \"$(command ls /sys/class/net 2>/dev/null)\" -- \"$cur\")", out);
    } else if (hint == HINT_COMMAND) {
        fputs("$(compgen -W '", out);
        put_command_names(out);
        fputs("' -- \"$cur\")", out);
    }
    fputc(')', out);
    if (choices == NULL && hint == HINT_FILE) {
        fputs("; compopt -o default", out);
    }
}

static void bash_values(FILE *out, const struct command *command)
{
    for (EACH_OPTION(option, command)) {
        if (option_is_bare(option)) {
            continue;
        }
        fprintf(out, "    %s:--%s", command->name, option->name);
        if (option->letter != 0) {
            fprintf(out, "|%s:-%c", command->name, option->letter);
        }
        fputs(") ", out);
        bash_offer(out, option->hint, option->choices);
        fputs("; return ;;\n", out);
    }
}

static void bash_operands(FILE *out, const struct command *command)
{
    fprintf(out, "    %s)\n        if [[ $cur == -* ]]; then\n            COMPREPLY=($(compgen -W '",
            command->name);
    for (EACH_OPTION(option, command)) {
        fprintf(out, "--%s ", option->name);
    }
    fputs("--help' -- \"$cur\"))\n        else\n            ", out);
    bash_offer(out, command->operand_hint, NULL);
    fputs("\n        fi ;;\n", out);
}

static void print_bash(FILE *out)
{
    fputs("# bash completion for vantage, printed by `vantage help --completion bash`\n"
          "_vantage()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W '",
          out);
    put_command_names(out);
    fputs(" --help --version' -- \"$cur\"))\n"
          "        return\n"
          "    fi\n"
          "    # bash breaks --name=value into three words\n"
          "    if [[ $prev == = ]]; then\n"
          "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    elif [[ $cur == = ]]; then\n"
          "        cur=\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]}:$prev in\n",
          out);
    for (EACH_COMMAND(command)) {
        bash_values(out, *command);
    }
    fputs("    esac\n    case ${COMP_WORDS[1]} in\n", out);
    for (EACH_COMMAND(command)) {
        bash_operands(out, *command);
    }
    fputs("    esac\n}\ncomplete -F _vantage vantage\n", out);
}

/* ---- zsh: _arguments with one specification an option. ---- */

static void zsh_action(FILE *out, enum option_hint hint, const char *const *choices)
{
    static const char *const actions[] = {
        [HINT_NONE] = " ",
        [HINT_FILE] = "_files",
        [HINT_INTERFACE] = "_net_interfaces",
        [HINT_COMMAND] = "_vantage_commands",
    };
    if (choices == NULL) {
        fputs(actions[hint], out);
        return;
    }
    fputc('(', out);
    put_words(out, choices);
    fputc(')', out);
}

/* The spellings of an option; '*' lets it repeat, otherwise one excludes the other. */
static void zsh_names(FILE *out, const struct option_spec *option)
{
    bool takes_value = !option_is_bare(option);
    bool repeats = option->kind == OPTION_LIST;
    const char *equals = takes_value ? "=" : "";
    if (option->letter == 0) {
        fprintf(out, "'%s--%s%s", repeats ? "*" : "", option->name, equals);
        return;
    }
    if (repeats) {
        fputs("'*'", out);
    } else {
        fprintf(out, "'(-%c --%s)'", option->letter, option->name);
    }
    fprintf(out, "{-%c%s,--%s%s}'", option->letter, takes_value ? "+" : "", option->name, equals);
}

static void zsh_option(FILE *out, const struct option_spec *option)
{
    fputs("            ", out);
    zsh_names(out, option);
    fputc('[', out);
    put_quoted(out, option->help, "[]:\\");
    fputc(']', out);
    if (!option_is_bare(option)) {
        fprintf(out, ":%s:", option->argument);
        zsh_action(out, option->hint, option->choices);
    }
    fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct command *command)
{
    size_t least;
    size_t most;
    options_operands(command, &least, &most);
    fprintf(out, "    %s)\n        _arguments -s -S \\\n", command->name);
    for (EACH_OPTION(option, command)) {
        zsh_option(out, option);
    }
    if (most > 0) {
        fprintf(out, "            '%s:%s:", most > 1 ? "*" : "1", command->operands);
        zsh_action(out, command->operand_hint, NULL);
        fputs("' \\\n", out);
    }
    fprintf(out, "            '(- *)'%s'[show help]' ;;\n",
            options_has_short_help(command) ? "{-h,--help}" : "--help");
}

static void print_zsh(FILE *out)
{
    fputs("#compdef vantage\n"
          "# zsh completion for vantage, printed by `vantage help --completion zsh`\n"
          "_vantage_commands()\n{\n    local -a names=(\n",
          out);
    for (EACH_COMMAND(command)) {
        fprintf(out, "        '%s:", (*command)->name);
        put_quoted(out, (*command)->summary, ":\\");
        fputs("'\n", out);
    }
    fputs("    )\n    _describe command names\n}\n\n"
          "_vantage()\n{\n"
          "    if ((CURRENT == 2)); then\n"
          "        _vantage_commands\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $command in\n",
          out);
    for (EACH_COMMAND(command)) {
        zsh_command(out, *command);
    }
    fputs("    esac\n}\n\n"
          "if [[ $funcstack[1] == _vantage ]]; then\n"
          "    _vantage \"$@\"\n"
          "else\n"
          "    compdef _vantage vantage\n"
          "fi\n",
          out);
}

/* ---- fish: one `complete` line an option. ---- */

static void fish_offer(FILE *out, enum option_hint hint, const char *const *choices)
{
    if (choices != NULL) {
        fputs(" -x -a '", out);
        put_words(out, choices);
        fputc('\'', out);
    } else if (hint == HINT_FILE) {
        fputs(" -r -F", out);
    } else if (hint == HINT_INTERFACE) {
        fputs(" -x -a '(command ls /sys/class/net)'", out);
    } else if (hint == HINT_COMMAND) {
        fputs(" -x -a '", out);
        put_command_names(out);
        fputc('\'', out);
    } else {
        fputs(" -x", out);
    }
}

static void fish_command(FILE *out, const struct command *command)
{
    for (EACH_OPTION(option, command)) {
        fprintf(out, "complete -c vantage -n '__vantage_is %s'", command->name);
        if (option->letter != 0) {
            fprintf(out, " -s %c", option->letter);
        }
        fprintf(out, " -l %s", option->name);
        if (!option_is_bare(option)) {
            fish_offer(out, option->hint, option->choices);
        }
        fputs(" -d '", out);
        put_quoted(out, option->help, "");
        fputs("'\n", out);
    }
    if (command->operand_hint == HINT_FILE) {
        fprintf(out, "complete -c vantage -n '__vantage_is %s' -F\n", command->name);
    } else if (command->operand_hint != HINT_NONE) {
        fprintf(out, "complete -c vantage -n '__vantage_is %s'", command->name);
        fish_offer(out, command->operand_hint, NULL);
        fputc('\n', out);
    }
}

static void print_fish(FILE *out)
{
    fputs("# fish completion for vantage, printed by `vantage help --completion fish`\n"
          "function __vantage_is\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
          "end\n"
          "function __vantage_bare\n"
          "    test (count (commandline -opc)) -eq 1\n"
          "end\n"
          "complete -c vantage -f\n"
          "complete -c vantage -n __vantage_bare -l version -d 'show the version'\n"
          "complete -c vantage -s h -l help -d 'show help'\n",
          out);
    for (EACH_COMMAND(command)) {
        fprintf(out, "complete -c vantage -n __vantage_bare -a %s -d '", (*command)->name);
        put_quoted(out, (*command)->summary, "");
        fputs("'\n", out);
    }
    for (EACH_COMMAND(command)) {
        fish_command(out, *command);
    }
}

void completion_print(const char *shell, FILE *out)
{
    static void (*const printers[])(FILE *out) = {print_bash, print_zsh, print_fish};
    size_t i = 0;
    while (completion_shells[i] != NULL && strcmp(completion_shells[i], shell) != 0) {
        i++;
    }
    assert(completion_shells[i] != NULL);
    printers[i](out);
}
