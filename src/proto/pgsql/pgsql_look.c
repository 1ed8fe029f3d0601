// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql_look.h"

#include "base/cursor.h"
#include "proto/pgsql/pgsql_message.h"

enum {
    TEXT_LOOKED_AT = 24,
    SMALL = 1 << 16,
    CHAIN = 3,
    LARGE = 1 << 24, /* lengths beyond begin with a byte that text has, too */
    FORMATS = 7,     /* bytes before the formats of copied columns, or the types of parameters */
    TYPES = 6,
    COLUMN_LEAST = 19, /* bytes of a column's definition, without its name */
    COLUMN_MOST = 18 + 512,
};

static bool is_text_byte(uint8_t byte)
{
    return byte >= ' ' ? byte != 0x7f : byte == '\n' || byte == '\r' || byte == '\t';
}

/* A text that a zero byte ends, as far as it is looked at. `size`: bytes it may have. */
static enum pgsql_looks look_at_text(struct span data, size_t size, enum pgsql_looks found)
{
    size_t wanted = size < TEXT_LOOKED_AT ? size : TEXT_LOOKED_AT;
    for (size_t i = 0; i < wanted; i++) {
        if (i == data.size) {
            return PGSQL_LOOKS_UNSURE;
        }
        if (data.data[i] == '\0') {
            return found;
        }
        if (!is_text_byte(data.data[i])) {
            return PGSQL_LOOKS_FOREIGN;
        }
    }
    return size > TEXT_LOOKED_AT ? found : PGSQL_LOOKS_FOREIGN;
}

static enum pgsql_looks look_at_start(struct span data)
{
    if (data.size < 8) {
        return PGSQL_LOOKS_UNSURE;
    }
    uint32_t length = load_be32(data.data), code = load_be32(data.data + 4);
    bool fits = code == PGSQL_VERSION_3 ? length >= 9 && length <= PGSQL_STARTUP_MAX
                : code == PGSQL_CANCEL  ? length == 16
                                        : length == 8 && (code == PGSQL_SSL || code == PGSQL_GSS);
    return fits ? PGSQL_LOOKS_START : PGSQL_LOOKS_FOREIGN;
}

/* Whether `byte` of the body is one of `letters`. */
static enum pgsql_looks look_at_letter(struct span body, size_t at, const char *letters,
                                       enum pgsql_looks found)
{
    if (body.size <= at) {
        return PGSQL_LOOKS_UNSURE;
    }
    bool fits = body.data[at] != '\0' && strchr(letters, body.data[at]) != NULL;
    return fits ? found : PGSQL_LOOKS_FOREIGN;
}

enum pgsql_looks pgsql_look_at_client(struct span data)
{
    if (data.size < PGSQL_HEADER) {
        return data.size > 0 && strchr("QPBDECSHFXdcfp", data.data[0]) == NULL
                   ? PGSQL_LOOKS_FOREIGN
                   : PGSQL_LOOKS_UNSURE;
    }
    uint32_t length = load_be32(data.data + 1);
    struct span body = span_skip(data, PGSQL_HEADER);
    if (length < 4 || length >= LARGE || data.data[0] == '\0') {
        return PGSQL_LOOKS_FOREIGN;
    }
    switch (data.data[0]) {
    case 'Q':
    case 'P':
    case 'B':
    case 'E':
        return length > 4 ? look_at_text(body, length - 4, PGSQL_LOOKS_CLIENT)
                          : PGSQL_LOOKS_FOREIGN;
    case 'D':
    case 'C':
        return length > 5 ? look_at_letter(body, 0, "SP", PGSQL_LOOKS_CLIENT)
                          : PGSQL_LOOKS_FOREIGN;
    case 'S':
    case 'H':
    case 'X':
    case 'c':
        return length == 4 ? PGSQL_LOOKS_CLIENT : PGSQL_LOOKS_FOREIGN;
    case 'd':
        return length < SMALL * 16 ? PGSQL_LOOKS_CLIENT : PGSQL_LOOKS_FOREIGN;
    default:
        return PGSQL_LOOKS_FOREIGN;
    }
}

/* Messages that tell of `count` columns or parameters: whether they are as long as that takes. */
static enum pgsql_looks look_at_count(uint8_t type, struct span body, uint32_t length)
{
    uint32_t at = type == 'G' || type == 'H' ? 1 : 0;
    if (body.size < at + 2) {
        return PGSQL_LOOKS_UNSURE;
    }
    uint32_t count = load_be16(body.data + at);
    bool fits = type == 'T'   ? length >= TYPES + count * COLUMN_LEAST &&
                                    length <= TYPES + count * COLUMN_MOST
                : type == 't' ? length == TYPES + count * 4
                              : length == FORMATS + count * 2 && body.data[0] <= 1;
    return fits ? PGSQL_LOOKS_SERVER : PGSQL_LOOKS_FOREIGN;
}

