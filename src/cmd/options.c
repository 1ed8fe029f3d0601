// SPDX-License-Identifier: Apache-2.0
#include "cmd/options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"

/* What the parser carries from word to word. */
struct parser {
    struct arguments *arguments;
    char *const *words;
    size_t count;
    size_t at; /* the word being read */
    struct err *err;
};

/* Memory that ends while the command line is read leaves nothing to be saved. */
static void *need(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static size_t option_count(const struct command *command)
{
    size_t count = 0;
    while (command->options != NULL && command->options[count].name != NULL) {
        count++;
    }
    return count;
}

/* Writes the choices as "a, b or c". */
static char *choices_text(char *to, size_t room, const char *const *choices)
{
    size_t at = 0;
    to[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && at < room; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        at += (size_t)snprintf(to + at, room - at, "%s%s", between, choices[i]);
    }
    return to;
}

static bool check_choice(const struct option_spec *option, const char *text, struct err *err)
{
    struct suggest suggest = suggest_of(text);
    for (const char *const *choice = option->choices; *choice != NULL; choice++) {
        if (strcmp(*choice, text) == 0) {
            return true;
        }
        suggest_offer(&suggest, *choice);
    }
    char list[512];
    choices_text(list, sizeof list, option->choices);
    if (suggest.best != NULL) {
        return err_set(err, ERR_USAGE, "--%s '%s' is not one of %s (did you mean %s?)",
                       option->name, text, list, suggest.best);
    }
    return err_set(err, ERR_USAGE, "--%s '%s' is not one of %s", option->name, text, list);
}

/* Writes a bound the way the user would write the value. */
static char *bound_text(char to[TEXT_ROOM], enum option_kind kind, int64_t value)
{
    if (kind == OPTION_SIZE) {
        return text_size(to, value);
    }
    if (kind == OPTION_DURATION) {
        return text_duration(to, value);
    }
    snprintf(to, TEXT_ROOM, "%lld", (long long)value);
    return to;
}

static bool read_number(const struct option_spec *option, const char *text, int64_t *ret,
                        struct err *err)
{
    static const struct {
        bool (*parse)(const char *text, int64_t *ret);
        const char *what;
    } kinds[] = {
        [OPTION_NUMBER] = {text_parse_number, "a whole number"},
        [OPTION_SIZE] = {text_parse_size, "a size such as 16M"},
        [OPTION_DURATION] = {text_parse_duration, "a duration such as 10s"},
    };
    if (!kinds[option->kind].parse(text, ret)) {
        return err_set(err, ERR_USAGE, "--%s '%s' is not %s", option->name, text,
                       kinds[option->kind].what);
    }
    bool is_bounded = option->minimum != 0 || option->maximum != 0;
    if (is_bounded && (*ret < option->minimum || *ret > option->maximum)) {
        char least[TEXT_ROOM];
        char most[TEXT_ROOM];
        return err_set(err, ERR_USAGE, "--%s %s is out of range: %s to %s", option->name, text,
                       bound_text(least, option->kind, option->minimum),
                       bound_text(most, option->kind, option->maximum));
    }
    return true;
}

static void append(const char ***items, size_t *count, const char *text)
{
    *items = need(reallocarray(*items, *count + 1, sizeof **items));
    (*items)[(*count)++] = text;
}

/* Validates `text` and keeps it as the option's value. */
static bool set_value(const struct option_spec *option, struct option_value *value,
                      const char *text, struct err *err)
{
    switch (option->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_SWITCH:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return err_set(err, ERR_USAGE, "--%s '%s' is not true or false", option->name, text);
        }
        break;
    case OPTION_NUMBER:
    case OPTION_SIZE:
    case OPTION_DURATION:
        if (!read_number(option, text, &value->number, err)) {
            return false;
        }
        break;
    case OPTION_STRING:
    case OPTION_CHOICE:
    case OPTION_LIST:
        if (option->choices != NULL && !check_choice(option, text, err)) {
            return false;
        }
        if (option->kind == OPTION_LIST) {
            append(&value->items, &value->count, text);
        }
        break;
    }
    value->text = text;
    return true;
}

