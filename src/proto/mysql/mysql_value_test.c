// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/mysql/mysql_value.h"

enum { TEXT = 253 };

static void assert_value(uint8_t type, bool is_unsigned, const char *bytes, size_t size,
                         const char *expected)
{
    char room[MYSQL_VALUE_ROOM];
    struct cursor c = cursor_of(span_of(bytes, size));
    struct span text = mysql_value(&c, (struct mysql_kind){type, is_unsigned}, room);
    assert_false(c.bad);
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

#define VALUE(type, is_unsigned, bytes, expected)                                                  \
    assert_value(type, is_unsigned, bytes, sizeof bytes - 1, expected)

static void binary_values_become_texts(void **state)
{
    (void)state;
    VALUE(MYSQL_TINY, false, "\xff", "-1");
    VALUE(MYSQL_TINY, true, "\xff", "255");
    VALUE(MYSQL_SHORT, false, "\x00\x80", "-32768");
    VALUE(MYSQL_YEAR, true, "\xe8\x07", "2024");
    VALUE(MYSQL_LONG, false, "\xff\xff\xff\x7f", "2147483647");
    VALUE(MYSQL_LONGLONG, true, "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
    VALUE(MYSQL_LONGLONG, false, "\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808");
    VALUE(MYSQL_FLOAT, false, "\x00\x00\xc0\x3f", "1.5");
    VALUE(MYSQL_DOUBLE, false, "\x9a\x99\x99\x99\x99\x99\xb9\x3f", "0.1");
    VALUE(MYSQL_DOUBLE, false, "\x34\x33\x33\x33\x33\x33\xd3\x3f", "0.30000000000000004");
    VALUE(MYSQL_NULL, false, "", "NULL");
    VALUE(TEXT, false, "\x03"
                       "abc", "abc");
    VALUE(MYSQL_DECIMAL, false, "\x04" "1.50", "1.50");
}

static void binary_times_become_texts(void **state)
{
    (void)state;
    VALUE(MYSQL_DATE, false, "\x00", "0000-00-00");
    VALUE(MYSQL_DATE, false, "\x04\xe8\x07\x02\x1d", "2024-02-29");
    VALUE(MYSQL_DATETIME, false, "\x00", "0000-00-00 00:00:00");
    VALUE(MYSQL_DATETIME, false, "\x04\xe8\x07\x02\x1d", "2024-02-29 00:00:00");
    VALUE(MYSQL_TIMESTAMP, false, "\x07\xe8\x07\x02\x1d\x0c\x1e\x01", "2024-02-29 12:30:01");
    VALUE(MYSQL_TIMESTAMP, false, "\x0b\xe8\x07\x02\x1d\x0c\x1e\x01\x3f\x42\x0f\x00",
          "2024-02-29 12:30:01.999999");
    VALUE(MYSQL_TIME, false, "\x00", "00:00:00");
    VALUE(MYSQL_TIME, false, "\x08\x01\x01\x00\x00\x00\x02\x03\x04", "-26:03:04");
    VALUE(MYSQL_TIME, false, "\x0c\x00\x00\x00\x00\x00\x02\x03\x04\x05\x00\x00\x00",
          "02:03:04.000005");
}

static void lengths_of_all_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        uint64_t value;
        bool bad;
    } cases[] = {
        {"\xfa", 1, 250, false},
        {"\xfc\x00\x01", 3, 256, false},
        {"\xfd\x00\x00\x01", 4, 65536, false},
        {"\xfe\x00\x00\x00\x00\x01\x00\x00\x00", 9, UINT64_C(1) << 32, false},
        {"\xfb", 1, 0, true},
        {"\xff", 1, 0, true},
        {"\xfc\x00", 2, 0, true},
        {"", 0, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cursor c = cursor_of(span_of(cases[i].bytes, cases[i].size));
        uint64_t value = mysql_number(&c);
        assert_int_equal(c.bad, cases[i].bad);
        assert_int_equal(value, cases[i].value);
    }
}

static void a_text_that_is_cut_is_given_as_far_as_it_is(void **state)
{
    (void)state;
    struct cursor c = cursor_of(span_of("\x09" "abc", 4));
    struct span text = mysql_text(&c);
    assert_true(c.bad);
    assert_true(span_equal(text, span_str("abc")));
}

/* Any bytes of any type: nothing is read beyond them. */
static void hostile_values(void **state)
{
    (void)state;
    uint8_t bytes[16];
    char room[MYSQL_VALUE_ROOM];
    uint32_t seed = 1;
    for (unsigned round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        struct cursor c = cursor_of(span_of(bytes, round % 17));
        struct span text = mysql_value(&c, (struct mysql_kind){(uint8_t)round, round & 1}, room);
        assert_in_range(text.size, 0, MYSQL_VALUE_ROOM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_values_become_texts),
        cmocka_unit_test(binary_times_become_texts),
        cmocka_unit_test(lengths_of_all_sizes),
        cmocka_unit_test(a_text_that_is_cut_is_given_as_far_as_it_is),
        cmocka_unit_test(hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
