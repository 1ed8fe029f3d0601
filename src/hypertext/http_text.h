// SPDX-License-Identifier: Apache-2.0
/* A writer into a piece of memory of a fixed size: what does not fit is cut. For texts that an event
 * borrows until it is logged. */
#pragma once

#include "base/span.h"

struct http_text {
    uint8_t *at;
    uint8_t *end;
};

static inline void http_put(struct http_text *t, uint8_t c)
{
    if (t->at < t->end) {
        *t->at++ = c;
    }
}

static inline void http_put_span(struct http_text *t, struct span s)
{
    size_t room = (size_t)(t->end - t->at);
    size_t size = s.size < room ? s.size : room;
    if (size > 0) {
        memcpy(t->at, s.data, size);
        t->at += size;
    }
}

/* In lower case (ASCII); returns where it went. */
static inline struct span http_put_lower(struct http_text *t, struct span s)
{
    const uint8_t *from = t->at;
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.data[i];
        http_put(t, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
    }
    return span_of(from, (size_t)(t->at - from));
}

/* The value of a hexadecimal digit; -1 of anything else. */
static inline int http_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What was written since `from`, which was the writer's `at`. */
static inline struct span http_text_since(const struct http_text *t, const uint8_t *from)
{
    return span_of(from, (size_t)(t->at - from));
}

/* The slow half of http_equals(): `size` bytes of both. */
bool http_equals_on(const uint8_t *text, const char *name, size_t size);

/* Whether a text equals a name; letter case is ignored (ASCII). Most that are compared differ in their
 * first letter or in their size, which is known of a name that is a literal. */
static inline bool http_equals(struct span text, const char *name)
{
    enum { CASE = 0x20 };
    if (text.size == 0) {
        return *name == '\0';
    }
    return ((*text.data ^ (uint8_t)*name) & ~CASE) == 0 && text.size == strlen(name) &&
           http_equals_on(text.data, name, text.size);
}

/* Eight bytes of a text with all letters small (ASCII): a byte's top bit says whether it is from
 * A on, and not beyond Z. */
static inline uint64_t http_lower_word(const void *at)
{
    const uint64_t each = 0x0101010101010101u, top = 0x80 * each;
    uint64_t w;
    memcpy(&w, at, sizeof w);
    uint64_t from_a = (w & ~top) + (0x80 - 'A') * each;
    uint64_t beyond_z = (w & ~top) + (0x7f - 'Z') * each;
    return w | (from_a & ~beyond_z & ~w & top) >> 2;
}

/* Whether a text of that size equals a name; of a literal of small letters, of 9 to 24, all that
 * can be is worked out when it is compiled. */
static inline bool http_is_name(const uint8_t *text, const char *small, size_t size)
{
    enum { WORD = sizeof(uint64_t) };
    uint64_t first, middle, last;
    memcpy(&first, small, WORD);
    memcpy(&middle, small + (size - WORD) / 2, WORD);
    memcpy(&last, small + size - WORD, WORD);
    return http_lower_word(text) == first && http_lower_word(text + size - WORD) == last &&
           (size <= 2 * WORD || http_lower_word(text + (size - WORD) / 2) == middle);
}

/* Whether it has it within. */
bool http_contains(struct span text, const char *name);
