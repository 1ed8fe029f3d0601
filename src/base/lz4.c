// SPDX-License-Identifier: Apache-2.0
#include "base/lz4.h"

#include "base/cursor.h"

enum { LITERALS_LONG = 15, MATCH_LONG = 15, MATCH_MIN = 4, MORE = 255 };

struct unpacking {
    struct cursor in;
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
};

/* A length whose first four bits said that more follows. */
static size_t long_length(struct cursor *in, size_t length)
{
    uint8_t more = MORE;
    while (more == MORE && !in->bad) {
        more = cursor_u8(in);
        length += more;
    }
    return length;
}

static bool put_literals(struct unpacking *u, size_t length)
{
    size_t room = (size_t)(u->end - u->at);
    size_t size = length < cursor_left(&u->in) ? length : cursor_left(&u->in);
    size = size < room ? size : room;
    if (size > 0) {
        memcpy(u->at, u->in.at, size);
        u->at += size;
    }
    cursor_skip(&u->in, length);
    return size == length;
}

/* Copies what was written before; it may overlap with what it becomes. */
static bool put_match(struct unpacking *u, size_t offset, size_t length)
{
    if (offset == 0 || offset > (size_t)(u->at - u->start)) {
        return false;
    }
    size_t room = (size_t)(u->end - u->at);
    size_t size = length < room ? length : room;
    for (const uint8_t *from = u->at - offset, *end = from + size; from < end; from++) {
        *u->at++ = *from;
    }
    return size == length;
}

/* One sequence: literals, then a match; the last one has literals only. */
static bool put_sequence(struct unpacking *u, bool *last)
{
    uint8_t token = cursor_u8(&u->in);
    size_t literals = token >> 4, match = token & MATCH_LONG;
    if (literals == LITERALS_LONG) {
        literals = long_length(&u->in, literals);
    }
    if (u->in.bad || !put_literals(u, literals)) {
        return false;
    }
    *last = cursor_left(&u->in) == 0;
    if (*last) {
        return true;
    }
    struct span offset = cursor_take(&u->in, 2);
    if (match == MATCH_LONG) {
        match = long_length(&u->in, match);
    }
    return !u->in.bad && put_match(u, load_le16(offset.data), match + MATCH_MIN);
}

size_t lz4_unpack(struct span block, uint8_t *to, size_t room, bool *whole)
{
    struct unpacking u = {.in = cursor_of(block), .start = to, .at = to, .end = to + room};
    bool last = false;
    bool fine = true;
    while (fine && !last) {
        fine = put_sequence(&u, &last);
    }
    *whole = fine;
    return (size_t)(u.at - to);
}
