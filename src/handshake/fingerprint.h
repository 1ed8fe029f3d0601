// SPDX-License-Identifier: Apache-2.0
/* Fingerprints of who speaks TLS, from what its hello offers: JA3 and JA3S (MD5 of five, or three,
 * lists of numbers) and JA4 (FoxIO's method for clients, BSD licence). Pure; the hashes are nettle's.
 * Each costs some microseconds, once a connection. A hello with more than FINGERPRINT_VALUES_MAX of
 * anything has no JA4. */
#pragma once

#include "handshake/hello.h"

enum {
    FINGERPRINT_JA3_ROOM = 33, /* 32 hexadecimal digits and the terminator */
    FINGERPRINT_JA4_ROOM = 37, /* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
    FINGERPRINT_VALUES_MAX = 1024,
};

/* Of a ClientHello: MD5 of "version,ciphers,extensions,groups,point formats" in decimal, reserved
 * values (RFC 8701) left out. */
void fingerprint_ja3(char to[FINGERPRINT_JA3_ROOM], const struct hello *hello);

/* Of a ServerHello: MD5 of "version,cipher,extensions". */
void fingerprint_ja3s(char to[FINGERPRINT_JA3_ROOM], const struct hello *hello);

/* Of a ClientHello that came by `transport`: 't' TCP, 'q' QUIC, 'd' DTLS. */
void fingerprint_ja4(char to[FINGERPRINT_JA4_ROOM], const struct hello *hello, char transport);

/* Writes what the fingerprints of a hello depend on, so that others are alike if this is; returns its
 * size, 0 when it is more than `room`. A fraction of what the hashes cost. */
size_t fingerprint_key(uint8_t *to, size_t room, const struct hello *hello);

/* Writes bytes as digits, upper case or lower, and a terminator. `to` has room for 2 * size + 1. */
void fingerprint_hex(char *to, struct span bytes, bool upper);
