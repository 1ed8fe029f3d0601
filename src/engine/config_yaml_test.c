// SPDX-License-Identifier: Apache-2.0
#include "engine/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/node.h"

static struct config *load(const char *yaml)
{
    struct config_problems problems;
    struct config *config = config_parse("vantage.yml", span_str(yaml), &problems);
    if (config == NULL) {
        print_error("%s\n", problems.lines[0]);
    }
    config_problems_done(&problems);
    assert_non_null(config);
    return config;
}

/* The file must be refused with this as its first problem. */
static void refuses(const char *yaml, const char *line)
{
    struct config_problems problems;
    assert_null(config_parse("vantage.yml", span_str(yaml), &problems));
    assert_true(problems.count > 0);
    assert_string_equal(problems.lines[0], line);
    config_problems_done(&problems);
}

static void an_empty_file_is_the_default(void **state)
{
    static const char *const empty[] = {"", "# nothing\n", "---\n", "{}\n", "flows:\napi: ~\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct config *config = load(empty[i]);
        assert_int_equal(config->tap_count, 1);
        assert_string_equal(config->taps[0].kind, "afpacket");
        assert_string_equal(config->taps[0].interfaces.items[0], "auto");
        assert_int_equal(config->taps[0].ring_size, 64 << 20);
        assert_true(config->flows.enabled && config->flows.timeout == 30000000000);
        assert_int_equal(config->output_count, 0);
        assert_string_equal(config->api.listen, "127.0.0.1:10853");
        assert_string_equal(config->api.token, "");
        assert_true(config->limits.memory > 0 && config->limits.memory <= 2ll << 30);
        assert_int_equal(config->log_level, LOG_LEVEL_INFO);
        config_free(config);
    }
}

static void values_arrive(void **state)
{
    struct config *config = load("taps:\n"
                                 "  - {name: uplink, interfaces: [eth0, eth1], filter: 'port 53'}\n"
                                 "  - kind: pcapfile\n"
                                 "    files: a.pcap\n"
                                 "flows: {period: -1s, udp_timeout: 5s, deltas: yes}\n"
                                 "outputs: [{kind: file, path: /tmp/x, rotate_size: 10MB}]\n"
                                 "limits: {memory: 256M, workers: 4}\n"
                                 "logging: {level: debug}\n");
    assert_int_equal(config->tap_count, 2);
    assert_string_equal(config->taps[0].name, "uplink");
    assert_int_equal(config->taps[0].interfaces.count, 2);
    assert_string_equal(config->taps[0].interfaces.items[1], "eth1");
    assert_string_equal(config->taps[0].filter, "port 53");
    assert_string_equal(config->taps[1].name, "pcapfile");
    assert_string_equal(config->taps[1].files.items[0], "a.pcap");
    assert_int_equal(config->taps[1].interfaces.count, 0);
    assert_true(config->flows.period < 0 && config->flows.deltas);
    assert_true(config->flows.udp_timeout == 5000000000);
    assert_int_equal(config->outputs[0].rotate_size, 10000000);
    assert_int_equal(config->outputs[0].keep, 7);
    assert_int_equal(config->limits.memory, 256 << 20);
    assert_int_equal(config->limits.workers, 4);
    assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
    config_free(config);
}

static void unknown_keys_are_named(void **state)
{
    refuses("protocls: []\n", "vantage.yml:1:1: unknown key 'protocls' (did you mean "
                              "'protocols'?)");
    refuses("flows:\n  tiemout: 10s\n", "vantage.yml:2:3: unknown key 'tiemout' (did you mean "
                                        "'timeout'?)");
    refuses("taps:\n  - interface: [eth0]\n", "vantage.yml:2:5: unknown key 'interface' (did you "
                                              "mean 'interfaces'?)");
    refuses("elasticsearch: 1\n", "vantage.yml:1:1: unknown key 'elasticsearch'");
    refuses("\"\\e[2J\": 1\n", "vantage.yml:1:1: unknown key '?[2J'");
    refuses("alerts: []\n", "vantage.yml:1:1: 'alerts' is not supported yet: leave it out");
    refuses("flows.timeout: 1s\n", "vantage.yml:1:1: 'flows.timeout' is written as 'timeout' below "
                                   "'flows:'");
    refuses("taps:\n  - {kind: pcapfile, files: [x], ring_size: 1M}\n",
            "vantage.yml:2:34: 'ring_size' is for kind afpacket, and this is pcapfile");
}

