// SPDX-License-Identifier: Apache-2.0
/* Decimal digits for those who write many numbers: eight at a time, in a handful of multiplications,
 * without a branch for how many there are. More bytes are written than the number takes. Pure. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { DIGITS_ROOM = 20, DIGITS_PIECE = 100000000 /* what eight digits can say */ };

/* The eight digits of a number below DIGITS_PIECE, as numbers of a byte each, the first one lowest:
 * halves of four digits are cut in two, these again, all at once. A division by 100 or 10 of what is
 * so small is a multiplication and a shift. */
static inline uint64_t digits_eight(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    return tens | (twos - tens * 10) << 8;
}

static inline void digits_store(char *to, uint64_t eight)
{
    uint64_t text = htole64(eight);
    memcpy(to, &text, sizeof text);
}

/* Writes all eight, zeros in front as well. */
static inline char *digits_all(char *to, uint32_t value)
{
    digits_store(to, digits_eight(value) | UINT64_C(0x3030303030303030));
    return to + 8;
}

/* Writes those that the number has, and rubbish behind them, eight bytes altogether. */
static inline char *digits_some(char *to, uint32_t value)
{
    uint64_t eight = digits_eight(value);
    unsigned zeros = (unsigned)__builtin_ctzll(eight | UINT64_C(1) << 56) / 8; /* the last one stays */
    digits_store(to, (eight | UINT64_C(0x3030303030303030)) >> 8 * zeros);
    return to + 8 - zeros;
}

/* Writes a number at `to`, which has DIGITS_ROOM bytes; returns the end of its digits. */
static inline char *digits_write(char *to, uint64_t value)
{
    if (value < DIGITS_PIECE) {
        return digits_some(to, (uint32_t)value);
    }
    uint64_t upper = value / DIGITS_PIECE;
    if (upper < DIGITS_PIECE) {
        to = digits_some(to, (uint32_t)upper);
    } else {
        to = digits_some(to, (uint32_t)(upper / DIGITS_PIECE));
        to = digits_all(to, (uint32_t)(upper % DIGITS_PIECE));
    }
    return digits_all(to, (uint32_t)(value % DIGITS_PIECE));
}
