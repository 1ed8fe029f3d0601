// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/snappy.h"

#define BLOCK(text) span_of(text, sizeof(text) - 1)

static void assert_unpacks(struct span block, size_t room, const char *expected, bool is_whole)
{
    uint8_t to[300];
    bool whole;
    size_t size = snappy_unpack(block, to, room, &whole);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(to, expected, size);
    assert_int_equal(whole, is_whole);
}

static void literals_and_copies(void **state)
{
    (void)state;
    assert_unpacks(BLOCK("\x05\x10hello"), 300, "hello", true);
    /* abcd, then 8 bytes from 4 before: a copy that overlaps what it makes */
    assert_unpacks(BLOCK("\x0c\x0c"
                         "abcd\x11\x04"),
                   300, "abcdabcdabcd", true);
    /* two bytes of distance, then four */
    assert_unpacks(BLOCK("\x06\x04"
                         "ab\x0e\x02\x00"),
                   300, "ababab", true);
    assert_unpacks(BLOCK("\x06\x04"
                         "ab\x0f\x02\x00\x00\x00"),
                   300, "ababab", true);
    /* a length of its own byte */
    assert_unpacks(BLOCK("\x03\xf0\x02"
                         "xyz"),
                   300, "xyz", true);
    assert_unpacks(BLOCK("\x00"), 300, "", true);
}

static void broken(void **state)
{
    (void)state;
    assert_unpacks(BLOCK(""), 300, "", false);
    assert_unpacks(BLOCK("\x05\x10hel"), 300, "hel", false); /* cut */
    assert_unpacks(BLOCK("\x05\x10hello"), 3, "hel", false); /* no room */
    assert_unpacks(BLOCK("\x0c\x0c"
                         "abcd\x11\x05"),
                   300, "abcd", false); /* before the beginning */
    assert_unpacks(BLOCK("\x0c\x0c"
                         "abcd\x11"),
                   300, "abcd", false);
    assert_unpacks(BLOCK("\x02\x0c"
                         "abcd"),
                   300, "ab", false); /* more than it says */
    assert_unpacks(BLOCK("\xff\xff\xff\xff\xff\x01"), 300, "", false);
    uint64_t length;
    assert_true(snappy_length(BLOCK("\x80\x02"), &length));
    assert_int_equal(length, 256);
    assert_false(snappy_length(BLOCK("\x80"), &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_and_copies),
        cmocka_unit_test(broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
