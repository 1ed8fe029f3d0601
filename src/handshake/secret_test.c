// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "handshake/aead.h"
#include "handshake/fingerprint.h"
#include "handshake/secret.h"

static void assert_hex(const uint8_t *bytes, size_t size, const char *wanted)
{
    char text[257];
    assert_true(size <= 128);
    fingerprint_hex(text, span_of(bytes, size), false);
    assert_string_equal(text, wanted);
}

/* RFC 9001 §A.1 */
static void makes_the_keys_of_quic(void **state)
{
    (void)state;
    static const uint8_t salt[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                   0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
    static const uint8_t id[] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
    uint8_t initial[32], secret[32], key[16], iv[12];
    secret_extract(initial, span_of(salt, sizeof salt), span_of(id, sizeof id));
    struct span from = span_of(initial, sizeof initial);
    secret_expand(SECRET_SHA256, from, "client in", secret, sizeof secret);
    assert_hex(secret, 32, "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
    from = span_of(secret, sizeof secret);
    secret_expand(SECRET_SHA256, from, "quic key", key, sizeof key);
    assert_hex(key, 16, "1f369613dd76d5467730efcbe3b1a22d");
    secret_expand(SECRET_SHA256, from, "quic iv", iv, sizeof iv);
    assert_hex(iv, 12, "fa044b2f42a3fd3b46fb255c");
}

/* The vector that was agreed upon on the IETF's list when SHA-256 came to the function. */
static void makes_the_keys_of_tls_1_2(void **state)
{
    (void)state;
    static const uint8_t secret[] = {0x9b, 0xbe, 0x43, 0x6b, 0xa9, 0x40, 0xf0, 0x17,
                                     0xb1, 0x76, 0x52, 0x84, 0x9a, 0x71, 0xdb, 0x35};
    static const uint8_t seed[] = {0xa0, 0xba, 0x9f, 0x93, 0x6c, 0xda, 0x31, 0x18,
                                   0x27, 0xa6, 0xf7, 0x96, 0xff, 0xd5, 0x19, 0x8c};
    uint8_t out[100];
    secret_prf(SECRET_SHA256, span_of(secret, 16), "test label", span_of(seed, 16), out, 100);
    assert_hex(out, 100,
               "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
               "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
               "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
               "87347b66");
    secret_prf(SECRET_SHA384, span_of(secret, 16), "test label", span_of(seed, 16), out, 60);
    assert_hex(out, 60, "dd88775cd827187b67a3f7652b5c13f715791cc46e0274a6d3fb16651103defc544cd8afb68369a219bb918b8b21ddb1764af0a70339e6dec085e574");
}

static void expands_with_the_longer_hash(void **state)
{
    (void)state;
    uint8_t secret[48], out[100];
    memset(secret, 7, sizeof secret);
    secret_expand(SECRET_SHA384, span_of(secret, 48), "key", out, 100);
    assert_hex(out, 100, "d0c67c7e7ed5144786961cd957b1cefb07f455adadaeabfaeb56b1efb234ac9b91c71184ffe3ea14c29c3796e067af26951c"
               "6c265659dc3fc93a873e23b9c7162ee7e61025c09dd8effb8e438a55b1d3c91e92603643b8a186c6d8fe93b0d3cd9ea5ef59");
}

static void opens_only_what_was_sealed(void **state)
{
    (void)state;
    uint8_t key[32], nonce[AEAD_NONCE] = {1}, sealed[5 + AEAD_TAG], open[5];
    memset(key, 9, sizeof key);
    for (unsigned kind = 0; kind <= AEAD_CHACHA20_POLY1305; kind++) {
        struct aead aead;
        aead_init(&aead, kind, key);
        switch ((enum aead_kind)kind) {
        case AEAD_AES_128_GCM:
            gcm_aes128_set_iv(&aead.of.aes128, AEAD_NONCE, nonce);
            gcm_aes128_update(&aead.of.aes128, 3, (const uint8_t *)"add");
            gcm_aes128_encrypt(&aead.of.aes128, 5, sealed, (const uint8_t *)"plain");
            gcm_aes128_digest(&aead.of.aes128, AEAD_TAG, sealed + 5);
            break;
        case AEAD_AES_256_GCM:
            gcm_aes256_set_iv(&aead.of.aes256, AEAD_NONCE, nonce);
            gcm_aes256_update(&aead.of.aes256, 3, (const uint8_t *)"add");
            gcm_aes256_encrypt(&aead.of.aes256, 5, sealed, (const uint8_t *)"plain");
            gcm_aes256_digest(&aead.of.aes256, AEAD_TAG, sealed + 5);
            break;
        case AEAD_CHACHA20_POLY1305:
            chacha_poly1305_set_nonce(&aead.of.chacha, nonce);
            chacha_poly1305_update(&aead.of.chacha, 3, (const uint8_t *)"add");
            chacha_poly1305_encrypt(&aead.of.chacha, 5, sealed, (const uint8_t *)"plain");
            chacha_poly1305_digest(&aead.of.chacha, AEAD_TAG, sealed + 5);
            break;
        }
        struct span whole = span_of(sealed, sizeof sealed);
        assert_true(aead_open(&aead, nonce, span_str("add"), whole, open));
        assert_memory_equal(open, "plain", 5);
        assert_false(aead_open(&aead, nonce, span_str("Add"), whole, open));
        assert_false(aead_open(&aead, nonce, span_str("add"), span_head(whole, 15), open));
        sealed[2] ^= 1;
        assert_false(aead_open(&aead, nonce, span_str("add"), whole, open));
    }
}

static void counts_nonces(void **state)
{
    (void)state;
    uint8_t iv[AEAD_NONCE] = {0}, nonce[AEAD_NONCE];
    iv[11] = 0xff;
    aead_nonce(nonce, iv, 0x0102);
    assert_hex(nonce, AEAD_NONCE, "0000000000000000000001fd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_keys_of_quic),
        cmocka_unit_test(makes_the_keys_of_tls_1_2),
        cmocka_unit_test(expands_with_the_longer_hash),
        cmocka_unit_test(opens_only_what_was_sealed),
        cmocka_unit_test(counts_nonces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
