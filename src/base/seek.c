// SPDX-License-Identifier: Apache-2.0
#include "base/seek.h"

size_t seek_empty_line(struct span s, size_t from)
{
    size_t at = from;
    for (; at + SEEK_PIECE + 2 <= s.size; at += SEEK_PIECE) {
        const uint8_t *piece = s.data + at;
        unsigned bits = seek_bits(piece, '\n');
        unsigned bare = seek_bits(piece + 1, '\n');
        bits &= bare | (seek_bits(piece + 1, '\r') & seek_bits(piece + 2, '\n'));
        if (bits != 0) {
            return at + (unsigned)__builtin_ctz(bits);
        }
    }
    for (; at + 1 < s.size; at++) {
        bool is_empty = s.data[at + 1] == '\n' ||
                        (s.data[at + 1] == '\r' && at + 2 < s.size && s.data[at + 2] == '\n');
        if (s.data[at] == '\n' && is_empty) {
            return at;
        }
    }
    return s.size;
}
