// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/address.h"

static void assert_address(const char *in, const char *expected)
{
    uint8_t bytes[16];
    char text[ADDRESS_ROOM];
    int family = strchr(in, ':') != NULL ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, in, bytes), 1);
    *address_write(text, family == AF_INET6 ? 6 : 4, bytes) = '\0';
    assert_string_equal(text, expected);
}

/* The examples of RFC 5952, section 4, and the corners. */
static void writes_as_rfc_5952(void **state)
{
    assert_address("0.0.0.0", "0.0.0.0");
    assert_address("255.255.255.255", "255.255.255.255");
    assert_address("10.9.100.99", "10.9.100.99");
    assert_address("::", "::");
    assert_address("::1", "::1");
    assert_address("1::", "1::");
    assert_address("2001:0DB8::0001", "2001:db8::1");
    assert_address("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");
    assert_address("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_address("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    assert_address("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    assert_address("fe80::1ff:fe23:4567:890a", "fe80::1ff:fe23:4567:890a");
    assert_address("::ffff:192.0.2.1", "::ffff:192.0.2.1");
    assert_address("::192.0.2.1", "::c000:201");
}

static void agrees_with_libc(void **state)
{
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[16];
        for (int k = 0; k < 16; k++) {
            bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
            bytes[k] = bits & 0x300 ? 0 : (uint8_t)(bits >> 16);
        }
        bytes[0] |= 1; /* ::/96, which libc writes in the way that RFC 5952 left */
        char text[ADDRESS_ROOM];
        char want[ADDRESS_ROOM];
        *address_write(text, 6, bytes) = '\0';
        assert_string_equal(text, inet_ntop(AF_INET6, bytes, want, sizeof want));
        *address_write(text, 4, bytes) = '\0';
        assert_string_equal(text, inet_ntop(AF_INET, bytes, want, sizeof want));
    }
}

static void absent_is_none(void **state)
{
    char text[ADDRESS_ROOM];
    *address_write(text, 0, NULL) = '\0';
    assert_string_equal(text, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_as_rfc_5952),
        cmocka_unit_test(agrees_with_libc),
        cmocka_unit_test(absent_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
