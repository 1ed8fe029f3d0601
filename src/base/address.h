// SPDX-License-Identifier: Apache-2.0
/* IP addresses as text: dotted decimal, and RFC 5952 for IPv6 (lower case, the longest run of two
 * or more zero groups as "::", the first of equals; IPv4-mapped addresses end in dotted decimal).
 * No locale, no libc; some 10 to 30 ns. Thread safe. */
#pragma once

#include <stdint.h>

enum {
    ADDRESS_ROOM = 46, /* the longest text and its terminator, as INET6_ADDRSTRLEN */
};

/* Writes the address in `bytes` (4 of them for version 4, 16 for version 6) without a terminator
 * to `to`, which has ADDRESS_ROOM bytes; returns the end. Any other version gives "none". */
char *address_write(char *to, unsigned version, const uint8_t *bytes);
