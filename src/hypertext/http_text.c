// SPDX-License-Identifier: Apache-2.0
#include "hypertext/http_text.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool equals_at(const uint8_t *text, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (lower(text[i]) != lower((uint8_t)name[i])) {
            return false;
        }
    }
    return true;
}

bool http_equals(struct span text, const char *name)
{
    /* Most names that are compared differ in their first letter. */
    return text.size > 0 ? lower(*text.data) == lower((uint8_t)*name) &&
                               text.size == strlen(name) && equals_at(text.data, name, text.size)
                         : *name == '\0';
}

bool http_contains(struct span text, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i + size <= text.size; i++) {
        if (equals_at(text.data + i, name, size)) {
            return true;
        }
    }
    return false;
}
