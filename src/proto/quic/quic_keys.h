// SPDX-License-Identifier: Apache-2.0
/* The keys of QUIC's Initial packets. They follow from the version and the client's first destination
 * connection id (RFC 9001 §5.2), so anybody on the path can make them. That takes 14 rounds of SHA-256;
 * a worker remembers those that it made last, for a hello that comes in pieces or more than once. */
#pragma once

#include "base/recall.h"
#include "handshake/aead.h"
#include "handshake/secret.h"

enum {
    QUIC_ID_MAX = 20,
    QUIC_VERSION_1 = 0x00000001,
    QUIC_VERSION_2 = 0x6b3343cf,
    QUIC_SALTS = 4,
    QUIC_KEYS_KEPT = 512,
    QUIC_KEYS_KEY = 32,  /* version, side and id */
    QUIC_KEYS_ROOM = 48,
};

struct quic_keys {
    uint8_t key[16];
    uint8_t iv[AEAD_NONCE];
    uint8_t mask[16]; /* for the header */
};

/* A worker's, zeroed at first. */
struct quic_keys_cache {
    struct secret_source salts[QUIC_SALTS];
    bool has_salts;
    uint32_t turn; /* of recall_find() */
    _Alignas(64) uint8_t known[RECALL_SIZE(QUIC_KEYS_KEPT, QUIC_KEYS_KEY, QUIC_KEYS_ROOM)];
};

/* Whether the salt of a version is known: 1, 2, drafts 23 to 32, and what Facebook made of one. */
bool quic_knows(uint32_t version);

/* The keys of the client's (or the server's) Initial packets in a connection that began with `first_id`,
 * QUIC_ID_MAX bytes at most; of a version that is known. `cache` NULL: nothing is remembered. */
void quic_keys_find(struct quic_keys *ret, struct quic_keys_cache *cache, uint32_t version,
                    struct span first_id, bool is_server);
