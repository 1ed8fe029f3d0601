// SPDX-License-Identifier: Apache-2.0
#include "api/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_split(void **state)
{
    char host[256];
    char port[8];
    assert_true(listener_split("127.0.0.1:80", host, port));
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(port, "80");
    assert_true(listener_split("[fe80::1]:10853", host, port));
    assert_string_equal(host, "fe80::1");
    assert_true(listener_split("localhost", host, port));
    assert_string_equal(port, "");
    static const char *const bad[] = {"[::1", "::1", "a:b", "a:123456789", "[::1]80", "a:1:2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(listener_split(bad[i], host, port));
    }
    char longest[300];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_false(listener_split(longest, host, port));
}

static void expect_failure(const char *listen, enum err_code code, const char *part)
{
    char address[LISTENER_ADDRESS_MAX];
    struct err err = {0};
    assert_int_equal(listener_open(listen, address, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, part));
    assert_null(strchr(err.text, '\n'));
}

static void test_open(void **state)
{
    char address[LISTENER_ADDRESS_MAX];
    char second[LISTENER_ADDRESS_MAX];
    struct err err = {0};
    int fd = listener_open("localhost:0", address, &err);
    assert_true(fd >= 0);
    expect_failure(address, ERR_FAILED, "is taken by another program");
    close(fd);
    fd = listener_open(address, second, &err);
    assert_true(fd >= 0);
    assert_string_equal(address, second);
    close(fd);
}

static void test_refusals(void **state)
{
    expect_failure("10853", ERR_USAGE, "is not ADDRESS:PORT");
    expect_failure("", ERR_USAGE, "is not ADDRESS:PORT");
    expect_failure("127.0.0.1:", ERR_USAGE, "is not ADDRESS:PORT");
    expect_failure("192.0.2.123:0", ERR_FAILED, "no interface of this machine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
