// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/dhcpv4/dhcpv4_event.h"
#include "proto/dhcpv4/dhcpv4_message.h"
#include "proto/proto.h"

extern const struct proto proto_dhcpv4;

enum { ROOM = 400 };

/* A message with these options; returns its size. */
static size_t make(uint8_t *to, const char *options, size_t size)
{
    memset(to, 0, ROOM);
    to[0] = DHCPV4_REQUEST;
    to[1] = 1;
    to[2] = 6;
    memcpy(to + 4, "\0\0\x3d\x1d", 4);
    memcpy(to + 28, "\0\x0b\x82\1\xfc\x42", 6);
    memcpy(to + 236, "\x63\x82\x53\x63", 4);
    memcpy(to + DHCPV4_HEADER, options, size);
    return DHCPV4_HEADER + size;
}

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&dhcpv4_request_type, &err));
    assert_true(event_type_check(&dhcpv4_reply_type, &err));
    assert_true(metric_set_check(&dhcpv4_set, &err));
}

static void reads_options(void **state)
{
    (void)state;
    static const char options[] = "\x35\1\1\0\0\x0c\4host\x35\1\2\xff\x35\1\3";
    uint8_t bytes[ROOM];
    struct dhcpv4_message m;
    assert_true(dhcpv4_message_read(span_of(bytes, make(bytes, options, sizeof options - 1)), &m));
    assert_int_equal(m.transaction, 0x3d1d);
    assert_int_equal(m.address.size, 6);
    assert_int_equal(m.options[DHCPV4_TYPE].data[0], 1);
    assert_true(span_equal(m.options[DHCPV4_HOST_NAME], span_str("host")));
    assert_null(m.options[DHCPV4_DNS].data);
    assert_string_equal(dhcpv4_type_name(1), "discover");
    assert_null(dhcpv4_type_name(200));
}

static void reads_options_in_other_fields(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct dhcpv4_message m;
    size_t size = make(bytes, "\x34\1\3\xff", 4);
    memcpy(bytes + 108, "\x35\1\5\xff", 4);
    memcpy(bytes + 44, "\x0c\2me\xff", 5);
    assert_true(dhcpv4_message_read(span_of(bytes, size), &m));
    assert_int_equal(m.options[DHCPV4_TYPE].data[0], 5);
    assert_true(span_equal(m.options[DHCPV4_HOST_NAME], span_str("me")));
    assert_int_equal(m.server_name.size, 0);
    assert_int_equal(m.boot_file.size, 0);
}

static void refuses_what_is_none(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct dhcpv4_message m;
    size_t size = make(bytes, "\x35\1\1\xff", 4);
    assert_true(dhcpv4_looks_like(span_of(bytes, size)));
    assert_false(dhcpv4_looks_like(span_of(bytes, DHCPV4_HEADER - 1)));
    assert_false(dhcpv4_message_read(span_of(bytes, size - 2), &m)); /* an option without its end */
    bytes[2] = 17;
    assert_false(dhcpv4_looks_like(span_of(bytes, size)));
    bytes[2] = 6;
    bytes[236] = 0;
    assert_false(dhcpv4_looks_like(span_of(bytes, size)));
    assert_int_equal(proto_dhcpv4.probe(span_of(bytes, size), 0), PROTO_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(reads_options),
        cmocka_unit_test(reads_options_in_other_fields),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
