// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/expression.h"

static bool matches(const char *pattern, const char *text)
{
    struct expression e;
    char why[200];
    if (!expression_make(&e, span_str(pattern), why, sizeof why)) {
        fail_msg("%s: %s", pattern, why);
    }
    bool ret = expression_matches(&e, span_str(text));
    expression_done(&e);
    return ret;
}

static void patterns_mean_what_their_users_know(void **state)
{
    (void)state;
    assert_true(matches("^\\d+\\.\\d+$", "10.1"));
    assert_false(matches("^\\d+\\.\\d+$", "10x1"));
    assert_true(matches("^[\\w.]+$", "a_1.b"));
    assert_false(matches("^[\\w.]+$", "a\\b"));
    assert_true(matches("^[\\]\\-x]+$", "x-]"));
    assert_false(matches("^[\\]\\-x]+$", "y"));
    assert_true(matches("^[]a]+$", "]a"));
    assert_true(matches("^[^]a]+$", "b"));
    assert_true(matches("^[[:alpha:]_]+$", "a_"));
    assert_true(matches("^(?:a|b)+?$", "ab"));
    assert_true(matches("^(?P<word>a+)$", "aa"));
    assert_true(matches("(?i)HELLO", "hello"));
    assert_true(matches("\\Ax\\z", "x"));
    assert_true(matches("^{a}$", "{a}"));
    assert_true(matches("^a{2}$", "aa"));
    assert_true(matches("^\\t[\\t ]$", "\t "));
    assert_true(matches("", "x"));
    assert_true(matches("^$", ""));
}

static void patterns_without_words_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"(", "a\\", "(?=x)", "(?!x)", "\\pL", "[a", "(?<=x)", "[\\D]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct expression e;
        char why[200];
        if (expression_make(&e, span_str(bad[i]), why, sizeof why)) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void replaced(const char *pattern, const char *by, const char *text, const char *expected)
{
    struct expression e;
    struct json out;
    char why[200];
    json_init(&out);
    assert_true(expression_make(&e, span_str(pattern), why, sizeof why));
    expression_replace(&e, &out, span_str(text), span_str(by));
    json_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    json_done(&out);
    expression_done(&e);
}

static void matches_are_replaced(void **state)
{
    (void)state;
    replaced("[0-9]+", "#", "a1b22", "a#b#");
    replaced("(\\w+)@(\\w+)", "$2 at ${1}", "me@home", "home at me");
    replaced("(?:x)(y)(?P<last>z)", "$2$1$0$$", "xyz", "zyxyz$");
    replaced("x*", "-", "ab", "-a-b-");
    replaced("^a", "", "aab", "ab");
    replaced("b", "$9", "abc", "ac");
    replaced("a", "b", "", "");
}

/* A long text with a match at each byte takes as long as it is. */
static void long_texts_take_no_longer(void **state)
{
    (void)state;
    enum { SIZE = 1 << 14 };
    static char text[SIZE + 1], wanted[SIZE + 1];
    memset(text, 'a', SIZE);
    memset(wanted, 'b', SIZE);
    replaced("a", "b", text, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_their_users_know),
        cmocka_unit_test(patterns_without_words_are_refused),
        cmocka_unit_test(matches_are_replaced),
        cmocka_unit_test(long_texts_take_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
