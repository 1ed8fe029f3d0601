// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/dns_read.h"

/* A query for a name given as labels on the wire. */
static void read_name(struct dns_read *dns, const char *labels, size_t size)
{
    static uint8_t bytes[300];
    memset(bytes, 0, sizeof bytes);
    bytes[5] = 1;
    memcpy(bytes + 12, labels, size);
    bytes[12 + size + 2] = 1;
    bytes[12 + size + 4] = 1;
    assert_true(dns_reader.read(span_of(bytes, 12 + size + 5), dns));
}

static void assert_parts(const char *labels, size_t size, unsigned suffix, const char *two,
                         const char *three)
{
    struct dns_read dns;
    read_name(&dns, labels, size);
    struct dns_parts parts = dns_read_parts(&dns, suffix);
    assert_int_equal(parts.two.size, strlen(two));
    assert_memory_equal(parts.two.data, two, parts.two.size);
    assert_int_equal(parts.three.size, strlen(three));
    if (parts.three.size > 0) {
        assert_memory_equal(parts.three.data, three, parts.three.size);
    }
}
#define PARTS(labels, ...) assert_parts(labels, sizeof labels, __VA_ARGS__)

static void names_are_cut(void **state)
{
    PARTS("\1A\7Example\3cOm", 1, ".example.com", "a.example.com");
    PARTS("\1b\1a\7example\3com", 1, ".example.com", ".a.example.com");
    PARTS("\7example\3com", 1, "example.com", "");
    PARTS("\3com", 1, "com", "");
    PARTS("\1a\1b", 1, "a.b", ""); /* less than five bytes */
    PARTS("\3www\7example\2co\2uk", 2, ".example.co.uk", "www.example.co.uk");
}

static void suffixes_have_labels(void **state)
{
    assert_int_equal(dns_read_suffix(span_str("www.example.com")), 1);
    assert_int_equal(dns_read_suffix(span_str("www.example.co.uk")), 2);
    assert_int_equal(dns_read_suffix(span_str("")), 1);
}

static void words_are_known_both_ways(void **state)
{
    char room[DNS_READ_WORD];
    assert_int_equal(dns_read_rcode_of("NxDomain"), 3);
    assert_int_equal(dns_read_rcode_of("5"), 5);
    assert_int_equal(dns_read_rcode_of("133"), -1);
    assert_int_equal(dns_read_type_of("aaaa"), 28);
    assert_int_equal(dns_read_type_of("270"), -1);
    assert_int_equal(dns_read_type_of("TEXT"), -1);
    assert_memory_equal(dns_read_rcode(2, room).data, "SRVFAIL", 7);
    assert_memory_equal(dns_read_rcode(15, room).data, "15", 2);
}

static void tcp_has_lengths(void **state)
{
    size_t skip;
    assert_int_equal(dns_reader.frame(span_of("\0\2ab", 4), &skip), 2);
    assert_int_equal(skip, 2);
    assert_int_equal(dns_reader.frame(span_of("\0\3ab", 4), &skip), 0);
    assert_int_equal(dns_reader.frame(span_of("\0", 1), &skip), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cut),
        cmocka_unit_test(suffixes_have_labels),
        cmocka_unit_test(words_are_known_both_ways),
        cmocka_unit_test(tcp_has_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
