// SPDX-License-Identifier: Apache-2.0
#include "base/snappy.h"

#include "base/cursor.h"

enum { LENGTH_BYTES_MAX = 5 };

struct unpacking {
    struct cursor from;
    uint8_t *to;
    size_t used;
    size_t room;
};

/* A length as groups of 7 bits, the lowest first. */
static bool read_length(struct cursor *c, uint64_t *ret)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < LENGTH_BYTES_MAX; i++) {
        uint8_t byte = cursor_u8(c);
        length |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *ret = length;
            return !c->bad && length <= UINT32_MAX;
        }
    }
    return false;
}

bool snappy_length(struct span block, uint64_t *ret)
{
    if (block.size == 0) {
        return false;
    }
    struct cursor c = cursor_of(block);
    return read_length(&c, ret);
}

static uint32_t read_little(struct cursor *c, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint32_t)cursor_u8(c) << (8 * i);
    }
    return value;
}

/* Bytes that stand in the block as they are; false when some are missing, or there is no room. */
static bool literal(struct unpacking *u, uint8_t tag)
{
    uint64_t size = tag >> 2;
    if (size >= 60) {
        size = read_little(&u->from, (unsigned)size - 59);
    }
    size++;
    size_t left = cursor_left(&u->from);
    size_t room = u->room - u->used;
    size_t known = size < left ? (size_t)size : left;
    known = known < room ? known : room;
    if (known > 0) {
        memcpy(u->to + u->used, u->from.at, known);
    }
    u->used += known;
    cursor_skip(&u->from, known);
    return known == size && !u->from.bad;
}

/* Bytes that were there before; source and target may overlap, which repeats them. */
static bool copy(struct unpacking *u, uint8_t tag)
{
    size_t size = (tag >> 2) + 1U;
    size_t distance;
    switch (tag & 3) {
    case 1:
        size = (tag >> 2 & 7) + 4U;
        distance = (size_t)(tag >> 5) << 8 | cursor_u8(&u->from);
        break;
    case 2:
        distance = read_little(&u->from, 2);
        break;
    default:
        distance = read_little(&u->from, 4);
        break;
    }
    if (u->from.bad || distance == 0 || distance > u->used) {
        return false;
    }
    size_t room = u->room - u->used;
    size_t known = size < room ? size : room;
    for (size_t i = 0; i < known; i++) {
        u->to[u->used] = u->to[u->used - distance];
        u->used++;
    }
    return known == size;
}

size_t snappy_unpack(struct span block, uint8_t *to, size_t room, bool *whole)
{
    *whole = false;
    if (block.size == 0) {
        return 0;
    }
    struct unpacking u = {.from = cursor_of(block), .to = to, .room = room};
    uint64_t length;
    if (!read_length(&u.from, &length)) {
        return 0;
    }
    u.room = length < room ? (size_t)length : room;
    while (cursor_left(&u.from) > 0) {
        uint8_t tag = cursor_u8(&u.from);
        bool good = (tag & 3) == 0 ? literal(&u, tag) : copy(&u, tag);
        if (!good) {
            return u.used;
        }
    }
    *whole = u.used == length;
    return u.used;
}
