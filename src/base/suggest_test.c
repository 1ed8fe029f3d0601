// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"workers", "write", "protocols", "flows", "period", "interface"};

static const char *nearest(const char *word)
{
    struct suggest suggest = suggest_of(word);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        suggest_offer(&suggest, names[i]);
    }
    return suggest.best;
}

static void slips_find_their_name(void **state)
{
    assert_string_equal(nearest("wrokers"), "workers");
    assert_string_equal(nearest("protocls"), "protocols");
    assert_string_equal(nearest("perlod"), "period");
    assert_string_equal(nearest("flow"), "flows");
    assert_string_equal(nearest("inter"), "interface");
}

static void strangers_find_none(void **state)
{
    assert_null(nearest(""));
    assert_null(nearest("x"));
    assert_null(nearest("elasticsearch"));
}

static void long_words_are_refused(void **state)
{
    char word[200];
    memset(word, 'w', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_null(nearest(word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_find_their_name),
        cmocka_unit_test(strangers_find_none),
        cmocka_unit_test(long_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
