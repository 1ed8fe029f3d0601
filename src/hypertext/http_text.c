// SPDX-License-Identifier: Apache-2.0
#include "hypertext/http_text.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool http_equals_on(const uint8_t *text, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (lower(text[i]) != lower((uint8_t)name[i])) {
            return false;
        }
    }
    return true;
}

bool http_contains(struct span text, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i + size <= text.size; i++) {
        if (http_equals_on(text.data + i, name, size)) {
            return true;
        }
    }
    return false;
}
