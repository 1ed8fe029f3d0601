// SPDX-License-Identifier: Apache-2.0
#include "engine/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config *load(const char *yaml)
{
    struct config_problems problems;
    struct config *config = config_parse("text", span_str(yaml), &problems);
    if (config == NULL) {
        print_error("%s\n", problems.lines[0]);
    }
    config_problems_done(&problems);
    assert_non_null(config);
    return config;
}

/* What config_print() or, without a config, config_reference() writes; to be freed. */
static char *text_of(const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (config != NULL) {
        config_print(config, out);
    } else {
        config_reference(out);
    }
    fclose(out);
    return text;
}

/* Blanks out the notes behind the values. */
static char *without_notes(char *text)
{
    for (char *at = text; (at = strstr(at, "# default")) != NULL;) {
        memset(at, ' ', strlen("# default"));
    }
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        while (*at == '\n' && to > text && to[-1] == ' ') {
            to--;
        }
        *to++ = *at;
    }
    *to = '\0';
    return text;
}

/* Switches on what the reference has switched off: "#key:" becomes "key:", "# Text" stays. */
static char *switched_on(char *text)
{
    char *to = text;
    bool is_indent = true;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '#' && is_indent && at[1] != ' ' && at[1] != '\n') {
            continue;
        }
        is_indent = *at == '\n' || (is_indent && *at == ' ');
        *to++ = *at;
    }
    *to = '\0';
    return text;
}

static void what_is_printed_loads_the_same(void **state)
{
    struct config *config =
        load("taps: [{filter: \"host 1.2.3.4 and tcp[13] & 2 != 0\", interfaces: [eth0, \"a b\"]},"
             " {kind: pcapfile, name: 'x: y', files: ['-', '$${HOME}/\\x', \"\\x07#\", ' ', 'no']}]\n"
             "outputs: [{kind: file, path: 'ä'}, {}]\n"
             "flows: {period: -1s, icmp_timeout: 90s}\n"
             "limits: {memory: 300000001, flows: 1000}\n");
    char *once = without_notes(text_of(config));
    struct config *again = load(once);
    char *twice = without_notes(text_of(again));
    assert_string_equal(once, twice);
    assert_string_equal(again->taps[1].files.items[1], "${HOME}/\\x");
    free(once);
    free(twice);
    config_free(config);
    config_free(again);
}

static void defaults_are_marked_and_secrets_hidden(void **state)
{
    struct config *config = load("api: {token: topsecret}\nflows: {timeout: 30s}\n");
    char *text = text_of(config);
    assert_null(strstr(text, "topsecret"));
    assert_non_null(strstr(text, "  token: \"********\"                  # hidden\n"));
    assert_non_null(strstr(text, "  timeout: 30s\n"));
    assert_non_null(strstr(text, "  period: 10s                        # default\n"));
    free(text);
    config_free(config);
}

static void the_reference_is_the_default(void **state)
{
    struct config *defaults = config_new();
    char *reference = text_of(NULL);
    struct config *loaded = load(reference);
    char *expected = without_notes(text_of(defaults));
    char *actual = without_notes(text_of(loaded));
    assert_string_equal(actual, expected);
    free(reference);
    free(expected);
    free(actual);
    config_free(defaults);
    config_free(loaded);
}

static void every_line_of_the_reference_loads(void **state)
{
    char *reference = switched_on(text_of(NULL));
    struct config *config = load(reference);
    assert_true(config->tap_count >= 2);
    assert_true(config->output_count >= 2);
    for (const char *line = reference; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 80);
    }
    free(reference);
    config_free(config);
}

static void the_page_in_docs_is_up_to_date(void **state)
{
    FILE *file = fopen("../../docs/vantage.yml", "re");
    if (file == NULL) {
        skip();
    }
    char page[64 << 10];
    size_t size = fread(page, 1, sizeof page - 1, file);
    page[size] = '\0';
    fclose(file);
    char *reference = text_of(NULL);
    if (strcmp(page, reference) != 0) {
        fail_msg("docs/vantage.yml is out of date: vantage help --config > docs/vantage.yml");
    }
    free(reference);
}

static void a_key_is_set_by_its_path(void **state)
{
    struct config *config = config_new();
    struct err err = {0};
    assert_true(config_set(config, "limits.workers", "4", &err));
    assert_int_equal(config->limits.workers, 4);
    assert_true(config_set(config, "api.listen", "[::]:80", &err));
    assert_false(config_check(config, &err));
    assert_non_null(strstr(err.text, "open to the network"));
    err = (struct err){0};
    assert_true(config_set(config, "api.token", "x", &err));
    assert_true(config_check(config, &err));
    assert_false(config_set(config, "limits.wrokers", "4", &err));
    assert_string_equal(err.text, "unknown key 'limits.wrokers' (did you mean 'limits.workers'?)");
    err = (struct err){0};
    assert_false(config_set(config, "flows.period", "soon", &err));
    assert_int_equal(err.code, ERR_USAGE);
    err = (struct err){0};
    assert_false(config_set(config, "taps", "x", &err));
    err = (struct err){0};
    config->flows.period = 10000000; /* as a command may: no text was read */
    assert_false(config_check(config, &err));
    assert_string_equal(err.text, "flows.period 10ms is out of range: 1s to 1d, or -1s");
    config_free(config);
}

static void commands_bring_their_own(void **state)
{
    struct config *config = config_new();
    config_clear_taps(config);
    struct config_tap *tap = config_add_tap(config, "pcapfile");
    config_list_add(config, &tap->files, "a.pcap");
    assert_string_equal(tap->name, "pcapfile");
    assert_string_equal(config_add_tap(config, "pcapfile")->name, "pcapfile2");
    struct config_tap *live = config_add_tap(config, "afpacket");
    assert_string_equal(live->interfaces.items[0], "auto");
    config_list_add(config, &live->interfaces, "eth0"); /* takes the default's place */
    config_list_add(config, &live->interfaces, "eth1");
    assert_int_equal(live->interfaces.count, 2);
    assert_string_equal(live->interfaces.items[0], "eth0");
    assert_string_equal(config_add_output(config, "file")->path, "vantage.ndjson");
    struct err err = {0};
    assert_false(config_check(config, &err)); /* the second has nothing to read */
    while (config_add_tap(config, "afpacket") != NULL) {
    }
    assert_int_equal(config->tap_count, CONFIG_TAPS_MAX);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_loads_the_same),
        cmocka_unit_test(defaults_are_marked_and_secrets_hidden),
        cmocka_unit_test(the_reference_is_the_default),
        cmocka_unit_test(every_line_of_the_reference_loads),
        cmocka_unit_test(the_page_in_docs_is_up_to_date),
        cmocka_unit_test(a_key_is_set_by_its_path),
        cmocka_unit_test(commands_bring_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
