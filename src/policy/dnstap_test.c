// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/dnstap.h"

/* Type CLIENT_RESPONSE, IPv4, TCP, addresses, ports, time 5.000000007, a message of three bytes. */
static const uint8_t message[] = {
    0, 0, 0, 39, 0x78, 1,          /* field 15: type MESSAGE */
    0x72, 35, 0x08, 6, 0x10, 1, 0x18, 2, 0x22, 4, 10, 0, 0, 1, 0x2a, 4, 10, 0, 0, 53,
    0x30, 0xb9, 0x60, 0x38, 53, 0x60, 5, 0x6d, 7, 0, 0, 0, 0x72, 3, 'a', 'b', 'c',
};

static void reads_a_message(void **state)
{
    size_t size;
    uint32_t control;
    struct span frame;
    struct handler_event event;
    struct span bytes = span_of(message, sizeof message);
    assert_int_equal(dnstap_next(bytes, &size, &frame, &control), DNSTAP_DATA);
    assert_int_equal(size, sizeof message);
    assert_true(dnstap_event(frame, 0, &event));
    assert_int_equal(event.time_ns, 5000000007);
    assert_int_equal(event.port[0], 53);
    assert_int_equal(event.port[1], 12345);
    assert_int_equal(event.address[0][3], 53);
    assert_int_equal(event.direction, FRAME_DIRECTION_OUT);
    assert_int_equal(event.protocol, 6);
    assert_int_equal(event.payload.size, 3);
    for (size_t cut = 0; cut < sizeof message; cut++) {
        assert_int_equal(dnstap_next(span_head(bytes, cut), &size, &frame, &control), DNSTAP_MORE);
    }
}

/* A client may use the same port over UDP and over TCP, for questions of the same number. */
static void tells_transports_apart(void **state)
{
    (void)state;
    struct handler_event tcp, udp;
    uint8_t other[sizeof message];
    memcpy(other, message, sizeof other);
    other[13] = 1; /* the socket's protocol: UDP */
    assert_true(dnstap_event(span_of(message + 4, sizeof message - 4), 0, &tcp));
    assert_true(dnstap_event(span_of(other + 4, sizeof other - 4), 0, &udp));
    assert_int_equal(udp.protocol, 17);
    assert_int_not_equal(udp.talk, tcp.talk);
}

static void reads_controls(void **state)
{
    size_t size;
    uint32_t control;
    struct span frame;
    const uint8_t start[] = {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2};
    assert_int_equal(dnstap_next(span_of(start, 12), &size, &frame, &control), DNSTAP_CONTROL);
    assert_int_equal(control, DNSTAP_START);
    assert_int_equal(dnstap_next(span_of("\xff\xff\xff\xff", 4), &size, &frame, &control),
                     DNSTAP_BAD);
    assert_int_equal(dnstap_next(span_of("\0\0\0\0\0\0\0\1\1", 9), &size, &frame, &control),
                     DNSTAP_BAD);
}

static void refuses_what_is_none(void **state)
{
    struct handler_event event;
    assert_false(dnstap_event(span_of(NULL, 0), 0, &event));
    assert_false(dnstap_event(span_of("\x72\x7f", 2), 0, &event));
    assert_false(dnstap_event(span_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11), 0, &event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_message),
        cmocka_unit_test(tells_transports_apart),
        cmocka_unit_test(reads_controls),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
