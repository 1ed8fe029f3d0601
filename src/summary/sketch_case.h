// SPDX-License-Identifier: Apache-2.0
/* For tests of sketches' bytes: an image as hexadecimal digits, and the law that holds of every
 * reader. Only test programs include it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "summary/sketch.h"

/* The bytes that these digits say; at most 512. */
static inline struct span sketch_of_hex(const char *digits, uint8_t bytes[512])
{
    size_t size = strlen(digits) / 2;
    assert_true(size <= 512);
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return span_of(bytes, size);
}

static inline void sketch_assert_bytes(const struct json *image, const char *digits)
{
    uint8_t bytes[512];
    struct span want = sketch_of_hex(digits, bytes);
    assert_int_equal(image->size, want.size);
    assert_memory_equal(image->data, want.data, want.size);
}

/* Calls `read` with every beginning of the image, and with every byte of its first 64 changed, each
 * time in memory of that very size, so that ASan sees a look beyond. No true beginning is whole. */
static inline void sketch_assert_careful(const struct json *image,
                                         bool (*read)(void *sketch, struct span bytes),
                                         void *sketch)
{
    for (size_t size = 0; size < image->size; size += 1 + size / 64) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, image->data, size);
        assert_false(read(sketch, span_of(copy, size)));
        free(copy);
    }
    for (size_t i = 0; i < image->size && i < 64; i++) {
        uint8_t *copy = malloc(image->size);
        assert_non_null(copy);
        memcpy(copy, image->data, image->size);
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            read(sketch, span_of(copy, image->size)); /* may be fine */
            copy[i] ^= (uint8_t)(1 << bit);
        }
        free(copy);
    }
}
