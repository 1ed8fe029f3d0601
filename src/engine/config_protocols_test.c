// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/config_protocols.h"
#include "proto/proto.h"

static struct config *parse(const char *yaml)
{
    struct config_problems problems;
    struct config *config = config_parse("vantage.yml", span_str(yaml), &problems);
    for (size_t i = 0; i < problems.count; i++) {
        print_error("%s\n", problems.lines[i]);
    }
    config_problems_done(&problems);
    return config;
}

static void refuses(const char *yaml, const char *problem)
{
    struct config_problems problems;
    assert_null(config_parse("vantage.yml", span_str(yaml), &problems));
    assert_string_equal(problems.lines[0], problem);
    config_problems_done(&problems);
}

static const struct proto_settings *settings(const struct config *config, const char *name)
{
    struct err err = {0};
    struct config_protocol *protocol = config_protocol_named(config, name, &err);
    return protocol != NULL ? protocol->options : NULL;
}

static void options_have_their_defaults(void **state)
{
    (void)state;
    struct config *config = config_new();
    const struct proto_settings *http = settings(config, "http");
    assert_true(http->enabled && !http->only_ports && !http->send_request);
    assert_int_equal(http->transaction_timeout, INT64_C(10000000000));
    assert_string_equal(http->ports.items[0], "80");
    assert_int_equal(settings(config, "nfs")->transaction_timeout, INT64_C(60000000000));
    assert_true(settings(config, "cassandra")->send_request && !http->send_response);
    assert_null(settings(config, "net")); /* it reads headers only: there is nothing to choose */
    config_free(config);
}

static void options_arrive(void **state)
{
    (void)state;
    struct config *config = parse("protocols:\n"
                                  "  http: {ports: [81, 8000-8010], send_request: true}\n"
                                  "  redis: {enabled: false, transaction_timeout: 3s}\n");
    const struct proto_settings *http = settings(config, "http");
    assert_int_equal(http->ports.count, 2);
    assert_string_equal(http->ports.items[1], "8000-8010");
    assert_true(http->send_request);
    assert_false(settings(config, "redis")->enabled);
    assert_int_equal(settings(config, "redis")->transaction_timeout, INT64_C(3000000000));
    config_free(config);
}

static void options_are_set_by_their_path(void **state)
{
    (void)state;
    struct config *config = config_new();
    struct err err = {0};
    assert_true(config_set(config, "protocols.http.ports", "81,82", &err));
    assert_string_equal(settings(config, "http")->ports.items[1], "82");
    assert_false(config_set(config, "protocols.http.prots", "81", &err));
    assert_string_equal(err.text, "unknown key 'prots' (did you mean 'ports'?)");
    err = (struct err){0};
    assert_false(config_set(config, "protocols.http.ports", "70000", &err));
    err = (struct err){0};
    assert_false(config_set(config, "protocols.htpt.ports", "81", &err));
    assert_string_equal(err.text, "unknown protocol 'htpt' (did you mean 'http'?)");
    config_free(config);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuses("protocols:\n  htp: {}\n",
            "vantage.yml:2:3: unknown protocol 'htp' (did you mean 'http'?)");
    refuses("protocols:\n  http: {prots: [80]}\n",
            "vantage.yml:2:10: unknown key 'prots' (did you mean 'ports'?)");
    refuses("protocols:\n  http: {ports: [80, 1-x]}\n",
            "vantage.yml:2:9: ports: '1-x' is neither a port nor a range as 8000-8010, of 1 to "
            "65535");
    refuses("protocols: [http]\n",
            "vantage.yml:1:12: protocols is a list, not a mapping of protocols");
    refuses("protocols:\n  http: yes\n",
            "vantage.yml:2:9: http is a single value, not a mapping of keys");
    refuses("protocols:\n  http: {send_request: maybe}\n",
            "vantage.yml:2:24: send_request 'maybe' is not true or false");
}

static void ports_are_read(void **state)
{
    (void)state;
    struct config_ports ports;
    assert_true(config_port_range("80", &ports) && ports.low == 80 && ports.high == 80);
    assert_true(config_port_range("1-65535", &ports) && ports.low == 1 && ports.high == 65535);
    static const char *const wrong[] = {"", "-", "0", "65536", "9-8", "8-", "x", "1-2-3", "123456789"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(config_port_range(wrong[i], &ports));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_have_their_defaults),
        cmocka_unit_test(options_arrive),
        cmocka_unit_test(options_are_set_by_their_path),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(ports_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
