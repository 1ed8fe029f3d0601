// SPDX-License-Identifier: Apache-2.0
#include "handler/services.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void reads_a_registry(void **state)
{
    (void)state;
    struct services *s = services_read(span_str("Service Name,Port Number,Transport Protocol\n"
                                                "telnet,23,tcp,Telnet\n"
                                                "\"odd, \"\"one\",24,udp\n"
                                                "range,6000-6063,tcp\n"
                                                "second,23,tcp\n"
                                                ",25,tcp\nwide,70000,tcp\nno-port,,udp\nlast,65535,udp"));
    assert_string_equal(services_name(s, 6, 23), "telnet");
    assert_null(services_name(s, 17, 23));
    assert_non_null(services_name(s, 17, 24));
    assert_string_equal(services_name(s, 6, 6063), "range");
    assert_null(services_name(s, 6, 6064));
    assert_null(services_name(s, 6, 25));
    assert_string_equal(services_name(s, 17, 65535), "last");
    services_close(s);
}

static void says_what_is_missing(void **state)
{
    struct err err = {0};
    (void)state;
    assert_null(services_open("data/none.csv", &err));
    assert_non_null(strstr(err.text, "data/none.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_registry),
        cmocka_unit_test(says_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
