// SPDX-License-Identifier: Apache-2.0
#include "wire/proxy_header.h"

#include <string.h>

enum { SIGNATURE = 12, FIXED = 16, VERSION = 2, COMMANDS = 2 /* LOCAL and PROXY */ };

static const char signature[SIGNATURE + 1] = "\r\n\r\n\0\r\nQUIT\n";

/* Whether `data` begins with `size` bytes of `text`, as far as it goes. */
static bool agrees(struct span data, const char *text, size_t size)
{
    return memcmp(data.data, text, data.size < size ? data.size : size) == 0;
}

/* Version 2: a signature, version and command, addresses' family, and the length of what follows. */
static size_t size_of_binary(struct span data)
{
    if (!agrees(data, signature, SIGNATURE)) {
        return 0;
    }
    if (data.size > SIGNATURE &&
        (data.data[SIGNATURE] >> 4 != VERSION || (data.data[SIGNATURE] & 0xf) >= COMMANDS)) {
        return 0;
    }
    if (data.size < FIXED) {
        return PROXY_HEADER_UNSURE;
    }
    return FIXED + (size_t)(data.data[FIXED - 2] << 8 | data.data[FIXED - 1]);
}

/* What stands between the family and the end of the line: addresses and ports, in characters. */
static bool is_line(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

/* A family's line; 0 when it is another's. */
static size_t size_of_line(struct span data, const char *family)
{
    size_t size = strlen(family);
    if (!agrees(data, family, size)) {
        return 0;
    }
    if (data.size <= size) {
        return PROXY_HEADER_UNSURE;
    }
    struct span rest = span_head(span_skip(data, size), PROXY_HEADER_LINE - size);
    const uint8_t *end = memchr(rest.data, '\r', rest.size);
    size_t shown = end != NULL ? (size_t)(end - rest.data) : rest.size;
    size_t whole = size + shown + 2;
    if ((*rest.data != ' ' && *rest.data != '\r') || !is_line(span_head(rest, shown)) ||
        whole > PROXY_HEADER_LINE) {
        return 0;
    }
    if (data.size < whole) {
        return PROXY_HEADER_UNSURE;
    }
    return data.data[whole - 1] == '\n' ? whole : 0;
}

size_t proxy_header_size_on(struct span data)
{
    static const char *const families[] = {"PROXY TCP4", "PROXY TCP6", "PROXY UNKNOWN"};
    size_t size = data.size > 0 && *data.data == '\r' ? size_of_binary(data) : 0;
    for (size_t i = 0; i < 3 && size == 0; i++) {
        size = size_of_line(data, families[i]);
    }
    return size;
}
