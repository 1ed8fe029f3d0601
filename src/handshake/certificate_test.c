// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "handshake/certificate.h"

static uint8_t file[8192];
static uint64_t memory[4096];

/* A certificate of data/, which openssl made. */
static struct span load(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t size = fread(file, 1, sizeof file, f);
    fclose(f);
    return span_of(file, size);
}

static void assert_text(struct span text, const char *wanted)
{
    assert_int_equal(text.size, strlen(wanted));
    assert_memory_equal(text.data, wanted, text.size);
}

static void reads_a_server(void **state)
{
    (void)state;
    struct certificate c;
    struct scratch s = scratch_of(memory, sizeof memory);
    struct span found[CERTIFICATE_NAMES_MAX];
    assert_true(certificate_read(&c, load("data/server.der")));
    assert_int_equal(c.version, 3);
    assert_string_equal(c.signature, "ECDSA-SHA256");
    assert_string_equal(c.key_algorithm, "RSA");
    assert_int_equal(c.key_bits, 2048);
    assert_string_equal(c.not_before, "2026-11-21T03:13:01.000Z");
    assert_string_equal(c.not_after, "2032-05-13T03:13:01.000Z");
    assert_text(certificate_serial(&s, &c), "12345678901234567890");
    assert_text(certificate_name(&s, c.issuer), "CN=Example Middle,OU=Signing,O=Example Works,C=XX");
    assert_text(certificate_name(&s, c.subject),
                "CN=www.example.test,OU=Team #1,OU=Web,O=Example Works,L=Town,"
                "ST=Some \\, State,C=XX");
    assert_int_equal(certificate_parts(&s, c.subject, CERTIFICATE_UNIT, found), 2);
    assert_text(found[0], "Web");
    assert_text(found[1], "Team #1");
    assert_int_equal(certificate_alternatives(&s, &c, found), 6);
    assert_text(found[1], "*.example.test");
    assert_text(found[2], "127.0.0.1");
    assert_text(found[3], "2001:db8::1");
}

static void reads_other_algorithms(void **state)
{
    (void)state;
    struct certificate c;
    struct scratch s = scratch_of(memory, sizeof memory);
    assert_true(certificate_read(&c, load("data/client.der")));
    assert_string_equal(c.key_algorithm, "Ed25519");
    assert_true(certificate_read(&c, load("data/pss.der")));
    assert_string_equal(c.signature, "SHA256-RSAPSS");
    assert_true(certificate_read(&c, load("data/curve.der")));
    assert_string_equal(c.key_algorithm, "ECDSA");
    assert_int_equal(c.key_bits, 384);
    assert_string_equal(c.not_after + 4, "-08-24T03:17:08.000Z"); /* a GeneralizedTime */
    assert_text(certificate_name(&s, c.subject),
                "CN=\\#lead,OU=two+O=Würth \\\"quoted\\\"\\, Ltd");
}

static void writes_long_and_negative_numbers(void **state)
{
    (void)state;
    struct certificate c = {.version = 1};
    struct scratch s = scratch_of(memory, sizeof memory);
    c.serial = span_of("\x7f\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22", 20);
    assert_text(certificate_serial(&s, &c), "725043320441234370908203843236912888231579619618");
    c.serial = span_of("\0", 1);
    assert_text(certificate_serial(&s, &c), "0");
    c.serial = span_of("\xff", 1);
    assert_text(certificate_serial(&s, &c), "-1");
    c.serial = span_of(file, CERTIFICATE_SERIAL_MAX + 1);
    assert_int_equal(certificate_serial(&s, &c).size, 0);
}

static void writes_pem(void **state)
{
    (void)state;
    struct scratch s = scratch_of(memory, sizeof memory);
    assert_text(certificate_pem_json(&s, span_of("abc", 3)),
                "\"-----BEGIN CERTIFICATE-----\\nYWJj\\n-----END CERTIFICATE-----\\n\"");
    s = scratch_of(memory, 40);
    assert_int_equal(certificate_pem_json(&s, span_of("abc", 3)).size, 0);
}

static void refuses_what_is_cut(void **state)
{
    (void)state;
    struct certificate c;
    struct span whole = load("data/server.der");
    for (size_t size = 0; size < whole.size; size++) {
        assert_false(certificate_read(&c, span_head(whole, size)));
    }
    file[1] = 0x80; /* an indefinite length is no DER */
    assert_false(certificate_read(&c, whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_server),
        cmocka_unit_test(reads_other_algorithms),
        cmocka_unit_test(writes_long_and_negative_numbers),
        cmocka_unit_test(writes_pem),
        cmocka_unit_test(refuses_what_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
