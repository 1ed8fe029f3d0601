// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/csv.h"

static void fields_are_quoted_where_they_must(void **state)
{
    (void)state;
    char room[200];
    struct csv csv = {.data = room, .room = sizeof room};
    const char *fields[] = {"plain", "", "a,b", "say \"x\"", " led", "two\r\nlines", "in side"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        csv_field(&csv, span_str(fields[i]), i == 0);
    }
    csv_end_row(&csv);
    assert_false(csv.full);
    room[csv.size] = '\0';
    assert_string_equal(
        room, "plain,,\"a,b\",\"say \"\"x\"\"\",\" led\",two\\r\\nlines,in side\n");
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    char room[10];
    struct csv csv = {.data = room, .room = sizeof room};
    csv_field(&csv, span_str("abc"), true);
    assert_int_equal(csv.size, 3);
    csv_field(&csv, span_str("abcd"), false);
    assert_true(csv.full);
    assert_int_equal(csv.size, 3);
    csv_end_row(&csv);
    assert_int_equal(csv.size, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted_where_they_must),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
