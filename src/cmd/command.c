// SPDX-License-Identifier: Apache-2.0
#include "cmd/command.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "cmd/options.h"

const struct command *command_find(const char *name)
{
    for (const struct command *const *command = commands; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0) {
            return *command;
        }
    }
    return NULL;
}

const char *command_suggest(const char *name)
{
    struct suggest suggest = suggest_of(name);
    for (const struct command *const *command = commands; *command != NULL; command++) {
        suggest_offer(&suggest, (*command)->name);
    }
    return suggest.best;
}

/* The row and the value of an option that the command's table must have. */
static const struct option_value *value_of(const struct arguments *arguments, const char *name,
                                           const struct option_spec **ret_option)
{
    const struct option_spec *option = arguments->command->options;
    assert(option != NULL);
    while (option->name != NULL && strcmp(option->name, name) != 0) {
        option++;
    }
    assert(option->name != NULL && "an option that is not in the command's table");
    *ret_option = option;
    return &arguments->values[option - arguments->command->options];
}

bool arguments_flag(const struct arguments *arguments, const char *name)
{
    const struct option_spec *option;
    const struct option_value *value = value_of(arguments, name, &option);
    assert(option_is_bare(option));
    bool is_off = option->kind == OPTION_SWITCH &&
                  (value->text == NULL || strcmp(value->text, "true") != 0);
    return option->kind == OPTION_SWITCH ? !is_off : value->given;
}

const char *arguments_string(const struct arguments *arguments, const char *name)
{
    const struct option_spec *option;
    const struct option_value *value = value_of(arguments, name, &option);
    assert(option->kind == OPTION_STRING || option->kind == OPTION_CHOICE);
    return value->text;
}

int64_t arguments_number(const struct arguments *arguments, const char *name)
{
    const struct option_spec *option;
    const struct option_value *value = value_of(arguments, name, &option);
    assert(option->kind == OPTION_NUMBER || option->kind == OPTION_SIZE ||
           option->kind == OPTION_DURATION);
    return value->number;
}

const char *const *arguments_list(const struct arguments *arguments, const char *name,
                                  size_t *ret_count)
{
    const struct option_spec *option;
    const struct option_value *value = value_of(arguments, name, &option);
    assert(option->kind == OPTION_LIST);
    *ret_count = value->count;
    return value->items;
}

bool arguments_given(const struct arguments *arguments, const char *name)
{
    const struct option_spec *option;
    return value_of(arguments, name, &option)->given;
}

size_t arguments_operand_count(const struct arguments *arguments)
{
    return arguments->operand_count;
}

const char *arguments_operand(const struct arguments *arguments, size_t index)
{
    return index < arguments->operand_count ? arguments->operands[index] : NULL;
}

const struct command *arguments_command(const struct arguments *arguments)
{
    return arguments->command;
}

int arguments_refuse(const struct arguments *arguments, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    options_complain(arguments->command, text);
    return ERR_USAGE;
}
