// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { FIXED = 20 };

/* A TCP header with these options in front of an empty payload. */
static void read_options(const void *options, size_t size, struct wire_tcp_options *ret)
{
    uint8_t header[FIXED + 40] = {0};
    assert_true(size <= sizeof header - FIXED);
    memcpy(header + FIXED, options, size);
    struct packet p = {
        .class = PACKET_TCP,
        .l4 = header,
        .payload = header + FIXED + size,
        .end = header + FIXED + size,
    };
    wire_tcp_options(&p, ret);
}

static void absent(void **state)
{
    struct wire_tcp_options o;
    read_options("", 0, &o);
    assert_int_equal(o.mss, 0);
    assert_int_equal(o.window_scale, -1);
    assert_false(o.sack_permitted || o.has_timestamps || o.malformed);
    assert_int_equal(o.sack_count, 0);
}

static void all(void **state)
{
    static const uint8_t options[] = {
        2, 4, 0x05, 0xb4, 3, 3, 0xff, 4, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4, 1,
        5, 10, 0, 0, 0, 5, 0, 0, 0, 6, 254, 4, 0xf9, 0x89,
        0, 99, 99, /* behind the end of the list anything may stand */
    };
    struct wire_tcp_options o;
    read_options(options, sizeof options, &o);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.window_scale, 14); /* the greatest there is */
    assert_true(o.sack_permitted);
    assert_true(o.has_timestamps);
    assert_int_equal(o.ts_value, 3);
    assert_int_equal(o.ts_echo, 4);
    assert_int_equal(o.sack_count, 1);
    assert_int_equal(o.sack[0][0], 5);
    assert_int_equal(o.sack[0][1], 6);
    assert_false(o.malformed);
}

static void lying_lengths(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t size;
    } rows[] = {
        {{3, 3, 7, 8}, 4},             /* no length */
        {{3, 3, 7, 8, 10, 0, 0}, 7},   /* beyond the header */
        {{3, 3, 7, 99, 0, 1}, 6},      /* shorter than itself */
        {{3, 3, 7, 2, 3, 5}, 6},       /* not the kind's */
        {{3, 3, 7, 5, 5, 0, 0, 0}, 8}, /* part of a SACK block */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_tcp_options o;
        read_options(rows[i].bytes, rows[i].size, &o);
        assert_true(o.malformed);
        assert_int_equal(o.window_scale, 7); /* what came before is valid */
        assert_int_equal(o.mss, 0);
        assert_int_equal(o.sack_count, 0);
    }
}

/* A header that was not captured whole has no options to speak of. */
static void cut_header(void **state)
{
    static const uint8_t header[FIXED] = {0};
    struct packet p = {.class = PACKET_TCP, .l4 = header, .end = header + sizeof header};
    struct wire_tcp_options o;
    wire_tcp_options(&p, &o);
    assert_int_equal(o.window_scale, -1);
    assert_false(o.malformed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent),
        cmocka_unit_test(all),
        cmocka_unit_test(lying_lengths),
        cmocka_unit_test(cut_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
