// SPDX-License-Identifier: Apache-2.0
/* What is made from the tables, held against the tables of all commands. */
#include "cmd/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/completion.h"
#include "cmd/manual.h"
#include "cmd/options.h"

enum { TEXT_MAX = 256 << 10 };

/* What `print` writes; to be freed. */
static char *text_of(void (*print)(const void *what, FILE *out), const void *what)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(what, out);
    fclose(out);
    assert_true(size < TEXT_MAX);
    return text;
}

static void print_command(const void *what, FILE *out)
{
    usage_command(what, out);
}

static void print_overview(const void *what, FILE *out)
{
    usage_overview(out);
}

static void print_manual(const void *what, FILE *out)
{
    manual_print(out);
}

static void print_completion(const void *what, FILE *out)
{
    completion_print(what, out);
}

static void assert_fits(const char *text)
{
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t size = strcspn(line, "\n");
        if (size > 80 || (size > 0 && line[size - 1] == ' ')) {
            fail_msg("beyond 80 columns, or ends with a blank: %.*s", (int)size, line);
        }
    }
}

static void every_command_has_help_that_fits(void **state)
{
    unsetenv("COLUMNS");
    for (const struct command *const *at = commands; *at != NULL; at++) {
        const struct command *command = *at;
        assert_non_null(command->summary);
        assert_non_null(command->description);
        assert_non_null(command->examples);
        char *text = text_of(print_command, command);
        assert_fits(text);
        assert_non_null(strstr(text, command->examples[0]));
        for (const struct option_spec *option = command->options;
             option != NULL && option->name != NULL; option++) {
            char name[USAGE_ROOM];
            assert_non_null(option->help);
            assert_true(option_is_bare(option) == (option->argument == NULL));
            assert_non_null(strstr(text, usage_option_name(name, option)));
        }
        free(text);
    }
    char *overview = text_of(print_overview, NULL);
    assert_fits(overview);
    free(overview);
}

static void every_fallback_is_valid(void **state)
{
    for (const struct command *const *command = commands; *command != NULL; command++) {
        struct arguments arguments;
        struct err err = {0};
        options_parse(*command, 0, NULL, &arguments, &err); /* asserts */
        options_done(&arguments);
    }
}

static void the_manual_has_all(void **state)
{
    static const char *const sections[] = {".SH NAME",        ".SH SYNOPSIS", ".SH COMMANDS",
                                           ".SH EXIT STATUS", ".SH FILES",    ".SH ENVIRONMENT",
                                           ".SH EXAMPLES"};
    char *text = text_of(print_manual, NULL);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        assert_non_null(strstr(text, sections[i]));
    }
    for (const struct command *const *command = commands; *command != NULL; command++) {
        char section[64] = ".SS ";
        size_t at = strlen(section);
        for (const char *c = (*command)->name; *c != '\0'; c++) {
            at += (size_t)snprintf(section + at, sizeof section - at, *c == '-' ? "\\%c" : "%c", *c);
        }
        snprintf(section + at, sizeof section - at, "\n");
        assert_non_null(strstr(text, section));
    }
    free(text);
}

static void every_shell_completes_every_option(void **state)
{
    for (const char *const *shell = completion_shells; *shell != NULL; shell++) {
        char *text = text_of(print_completion, *shell);
        for (const struct command *const *command = commands; *command != NULL; command++) {
            for (const struct option_spec *option = (*command)->options;
                 option != NULL && option->name != NULL; option++) {
                assert_non_null(strstr(text, option->name));
            }
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_help_that_fits),
        cmocka_unit_test(every_fallback_is_valid),
        cmocka_unit_test(the_manual_has_all),
        cmocka_unit_test(every_shell_completes_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
