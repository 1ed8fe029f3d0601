// SPDX-License-Identifier: Apache-2.0
/* For tests and fuzzers only: says whether bytes are exactly one JSON value by RFC 8259, in valid
 * UTF-8. Written from the grammar, on purpose without a line in common with json.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_check {
    const unsigned char *at;
    const unsigned char *end;
};

static inline bool json_check_char(struct json_check *c, char expected)
{
    if (c->at == c->end || *c->at != (unsigned char)expected) {
        return false;
    }
    c->at++;
    return true;
}

static inline bool json_check_word(struct json_check *c, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0) {
        return false;
    }
    c->at += size;
    return true;
}

/* Decodes one code point and asks whether encoding it again would be as long. */
static inline bool json_check_utf8(struct json_check *c)
{
    unsigned lead = *c->at;
    unsigned more = lead < 0x80       ? 0
                    : lead >> 5 == 6  ? 1
                    : lead >> 4 == 14 ? 2
                    : lead >> 3 == 30 ? 3
                                      : 9;
    if (more > 3 || (size_t)(c->end - c->at) <= more) {
        return false;
    }
    unsigned long point = more == 0 ? lead : lead & (0x3fu >> more);
    for (unsigned i = 1; i <= more; i++) {
        if (c->at[i] >> 6 != 2) {
            return false;
        }
        point = point << 6 | (c->at[i] & 0x3fu);
    }
    unsigned shortest = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    c->at += more + 1;
    return more == shortest && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
}

static inline bool json_check_escape(struct json_check *c)
{
    if (c->at == c->end) {
        return false;
    }
    unsigned char kind = *c->at++;
    if (kind != 'u') {
        return kind != 0 && strchr("\"\\/bfnrt", kind) != NULL;
    }
    for (int i = 0; i < 4; i++, c->at++) {
        if (c->at == c->end || *c->at == 0 || strchr("0123456789abcdefABCDEF", *c->at) == NULL) {
            return false;
        }
    }
    return true;
}

static inline bool json_check_string(struct json_check *c)
{
    if (!json_check_char(c, '"')) {
        return false;
    }
    while (c->at < c->end && *c->at != '"') {
        bool fine =
            *c->at == '\\' ? (c->at++, json_check_escape(c)) : *c->at >= 0x20 && json_check_utf8(c);
        if (!fine) {
            return false;
        }
    }
    return json_check_char(c, '"');
}

static inline bool json_check_digits(struct json_check *c)
{
    const unsigned char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > start;
}

static inline bool json_check_number(struct json_check *c)
{
    (void)json_check_char(c, '-');
    if (!json_check_char(c, '0') && !json_check_digits(c)) {
        return false;
    }
    if (json_check_char(c, '.') && !json_check_digits(c)) {
        return false;
    }
    if (json_check_char(c, 'e') || json_check_char(c, 'E')) {
        (void)(json_check_char(c, '+') || json_check_char(c, '-'));
        return json_check_digits(c);
    }
    return true;
}

static inline bool json_check_value(struct json_check *c, int depth);

/* The inside of an object or an array, behind its opening bracket. */
static inline bool json_check_members(struct json_check *c, bool named, int depth)
{
    char close = named ? '}' : ']';
    if (json_check_char(c, close)) {
        return true;
    }
    do {
        if (named && !(json_check_string(c) && json_check_char(c, ':'))) {
            return false;
        }
        if (!json_check_value(c, depth - 1)) {
            return false;
        }
    } while (json_check_char(c, ','));
    return json_check_char(c, close);
}

/* No white space is expected: nothing here writes any. */
static inline bool json_check_value(struct json_check *c, int depth)
{
    if (depth == 0 || c->at == c->end) {
        return false;
    }
    switch (*c->at) {
    case '{':
    case '[':
        return json_check_members(c, *c->at++ == '{', depth);
    case '"':
        return json_check_string(c);
    case 't':
        return json_check_word(c, "true");
    case 'f':
        return json_check_word(c, "false");
    case 'n':
        return json_check_word(c, "null");
    default:
        return json_check_number(c);
    }
}

static inline bool json_check(const char *data, size_t size)
{
    struct json_check c = {.at = (const unsigned char *)data};
    c.end = c.at + size;
    return json_check_value(&c, 100) && c.at == c.end;
}
