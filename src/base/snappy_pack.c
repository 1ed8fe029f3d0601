// SPDX-License-Identifier: Apache-2.0
#include "base/snappy_pack.h"

enum {
    PIECE = 1 << 16, /* matches do not reach across: their distance fits in two bytes */
    TABLE_BITS = 14,
    LEAST = 4,       /* bytes of a match that is worth its three */
    COPY_MAX = 64,
};

size_t snappy_pack_bound(size_t size)
{
    /* A literal costs up to five bytes, a piece ends in one at least; a copy is never longer than
     * what it stands for. */
    return 5 + size + size / 6 + (size / PIECE + 1) * 8;
}

static uint32_t four_at(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t place_of(uint32_t four)
{
    return four * 0x9e3779b1u >> (32 - TABLE_BITS);
}

/* Bytes as they are: a tag with their number less one, in one to three bytes (section 2.1). */
static uint8_t *put_literal(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size == 0) {
        return to;
    }
    size_t n = size - 1;
    if (n < 60) {
        *to++ = (uint8_t)(n << 2);
    } else if (n < 256) {
        *to++ = 60 << 2;
        *to++ = (uint8_t)n;
    } else {
        *to++ = 61 << 2;
        *to++ = (uint8_t)n;
        *to++ = (uint8_t)(n >> 8);
    }
    memcpy(to, from, size);
    return to + size;
}

/* Bytes that stood `back` before: tags with two bytes of distance (section 2.2.2). */
static uint8_t *put_copy(uint8_t *to, size_t back, size_t size)
{
    while (size > 0) {
        size_t n = size < COPY_MAX ? size : COPY_MAX;
        *to++ = (uint8_t)((n - 1) << 2 | 2);
        *to++ = (uint8_t)back;
        *to++ = (uint8_t)(back >> 8);
        size -= n;
    }
    return to;
}

static size_t length_of(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    size_t size = 0;
    while (b + size < end && a[size] == b[size]) {
        size++;
    }
    return size;
}

/* The longer nothing is found, the longer the steps: what cannot be packed costs little. */
static uint8_t *pack_piece(uint8_t *to, const uint8_t *from, size_t size)
{
    uint16_t table[1 << TABLE_BITS] = {0};
    const uint8_t *end = from + size, *at = from, *said = from;
    uint32_t missed = 32;
    while ((size_t)(end - at) >= LEAST) {
        uint32_t four = four_at(at);
        uint16_t *seen = &table[place_of(four)];
        const uint8_t *before = from + *seen;
        *seen = (uint16_t)(at - from);
        if (before >= at || four_at(before) != four) {
            size_t step = missed++ / 32;
            at += step < (size_t)(end - at) ? step : (size_t)(end - at);
            continue;
        }
        size_t length = length_of(before, at, end);
        to = put_literal(to, said, (size_t)(at - said));
        to = put_copy(to, (size_t)(at - before), length);
        at += length;
        said = at;
        missed = 32;
    }
    return put_literal(to, said, (size_t)(end - said));
}

size_t snappy_pack(struct span bytes, uint8_t *to)
{
    uint8_t *begin = to;
    size_t length = bytes.size;
    for (; length >= 0x80; length >>= 7) {
        *to++ = (uint8_t)(length | 0x80);
    }
    *to++ = (uint8_t)length;
    while (bytes.size > 0) {
        size_t size = bytes.size < PIECE ? bytes.size : PIECE;
        to = pack_piece(to, bytes.data, size);
        bytes = span_skip(bytes, size);
    }
    return (size_t)(to - begin);
}
