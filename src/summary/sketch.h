// SPDX-License-Identifier: Apache-2.0
/* What the serialised sketches of Apache DataSketches have in common: 8 bytes of head, of which
 * the third names the family, and little-endian numbers. Each sketch writes and reads its own bytes
 * (cardinality.h, topn.h, kll.h, theta.h); these are the letters they do it with.
 *
 * Writers append to a growing buffer (base/json.h, whose `failed` says that memory ran out), and
 * write the same bytes for the same sketch on any machine. Readers take bytes that strangers may
 * have made: they check every length before they believe it, look at nothing beyond the end,
 * allocate nothing, and leave an empty sketch behind when they refuse. Cold path, any thread. */
#pragma once

#include "base/cursor.h"
#include "base/json.h"

enum { SKETCH_HEAD = 8 };

/* Third byte of the head. */
enum sketch_family {
    SKETCH_THETA = 3,
    SKETCH_HLL = 7,
    SKETCH_FREQUENT = 10,
    SKETCH_KLL = 15,
};

static inline void sketch_put(struct json *to, uint64_t value, unsigned size)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
    json_append(to, bytes, size);
}

static inline void sketch_put_u32(struct json *to, uint32_t value)
{
    sketch_put(to, value, 4);
}

static inline void sketch_put_u64(struct json *to, uint64_t value)
{
    sketch_put(to, value, 8);
}

static inline void sketch_put_f32(struct json *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    sketch_put_u32(to, bits);
}

static inline void sketch_put_f64(struct json *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    sketch_put_u64(to, bits);
}

static inline uint16_t sketch_take_u16(struct cursor *c)
{
    struct span s = cursor_take(c, 2);
    return s.size ? load_le16(s.data) : 0;
}

static inline uint32_t sketch_take_u32(struct cursor *c)
{
    struct span s = cursor_take(c, 4);
    return s.size ? load_le32(s.data) : 0;
}

static inline uint64_t sketch_take_u64(struct cursor *c)
{
    struct span s = cursor_take(c, 8);
    return s.size ? load_le64(s.data) : 0;
}

static inline float sketch_take_f32(struct cursor *c)
{
    uint32_t bits = sketch_take_u32(c);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
