// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/murmur3.h"

static void assert_hash(const void *data, size_t size, uint64_t low, uint64_t high)
{
    struct murmur3 h = murmur3(data, size, MURMUR3_SEED);
    assert_int_equal(h.low, low);
    assert_int_equal(h.high, high);
}

/* What Apache DataSketches makes of these. */
static void hashes_as_datasketches(void **state)
{
    static const uint8_t one[8] = {1};
    static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8};
    assert_hash((uint8_t[8]){0}, 8, 0x40890191dcc2d7cb, 0x9a7acdbe1b80efb2);
    assert_hash(one, 8, 0x0b430d7b96fbf22b, 0xe8ea0960d4246765);
    assert_hash("host0.example.com", 17, 0x188e81a05205bdca, 0x5921cbee5ab9afdf);
    assert_hash(address, 16, 0xa3acc885c74043ef, 0x90e1d3b67f728204);
}

/* By the algorithm as it was published, which takes what is behind the last 16 bytes one by one. */
static void every_tail_is_as_published(void **state)
{
    static const char text[] = "a.long.name.of.a.host.example.com.";
    assert_hash(text, 0, 0x1e70a32266491bb9, 0x609736b252406b94);
    assert_hash(text, 7, 0xafce74db9cf2b925, 0xed9b3ba07ddd5de8);
    assert_hash(text, 15, 0xa919c7ab8618ac32, 0x7437bdea13e98a74);
    assert_hash(text, 16, 0xb733e3f0217924fd, 0xabc56632d202b500);
    assert_hash(text, 20, 0xc78f046edef2e375, 0xf8849fc618e7cf88);
    assert_hash(text, 23, 0xf0e9172939988f66, 0x32310043b7547fed);
    assert_hash(text, 24, 0xd531d162028e8481, 0x4d8b2cc9d37e97bd);
    assert_hash(text, 25, 0x7d4624e02c31dc60, 0x1be25a21827b9450);
    assert_hash(text, 31, 0x3fb553a02d9db1d0, 0x7f052d7194455753);
    assert_hash(text, 33, 0xf03becfbf96dd36c, 0x7e3c7048c35517a7);
}

/* Sketches carry 16 bits of the hash of the seed. */
static void seed_hash_is_known(void **state)
{
    static const uint8_t seed[8] = {MURMUR3_SEED & 0xff, MURMUR3_SEED >> 8};
    assert_int_equal(murmur3(seed, sizeof seed, 0).low & 0xffff, 0x93cc);
}

/* Each length has a path of its own; none reads beyond its bytes (ASan), and all bytes count. */
static void every_byte_counts(void **state)
{
    for (size_t size = 1; size < 40; size++) {
        uint8_t data[40] = {0};
        struct murmur3 before = murmur3(data, size, 1);
        for (size_t i = 0; i < size; i++) {
            data[i] = 1;
            struct murmur3 after = murmur3(data, size, 1);
            assert_true(after.low != before.low && after.high != before.high);
            data[i] = 0;
        }
        data[size] = 1;
        assert_true(murmur3(data, size, 1).low == before.low);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_datasketches),
        cmocka_unit_test(every_tail_is_as_published),
        cmocka_unit_test(seed_hash_is_known),
        cmocka_unit_test(every_byte_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
