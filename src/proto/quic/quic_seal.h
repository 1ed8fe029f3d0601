// SPDX-License-Identifier: Apache-2.0
/* For tests and fuzzers only: frames sealed as an Initial packet of version 1, the other way round than
 * quic_open() reads them. */
#pragma once

#include "handshake/aead.h"
#include "handshake/secret.h"
#include "proto/quic/quic_packet.h"

enum { SEAL_ROOM = QUIC_INITIAL_MAX, SEAL_NUMBER_AT = 1 + 4 + 1 + 8 + 1 + 1 + 2 };

/* Writes a packet with the frames and padding up to `wanted` bytes to `to`; returns its length. The
 * keys are those of `first_id`, 8 bytes, which the packet also carries. */
static inline size_t seal_initial(uint8_t to[SEAL_ROOM], const uint8_t first_id[8], bool is_server,
                                  struct span frames, size_t wanted)
{
    static const uint8_t salt[] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                   0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
    uint8_t initial[32], secret[32], key[16], iv[12], hide[16], mask[5], plain[SEAL_ROOM] = {0};
    size_t overhead = SEAL_NUMBER_AT + 4 + AEAD_TAG;
    size_t size = wanted > overhead + frames.size ? wanted - overhead : frames.size;
    memcpy(plain, frames.data, frames.size);
    secret_extract(initial, span_of(salt, sizeof salt), span_of(first_id, 8));
    secret_expand(SECRET_SHA256, span_of(initial, 32), is_server ? "server in" : "client in", secret,
                  32);
    secret_expand(SECRET_SHA256, span_of(secret, 32), "quic key", key, 16);
    secret_expand(SECRET_SHA256, span_of(secret, 32), "quic iv", iv, 12);
    secret_expand(SECRET_SHA256, span_of(secret, 32), "quic hp", hide, 16);
    memcpy(to, "\xc3\0\0\0\1\10", 6);
    memcpy(to + 6, first_id, 8);
    size_t length = 4 + size + AEAD_TAG;
    to[14] = to[15] = 0; /* no source id, no token */
    to[16] = (uint8_t)(0x40 | length >> 8);
    to[17] = (uint8_t)length;
    memcpy(to + SEAL_NUMBER_AT, "\0\0\0\0", 4);
    struct gcm_aes128_ctx gcm;
    gcm_aes128_set_key(&gcm, key);
    gcm_aes128_set_iv(&gcm, 12, iv);
    gcm_aes128_update(&gcm, SEAL_NUMBER_AT + 4, to);
    gcm_aes128_encrypt(&gcm, size, to + SEAL_NUMBER_AT + 4, plain);
    gcm_aes128_digest(&gcm, AEAD_TAG, to + SEAL_NUMBER_AT + 4 + size);
    aead_mask(mask, hide, to + SEAL_NUMBER_AT + 4);
    to[0] ^= mask[0] & 0x0f;
    for (unsigned i = 0; i < 4; i++) {
        to[SEAL_NUMBER_AT + i] ^= mask[1 + i];
    }
    return SEAL_NUMBER_AT + length;
}
