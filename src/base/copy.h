// SPDX-License-Identifier: Apache-2.0
/* Copies texts, most of which are some dozens of bytes: then the call of memcpy() costs more
 * than the copy. Pure. */
#pragma once

#include "base/span.h"

/* Copies `size` bytes from one place to another: the first and the last of them in pieces of the
 * same size, which may have bytes in common. */
static inline void copy_pieces(uint8_t *to, const uint8_t *from, size_t size, size_t piece)
{
    memcpy(to, from, piece);
    memcpy(to + size - piece, from + size - piece, piece);
}

/* Copies a text to where there is room for it; they must not overlap. */
static inline void copy_text(uint8_t *to, struct span text)
{
    enum { LONG = 32, MIDDLE = 16, SHORT = 8, LEAST = 4 };
    if (text.size > LONG) {
        memcpy(to, text.data, text.size);
    } else if (text.size >= MIDDLE) {
        copy_pieces(to, text.data, text.size, MIDDLE);
    } else if (text.size >= SHORT) {
        copy_pieces(to, text.data, text.size, SHORT);
    } else if (text.size >= LEAST) {
        copy_pieces(to, text.data, text.size, LEAST);
    } else {
        for (size_t i = 0; i < text.size; i++) {
            to[i] = text.data[i];
        }
    }
}
