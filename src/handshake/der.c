// SPDX-License-Identifier: Apache-2.0
#include "handshake/der.h"

enum { LONG_TAG = 0x1f, LONG_LENGTH = 0x80, LENGTH_BYTES_MAX = 3 };

static size_t read_length(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    if (first < LONG_LENGTH) {
        return first;
    }
    unsigned count = first & 0x7f;
    if (count == 0 || count > LENGTH_BYTES_MAX) {
        c->bad = true;
        return 0;
    }
    size_t length = 0;
    while (count-- > 0) {
        length = length << 8 | cursor_u8(c);
    }
    return length;
}

bool der_next(struct cursor *c, struct der *ret)
{
    *ret = (struct der){.tag = 0, .value = span_of("", 0)};
    if (c->bad || cursor_left(c) == 0) {
        return false;
    }
    const uint8_t *from = c->at;
    ret->tag = cursor_u8(c);
    if ((ret->tag & LONG_TAG) == LONG_TAG) {
        c->bad = true;
    }
    ret->value = cursor_take(c, read_length(c));
    ret->whole = span_of(from, (size_t)(c->at - from));
    return !c->bad;
}

struct span der_take(struct cursor *c, uint8_t tag)
{
    struct der der;
    if (!der_next(c, &der) || der.tag != tag) {
        c->bad = true;
        return span_of("", 0);
    }
    return der.value;
}

struct span der_optional(struct cursor *c, uint8_t tag)
{
    bool is_there = !c->bad && cursor_left(c) > 0 && *c->at == tag;
    return is_there ? der_take(c, tag) : span_of("", 0);
}