/* What the user says takes the place of the fallback; only a list grows from then on. */
static bool give(struct parser *parser, size_t index, const char *text)
{
    const struct option_spec *option = &parser->arguments->command->options[index];
    struct option_value *value = &parser->arguments->values[index];
    if (!value->given) {
        value->given = true;
        value->count = 0;
    }
    return set_value(option, value, text, parser->err);
}

/* Takes the next word as the option's value. */
static bool give_next(struct parser *parser, size_t index)
{
    const struct option_spec *option = &parser->arguments->command->options[index];
    if (parser->at + 1 >= parser->count) {
        return err_set(parser->err, ERR_USAGE, "--%s needs a value: --%s %s", option->name,
                       option->name, option->argument);
    }
    return give(parser, index, parser->words[++parser->at]);
}

static bool refuse_unknown(struct parser *parser, const char *name)
{
    const struct command *command = parser->arguments->command;
    struct suggest suggest = suggest_of(name);
    for (size_t i = 0; i < option_count(command); i++) {
        suggest_offer(&suggest, command->options[i].name);
    }
    suggest_offer(&suggest, "help");
    if (suggest.best != NULL) {
        return err_set(parser->err, ERR_USAGE, "unknown option --%s (did you mean --%s?)", name,
                       suggest.best);
    }
    return err_set(parser->err, ERR_USAGE, "unknown option --%s", name);
}

/* One word "--name" or "--name=value". */
static bool read_long(struct parser *parser, const char *word)
{
    const struct command *command = parser->arguments->command;
    const char *equals = strchr(word, '=');
    size_t size = equals != NULL ? (size_t)(equals - word) : strlen(word);
    for (size_t i = 0; i < option_count(command); i++) {
        const struct option_spec *option = &command->options[i];
        if (strlen(option->name) != size || strncmp(option->name, word, size) != 0) {
            continue;
        }
        if (option->kind == OPTION_SWITCH) {
            return give(parser, i, equals != NULL ? equals + 1 : "true");
        }
        if (option->kind != OPTION_FLAG) {
            return equals != NULL ? give(parser, i, equals + 1) : give_next(parser, i);
        }
        if (equals != NULL) {
            return err_set(parser->err, ERR_USAGE, "--%s takes no value", option->name);
        }
        return give(parser, i, "");
    }
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : sizeof name - 1), word);
    return refuse_unknown(parser, name);
}

/* "-I=FILE", "-e=true": as Packetbeat's own command line reads them. */
static bool give_equal(struct parser *parser, size_t index, const char *value)
{
    const struct option_spec *option = &parser->arguments->command->options[index];
    if (option->kind != OPTION_FLAG) {
        return give(parser, index, value);
    }
    if (strcmp(value, "true") == 0) {
        return give(parser, index, "");
    }
    return strcmp(value, "false") == 0 ||
           err_set(parser->err, ERR_USAGE, "-%c '%s' is not true or false", option->letter, value);
}

/* One word "-abc": flags in a row, of which the last may be an option whose value is the rest of
 * the word or the next word. */
static bool read_short(struct parser *parser, const char *word)
{
    const struct command *command = parser->arguments->command;
    bool has_equals = command->single_dash && word[0] != '\0' && word[1] == '=';
    for (const char *letter = word; *letter != '\0'; letter++) {
        size_t i = 0;
        while (i < option_count(command) && command->options[i].letter != *letter) {
            i++;
        }
        if (i == option_count(command)) {
            return err_set(parser->err, ERR_USAGE, "unknown option -%.1s", letter);
        }
        if (command->options[i].kind == OPTION_SWITCH) {
            give(parser, i, "true");
            continue;
        }
        if (has_equals) {
            return give_equal(parser, i, word + 2);
        }
        if (command->options[i].kind != OPTION_FLAG) {
            return letter[1] != '\0' ? give(parser, i, letter + 1) : give_next(parser, i);
        }
        give(parser, i, "");
    }
    return true;
}

