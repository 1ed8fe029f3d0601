// SPDX-License-Identifier: Apache-2.0
#include "wire/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What is said of `data` is said of all that may be its beginning: not yet, then the size. */
static void assert_header(const void *data, size_t known, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t n = 1; n < known; n++) {
        assert_true(proxy_header_size(span_of(bytes, n)) == PROXY_HEADER_UNSURE);
    }
    assert_int_equal(proxy_header_size(span_of(bytes, known)), size);
}

static void a_line_is_known_when_it_is_whole(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
        "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n",
        "PROXY UNKNOWN\r\n",
        ("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
    };
    for (size_t i = 0; i < 4; i++) {
        assert_header(lines[i], strlen(lines[i]), strlen(lines[i]));
        char with_more[160];
        int size = snprintf(with_more, sizeof with_more, "%sGET / HTTP/1.1\r\n", lines[i]);
        assert_int_equal(proxy_header_size(span_of(with_more, (size_t)size)), strlen(lines[i]));
    }
    assert_int_equal(strlen(lines[3]), PROXY_HEADER_LINE);
}

static void the_binary_form_is_known_by_its_length(void **state)
{
    (void)state;
    uint8_t data[28] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    assert_header(data, 16, 28);
    assert_int_equal(proxy_header_size(span_of(data, 28)), 28);
    memcpy(data + 12, "\x20\0\xff\xff", 4); /* LOCAL, as long as can be */
    assert_header(data, 16, PROXY_HEADER_MAX);
}

static void all_else_is_none(void **state)
{
    (void)state;
    static const char *const others[] = {
        "POST / HTTP/1.1\r\n", "PING\r\n", "\r\n\r\nGET", "PROXY TCP5 1", "PROXY TCP4x", "PROXY TCP4\r ",
        "PROXY TCP4 1.2.3.4\n", "PROXY UNKNOWNS\r\n",
        ("PROXY UNKNOWN a line that goes on and on and on, beyond all that addresses and ports may "
         "take, without coming to its end\r\n"),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(proxy_header_size(span_str(others[i])), 0);
    }
    assert_int_equal(proxy_header_size(span_of("\r\n\r\n\0\r\nQUIT\n\x11", 13)), 0); /* version 1 */
    assert_int_equal(proxy_header_size(span_of("\r\n\r\n\0\r\nQUIT\n\x22", 13)), 0); /* no command */
    assert_int_equal(proxy_header_size(span_of("", 0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_known_when_it_is_whole),
        cmocka_unit_test(the_binary_form_is_known_by_its_length),
        cmocka_unit_test(all_else_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
