// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_measure.h"

enum {
    LINE_MAX_BYTES = 1 << 20, /* what MONITOR says of a command is one */
    SHORT_DIGITS = 6,
};

size_t redis_measure_length(struct span data, uint32_t *ret)
{
    size_t at = 1;
    *ret = 0;
    for (; at < data.size && at <= SHORT_DIGITS && data.data[at] >= '0' && data.data[at] <= '9'; at++) {
        *ret = *ret * 10 + data.data[at] - '0';
    }
    bool ends = at > 1 && data.size - at >= 2 && data.data[at] == '\r' && data.data[at + 1] == '\n';
    return ends ? at + 2 : 0;
}

static size_t number_size(struct span text)
{
    size_t n = 0;
    while (n < text.size && ((text.data[n] >= '0' && text.data[n] <= '9') || text.data[n] == '-' ||
                             text.data[n] == '+')) {
        n++;
    }
    return n;
}

size_t redis_measure_line(uint8_t type, size_t before, struct span next)
{
    switch (type) {
    case '_':
    case '.':
        return 0;
    case '#':
        return before == 0 && next.size > 0 && (*next.data == 't' || *next.data == 'f');
    case ':':
    case '(':
        return number_size(next);
    default:
        return next.size < LINE_MAX_BYTES - before ? next.size : LINE_MAX_BYTES - before;
    }
}
