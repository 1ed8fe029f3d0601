// SPDX-License-Identifier: Apache-2.0
/* A sticky reader over hostile bytes. A read past the end gives 0 (or an empty span), moves
 * nothing and sets `bad`; all later reads do the same, so a parser reads on and asks once at the
 * end. No allocation, no side effect; a cursor is a value on the caller's stack. */
#pragma once

#include "base/span.h"

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

/* A cursor at the start of `s`. */
static inline struct cursor cursor_of(struct span s)
{
    /* Nothing is added to NULL, not even 0: C does not define that. */
    const uint8_t *end = s.data != NULL ? s.data + s.size : NULL;
    return (struct cursor){.at = s.data, .end = end, .bad = false};
}

/* Bytes left to read. */
static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Borrows the next `n` bytes; an empty span with `bad` set when there are fewer. */
static inline struct span cursor_take(struct cursor *c, size_t n)
{
    if (c->bad || cursor_left(c) < n) {
        c->bad = true;
        return span_of(c->at, 0);
    }
    struct span s = span_of(c->at, n);
    c->at += n;
    return s;
}

/* Steps over `n` bytes. */
static inline void cursor_skip(struct cursor *c, size_t n)
{
    (void)cursor_take(c, n);
}

/* The next byte. */
static inline uint8_t cursor_u8(struct cursor *c)
{
    struct span s = cursor_take(c, 1);
    return s.size ? s.data[0] : 0;
}

/* Unaligned loads of network (big-endian) and little-endian integers; the caller has checked that
 * the bytes are there. */
static inline uint16_t load_be16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}

static inline uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline uint16_t load_le16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)p[1] << 8 | p[0]);
}

static inline uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)load_le32(p + 4) << 32 | load_le32(p);
}

/* The next integer in network byte order. */
static inline uint16_t cursor_be16(struct cursor *c)
{
    struct span s = cursor_take(c, 2);
    return s.size ? load_be16(s.data) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
    struct span s = cursor_take(c, 4);
    return s.size ? load_be32(s.data) : 0;
}

static inline uint64_t cursor_be64(struct cursor *c)
{
    struct span s = cursor_take(c, 8);
    return s.size ? load_be64(s.data) : 0;
}
