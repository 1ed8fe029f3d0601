// SPDX-License-Identifier: Apache-2.0
/* What users may choose of what is told of handshakes, and what was made of parts of hellos and of
 * certificates, for those that offer and show the same: few programs make most connections, to servers
 * that show the same certificates. */
#pragma once

#include "base/recall.h"

enum hello_hash { HELLO_MD5 = 1, HELLO_SHA1 = 2, HELLO_SHA256 = 4 };
enum hello_print { HELLO_JA3 = 1, HELLO_JA3S = 2, HELLO_JA4 = 4 };

/* Slots, and room of a key and of what was made of it. */
enum {
    HELLO_NAMES = 256,
    HELLO_NAMES_KEY = 256,
    HELLO_NAMES_ROOM = 3808,
    HELLO_PRINTS = 512,
    HELLO_PRINTS_KEY = 512,
    HELLO_PRINTS_ROOM = 80,
    HELLO_OFFERS = 512,
    HELLO_OFFERS_KEY = 512,
    HELLO_OFFERS_ROOM = 4 << 10,
    HELLO_CHAINS = 256,
    HELLO_CHAINS_KEY = 7 << 10,
    HELLO_CHAINS_ROOM = 6 << 10,
};

/* A worker's, zeroed at first; what fell into the same slots takes turns. Callers that meet no certificates
 * need not have that part. */
struct hello_cache {
    uint32_t turn; /* of recall_find(): a new one for each event */
    _Alignas(64) uint8_t names[RECALL_SIZE(HELLO_NAMES, HELLO_NAMES_KEY, HELLO_NAMES_ROOM)];
    uint8_t prints[RECALL_SIZE(HELLO_PRINTS, HELLO_PRINTS_KEY, HELLO_PRINTS_ROOM)];
    uint8_t offers[RECALL_SIZE(HELLO_OFFERS, HELLO_OFFERS_KEY, HELLO_OFFERS_ROOM)];
    uint8_t chains[RECALL_SIZE(HELLO_CHAINS, HELLO_CHAINS_KEY, HELLO_CHAINS_ROOM)];
};

enum { HELLO_CACHE_WITHOUT_CHAINS = offsetof(struct hello_cache, chains) };

struct hello_show {
    bool detailed;          /* tls.detailed and x509 */
    bool certificates;      /* x509 and the chain */
    bool raw_certificates;  /* PEM */
    uint8_t hashes;         /* of certificates, enum hello_hash */
    uint8_t prints;         /* of hellos, enum hello_print */
    char transport;         /* as fingerprint_ja4() wants it */
    struct hello_cache *cache; /* or NULL; always of the same choices */
};

/* A new event begins, and its maker has `cache` (NULL: none) in its struct hello_show: texts of an event
 * borrow from the cache until then. */
static inline void hello_cache_turn(struct hello_cache *cache)
{
    if (cache != NULL && ++cache->turn == 0) {
        cache->turn = 1;
    }
}
