// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "handshake/fingerprint.h"

/* A message in the making. */
struct message {
    uint8_t bytes[4096];
    size_t size;
};

static void put16(struct message *m, unsigned value)
{
    m->bytes[m->size++] = (uint8_t)(value >> 8);
    m->bytes[m->size++] = (uint8_t)value;
}

static void put(struct message *m, const void *bytes, size_t size)
{
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void put_extension(struct message *m, unsigned id, const void *body, size_t size)
{
    put16(m, id);
    put16(m, (unsigned)size);
    put(m, body, size);
}

static void begin(struct message *m, const uint16_t *ciphers, size_t count)
{
    static const uint8_t random[HELLO_RANDOM_BYTES];
    m->size = 0;
    put16(m, 0x0303);
    put(m, random, sizeof random);
    put(m, "", 1);
    put16(m, (unsigned)(2 * count));
    for (size_t i = 0; i < count; i++) {
        put16(m, ciphers[i]);
    }
    put(m, "\1\0", 2);
}

/* Appends a list of extensions, with its length in front. */
static void end(struct message *m, const struct message *extensions)
{
    put16(m, (unsigned)extensions->size);
    put(m, extensions->bytes, extensions->size);
}

/* A browser's hello, the example of JA4's description: reserved values are strewn in. */
static void browser(struct message *m)
{
    static const uint16_t ciphers[] = {0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                                       0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
    static const uint16_t plain[] = {0x001b, 0x0033, 0x0023, 0x0012, 0x0017, 0xff01, 0x002d, 0x0005, 0x4469, 0x0015};
    static const uint8_t schemes[] = {0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1};
    struct message e = {.size = 0};
    put_extension(&e, 0x5a5a, "", 0);
    put_extension(&e, HELLO_SERVER_NAME, "\0\4\0\0\1a", 6);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        put_extension(&e, plain[i], "", 0);
    }
    put_extension(&e, HELLO_GROUPS, "\0\4\x1a\x1a\0\x1d", 6);
    put_extension(&e, HELLO_POINT_FORMATS, "\1\0", 2);
    put_extension(&e, HELLO_SIGNATURES, schemes, sizeof schemes);
    put_extension(&e, HELLO_ALPN, "\0\014\2h2\010http/1.1", 14);
    put_extension(&e, HELLO_VERSIONS, "\6\x7a\x7a\3\4\3\3", 7);
    begin(m, ciphers, sizeof ciphers / sizeof *ciphers);
    end(m, &e);
}

static void tells_a_browser(void **state)
{
    (void)state;
    struct message m;
    struct hello hello;
    char text[FINGERPRINT_JA4_ROOM];
    browser(&m);
    assert_true(hello_read(&hello, span_of(m.bytes, m.size), false));
    fingerprint_ja4(text, &hello, 't');
    assert_string_equal(text, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    fingerprint_ja4(text, &hello, 'q');
    assert_int_equal(text[0], 'q');
}

static void leaves_reserved_values_out(void **state)
{
    (void)state;
    static const uint16_t with[] = {0x0a0a, 0x1301, 0xfafa}, without[] = {0x1301};
    struct message m, none = {.size = 0};
    struct hello hello;
    char one[FINGERPRINT_JA3_ROOM], other[FINGERPRINT_JA3_ROOM];
    begin(&m, with, 3);
    end(&m, &none);
    assert_true(hello_read(&hello, span_of(m.bytes, m.size), false));
    fingerprint_ja3(one, &hello);
    begin(&m, without, 1);
    end(&m, &none);
    assert_true(hello_read(&hello, span_of(m.bytes, m.size), false));
    fingerprint_ja3(other, &hello);
    assert_string_equal(one, other);
}

/* MD5 of "771,4865,,,", and zeros where there is nothing to hash. */
static void tells_of_little(void **state)
{
    (void)state;
    static const uint16_t cipher[] = {0x1301};
    struct message m;
    struct hello hello;
    char ja3[FINGERPRINT_JA3_ROOM], ja4[FINGERPRINT_JA4_ROOM];
    begin(&m, cipher, 1);
    assert_true(hello_read(&hello, span_of(m.bytes, m.size), false));
    fingerprint_ja3(ja3, &hello);
    assert_string_equal(ja3, "ea1e247991e541e39bf918cb7cfa5139");
    fingerprint_ja4(ja4, &hello, 't');
    assert_string_equal(ja4, "t12i010000_0f2cb44170f4_000000000000");
}

/* Names of protocols that are not of letters and digits are shown in hexadecimal. */
static void shows_odd_protocols(void **state)
{
    (void)state;
    static const struct {
        const char *alpn;
        size_t size;
        const char *shown;
    } cases[] = {{"\0\2\1x", 4, "xx"},
                 {"\0\3\2\xab\xcd", 5, "ad"},
                 {"\0\3\2\x30\xab", 5, "3b"},
                 {"\0\1\0", 3, "00"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message m, e = {.size = 0};
        struct hello hello;
        char text[FINGERPRINT_JA4_ROOM];
        put_extension(&e, HELLO_ALPN, cases[i].alpn, cases[i].size);
        begin(&m, NULL, 0);
        end(&m, &e);
        assert_true(hello_read(&hello, span_of(m.bytes, m.size), false));
        fingerprint_ja4(text, &hello, 't');
        assert_memory_equal(text + 8, cases[i].shown, 2);
    }
}

static void survives_all_cuts(void **state)
{
    (void)state;
    struct message m;
    browser(&m);
    for (size_t size = 0; size < m.size; size++) {
        struct hello hello;
        char text[FINGERPRINT_JA4_ROOM];
        if (hello_read(&hello, span_of(m.bytes, size), false)) {
            fingerprint_ja4(text, &hello, 't');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_browser),
        cmocka_unit_test(leaves_reserved_values_out),
        cmocka_unit_test(tells_of_little),
        cmocka_unit_test(shows_odd_protocols),
        cmocka_unit_test(survives_all_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