static void wrong_values_are_named(void **state)
{
    refuses("limits: {workers: many}\n",
            "vantage.yml:1:19: limits.workers 'many' is not a whole number");
    refuses("limits: {workers: 65}\n", "vantage.yml:1:19: limits.workers 65 is out of range: 1 to "
                                       "64");
    refuses("flows: {period: 10ms}\n", "vantage.yml:1:17: flows.period 10ms is out of range: 1s to "
                                       "1d, or -1s");
    refuses("flows: {timeout: 10}\n", "vantage.yml:1:18: flows.timeout '10' is not a duration such "
                                      "as 10s");
    refuses("flows: {deltas: maybe}\n", "vantage.yml:1:17: flows.deltas 'maybe' is not true or "
                                        "false");
    refuses("limits: {memory: lots}\n", "vantage.yml:1:18: limits.memory 'lots' is not a size such "
                                        "as 512M, or auto");
    refuses("limits: {memory: 1M}\n", "vantage.yml:1:18: limits.memory 1M is out of range: 16M or "
                                      "more");
    refuses("logging: {level: inof}\n", "vantage.yml:1:18: logging.level 'inof' is not one of "
                                        "error, warning, info, debug (did you mean info?)");
    refuses("flows: [1]\n", "vantage.yml:1:8: flows is a list, not a mapping of keys");
    refuses("outputs: {}\n", "vantage.yml:1:10: outputs is a mapping, not a list: begin each item "
                             "with '- '");
    refuses("taps: [eth0]\n", "vantage.yml:1:8: taps holds a single value, not mappings of keys");
    refuses("api: {listen: [a]}\n", "vantage.yml:1:15: api.listen is a list, not a single value");
    refuses("[]\n", "vantage.yml:1:1: a configuration is a mapping of keys such as 'taps:'");
}

static void broken_yaml_is_named(void **state)
{
    refuses("flows: {timeout: 10s\n", "vantage.yml:2:1: this is not YAML: did not find expected ',' "
                                      "or '}'");
    refuses("flows: {}\nflows: {}\n", "vantage.yml:2:1: 'flows' is there twice");
    refuses("api: {token: a, token: b}\n", "vantage.yml:1:17: 'api.token' is there twice");
    refuses("{}\n---\nflows: {}\n", "vantage.yml:2:1: a second document begins here: one file, "
                                    "one document");
    refuses("flows:\n\tperiod: 1s\n", "vantage.yml:2:1: this is not YAML: found character that "
                                      "cannot start any token");
    refuses("\xff\xfe\xff", "vantage.yml:1:1: this is not YAML: incomplete UTF-16 character");
    refuses("api: {token: \"a\\0b\"}\n", "vantage.yml:1:14: a value with a NUL character, or beyond "
                                         "65536 bytes");
}

static void all_problems_are_told(void **state)
{
    struct config_problems problems;
    assert_null(config_parse("x", span_str("a: 1\nflows: {b: 1}\nlimits: {workers: 0}\n"),
                             &problems));
    assert_int_equal(problems.count, 3);
    config_problems_done(&problems);
}

static void variables_are_expanded(void **state)
{
    setenv("VANTAGE_TEST", "10s", 1);
    unsetenv("VANTAGE_NONE");
    struct config *config = load("flows: {timeout: '${VANTAGE_TEST}', period: '${VANTAGE_NONE:7s}'}\n"
                                 "api: {token: 'a${VANTAGE_NONE:}b$${c}${VANTAGE_TEST:x}$'}\n");
    assert_true(config->flows.timeout == 10000000000);
    assert_true(config->flows.period == 7000000000);
    assert_string_equal(config->api.token, "ab${c}10s$");
    config_free(config);
    refuses("api:\n  token: ${VANTAGE_NONE}\n",
            "vantage.yml:2:10: environment variable VANTAGE_NONE is not set: set it, or give a "
            "default as ${VANTAGE_NONE:default}");
    refuses("api:\n  token: ${VANTAGE\n",
            "vantage.yml:2:10: '${' without '}': write $${ for the characters themselves");
    setenv("VANTAGE_TEST", "x\ntaps: []", 1);
    refuses("flows: {timeout: '${VANTAGE_TEST}'}\n", /* a value never becomes structure */
            "vantage.yml:1:18: flows.timeout 'x?taps: []' is not a duration such as 10s");
}

static void variables_are_expanded_in_processors(void **state)
{
    setenv("VANTAGE_TEST", "drop: me", 1);
    unsetenv("VANTAGE_NONE");
    struct config *config = load("processors:\n"
                                 "- drop_event: {when: {equals: {a: '${VANTAGE_TEST}'}}}\n"
                                 "- truncate_fields:\n"
                                 "    fields: [b]\n"
                                 "    max_bytes: ${VANTAGE_NONE:7}\n");
    const struct node *first = config->processors->first;
    assert_true(node_is(node_find(first, span_str("drop_event.when.equals.a")), "drop: me"));
    const struct node *bytes = node_find(first->next, span_str("truncate_fields.max_bytes"));
    assert_true(node_is(bytes, "7") && bytes->kind == NODE_NUMBER);
    config_free(config);
    refuses("processors:\n- add_tags: {tags: ['${VANTAGE_NONE}']}\n",
            "vantage.yml:2:21: environment variable VANTAGE_NONE is not set: set it, or give a "
            "default as ${VANTAGE_NONE:default}");
    refuses("processors:\n- script: {lang: javascript}\n",
            "vantage.yml:2:3: the processor script is not available: there is no interpreter; "
            "conditions and dissect may do");
    refuses("processors:\n- add_docker_metadata: ~\n",
            "vantage.yml:2:3: add_docker_metadata does nothing here: take it out");
}

