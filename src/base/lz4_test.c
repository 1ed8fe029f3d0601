// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/lz4.h"

#define BYTES(text) span_of(text, sizeof(text) - 1)

static void assert_unpacked(struct span block, size_t room, const char *expected, bool is_whole)
{
    uint8_t to[400];
    bool whole;
    size_t size = lz4_unpack(block, to, room, &whole);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(to, expected, size);
    assert_int_equal(whole, is_whole);
}

static void blocks(void **state)
{
    (void)state;
    assert_unpacked(BYTES("\0"), 400, "", true);
    assert_unpacked(BYTES("\x50hello"), 400, "hello", true);
    assert_unpacked(BYTES("\x20xy\x02\0\x10"), 400, "xyxyxy", false);
    assert_unpacked(BYTES("\x22xy\x02\0\x10z"), 400, "xyxyxyxyz", true);
    /* a match of 15 + 4 + 3, of one byte over and over */
    assert_unpacked(BYTES("\x1f-\x01\0\x03\x10|"), 400, "-----------------------|", true);
    assert_unpacked(BYTES("\xf0\x01" "0123456789abcdef"), 400, "0123456789abcdef", true);
}

static void broken_blocks(void **state)
{
    (void)state;
    assert_unpacked(BYTES(""), 400, "", false);
    assert_unpacked(BYTES("\x50hell"), 400, "hell", false);
    assert_unpacked(BYTES("\x10x\x02\0"), 400, "x", false); /* from before the beginning */
    assert_unpacked(BYTES("\x10x\0\0"), 400, "x", false);
    assert_unpacked(BYTES("\x10x\x01"), 400, "x", false);
    assert_unpacked(BYTES("\xf0\xff\xff"), 400, "", false);
    assert_unpacked(BYTES("\x1f-\x01\0\x03\x10|"), 5, "-----", false); /* no room */
    assert_unpacked(BYTES("\x50hello"), 3, "hel", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks),
        cmocka_unit_test(broken_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
