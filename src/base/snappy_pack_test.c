// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/snappy.h"
#include "base/snappy_pack.h"

/* Packs, unpacks, compares; returns the packed size. */
static size_t round_trip(const uint8_t *bytes, size_t size)
{
    uint8_t *packed = malloc(snappy_pack_bound(size));
    uint8_t *back = malloc(size + 1);
    bool whole = false;
    uint64_t said = 0;
    size_t packed_size = snappy_pack(span_of(bytes, size), packed);
    assert_true(packed_size <= snappy_pack_bound(size));
    assert_true(snappy_length(span_of(packed, packed_size), &said));
    assert_int_equal(said, size);
    assert_int_equal(snappy_unpack(span_of(packed, packed_size), back, size + 1, &whole), size);
    assert_true(whole);
    assert_memory_equal(back, bytes, size);
    free(packed);
    free(back);
    return packed_size;
}

static void nothing_is_one_byte(void **state)
{
    uint8_t to[16];
    (void)state;
    assert_int_equal(snappy_pack(span_of(NULL, 0), to), 1);
    assert_int_equal(to[0], 0);
}

static void short_ones(void **state)
{
    static const uint8_t bytes[] = "aaaaaaaaaaaaaaaaaaaaaaaaaabcabcabcabcabcd";
    (void)state;
    for (size_t size = 1; size < sizeof bytes; size++) {
        round_trip(bytes, size);
    }
}

static void what_repeats_becomes_small(void **state)
{
    static uint8_t bytes[300000];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)("policy=\"default\",module=\"dns\""[i % 29]);
    }
    assert_true(round_trip(bytes, sizeof bytes) < sizeof bytes / 15);
}

/* Noise with repetitions of all lengths and distances, sizes about those of a piece. */
static void any_bytes(void **state)
{
    static uint8_t bytes[3 * 65536 + 5];
    uint32_t random = 1;
    (void)state;
    for (int turn = 0; turn < 40; turn++) {
        size_t size = turn < 10 ? (size_t)65530 + (size_t)turn : random % sizeof bytes;
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525 + 1013904223;
            size_t back = random >> 8;
            bool repeats = turn % 3 > 0 && i > 0 && (random >> 4) % 8 > 0;
            bytes[i] = repeats ? bytes[i - 1 - back % (i < 90 ? i : 90)] : (uint8_t)(random >> 24);
        }
        round_trip(bytes, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_one_byte),
        cmocka_unit_test(short_ones),
        cmocka_unit_test(what_repeats_becomes_small),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
