// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic_packet.h"

#include "handshake/aead.h"
#include "handshake/secret.h"

enum {
    LONG_HEADER = 0x80,
    SALT_BYTES = 20,
    DRAFT_29 = (int)0xff00001d, /* the salt of drafts 29 to 32 */
    DRAFT_32 = (int)0xff000020,
};

/* ---- Headers -------------------------------------------------------------------------------- */

uint64_t quic_integer(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    uint64_t value = first & 0x3f;
    for (unsigned more = (1U << (first >> 6)) - 1; more > 0; more--) {
        value = value << 8 | cursor_u8(c);
    }
    return c->bad ? 0 : value;
}

static bool is_draft(uint32_t version)
{
    return version >= (uint32_t)DRAFT_29 && version <= (uint32_t)DRAFT_32;
}

bool quic_knows(uint32_t version)
{
    return version == QUIC_VERSION_1 || version == QUIC_VERSION_2 || is_draft(version);
}

/* RFC 9369 §3.2: version 2 moved the types by one. */
static enum quic_type type_of(uint32_t version, uint8_t first)
{
    unsigned type = first >> 4 & 3;
    return version == QUIC_VERSION_2 ? (type + 3) & 3 : type;
}

/* Takes what stands behind the connection ids. */
static void take_rest(struct cursor *at, struct quic_packet *p, const uint8_t *from)
{
    if (p->version == 0) {
        p->type = QUIC_NEGOTIATION;
        p->versions = cursor_take(at, cursor_left(at));
        return;
    }
    p->type = type_of(p->version, *from);
    if (p->type == QUIC_RETRY || !quic_knows(p->version)) {
        cursor_skip(at, cursor_left(at));
        return;
    }
    if (p->type == QUIC_INITIAL) {
        uint64_t token = quic_integer(at);
        cursor_skip(at, token < SIZE_MAX ? (size_t)token : SIZE_MAX);
    }
    uint64_t length = quic_integer(at);
    p->number_at = (size_t)(at->at - from);
    cursor_skip(at, length < SIZE_MAX ? (size_t)length : SIZE_MAX);
}

bool quic_next_packet(struct cursor *at, struct quic_packet *ret)
{
    if (at->bad || cursor_left(at) == 0) {
        return false;
    }
    const uint8_t *from = at->at;
    struct span none = span_of(from, 0);
    *ret = (struct quic_packet){.destination = none, .source = none, .versions = none};
    uint8_t first = cursor_u8(at);
    if (!(first & LONG_HEADER)) {
        ret->type = QUIC_SHORT;
        cursor_skip(at, cursor_left(at));
    } else {
        ret->version = cursor_be32(at);
        ret->destination = cursor_take(at, cursor_u8(at));
        ret->source = cursor_take(at, cursor_u8(at));
        take_rest(at, ret, from);
    }
    ret->whole = span_of(from, (size_t)(at->at - from));
    if (ret->destination.size > QUIC_ID_MAX || ret->source.size > QUIC_ID_MAX) {
        at->bad = true;
    }
    return !at->bad;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

struct keys {
    uint8_t key[16];
    uint8_t iv[AEAD_NONCE];
    uint8_t mask[16]; /* for the header */
};

static const uint8_t *salt_of(uint32_t version)
{
    static const uint8_t salts[3][SALT_BYTES] = {
        /* RFC 9001 §5.2 */
        {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
         0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
        /* RFC 9369 §3.3.1 */
        {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
         0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
        /* draft-ietf-quic-tls-29 §5.2 */
        {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
         0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
    };
    return salts[version == QUIC_VERSION_1 ? 0 : version == QUIC_VERSION_2 ? 1 : 2];
}

static void make_keys(struct keys *keys, uint32_t version, struct span first_id, bool is_server)
{
    bool is_2 = version == QUIC_VERSION_2;
    uint8_t initial[32], secret[32];
    secret_extract(initial, span_of(salt_of(version), SALT_BYTES), first_id);
    struct span of_initial = span_of(initial, sizeof initial);
    secret_expand(SECRET_SHA256, of_initial, is_server ? "server in" : "client in", secret,
                  sizeof secret);
    struct span of_side = span_of(secret, sizeof secret);
    secret_expand(SECRET_SHA256, of_side, is_2 ? "quicv2 key" : "quic key", keys->key,
                  sizeof keys->key);
    secret_expand(SECRET_SHA256, of_side, is_2 ? "quicv2 iv" : "quic iv", keys->iv, sizeof keys->iv);
    secret_expand(SECRET_SHA256, of_side, is_2 ? "quicv2 hp" : "quic hp", keys->mask,
                  sizeof keys->mask);
}

/* Takes the protection off a header (RFC 9001 §5.4), a copy of which is at `head`; returns the packet
 * number and its length. Numbers of Initial packets are small, so what was sent of it is all of it. */
static uint32_t unmask(uint8_t *head, const struct quic_packet *p, const struct keys *keys,
                       size_t *ret_length)
{
    uint8_t mask[5];
    aead_mask(mask, keys->mask, p->whole.data + p->number_at + 4);
    head[0] ^= mask[0] & 0x0f;
    size_t length = (head[0] & 3U) + 1;
    uint32_t number = 0;
    for (size_t i = 0; i < length; i++) {
        head[p->number_at + i] ^= mask[1 + i];
        number = number << 8 | head[p->number_at + i];
    }
    *ret_length = length;
    return number;
}

struct span quic_open(const struct quic_packet *packet, struct span first_id, bool is_server,
                      uint8_t to[QUIC_INITIAL_MAX])
{
    struct span none = span_of(to, 0);
    struct keys keys;
    struct aead aead;
    uint8_t nonce[AEAD_NONCE], head[QUIC_INITIAL_MAX];
    size_t head_size = packet->number_at + 4;
    if (packet->whole.size > QUIC_INITIAL_MAX || packet->whole.size < head_size + AEAD_SAMPLE) {
        return none;
    }
    make_keys(&keys, packet->version, first_id, is_server);
    memcpy(head, packet->whole.data, head_size);
    size_t length;
    uint32_t number = unmask(head, packet, &keys, &length);
    head_size = packet->number_at + length;
    aead_init(&aead, AEAD_AES_128_GCM, keys.key);
    aead_nonce(nonce, keys.iv, number);
    struct span sealed = span_skip(packet->whole, head_size);
    bool is_open = aead_open(&aead, nonce, span_of(head, head_size), sealed, to);
    return is_open ? span_of(to, sealed.size - AEAD_TAG) : none;
}
