// SPDX-License-Identifier: Apache-2.0
#include "handshake/aead.h"

#include <nettle/memops.h>

size_t aead_key_size(enum aead_kind kind)
{
    return kind == AEAD_AES_128_GCM ? 16 : 32;
}

void aead_init(struct aead *aead, enum aead_kind kind, const uint8_t *key)
{
    aead->kind = kind;
    switch (kind) {
    case AEAD_AES_128_GCM:
        gcm_aes128_set_key(&aead->of.aes128, key);
        break;
    case AEAD_AES_256_GCM:
        gcm_aes256_set_key(&aead->of.aes256, key);
        break;
    case AEAD_CHACHA20_POLY1305:
        chacha_poly1305_set_key(&aead->of.chacha, key);
        break;
    }
}

#define OPEN(prefix, context)                                                                      \
    do {                                                                                           \
        prefix##_update(context, beside.size, beside.data);                                        \
        prefix##_decrypt(context, size, to, sealed.data);                                          \
        prefix##_digest(context, AEAD_TAG, tag);                                                   \
    } while (0)

bool aead_open(struct aead *aead, const uint8_t nonce[AEAD_NONCE], struct span beside,
               struct span sealed, uint8_t *to)
{
    uint8_t tag[AEAD_TAG], sent[AEAD_TAG];
    if (sealed.size < AEAD_TAG) {
        return false;
    }
    size_t size = sealed.size - AEAD_TAG;
    memcpy(sent, sealed.data + size, AEAD_TAG);
    switch (aead->kind) {
    case AEAD_AES_128_GCM:
        gcm_aes128_set_iv(&aead->of.aes128, AEAD_NONCE, nonce);
        OPEN(gcm_aes128, &aead->of.aes128);
        break;
    case AEAD_AES_256_GCM:
        gcm_aes256_set_iv(&aead->of.aes256, AEAD_NONCE, nonce);
        OPEN(gcm_aes256, &aead->of.aes256);
        break;
    case AEAD_CHACHA20_POLY1305:
        chacha_poly1305_set_nonce(&aead->of.chacha, nonce);
        OPEN(chacha_poly1305, &aead->of.chacha);
        break;
    }
    return memeql_sec(tag, sent, AEAD_TAG);
}

void aead_nonce(uint8_t to[AEAD_NONCE], const uint8_t iv[AEAD_NONCE], uint64_t number)
{
    memcpy(to, iv, AEAD_NONCE);
    for (unsigned i = 0; i < sizeof number; i++) {
        to[AEAD_NONCE - 1 - i] ^= (uint8_t)(number >> 8 * i);
    }
}

void aead_mask(uint8_t to[5], const uint8_t key[16], const uint8_t sample[AEAD_SAMPLE])
{
    struct aes128_ctx aes;
    uint8_t block[AES_BLOCK_SIZE];
    aes128_set_encrypt_key(&aes, key);
    aes128_encrypt(&aes, sizeof block, block, sample);
    memcpy(to, block, 5);
}
