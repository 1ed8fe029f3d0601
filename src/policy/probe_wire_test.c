// SPDX-License-Identifier: Apache-2.0
#include "policy/probe_wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void makes_and_reads(void **state)
{
    uint8_t bytes[64];
    struct probe_echo echo = {0x1234, 7, 0x0102030405060708}, got;
    (void)state;
    size_t size = probe_wire_make(4, &echo, 48, bytes);
    assert_int_equal(size, 56);
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    }
    assert_int_equal((sum >> 16) + (sum & 0xffff), 0xffff);
    assert_false(probe_wire_read(4, false, span_of(bytes, size), &got)); /* a request */
    bytes[0] = 0;
    assert_true(probe_wire_read(4, false, span_of(bytes, size), &got));
    assert_int_equal(got.id, echo.id);
    assert_int_equal(got.sequence, echo.sequence);
    assert_true(got.cookie == echo.cookie);
    for (size_t i = 0; i < PROBE_WIRE_HEAD; i++) {
        assert_false(probe_wire_read(4, false, span_of(bytes, i), &got));
        assert_false(probe_wire_read(4, true, span_of(bytes, i), &got));
    }
}

static void does_without_a_payload(void **state)
{
    uint8_t bytes[8];
    struct probe_echo echo = {1, 2, 3}, got;
    (void)state;
    assert_int_equal(probe_wire_make(6, &echo, 0, bytes), 8);
    bytes[0] = 129;
    assert_true(probe_wire_read(6, false, span_of(bytes, 8), &got));
    assert_true(got.cookie == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_and_reads),
        cmocka_unit_test(does_without_a_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
