// SPDX-License-Identifier: Apache-2.0
#include "base/murmur3.h"

#include "base/cursor.h"

#define MURMUR3_C1 UINT64_C(0x87c37b91114253d5)
#define MURMUR3_C2 UINT64_C(0x4cf5ad432745937f)

static inline uint64_t rotated(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static inline uint64_t mixed_low(uint64_t word)
{
    return rotated(word * MURMUR3_C1, 31) * MURMUR3_C2;
}

static inline uint64_t mixed_high(uint64_t word)
{
    return rotated(word * MURMUR3_C2, 33) * MURMUR3_C1;
}

/* Every bit of the result depends on every bit of the word. */
static inline uint64_t finished(uint64_t word)
{
    word = (word ^ word >> 33) * UINT64_C(0xff51afd7ed558ccd);
    word = (word ^ word >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return word ^ word >> 33;
}

/* The last `left` bytes before `end`, fewer than 16, as two little-endian words with zeros behind them.
 * Names have any length: what branches on it is guessed wrongly most of the time, so where there are 16
 * bytes, whole words are loaded that end there. */
static inline void tail_words(const uint8_t *end, size_t size, size_t left, uint64_t ret[2])
{
    if (size >= 16) {
        bool two = left >= 8;
        uint64_t last = load_le64(end - 8) >> 1 >> (63 - 8 * (left & 7));
        ret[0] = two ? load_le64(end - left) : last;
        ret[1] = two ? last : 0;
        return;
    }
    ret[0] = ret[1] = 0;
    for (size_t i = 0; i < left; i++) {
        ret[i / 8] |= (uint64_t)(end - left)[i] << 8 * (i % 8);
    }
}

struct murmur3 murmur3(const void *data, size_t size, uint64_t seed)
{
    const uint8_t *at = data;
    uint64_t low = seed;
    uint64_t high = seed;
    size_t left = size;
    for (; left >= 16; left -= 16, at += 16) {
        low ^= mixed_low(load_le64(at));
        low = (rotated(low, 27) + high) * 5 + 0x52dce729;
        high ^= mixed_high(load_le64(at + 8));
        high = (rotated(high, 31) + low) * 5 + 0x38495ab5;
    }
    uint64_t tail[2]; /* a word of zeros mixes to zero: nothing changes where the tail has no bytes */
    tail_words(at + left, size, left, tail);
    low ^= mixed_low(tail[0]);
    high ^= mixed_high(tail[1]);
    low ^= size;
    high ^= size;
    low += high;
    high += low;
    low = finished(low);
    high = finished(high);
    low += high;
    return (struct murmur3){.low = low, .high = high + low};
}
