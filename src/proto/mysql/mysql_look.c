// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_look.h"

#include "base/cursor.h"
#include "proto/mysql/mysql_command.h"
#include "proto/mysql/mysql_packet.h"
#include "proto/mysql/mysql_statement.h"
#include "proto/mysql/mysql_value.h"

enum {
    PROTOCOL_VERSION = 10,
    GREETING_MIN = 40,
    GREETING_MAX = 512,
    TEXT_LOOKED_AT = 24,
    CHAIN = 4, /* packets whose numbers follow each other */
    UNPACK_HEADER = 7,
    COUNT_MAX = 4, /* bytes of a number of columns, and of what goes with it */
    OK_MIN = 7,
    LOGIN_NUMBER = 2, /* greeting, wish for TLS, then this */
    LOGIN_CAN = 0x0a00, /* PROTOCOL_41 and SSL */
    LOGIN_ZEROES = 9,   /* where they begin, behind abilities, size of packets and character set */
    LOGIN_ZERO_COUNT = 19,
    LOGIN_FIXED = 32,
    LOGIN_MAX = 1 << 16,
};

static uint32_t size_of(const uint8_t *header)
{
    return load_le32(header) & MYSQL_PAYLOAD_MAX;
}

static bool is_text_byte(uint8_t byte)
{
    return byte >= ' ' ? byte != 0x7f : byte == '\n' || byte == '\r' || byte == '\t';
}

/* Whether a text of `size` bytes, of which `data` has come, is one, as far as it is looked at. */
static enum mysql_looks look_at_letters(struct span data, size_t size, enum mysql_looks found)
{
    size_t wanted = size < TEXT_LOOKED_AT ? size : TEXT_LOOKED_AT;
    for (size_t i = 0; i < data.size && i < wanted; i++) {
        if (!is_text_byte(data.data[i])) {
            return MYSQL_LOOKS_FOREIGN;
        }
    }
    if (size == 0) {
        return MYSQL_LOOKS_FOREIGN;
    }
    return data.size < wanted ? MYSQL_LOOKS_UNSURE : found;
}

/* ---- Greetings -------------------------------------------------------------------------------- */

/* Protocol 10: the version of the server as text, which begins with a digit. */
static enum mysql_looks look_at_greeting(struct span body, uint32_t size)
{
    if (size < GREETING_MIN || size > GREETING_MAX) {
        return MYSQL_LOOKS_FOREIGN;
    }
    for (size_t i = 1; i < body.size; i++) {
        uint8_t byte = body.data[i];
        if (byte == '\0') {
            return i > 1 ? MYSQL_LOOKS_GREETING : MYSQL_LOOKS_FOREIGN;
        }
        bool fits = i == 1 ? byte >= '0' && byte <= '9' : is_text_byte(byte);
        if (!fits || i > 100) {
            return MYSQL_LOOKS_FOREIGN;
        }
    }
    return MYSQL_LOOKS_UNSURE;
}

/* An error: a number of theirs, then a text. Instead of a greeting there is no SQL state. */
static enum mysql_looks look_at_error(struct span body, uint32_t size)
{
    if (size < 4 || size > GREETING_MAX) {
        return MYSQL_LOOKS_FOREIGN;
    }
    if (body.size < 4) {
        return MYSQL_LOOKS_UNSURE;
    }
    uint16_t code = load_le16(body.data + 1);
    if (code < 1000 || code >= 6000) {
        return MYSQL_LOOKS_FOREIGN;
    }
    return look_at_letters(span_skip(body, 3), size - 3, MYSQL_LOOKS_REPLY);
}

/* What a client says first within TLS: it repeats its wish, then says who it is. */
static enum mysql_looks look_at_login(struct span body, uint32_t size)
{
    if (size <= LOGIN_FIXED || size > LOGIN_MAX) {
        return MYSQL_LOOKS_FOREIGN;
    }
    if (body.size >= 2 && (load_le16(body.data) & LOGIN_CAN) != LOGIN_CAN) {
        return MYSQL_LOOKS_FOREIGN;
    }
    struct span zeroes = span_head(span_skip(body, LOGIN_ZEROES), LOGIN_ZERO_COUNT);
    for (size_t i = 0; i < zeroes.size; i++) {
        if (zeroes.data[i] != 0) {
            return MYSQL_LOOKS_FOREIGN;
        }
    }
    return zeroes.size < LOGIN_ZERO_COUNT ? MYSQL_LOOKS_UNSURE : MYSQL_LOOKS_LOGIN;
}

/* ---- Commands --------------------------------------------------------------------------------- */

