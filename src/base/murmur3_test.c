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
        cmocka_unit_test(seed_hash_is_known),
        cmocka_unit_test(every_byte_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