static void the_network_is_not_let_in_by_accident(void **state)
{
    refuses("api:\n  listen: 0.0.0.0:10853\n",
            "vantage.yml:2:11: api.listen 0.0.0.0:10853 is open to the network, and there is no "
            "api.token: set one (openssl rand -hex 16), or listen on 127.0.0.1");
    static const char *const good[] = {
        "api: {listen: '0.0.0.0:10853', token: secret}", "api: {listen: '127.9.9.9:1'}",
        "api: {listen: '[::1]:10853'}",                  "api: {listen: 'localhost:0'}",
        "api: {listen: '0.0.0.0:1', enabled: false}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        config_free(load(good[i]));
    }
    static const char *const bad[] = {
        "api: {listen: '[::]:10853'}",   "api: {listen: 'example.org:80'}", "api: {listen: ':80'}",
        "api: {listen: '127.0.0.1'}",    "api: {listen: '::1:80'}",         "api: {listen: ''}",
        "api: {listen: '127.0.0.1:x'}",  "api: {listen: '1.2.3.4:5', token: }",
        "api: {listen: '[::ffff:127.0.0.1]:1'}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct config_problems problems;
        assert_null(config_parse("x", span_str(bad[i]), &problems));
        config_problems_done(&problems);
    }
}

static void items_have_their_rules(void **state)
{
    refuses("taps:\n  - kind: pcapfile\n", "vantage.yml:2:5: tap 'pcapfile' has nothing to read: "
                                           "set 'files'");
    refuses("taps:\n  - name: a\n  - name: a\n", "vantage.yml:3:5: two taps are named 'a': give "
                                                 "one another name");
    struct config_problems problems;
    assert_null(config_parse("x", span_str("taps: [{kind: afpakcet}]"), &problems));
    assert_non_null(strstr(problems.lines[0], "x:1:15: kind 'afpakcet' is not one of "));
    assert_non_null(strstr(problems.lines[0], "(did you mean afpacket?)"));
    config_problems_done(&problems);
    refuses("outputs:\n  - {kind: file, path: ''}\n", "vantage.yml:2:5: this output has nowhere to "
                                                      "write: set 'path'");
}

static void bombs_do_not_go_off(void **state)
{
    char yaml[8192] = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c <= 'z'; c++) {
        char line[64];
        snprintf(line, sizeof line, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1,
                 c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
        strcat(yaml, line);
    }
    strcat(yaml, "taps: [{interfaces: *z}]\n");
    struct config_problems problems;
    assert_null(config_parse("x", span_str(yaml), &problems));
    assert_int_equal(problems.count, CONFIG_PROBLEMS_MAX);
    config_problems_done(&problems);
    refuses("taps: &a [*a]\n", "vantage.yml:1:7: taps holds a list, not mappings of keys");
    refuses("flows: &a {timeout: *a}\n", "vantage.yml:1:8: flows.timeout is a mapping, not a single "
                                         "value");
    struct config *config = load("taps: [&t {filter: port 53}]\n");
    config_free(config);
}

static void lists_and_files_are_bounded(void **state)
{
    size_t size = CONFIG_FILE_MAX + 1;
    char *yaml = malloc(size);
    memset(yaml, '#', size);
    struct config_problems problems;
    assert_null(config_parse("x", span_of(yaml, size), &problems));
    config_problems_done(&problems);
    size = (size_t)sprintf(yaml, "taps: [{interfaces: [");
    for (int i = 0; i <= CONFIG_ITEMS_MAX; i++) {
        size += (size_t)sprintf(yaml + size, "e,");
    }
    sprintf(yaml + size, "]}]\n");
    refuses(yaml, "vantage.yml:1:2070: interfaces has more than 1024 items");
    size = (size_t)sprintf(yaml, "taps:\n");
    for (int i = 0; i <= CONFIG_TAPS_MAX; i++) {
        size += (size_t)sprintf(yaml + size, "- {}\n");
    }
    refuses(yaml, "vantage.yml:18:3: taps has more than 16 items");
    free(yaml);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct config_problems problems;
    assert_null(config_load("/nonexistent/vantage.yml", &problems));
    assert_string_equal(problems.lines[0], "/nonexistent/vantage.yml: No such file or directory");
    config_problems_done(&problems);
    assert_null(config_load("/", &problems));
    assert_string_equal(problems.lines[0], "/: Is a directory");
    config_problems_done(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_the_default),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(unknown_keys_are_named),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(broken_yaml_is_named),
        cmocka_unit_test(all_problems_are_told),
        cmocka_unit_test(variables_are_expanded),
        cmocka_unit_test(variables_are_expanded_in_processors),
        cmocka_unit_test(the_network_is_not_let_in_by_accident),
        cmocka_unit_test(items_have_their_rules),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(lists_and_files_are_bounded),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
