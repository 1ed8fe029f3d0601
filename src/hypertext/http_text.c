// SPDX-License-Identifier: Apache-2.0
#include "hypertext/http_text.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool http_equals_on(const uint8_t *text, const char *name, size_t size)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        if (http_lower_word(text + at) != http_lower_word(name + at)) {
            return false;
        }
    }
    if (at > 0) { /* the end, with some of what was looked at before */
        size_t last = size - sizeof(uint64_t);
        return http_lower_word(text + last) == http_lower_word(name + last);
    }
    while (at < size && lower(text[at]) == lower((uint8_t)name[at])) {
        at++;
    }
    return at == size;
}

bool http_contains(struct span text, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i + size <= text.size; i++) {
        if (size == 0 || (lower(text.data[i]) == lower((uint8_t)*name) &&
                          http_equals_on(text.data + i, name, size))) {
            return true;
        }
    }
    return false;
}
