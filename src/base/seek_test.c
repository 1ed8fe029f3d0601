// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/seek.h"

enum { MOST = 70 };

/* Memory of just that size, so that a byte beyond it is found out. */
static uint8_t *filled(size_t size, uint8_t with)
{
    uint8_t *data = malloc(size > 0 ? size : 1);
    assert_non_null(data);
    memset(data, with, size);
    return data;
}

static void finds_a_byte_wherever_it_is(void **state)
{
    (void)state;
    for (size_t size = 0; size < MOST; size++) {
        uint8_t *data = filled(size, 'x');
        struct span s = span_of(data, size);
        assert_int_equal(seek_byte(s, 0, '\n'), size);
        for (size_t at = 0; at < size; at++) {
            data[at] = '\n';
            for (size_t from = 0; from <= size; from++) {
                assert_int_equal(seek_byte(s, from, '\n'), from <= at ? at : size);
            }
            data[at] = 'x';
        }
        assert_int_equal(seek_byte(s, size + 3, '\n'), size);
        free(data);
    }
}

static void finds_the_first_of_several(void **state)
{
    (void)state;
    struct span s = span_str("abcabcabcabcabcabcabcabcabc");
    assert_int_equal(seek_byte(s, 0, 'c'), 2);
    assert_int_equal(seek_byte(s, 3, 'c'), 5);
    assert_int_equal(seek_byte(s, 17, 'a'), 18);
}

static void finds_empty_lines(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n\n", "\n\r\n"};
    for (size_t size = 3; size < MOST; size++) {
        for (size_t at = 0; at + 3 <= size; at++) {
            for (unsigned k = 0; k < 2; k++) {
                uint8_t *data = filled(size, 'x');
                memcpy(data + at, ends[k], strlen(ends[k]));
                assert_int_equal(seek_empty_line(span_of(data, size), 0), at);
                assert_int_equal(seek_empty_line(span_of(data, size), at + 1), size);
                free(data);
            }
        }
    }
}

static void is_not_fooled_by_halves_of_empty_lines(void **state)
{
    (void)state;
    static const char *const texts[] = {"",      "\n",     "\r\n",      "a\n\r", "a\r\nb\r\nc",
                                        "\n\rb", "\r\r\n", "a\nb\nc\n", "a\n\r\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct span s = span_str(texts[i]);
        assert_int_equal(seek_empty_line(s, 0), s.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_byte_wherever_it_is),
        cmocka_unit_test(finds_the_first_of_several),
        cmocka_unit_test(finds_empty_lines),
        cmocka_unit_test(is_not_fooled_by_halves_of_empty_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