void options_operands(const struct command *command, size_t *ret_least, size_t *ret_most)
{
    *ret_least = 0;
    *ret_most = 0;
    const char *at = command->operands != NULL ? command->operands : "";
    while (*at != '\0') {
        size_t size = strcspn(at, " ");
        *ret_least += *at != '[';
        *ret_most += 1;
        if (memmem(at, size, "...", 3) != NULL) {
            *ret_most = SIZE_MAX;
            return;
        }
        at += size + (at[size] == ' ');
    }
}

static bool check_operands(const struct arguments *arguments, struct err *err)
{
    size_t least;
    size_t most;
    options_operands(arguments->command, &least, &most);
    if (arguments->operand_count < least) {
        return err_set(err, ERR_USAGE, "%s is missing", arguments->command->operands);
    }
    if (arguments->operand_count > most) {
        return err_set(err, ERR_USAGE, "'%s' is one too many: %s", arguments->operands[most],
                       most == 0 ? "this command takes options only"
                                 : arguments->command->operands);
    }
    return true;
}

bool options_has_short_help(const struct command *command)
{
    for (size_t i = 0; i < option_count(command); i++) {
        if (command->options[i].letter == 'h') {
            return false;
        }
    }
    return true;
}

static bool is_help(const struct command *command, const char *word)
{
    return strcmp(word, "--help") == 0 ||
           (strcmp(word, "-h") == 0 && options_has_short_help(command));
}

static void arguments_init(struct arguments *arguments, const struct command *command)
{
    size_t count = option_count(command);
    *arguments = (struct arguments){
        .command = command,
        .values = need(calloc(count + 1, sizeof *arguments->values)),
    };
    for (size_t i = 0; i < count; i++) {
        const struct option_spec *option = &command->options[i];
        struct err err = {0};
        bool is_valid = option->fallback == NULL ||
                        set_value(option, &arguments->values[i], option->fallback, &err);
        assert(is_valid && "a fallback that its own table refuses");
    }
}

/* Whether a word behind one dash is a long option, where a command has them so. */
static bool is_single_long(const struct command *command, const char *word)
{
    size_t size = strcspn(word, "=");
    for (size_t i = 0; command->single_dash && i < option_count(command); i++) {
        const char *name = command->options[i].name;
        if (size > 1 && strlen(name) == size && strncmp(name, word, size) == 0) {
            return true;
        }
    }
    return false;
}

enum options_result options_parse(const struct command *command, size_t count, char *const *words,
                                  struct arguments *ret, struct err *err)
{
    arguments_init(ret, command);
    struct parser parser = {.arguments = ret, .words = words, .count = count, .err = err};
    bool only_operands = false;
    for (; parser.at < count; parser.at++) {
        const char *word = words[parser.at];
        bool is_good = true;
        if (only_operands || word[0] != '-' || word[1] == '\0') {
            append(&ret->operands, &ret->operand_count, word);
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (is_help(command, word)) {
            return OPTIONS_HELP;
        } else {
            bool is_long = word[1] == '-' || is_single_long(command, word + 1);
            is_good = is_long ? read_long(&parser, word + 1 + (word[1] == '-'))
                              : read_short(&parser, word + 1);
        }
        if (!is_good) {
            return OPTIONS_BAD;
        }
    }
    return check_operands(ret, err) ? OPTIONS_RUN : OPTIONS_BAD;
}

void options_done(struct arguments *arguments)
{
    for (size_t i = 0; i < option_count(arguments->command); i++) {
        free(arguments->values[i].items);
    }
    free(arguments->values);
    free(arguments->operands);
}

void options_complain(const struct command *command, const char *text)
{
    fprintf(stderr, "vantage %s: %s; see 'vantage %s --help'\n", command->name, text,
            command->name);
}