enum pgsql_looks pgsql_look_at_server(struct span data)
{
    if (data.size < PGSQL_HEADER) {
        return data.size > 0 && strchr("RSKZTDCIENA123nstGHWdcV", data.data[0]) == NULL
                   ? PGSQL_LOOKS_FOREIGN
                   : PGSQL_LOOKS_UNSURE;
    }
    uint32_t length = load_be32(data.data + 1);
    struct span body = span_skip(data, PGSQL_HEADER);
    if (length < 4 || length >= LARGE) {
        return PGSQL_LOOKS_FOREIGN;
    }
    switch (data.data[0]) {
    case 'Z':
        return length == 5 ? look_at_letter(body, 0, "ITE", PGSQL_LOOKS_SERVER)
                           : PGSQL_LOOKS_FOREIGN;
    case '1':
    case '2':
    case '3':
    case 'I':
    case 'n':
    case 's':
    case 'c':
        return length == 4 ? PGSQL_LOOKS_SERVER : PGSQL_LOOKS_FOREIGN;
    case 'E':
    case 'N':
        return length > 8 ? look_at_letter(body, 0, "SVCM", PGSQL_LOOKS_SERVER)
                          : PGSQL_LOOKS_FOREIGN;
    case 'C':
    case 'S':
        return length > 5 && length < 1024 ? look_at_text(body, length - 4, PGSQL_LOOKS_SERVER)
                                           : PGSQL_LOOKS_FOREIGN;
    case 'R':
        return length >= 8 && length < 4096 ? PGSQL_LOOKS_SERVER : PGSQL_LOOKS_FOREIGN;
    case 'D':
        return length >= 6 ? PGSQL_LOOKS_SERVER : PGSQL_LOOKS_FOREIGN;
    case 'T':
    case 't':
    case 'G':
    case 'H':
        return look_at_count(data.data[0], body, length);
    case 'A':
        return length > 10 && length < SMALL ? PGSQL_LOOKS_SERVER : PGSQL_LOOKS_FOREIGN;
    default:
        return PGSQL_LOOKS_FOREIGN;
    }
}

/* ---- Amid rows -------------------------------------------------------------------------------- */

/* Rows one behind the other, all of as many columns. */
static bool is_chain(struct span data, size_t at)
{
    const uint8_t *first = data.data + at;
    for (unsigned i = 0; i < CHAIN; i++) {
        if (at + PGSQL_HEADER + 2 > data.size) {
            return false;
        }
        const uint8_t *header = data.data + at;
        uint32_t length = load_be32(header + 1);
        if (header[0] != 'D' || length < 6 || length > PGSQL_LOOK_MAX ||
            load_be16(header + 5) != load_be16(first + 5)) {
            return false;
        }
        at += 1 + length;
    }
    return true;
}

/* What is found at the first byte: whether the message behind it is one, too, where it is there. */
static bool is_followed(struct span data, enum pgsql_looks (*look)(struct span))
{
    uint32_t length = load_be32(data.data + 1);
    struct span rest = span_skip(data, (size_t)length + 1);
    return rest.size == 0 || look(rest) != PGSQL_LOOKS_FOREIGN;
}

enum pgsql_looks pgsql_look_at_chain(struct span data, bool by_client)
{
    enum pgsql_looks (*look)(struct span) = by_client ? pgsql_look_at_client : pgsql_look_at_server;
    enum pgsql_looks first = look(data);
    if (first == PGSQL_LOOKS_UNSURE || first == PGSQL_LOOKS_FOREIGN) {
        return first;
    }
    for (unsigned i = 0; i < CHAIN && data.size > PGSQL_HEADER; i++) {
        data = span_skip(data, (size_t)load_be32(data.data + 1) + 1);
        if (data.size > 0 && look(data) == PGSQL_LOOKS_FOREIGN) {
            return PGSQL_LOOKS_FOREIGN;
        }
    }
    return first;
}

/* Whether rows begin anywhere in the first bytes. */
static bool has_rows(struct span data)
{
    struct span part = span_head(data, PGSQL_LOOK_MAX);
    for (size_t at = 0; at + PGSQL_HEADER + 2 <= part.size; at++) {
        const uint8_t *row = memchr(part.data + at, 'D', part.size - PGSQL_HEADER - 2 - at + 1);
        if (row == NULL) {
            return false;
        }
        at = (size_t)(row - part.data);
        if (is_chain(part, at)) {
            return true;
        }
    }
    return false;
}

enum pgsql_looks pgsql_look(struct span data)
{
    enum pgsql_looks start = look_at_start(data);
    if (start == PGSQL_LOOKS_START || (data.size > 0 && data.data[0] == '\0')) {
        return start;
    }
    enum pgsql_looks client = pgsql_look_at_client(data), server = pgsql_look_at_server(data);
    if (client == PGSQL_LOOKS_CLIENT && is_followed(data, pgsql_look_at_client) &&
        data.data[0] != 'd') {
        return client;
    }
    if (server == PGSQL_LOOKS_SERVER && is_followed(data, pgsql_look_at_server) &&
        (data.data[0] != 'd' && data.data[0] != 'D')) {
        return server;
    }
    if (client == PGSQL_LOOKS_UNSURE || server == PGSQL_LOOKS_UNSURE) {
        return PGSQL_LOOKS_UNSURE;
    }
    return has_rows(data) ? PGSQL_LOOKS_ROWS : PGSQL_LOOKS_FOREIGN;
}
