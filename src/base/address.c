// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <string.h>

#include "base/cursor.h"

enum { ADDRESS_GROUPS = 8 };

/* All octets in decimal with a point behind them. */
#define OCTET(n)                                                                                   \
    {(n) >= 100  ? '0' + (n) / 100                                                                 \
     : (n) >= 10 ? '0' + (n) / 10                                                                  \
                 : '0' + (n) % 10,                                                                 \
     (n) >= 100  ? '0' + (n) / 10 % 10                                                             \
     : (n) >= 10 ? '0' + (n) % 10                                                                  \
                 : '.',                                                                            \
     (n) >= 100 ? '0' + (n) % 10 : '.', '.'}
#define OCTETS_4(n) OCTET(n), OCTET((n) + 1), OCTET((n) + 2), OCTET((n) + 3)
#define OCTETS_16(n) OCTETS_4(n), OCTETS_4((n) + 4), OCTETS_4((n) + 8), OCTETS_4((n) + 12)
#define OCTETS_64(n) OCTETS_16(n), OCTETS_16((n) + 16), OCTETS_16((n) + 32), OCTETS_16((n) + 48)

static const char address_octets[256][4] = {OCTETS_64(0), OCTETS_64(64), OCTETS_64(128),
                                            OCTETS_64(192)};

/* Writes four bytes, of which the point may be one; `to` has room for them. */
static inline char *address_decimal(char *to, unsigned value)
{
    memcpy(to, address_octets[value], sizeof address_octets[value]);
    return to + 2 + (value >= 10) + (value >= 100);
}

static char *address_v4(char *to, const uint8_t *bytes)
{
    to = address_decimal(to, bytes[0]);
    to = address_decimal(to, bytes[1]);
    to = address_decimal(to, bytes[2]);
    return address_decimal(to, bytes[3]) - 1;
}

/* Hexadecimal without leading zeros (RFC 5952, section 4.1). */
static char *address_group(char *to, unsigned value)
{
    int digits = value >= 0x1000 ? 4 : value >= 0x100 ? 3 : value >= 0x10 ? 2 : 1;
    for (int i = digits - 1; i >= 0; i--) {
        *to++ = "0123456789abcdef"[value >> 4 * i & 15];
    }
    return to;
}

/* The run of zero groups that "::" stands for: the first of the longest, at least two groups
 * (section 4.2). Returns where it begins and its length, which is 0 when there is none. */
static int address_zeros(const uint8_t *bytes, int *length)
{
    int best = 0;
    *length = 0;
    for (int i = 0, run = 0; i < ADDRESS_GROUPS; i++) {
        run = load_be16(bytes + 2 * i) == 0 ? run + 1 : 0;
        if (run > 1 && run > *length) {
            *length = run;
            best = i - run + 1;
        }
    }
    return best;
}

static char *address_v6(char *to, const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(bytes, mapped, sizeof mapped) == 0) { /* section 5 */
        memcpy(to, "::ffff:", 7);
        return address_v4(to + 7, bytes + 12);
    }
    int length;
    int zeros = address_zeros(bytes, &length);
    for (int i = 0; i < ADDRESS_GROUPS; i++) {
        if (length > 0 && i == zeros) {
            *to++ = ':';
            *to++ = ':';
            i += length - 1;
            continue;
        }
        if (i > 0 && to[-1] != ':') {
            *to++ = ':';
        }
        to = address_group(to, load_be16(bytes + 2 * i));
    }
    return to;
}

char *address_write(char *to, unsigned version, const uint8_t *bytes)
{
    if (version == 4) {
        return address_v4(to, bytes);
    }
    if (version == 6) {
        return address_v6(to, bytes);
    }
    memcpy(to, "none", 4);
    return to + 4;
}
