// SPDX-License-Identifier: Apache-2.0
/* What a worker has once for all its connections whose records it opens: where what comes out goes, and
 * keys made ready for the ciphers. Such a key takes 4 KiB of tables that are made of 32 bytes, so a
 * connection keeps the bytes, and the latest keys that were used are here; whoever comes back later has
 * his made again, in about a microsecond. Both are borrowed until the next record is opened. */
#pragma once

#include "handshake/aead.h"
#include "proto/tls/tls_flow.h"

enum { TLS_OPENER_KEYS = 256, TLS_OPENER_ROOM = TLS_RECORD_MAX };

struct tls_opener_key {
    uint64_t serial;
    struct aead aead;
};

struct tls_opener {
    uint64_t serial; /* of the key that was made last; each has another */
    uint8_t bytes[TLS_OPENER_ROOM];
    struct tls_opener_key keys[TLS_OPENER_KEYS];
};

/* The place of a key by its serial; it is there still if that is the place's, too. */
static inline struct tls_opener_key *tls_opener_place(struct tls_opener *opener, uint64_t serial)
{
    return &opener->keys[serial % TLS_OPENER_KEYS];
}
