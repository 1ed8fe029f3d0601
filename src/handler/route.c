// SPDX-License-Identifier: Apache-2.0
#include "handler/route.h"

#include <ctype.h>

enum { HEX_LEAST = 8, LONG = 24 };

static bool is_id(struct span part)
{
    size_t digits = 0, hex = 0;
    for (size_t i = 0; i < part.size; i++) {
        digits += isdigit(part.data[i]) != 0;
        hex += isxdigit(part.data[i]) != 0 || part.data[i] == '-';
    }
    return digits > 0 && (digits == part.size || part.size >= LONG ||
                          (hex == part.size && part.size >= HEX_LEAST));
}

/* Bytes of the span before the first of `stops`. */
static size_t until(struct span text, const char *stops)
{
    size_t i = 0;
    while (i < text.size && (text.data[i] == 0 || strchr(stops, text.data[i]) == NULL)) {
        i++;
    }
    return i;
}

static size_t put(char to[ROUTE_ROOM], size_t at, struct span text)
{
    size_t size = text.size < ROUTE_ROOM - 1 - at ? text.size : ROUTE_ROOM - 1 - at;
    memcpy(to + at, text.data, size);
    return at + size;
}

size_t route_of(struct span path, char to[ROUTE_ROOM])
{
    size_t at = 0;
    unsigned depth = 0;
    path = span_head(path, until(path, "?#"));
    while (path.size > 0) {
        path = span_skip(path, path.data[0] == '/');
        struct span part = span_head(path, until(path, "/"));
        path = span_skip(path, part.size);
        part = span_head(part, until(part, ";"));
        if (part.size == 0) {
            continue;
        }
        at = put(to, at, span_str("/"));
        if (depth++ == ROUTE_DEPTH) {
            return put(to, at, span_str("..."));
        }
        at = put(to, at, is_id(part) ? span_str("{id}") : part);
    }
    return at > 0 ? at : put(to, at, span_str("/"));
}