/* COM_QUERY: a text, before which the number of attributes may stand. */
static enum mysql_looks look_at_text(struct span body, uint32_t size)
{
    if (size < 2) {
        return MYSQL_LOOKS_FOREIGN;
    }
    struct span text = span_skip(body, 1);
    if (text.size < 2 && size > 2) {
        return MYSQL_LOOKS_UNSURE;
    }
    if (!mysql_has_attributes(text)) {
        return look_at_letters(text, size - 1, MYSQL_LOOKS_COMMAND);
    }
    return text.data[0] > 0 ? MYSQL_LOOKS_COMMAND
                            : look_at_letters(span_skip(text, 2), size - 3, MYSQL_LOOKS_COMMAND);
}

/* COM_STMT_EXECUTE: a number, flags, a 1 of four bytes. */
static enum mysql_looks look_at_execute(struct span body, uint32_t size)
{
    if (size < 10) {
        return MYSQL_LOOKS_FOREIGN;
    }
    if (body.size < 10) {
        return MYSQL_LOOKS_UNSURE;
    }
    bool fits = load_le32(body.data + 6) == 1 && (body.data[5] & 0xf0) == 0;
    return fits ? MYSQL_LOOKS_COMMAND : MYSQL_LOOKS_FOREIGN;
}

static enum mysql_looks look_at_command(struct span body, uint32_t size)
{
    const struct mysql_command *command = mysql_command(body.data[0]);
    if (command == NULL || size == 0) {
        return MYSQL_LOOKS_FOREIGN;
    }
    switch (command->code) {
    case MYSQL_QUERY:
    case MYSQL_PREPARE:
    case MYSQL_INIT_DB:
        return look_at_text(body, size);
    case MYSQL_EXECUTE:
        return look_at_execute(body, size);
    case MYSQL_CLOSE:
    case MYSQL_RESET:
        return size == 5 ? MYSQL_LOOKS_COMMAND : MYSQL_LOOKS_FOREIGN;
    case MYSQL_FETCH:
        return size == 9 ? MYSQL_LOOKS_COMMAND : MYSQL_LOOKS_FOREIGN;
    default:
        return size == 1 ? MYSQL_LOOKS_COMMAND : MYSQL_LOOKS_FOREIGN;
    }
}

/* ---- Replies ---------------------------------------------------------------------------------- */

/* A number of columns, then in packet 2 the first of them, which begins with "def". */
static enum mysql_looks look_at_columns(struct span body, uint32_t size)
{
    static const uint8_t def[] = {3, 'd', 'e', 'f'};
    struct span rest = span_skip(body, size);
    if (size > COUNT_MAX || body.data[0] == 0 || (rest.size >= 4 && rest.data[3] != 2)) {
        return MYSQL_LOOKS_FOREIGN;
    }
    if (rest.size < MYSQL_HEADER + sizeof def) {
        return MYSQL_LOOKS_UNSURE;
    }
    bool fits = memcmp(rest.data + MYSQL_HEADER, def, sizeof def) == 0;
    return fits ? MYSQL_LOOKS_REPLY : MYSQL_LOOKS_FOREIGN;
}

/* Whether what seems to be an OK is the header of a compressed packet that is not packed (its size is 0)
 * with a first packet in it: an OK would have to have 256 warnings. */
static bool is_packed_as_is(struct span body, uint32_t size)
{
    bool no_size = (load_le32(body.data) & 0xffffff) == 0;
    return no_size && body.data[6] == 1 && size_of(body.data + 3) + MYSQL_HEADER <= size;
}

static enum mysql_looks look_at_reply(struct span body, uint32_t size)
{
    if (body.data[0] == 0xff) {
        return look_at_error(body, size);
    }
    if (body.data[0] == MYSQL_NO_VALUE && size > 1) { /* LOAD DATA LOCAL: a file's name */
        return look_at_letters(span_skip(body, 1), size - 1, MYSQL_LOOKS_REPLY);
    }
    if (body.data[0] != 0) {
        return look_at_columns(body, size);
    }
    if (size < OK_MIN || size > GREETING_MAX) { /* OK, or a statement that is prepared */
        return MYSQL_LOOKS_FOREIGN;
    }
    if (body.size < size) { /* so few bytes are others' as well: it is there whole, mostly */
        return MYSQL_LOOKS_UNSURE;
    }
    return is_packed_as_is(body, size) ? MYSQL_LOOKS_FOREIGN : MYSQL_LOOKS_REPLY;
}

static enum mysql_looks look_at_plain(struct span data)
{
    if (data.size < MYSQL_HEADER + 1) {
        return data.size >= MYSQL_HEADER && data.data[3] > LOGIN_NUMBER ? MYSQL_LOOKS_FOREIGN
                                                                        : MYSQL_LOOKS_UNSURE;
    }
    uint32_t size = size_of(data.data);
    struct span body = span_skip(data, MYSQL_HEADER);
    if (size == 0 || data.data[3] > LOGIN_NUMBER) {
        return MYSQL_LOOKS_FOREIGN;
    }
    if (data.data[3] == LOGIN_NUMBER) {
        return look_at_login(body, size);
    }
    if (data.data[3] == 1) {
        return look_at_reply(body, size);
    }
    if (body.data[0] == PROTOCOL_VERSION && size > 1) {
        return look_at_greeting(body, size);
    }
    return body.data[0] == 0xff ? look_at_error(body, size) : look_at_command(body, size);
}

