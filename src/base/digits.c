// SPDX-License-Identifier: Apache-2.0
#include "base/digits.h"

#define NUMBER(n)                                                                                  \
    {'0' + (n) / 100, '0' + (n) / 10 % 10, '0' + (n) % 10, ((n) < 100) + ((n) < 10)}
#define NUMBERS_5(n) NUMBER(n), NUMBER((n) + 1), NUMBER((n) + 2), NUMBER((n) + 3), NUMBER((n) + 4)
#define NUMBERS_25(n)                                                                              \
    NUMBERS_5(n), NUMBERS_5((n) + 5), NUMBERS_5((n) + 10), NUMBERS_5((n) + 15), NUMBERS_5((n) + 20)
#define NUMBERS_100(n)                                                                             \
    NUMBERS_25(n), NUMBERS_25((n) + 25), NUMBERS_25((n) + 50), NUMBERS_25((n) + 75)

const uint8_t digits_small[DIGITS_SMALL][4] = {
    NUMBERS_100(0),   NUMBERS_100(100), NUMBERS_100(200), NUMBERS_100(300), NUMBERS_100(400),
    NUMBERS_100(500), NUMBERS_100(600), NUMBERS_100(700), NUMBERS_100(800), NUMBERS_100(900),
};

char *digits_long(char *to, uint64_t value)
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
