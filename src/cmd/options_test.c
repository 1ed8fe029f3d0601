// SPDX-License-Identifier: Apache-2.0
#include "cmd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const formats[] = {"report", "events", "summary", NULL};

static const struct option_spec options[] = {
    {.name = "config", .letter = 'c', .kind = OPTION_STRING, .argument = "FILE"},
    {.name = "output", .letter = 'o', .kind = OPTION_CHOICE, .argument = "FORMAT",
     .choices = formats, .fallback = "report"},
    {.name = "workers", .letter = 'j', .kind = OPTION_NUMBER, .argument = "N", .fallback = "1",
     .minimum = 1, .maximum = 64},
    {.name = "ring", .kind = OPTION_SIZE, .argument = "SIZE", .fallback = "16M"},
    {.name = "period", .kind = OPTION_DURATION, .argument = "TIME", .fallback = "10s"},
    {.name = "interface", .letter = 'i', .kind = OPTION_LIST, .argument = "NAME",
     .fallback = "auto"},
    {.name = "promiscuous", .letter = 'p', .kind = OPTION_FLAG},
    {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG},
    {0},
};

static const struct command sample = {
    .name = "read", .summary = "reads", .operands = "FILE...", .options = options};
static const struct command single = {.name = "live", .summary = "captures", .operands = "[IFACE]"};

/* Parses up to eight words, NULL-terminated in `...`. */
static enum options_result parse(const struct command *command, struct arguments *arguments,
                                 struct err *err, ...)
{
    char *words[8];
    size_t count = 0;
    va_list args;
    va_start(args, err);
    for (char *word; (word = va_arg(args, char *)) != NULL;) {
        words[count++] = word;
    }
    va_end(args);
    *err = (struct err){0};
    return options_parse(command, count, words, arguments, err);
}

static void refuses(const char *text, const char *word, const char *next)
{
    struct arguments arguments;
    struct err err;
    assert_int_equal(parse(&sample, &arguments, &err, "a.pcap", word, next, NULL), OPTIONS_BAD);
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, ERR_USAGE);
    options_done(&arguments);
}

static void defaults_hold(void **state)
{
    struct arguments arguments;
    struct err err;
    size_t count;
    assert_int_equal(parse(&sample, &arguments, &err, "a.pcap", NULL), OPTIONS_RUN);
    assert_null(arguments_string(&arguments, "config"));
    assert_string_equal(arguments_string(&arguments, "output"), "report");
    assert_int_equal(arguments_number(&arguments, "workers"), 1);
    assert_int_equal(arguments_number(&arguments, "ring"), 16 << 20);
    assert_true(arguments_number(&arguments, "period") == 10000000000);
    assert_string_equal(arguments_list(&arguments, "interface", &count)[0], "auto");
    assert_int_equal(count, 1);
    assert_false(arguments_flag(&arguments, "promiscuous"));
    assert_false(arguments_given(&arguments, "output"));
    options_done(&arguments);
}

static void every_spelling_is_read(void **state)
{
    struct arguments arguments;
    struct err err;
    size_t count;
    assert_int_equal(parse(&sample, &arguments, &err, "--output=events", "a.pcap", "-pqj4", "-i",
                           "eth0", "--interface", "eth1", NULL),
                     OPTIONS_RUN);
    assert_string_equal(arguments_string(&arguments, "output"), "events");
    assert_true(arguments_given(&arguments, "output"));
    assert_true(arguments_flag(&arguments, "promiscuous") && arguments_flag(&arguments, "quiet"));
    assert_int_equal(arguments_number(&arguments, "workers"), 4);
    const char *const *items = arguments_list(&arguments, "interface", &count);
    assert_int_equal(count, 2);
    assert_string_equal(items[0], "eth0");
    assert_string_equal(items[1], "eth1");
    assert_string_equal(arguments_operand(&arguments, 0), "a.pcap");
    assert_null(arguments_operand(&arguments, 1));
    options_done(&arguments);
}

static void a_value_may_begin_with_a_dash(void **state)
{
    struct arguments arguments;
    struct err err;
    assert_int_equal(parse(&sample, &arguments, &err, "--period", "-1s", "-", "--", "-x", NULL),
                     OPTIONS_RUN);
    assert_true(arguments_number(&arguments, "period") == -1000000000);
    assert_int_equal(arguments_operand_count(&arguments), 2);
    assert_string_equal(arguments_operand(&arguments, 0), "-");
    assert_string_equal(arguments_operand(&arguments, 1), "-x");
    options_done(&arguments);
}

static void faults_are_named(void **state)
{
    refuses("unknown option --wrokers (did you mean --workers?)", "--wrokers=3", NULL);
    refuses("unknown option --elasticsearch", "--elasticsearch", NULL);
    refuses("unknown option -z", "-pz", NULL);
    refuses("--workers 'many' is not a whole number", "-j", "many");
    refuses("--workers 65 is out of range: 1 to 64", "--workers", "65");
    refuses("--ring '16Q' is not a size such as 16M", "--ring=16Q", NULL);
    refuses("--period '10' is not a duration such as 10s", "--period", "10");
    refuses("--output 'event' is not one of report, events or summary (did you mean events?)", "-o",
            "event");
    refuses("--config needs a value: --config FILE", "-c", NULL);
    refuses("--quiet takes no value", "--quiet=yes", NULL);
}

static void operands_are_counted(void **state)
{
    struct arguments arguments;
    struct err err;
    assert_int_equal(parse(&sample, &arguments, &err, NULL), OPTIONS_BAD);
    assert_string_equal(err.text, "FILE... is missing");
    options_done(&arguments);
    assert_int_equal(parse(&single, &arguments, &err, NULL), OPTIONS_RUN);
    options_done(&arguments);
    assert_int_equal(parse(&single, &arguments, &err, "eth0", "eth1", NULL), OPTIONS_BAD);
    assert_string_equal(err.text, "'eth1' is one too many: [IFACE]");
    options_done(&arguments);
}

static void help_wins(void **state)
{
    struct arguments arguments;
    struct err err;
    assert_int_equal(parse(&sample, &arguments, &err, "-q", "--help", "--nonsense", NULL),
                     OPTIONS_HELP);
    options_done(&arguments);
    assert_int_equal(parse(&single, &arguments, &err, "-h", NULL), OPTIONS_HELP);
    options_done(&arguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold),
        cmocka_unit_test(every_spelling_is_read),
        cmocka_unit_test(a_value_may_begin_with_a_dash),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(help_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
