// SPDX-License-Identifier: Apache-2.0
#include "policy/probe_wire.h"

#include "base/cursor.h"

enum { REQUEST_4 = 8, REPLY_4 = 0, REQUEST_6 = 128, REPLY_6 = 129, COOKIE = 8 };

/* RFC 1071. */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        sum += load_be16(bytes + i);
    }
    sum += size % 2 != 0 ? (uint32_t)bytes[size - 1] << 8 : 0;
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~(sum + (sum >> 16));
}

static void store_be16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

size_t probe_wire_make(unsigned version, const struct probe_echo *echo, size_t payload,
                       uint8_t *to)
{
    size_t size = PROBE_WIRE_HEAD + payload;
    memset(to, 0, size);
    to[0] = version == 4 ? REQUEST_4 : REQUEST_6;
    store_be16(to + 4, echo->id);
    store_be16(to + 6, echo->sequence);
    for (size_t i = 0; i < COOKIE && payload >= COOKIE; i++) {
        to[PROBE_WIRE_HEAD + i] = (uint8_t)(echo->cookie >> 8 * (COOKIE - 1 - i));
    }
    if (version == 4) {
        store_be16(to + 2, checksum(to, size));
    }
    return size;
}

bool probe_wire_read(unsigned version, bool has_head, struct span bytes, struct probe_echo *ret)
{
    size_t head = has_head && bytes.size > 0 ? (bytes.data[0] & 15u) * 4 : 0;
    struct cursor c = cursor_of(span_skip(bytes, head));
    uint8_t type = cursor_u8(&c), code = cursor_u8(&c);
    cursor_skip(&c, 2);
    ret->id = cursor_be16(&c);
    ret->sequence = cursor_be16(&c);
    bool is_reply = !c.bad && code == 0 && type == (version == 4 ? REPLY_4 : REPLY_6);
    ret->cookie = cursor_left(&c) >= COOKIE ? cursor_be64(&c) : 0;
    return is_reply && (!has_head || head >= 20);
}
