// SPDX-License-Identifier: Apache-2.0
#include "api/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool trusts(const char *token, const char *host, const char *origin)
{
    struct guard guard;
    const char *why;
    assert_true(guard_init(&guard, "192.0.2.7:10853", token));
    struct guard_request request = {.version = "HTTP/1.1", .host = host, .origin = origin};
    return guard_trusts(&guard, &request, &why);
}

static void test_hosts(void **state)
{
    static const char *const ours[] = {
        "127.0.0.1:10853", "127.0.0.1", "localhost:10853", "LocalHost", "agent.localhost:80",
        "[::1]:10853", "192.0.2.7:10853", "10.0.0.1",
    };
    static const char *const foreign[] = {
        "evil.example", "evil.example:10853", "localhost.evil.example", "127.0.0.1.evil.example",
        "notlocalhost", "", "[::1", "127.0.0.1:x", "127.0.0.1:1:2", "a@127.0.0.1", "[::1]x",
    };
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        assert_true(trusts("", ours[i], NULL));
    }
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        assert_false(trusts("", foreign[i], NULL));
    }
    assert_true(trusts("secret", "probe.example:10853", NULL));
}

static void test_origins(void **state)
{
    assert_true(trusts("", "127.0.0.1:10853", "http://127.0.0.1:10853"));
    assert_true(trusts("", "localhost:10853", "https://localhost:10853"));
    assert_false(trusts("", "127.0.0.1:10853", "http://127.0.0.1:8080"));
    assert_false(trusts("", "127.0.0.1:10853", "http://evil.example"));
    assert_false(trusts("", "127.0.0.1:10853", "null"));
    assert_false(trusts("secret", "127.0.0.1:10853", "http://evil.example"));
}

static void test_missing_host(void **state)
{
    struct guard guard;
    const char *why;
    assert_true(guard_init(&guard, "127.0.0.1:0", ""));
    assert_true(guard_trusts(&guard, &(struct guard_request){.version = "HTTP/1.0"}, &why));
    assert_false(guard_trusts(&guard, &(struct guard_request){.version = "HTTP/1.1"}, &why));
}

static void test_tokens(void **state)
{
    struct guard guard;
    assert_true(guard_init(&guard, "127.0.0.1:0", "secret"));
    assert_true(guard_admits(&guard, "Bearer secret"));
    assert_true(guard_admits(&guard, "bearer secret"));
    assert_false(guard_admits(&guard, NULL));
    assert_false(guard_admits(&guard, ""));
    assert_false(guard_admits(&guard, "Bearer "));
    assert_false(guard_admits(&guard, "Bearer secre"));
    assert_false(guard_admits(&guard, "Bearer secrets"));
    assert_false(guard_admits(&guard, "Basic secret"));
    assert_true(guard_init(&guard, "127.0.0.1:0", ""));
    assert_true(guard_admits(&guard, NULL));
}

/* A token of the greatest length is compared to its end. */
static void test_longest_token(void **state)
{
    struct guard guard;
    char token[GUARD_TOKEN_MAX + 1];
    memset(token, 'x', sizeof(token));
    token[GUARD_TOKEN_MAX] = '\0';
    assert_false(guard_init(&guard, "127.0.0.1:0", token));
    token[GUARD_TOKEN_MAX - 1] = '\0';
    assert_true(guard_init(&guard, "127.0.0.1:0", token));
    char given[GUARD_TOKEN_MAX + 16];
    snprintf(given, sizeof(given), "Bearer %s", token);
    assert_true(guard_admits(&guard, given));
    strcat(given, "x");
    assert_false(guard_admits(&guard, given));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),   cmocka_unit_test(test_origins),
        cmocka_unit_test(test_missing_host), cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_longest_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
