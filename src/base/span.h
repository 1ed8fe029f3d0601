// SPDX-License-Identifier: Apache-2.0
/* A span is a borrowed run of bytes: a pointer and a size, never owned, never terminated.
 * Whoever lends it says how long it lives; keeping it longer means copying it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t size;
};

/* A span over `size` bytes at `data`. */
static inline struct span span_of(const void *data, size_t size)
{
    return (struct span){.data = data, .size = size};
}

/* A span over a C string, without its terminator. */
static inline struct span span_str(const char *text)
{
    return span_of(text, strlen(text));
}

/* The rest of `s` behind its first `n` bytes; empty when `s` is shorter. */
static inline struct span span_skip(struct span s, size_t n)
{
    size_t k = n < s.size ? n : s.size;
    return span_of(s.data + k, s.size - k);
}

/* The first `n` bytes of `s`, or all of it when it is shorter. */
static inline struct span span_head(struct span s, size_t n)
{
    return span_of(s.data, n < s.size ? n : s.size);
}

/* Whether two spans hold the same bytes. */
static inline bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
