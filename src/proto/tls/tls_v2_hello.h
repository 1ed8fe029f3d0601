// SPDX-License-Identifier: Apache-2.0
/* The ClientHello of those that were ready to speak SSL 2.0 as well: its form is that protocol's,
 * what it asks for is SSL 3.0 or TLS, and all that follows is in TLS's records (RFC 5246 §E.2, RFC
 * 6101 §E). Such clients are old, and worth to be told. Pure. */
#pragma once

#include "base/span.h"

enum {
    TLS_V2_HEAD = 11,    /* up to the lists */
    TLS_V2_CIPHERS = 96, /* that are read of one, at most: there were some 70 by then */
    TLS_V2_MOST = TLS_V2_HEAD + 3 * TLS_V2_CIPHERS + 32 + 32,
    TLS_V2_BODY = 2 + 32 + 1 + 32 + 2 + 2 * TLS_V2_CIPHERS + 2, /* of what it becomes */
};

/* Whether bytes begin like one: 1 they do, -1 they do not, 0 too few to tell (below TLS_V2_HEAD).
 */
int tls_v2_hello_probe(struct span data);

/* How long it is, of a head that was told to be one. At most TLS_V2_MOST. */
size_t tls_v2_hello_size(const uint8_t *head);

/* Writes one that is whole as the body of a ClientHello, as a server understands it: of the ciphers
 * those of TLS, the challenge as the end of the random. Returns its size. */
size_t tls_v2_hello_body(struct span hello, uint8_t to[TLS_V2_BODY]);
