// SPDX-License-Identifier: Apache-2.0
/* Decimal digits for those who write many numbers: eight at a time, in a handful of multiplications,
 * without a branch for how many there are. More bytes are written than the number takes. Pure. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum {
    DIGITS_ROOM = 20,
    DIGITS_PIECE = 100000000, /* what eight digits can say */
    DIGITS_SMALL = 1000,
};

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

/* Numbers below a thousand: three digits, zeros in front as well, and how many of these there are. */
extern const uint8_t digits_small[DIGITS_SMALL][4];

static inline char *digits_three(char *to, uint32_t value)
{
    memcpy(to, digits_small[value], sizeof digits_small[value]);
    return to + 3;
}

/* Those that a number below a thousand has, and rubbish behind them. */
static inline char *digits_few(char *to, uint32_t value)
{
    uint32_t text;
    unsigned zeros = digits_small[value][3];
    memcpy(&text, digits_small[value], sizeof text);
    text = htole32(le32toh(text) >> 8 * zeros);
    memcpy(to, &text, sizeof text);
    return to + 3 - zeros;
}

/* Any number, in pieces of eight digits. */
char *digits_long(char *to, uint64_t value);

/* Writes a number at `to`, which has DIGITS_ROOM bytes; returns the end of its digits. Most numbers are
 * small: they are looked up. */
static inline char *digits_write(char *to, uint64_t value)
{
    if (value < DIGITS_SMALL) {
        return digits_few(to, (uint32_t)value);
    }
    if (value < DIGITS_SMALL * DIGITS_SMALL) {
        uint32_t upper = (uint32_t)value / DIGITS_SMALL;
        to = digits_few(to, upper);
        return digits_three(to, (uint32_t)value - upper * DIGITS_SMALL);
    }
    return digits_long(to, value);
}
