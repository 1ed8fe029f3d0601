// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic_packet.h"

#include "handshake/aead.h"

enum { LONG_HEADER = 0x80 };

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

/* ---- Opening ------------------------------------------------------------------------------- */

/* Takes the protection off a header (RFC 9001 §5.4), a copy of which is at `head`; returns the packet
 * number and its length. Numbers of Initial packets are small, so what was sent of it is all of it. */
static uint32_t unmask(uint8_t *head, const struct quic_packet *p, const struct quic_keys *keys,
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
                      struct quic_keys_cache *cache, uint8_t to[QUIC_INITIAL_MAX])
{
    struct span none = span_of(to, 0);
    struct quic_keys keys;
    struct aead aead;
    uint8_t nonce[AEAD_NONCE], head[QUIC_INITIAL_MAX];
    size_t head_size = packet->number_at + 4;
    if (packet->whole.size > QUIC_INITIAL_MAX || packet->whole.size < head_size + AEAD_SAMPLE) {
        return none;
    }
    quic_keys_find(&keys, cache, packet->version, first_id, is_server);
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