/* ---- Compressed ------------------------------------------------------------------------------- */

static struct mysql_look look_at_compressed(struct span data)
{
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    struct mysql_look look = {.what = MYSQL_LOOKS_FOREIGN, .compressed = true};
    if (data.size >= MYSQL_HEADER && data.data[3] > 1) {
        return look;
    }
    if (data.size < UNPACK_HEADER + 4) {
        look.what = MYSQL_LOOKS_UNSURE;
        return look;
    }
    uint32_t size = size_of(data.data);
    uint32_t unpacked = size_of(data.data + 4);
    struct span body = span_skip(data, UNPACK_HEADER);
    if (unpacked == 0) {
        look.what = size > MYSQL_HEADER ? (uint8_t)look_at_plain(span_head(body, size)) : look.what;
        return look;
    }
    bool is_zlib = body.data[0] == 0x78 && load_be16(body.data) % 31 == 0; /* RFC 1950 */
    look.is_zstd = memcmp(body.data, zstd, sizeof zstd) == 0;
    if ((is_zlib || look.is_zstd) && unpacked > size) {
        look.what = data.data[3] == 0 ? MYSQL_LOOKS_COMMAND : MYSQL_LOOKS_REPLY;
    }
    return look;
}

struct mysql_look mysql_look_at(struct span data)
{
    enum mysql_looks plain = look_at_plain(data);
    if (plain != MYSQL_LOOKS_FOREIGN) {
        return (struct mysql_look){.what = (uint8_t)plain};
    }
    return look_at_compressed(data);
}

/* ---- Amid rows -------------------------------------------------------------------------------- */

static bool is_chain(struct span data, size_t at)
{
    for (unsigned i = 0; i < CHAIN; i++) {
        if (at + 2 * MYSQL_HEADER > data.size) {
            return false;
        }
        const uint8_t *header = data.data + at;
        size_t next = at + MYSQL_HEADER + size_of(header);
        if (size_of(header) == 0 || next + MYSQL_HEADER > data.size ||
            data.data[next + 3] != (uint8_t)(header[3] + 1)) {
            return false;
        }
        at = next;
    }
    return true;
}

/* Whether nothing stands behind a plain packet, or what may be the next one: a few bytes that look like
 * a short command or an OK are others' often enough. */
static bool is_followed(struct span data)
{
    uint8_t number = data.data[3];
    struct span rest = span_skip(data, MYSQL_HEADER + (size_t)size_of(data.data));
    return rest.size < MYSQL_HEADER || rest.data[3] == number + (number > 0);
}

/* Whether rows begin anywhere in the first bytes. Those that are longer than what is looked at are not told:
 * the third byte of their size is zero, which few bytes are. */
static bool has_rows(struct span data)
{
    enum { ZERO = 2 };
    struct span part = span_head(data, MYSQL_LOOK_MAX);
    for (size_t at = 0; at + 2 * MYSQL_HEADER <= part.size; at++) {
        const uint8_t *from = part.data + at + ZERO;
        const uint8_t *zero = memchr(from, 0, part.size - 2 * MYSQL_HEADER - at + 1);
        if (zero == NULL) {
            return false;
        }
        at += (size_t)(zero - from);
        if (is_chain(part, at)) {
            return true;
        }
    }
    return false;
}

struct mysql_look mysql_look(struct span data)
{
    struct mysql_look look = mysql_look_at(data);
    bool whole = look.what == MYSQL_LOOKS_COMMAND || look.what == MYSQL_LOOKS_REPLY;
    if (look.what != MYSQL_LOOKS_FOREIGN && (!whole || look.compressed || is_followed(data))) {
        return look;
    }
    return (struct mysql_look){.what = has_rows(data) ? MYSQL_LOOKS_ROWS : MYSQL_LOOKS_FOREIGN};
}

bool mysql_look_is_answer(struct span data)
{
    if (data.size < MYSQL_HEADER + 1) {
        return false;
    }
    uint32_t size = size_of(data.data);
    uint8_t first = data.data[MYSQL_HEADER];
    bool counts = data.data[3] == 1 && size > 0 && size <= COUNT_MAX && first != 0 &&
                  first != 0xff && (first != MYSQL_NO_VALUE || size == 1);
    struct span next = span_skip(data, MYSQL_HEADER + size);
    return counts && next.size >= MYSQL_HEADER && next.data[3] == 2 && size_of(next.data) > 0;
}
