// SPDX-License-Identifier: Apache-2.0
/* Looks for bytes that are mostly near: the end of a line, the colon in it, the empty line
 * behind a head. Where that is a few dozen bytes away, calling memchr() costs more than the
 * search. Pure; reads no byte beyond the span. */
#pragma once

#include "base/span.h"

#ifdef __SSE2__
#include <emmintrin.h>

enum { SEEK_PIECE = sizeof(__m128i) };

/* A bit for each of the 16 bytes at `at` that is `c`. */
static inline unsigned seek_bits(const uint8_t *at, char c)
{
    __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)at);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(piece, _mm_set1_epi8(c)));
}
#else
enum { SEEK_PIECE = 1 };

static inline unsigned seek_bits(const uint8_t *at, char c)
{
    return *at == (uint8_t)c;
}
#endif

/* Where the first `c` of `s` is from `from` on; its size when there is none. */
static inline size_t seek_byte(struct span s, size_t from, char c)
{
    size_t at = from;
    for (; at + SEEK_PIECE <= s.size; at += SEEK_PIECE) {
        unsigned bits = seek_bits(s.data + at, c);
        if (bits != 0) {
            return at + (unsigned)__builtin_ctz(bits);
        }
    }
    while (at < s.size && s.data[at] != (uint8_t)c) {
        at++;
    }
    return at < s.size ? at : s.size;
}

/* Where the first line from `from` on ends that an empty one follows: the line feed of "\n\n" or
 * "\n\r\n"; the size of `s` when there is none. */
size_t seek_empty_line(struct span s, size_t from);
