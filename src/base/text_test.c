// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void numbers_are_whole(void **state)
{
    int64_t value;
    assert_true(text_parse_number("-42", &value));
    assert_int_equal(value, -42);
    assert_true(text_parse_number("9223372036854775807", &value));
    assert_true(value == INT64_MAX);
    assert_false(text_parse_number("9223372036854775808", &value));
    assert_false(text_parse_number("", &value));
    assert_false(text_parse_number("-", &value));
    assert_false(text_parse_number("7x", &value));
    assert_false(text_parse_number(" 7", &value));
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {
        {"0", 0},          {"1500", 1500},        {"16M", 16 << 20},  {"16MiB", 16 << 20},
        {"10MB", 10000000}, {"1.5K", 1536},       {"2G", 2ll << 30},  {"4TiB", 4ll << 40},
        {"64k", 65536},    {"7B", 7},
    };
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(text_parse_size(good[i].text, &value));
        assert_true(value == good[i].bytes);
    }
    static const char *const bad[] = {"", "M", "-1M", "1.M", "1X", "16M ", "1M1M", "99999999999T"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(text_parse_size(bad[i], &value));
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t nanoseconds;
    } good[] = {
        {"0", 0},           {"10s", 10000000000}, {"-1s", -1000000000}, {"1h30m", 5400000000000},
        {"1.5ms", 1500000}, {"250us", 250000},    {"7ns", 7},           {"2d", 172800000000000},
    };
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(text_parse_duration(good[i].text, &value));
        assert_true(value == good[i].nanoseconds);
    }
    static const char *const bad[] = {"", "-", "10", "s", "1.s", "1 s", "1x", "300000d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(text_parse_duration(bad[i], &value));
    }
}

static void exact_writers_read_back(void **state)
{
    static const int64_t values[] = {0, 1, 999, 1024, 1536, 1 << 20, 3ll << 30, 5000000000, 86400,
                                     90061000000001};
    char text[TEXT_ROOM];
    int64_t back;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_true(text_parse_size(text_size(text, values[i]), &back));
        assert_true(back == values[i]);
        assert_true(text_parse_duration(text_duration(text, values[i]), &back));
        assert_true(back == values[i]);
        assert_true(text_parse_duration(text_duration(text, -values[i]), &back));
        assert_true(back == -values[i]);
    }
    assert_string_equal(text_size(text, 16 << 20), "16M");
    assert_string_equal(text_size(text, 1500), "1500");
    assert_string_equal(text_duration(text, 5400000000000), "1h30m");
    assert_string_equal(text_duration(text, -1000000000), "-1s");
    assert_true(strlen(text_duration(text, INT64_MIN)) < TEXT_ROOM);
    assert_true(strlen(text_size(text, INT64_MIN)) < TEXT_ROOM);
}

static void short_writers_fit_a_column(void **state)
{
    char text[TEXT_ROOM];
    assert_string_equal(text_short_count(text, 950), "950");
    assert_string_equal(text_short_count(text, 1234), "1.23 k");
    assert_string_equal(text_short_count(text, 999999), "1.00 M");
    assert_string_equal(text_short_count(text, 45600000), "45.6 M");
    assert_string_equal(text_short_bytes(text, 1023), "1023 B");
    assert_string_equal(text_short_bytes(text, 1262), "1.23 KiB");
    assert_string_equal(text_short_duration(text, 1230000), "1.23 ms");
    assert_string_equal(text_short_duration(text, 200ll * 1000000000), "3m 20s");
    assert_string_equal(text_short_duration(text, 187200ll * 1000000000), "2d 4h");
    assert_true(strlen(text_short_count(text, 1e300)) < TEXT_ROOM);
}

static void times_agree_with_the_library(void **state)
{
    char text[TEXT_TIME_ROOM];
    assert_int_equal(text_rfc3339(text, 0, 0), 20);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    text_rfc3339(text, 951782399123456789, 9);
    assert_string_equal(text, "2000-02-28T23:59:59.123456789Z");
    assert_int_equal(text_rfc3339(text, 951868799999999999, 3), 24);
    assert_string_equal(text, "2000-02-29T23:59:59.999Z");
    text_rfc3339(text, UINT64_MAX, 6);
    assert_string_equal(text, "2554-07-21T23:34:33.709551Z");
    srand(1);
    for (int i = 0; i < 20000; i++) {
        time_t seconds = (time_t)rand() * 8 + rand() % 8;
        char expected[TEXT_TIME_ROOM];
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
        text_rfc3339(text, (uint64_t)seconds * 1000000000, 0);
        assert_string_equal(text, expected);
    }
}

/* The examples of RFC 4648, section 10. */
static void writes_base64(void **state)
{
    static const char *const expected[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t size = 0; size <= 6; size++) {
        char text[16];
        *text_base64(text, (const uint8_t *)"foobar", size) = '\0';
        assert_string_equal(text, expected[size]);
    }
    char text[16];
    *text_base64(text, (const uint8_t[]){0xff, 0xef, 0xbe, 0xfb}, 4) = '\0';
    assert_string_equal(text, "/++++w==");
}

static void hostile_text_moves_no_cursor(void **state)
{
    char text[16];
    assert_string_equal(text_printable(text, sizeof text, "a\x1b[2Jb\n"), "a?[2Jb?");
    assert_string_equal(text_printable(text, sizeof text, "\xc3\xa4\xc2\x9b"), "\xc3\xa4?\x9b");
    assert_string_equal(text_printable(text, 4, "abcdef"), "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_whole),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(exact_writers_read_back),
        cmocka_unit_test(short_writers_fit_a_column),
        cmocka_unit_test(times_agree_with_the_library),
        cmocka_unit_test(writes_base64),
        cmocka_unit_test(hostile_text_moves_no_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
