// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include "base/cursor.h"

enum {
    TCP_SIZE = 20,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8,
    WINDOW_SCALE_MAX = 14, /* greater ones count as this, RFC 7323 §2.3 */
    SACK_BLOCK_SIZE = 8,
    SACK_BLOCKS_MAX = 4,
};

/* Reads the edges of `size` bytes of SACK blocks (RFC 2018 §3). */
static bool read_sack(const uint8_t *value, size_t size, struct wire_tcp_options *ret)
{
    if (size == 0 || size % SACK_BLOCK_SIZE != 0 || size > SACK_BLOCKS_MAX * SACK_BLOCK_SIZE) {
        return false;
    }
    ret->sack_count = (uint8_t)(size / SACK_BLOCK_SIZE);
    for (size_t i = 0; i < ret->sack_count; i++) {
        ret->sack[i][0] = load_be32(value + i * SACK_BLOCK_SIZE);
        ret->sack[i][1] = load_be32(value + i * SACK_BLOCK_SIZE + 4);
    }
    return true;
}

/* Reads one option's value; false when its size is not the kind's. */
static bool read_option(uint8_t kind, const uint8_t *value, size_t size,
                        struct wire_tcp_options *ret)
{
    switch (kind) {
    case OPTION_MSS:
        ret->mss = size == 2 ? load_be16(value) : ret->mss;
        return size == 2;
    case OPTION_WINDOW_SCALE:
        if (size != 1) {
            return false;
        }
        ret->window_scale = (int8_t)(value[0] < WINDOW_SCALE_MAX ? value[0] : WINDOW_SCALE_MAX);
        return true;
    case OPTION_SACK_PERMITTED:
        ret->sack_permitted = size == 0;
        return size == 0;
    case OPTION_SACK:
        return read_sack(value, size, ret);
    case OPTION_TIMESTAMPS:
        if (size != 8) {
            return false;
        }
        ret->has_timestamps = true;
        ret->ts_value = load_be32(value);
        ret->ts_echo = load_be32(value + 4);
        return true;
    default:
        return true;
    }
}

/* The options lie between the fixed header and the payload, and only a header that was read whole
 * has a payload. */
static struct span options_of(const struct packet *p)
{
    bool whole = p->class == PACKET_TCP && p->fragment == FRAGMENT_NONE && p->payload != NULL;
    return whole ? span_of(p->l4 + TCP_SIZE, (size_t)(p->payload - p->l4) - TCP_SIZE)
                 : span_of(NULL, 0);
}

void wire_tcp_options(const struct packet *p, struct wire_tcp_options *ret)
{
    *ret = (struct wire_tcp_options){.window_scale = -1};
    struct span s = options_of(p);
    while (s.size > 0 && s.data[0] != OPTION_END) {
        size_t length = 1;
        if (s.data[0] != OPTION_NOP) {
            length = s.size >= 2 ? s.data[1] : 0;
            if (length < 2 || length > s.size ||
                !read_option(s.data[0], s.data + 2, length - 2, ret)) {
                ret->malformed = true;
                return;
            }
        }
        s = span_skip(s, length);
    }
}
