// SPDX-License-Identifier: Apache-2.0
/* Opening what was sealed with AES-GCM or ChaCha20-Poly1305 (RFC 5116, RFC 8439), and the masks over
 * QUIC's headers. A key is a plain value that its owner keeps. Opening costs about a nanosecond a byte. */
#pragma once

#include <nettle/chacha-poly1305.h>
#include <nettle/gcm.h>

#include "base/span.h"

enum aead_kind { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 };

enum { AEAD_TAG = 16, AEAD_NONCE = 12, AEAD_KEY_MAX = 32, AEAD_SAMPLE = 16 };

struct aead {
    enum aead_kind kind;
    union {
        struct gcm_aes128_ctx aes128;
        struct gcm_aes256_ctx aes256;
        struct chacha_poly1305_ctx chacha;
    } of;
};

/* Bytes of a key. */
size_t aead_key_size(enum aead_kind kind);

void aead_init(struct aead *aead, enum aead_kind kind, const uint8_t *key);

/* Opens `sealed`, whose last AEAD_TAG bytes are the tag, to `to`, which has room for the others (it may
 * be where they are); false when it was not sealed with this key, nonce and `beside`, and then what is
 * in `to` is of no use. */
bool aead_open(struct aead *aead, const uint8_t nonce[AEAD_NONCE], struct span beside,
               struct span sealed, uint8_t *to);

/* The nonce of record or packet `number`: the number, on the right, over the IV (RFC 8446 §5.3). */
void aead_nonce(uint8_t to[AEAD_NONCE], const uint8_t iv[AEAD_NONCE], uint64_t number);

/* The first five bytes of AES-128-ECB over a sample (RFC 9001 §5.4.3). */
void aead_mask(uint8_t to[5], const uint8_t key[16], const uint8_t sample[AEAD_SAMPLE]);
