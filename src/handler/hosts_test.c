// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/hosts.h"

static void finds_networks(void **state)
{
    struct hosts hosts = {0};
    struct err err = {0};
    assert_true(hosts_read(&hosts, "10.0.0.0/8, 192.168.1.128/25,2001:db8::/33,1.2.3.4", &err));
    assert_int_equal(hosts.count, 4);
    assert_true(hosts_have(&hosts, 4, (uint8_t[]){10, 255, 1, 1}));
    assert_false(hosts_have(&hosts, 4, (uint8_t[]){11, 0, 0, 0}));
    assert_true(hosts_have(&hosts, 4, (uint8_t[]){192, 168, 1, 200}));
    assert_false(hosts_have(&hosts, 4, (uint8_t[]){192, 168, 1, 100}));
    assert_true(hosts_have(&hosts, 4, (uint8_t[]){1, 2, 3, 4}));
    assert_true(hosts_have(&hosts, 6, (uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0x7f}));
    assert_false(hosts_have(&hosts, 6, (uint8_t[16]){0x20, 1, 0x0d, 0xb8, 0x80}));
    assert_false(hosts_have(&hosts, 6, (uint8_t[16]){10}));
}

static void refuses(const char *text, const char *why)
{
    struct hosts hosts = {0};
    struct err err = {0};
    assert_false(hosts_read(&hosts, text, &err));
    assert_string_equal(err.text, why);
}

static void refuses_what_is_none(void **state)
{
    refuses("192.168.0.0/24/12ac", "invalid CIDR: 192.168.0.0/24/12ac");
    refuses("192.168.AE.0/24", "invalid IPv4 address: 192.168.AE.0");
    refuses("2001:db8::/256", "invalid CIDR: 2001:db8::/256");
    refuses("10.0.0.0/33", "invalid CIDR: 10.0.0.0/33");
    refuses("10.0.0.0/-1", "invalid CIDR: 10.0.0.0/-1");
    refuses("2001:zz::/16", "invalid IPv6 address: 2001:zz::");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_networks),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
