// SPDX-License-Identifier: Apache-2.0
#include "base/sql.h"

static bool is_white(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == '\0';
}

static bool is_letter(uint8_t byte)
{
    return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

static bool is_word(uint8_t byte)
{
    return is_letter(byte) || byte == '_' || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

struct span sql_trim(struct span text)
{
    while (text.size > 0 && is_white(text.data[0])) {
        text = span_skip(text, 1);
    }
    while (text.size > 0 && is_white(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* Where `what` (of `size` bytes) ends first in `text` from `at` on; the text's end when it does not. */
static size_t behind(struct span text, size_t at, const void *what, size_t size)
{
    const uint8_t *found =
        at <= text.size ? memmem(text.data + at, text.size - at, what, size) : NULL;
    return found != NULL ? (size_t)(found - text.data) + size : text.size;
}

/* The end of a comment that begins at `at`; `at` when none does. MySQL's conditional comments are
 * text: only their beginning is passed by. PostgreSQL's may nest. */
static size_t behind_comment(struct span text, size_t at)
{
    uint8_t first = text.data[at];
    uint8_t second = at + 1 < text.size ? text.data[at + 1] : 0;
    if (first == '-' && second == '-') {
        return behind(text, at, "\n", 1);
    }
    if (first != '/' || second != '*') {
        return at;
    }
    if (at + 2 < text.size && text.data[at + 2] == '!') {
        for (at += 3; at < text.size && text.data[at] >= '0' && text.data[at] <= '9';) {
            at++;
        }
        return at;
    }
    unsigned depth = 1;
    for (at += 2; at < text.size && depth > 0;) {
        bool opens = at + 1 < text.size && memcmp(text.data + at, "/*", 2) == 0;
        bool closes = at + 1 < text.size && memcmp(text.data + at, "*/", 2) == 0;
        depth = depth + opens - closes;
        at += opens || closes ? 2 : 1;
    }
    return at;
}

/* The first byte that is neither white nor of a comment. */
static size_t skip_blank(struct span text, size_t at)
{
    while (at < text.size) {
        size_t behind_it = is_white(text.data[at]) ? at + 1 : behind_comment(text, at);
        if (behind_it == at) {
            break;
        }
        at = behind_it;
    }
    return at;
}

struct span sql_method(struct span text, char to[SQL_METHOD_MAX])
{
    size_t at = skip_blank(text, 0);
    while (at < text.size && (text.data[at] == '(' || text.data[at] == ';')) {
        at = skip_blank(text, at + 1);
    }
    bool is_name = at < text.size && is_word(text.data[at]);
    size_t size = 0;
    for (; at < text.size && size < SQL_METHOD_MAX; at++) {
        uint8_t byte = text.data[at];
        if (is_name ? !is_word(byte) : is_white(byte)) {
            break;
        }
        to[size++] = (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
    }
    return span_of(to, size);
}

/* Behind a text in quotes that begins at `at`. A doubled quote is two texts, which comes to the same; a
 * backslash hides what follows, as MySQL and E'…' have it. */
static size_t behind_quote(struct span text, size_t at)
{
    uint8_t quote = text.data[at++];
    while (at < text.size && text.data[at] != quote) {
        at += text.data[at] == '\\' && quote != '`' ? 2 : 1;
    }
    return at < text.size ? at + 1 : text.size;
}

/* Behind $tag$ … $tag$ that begins at `at`; at + 1 when it is something else. `hopeless` keeps that a
 * tag has no end, so that a text full of them is not searched for each. */
static size_t behind_dollars(struct span text, size_t at, bool *hopeless)
{
    size_t end = at + 1;
    while (end < text.size && is_word(text.data[end])) {
        end++;
    }
    bool after_word = at > 0 && is_word(text.data[at - 1]);
    if (end >= text.size || text.data[end] != '$' || after_word || *hopeless) {
        return end > at ? end : at + 1;
    }
    size_t size = end + 1 - at;
    size_t behind_it = behind(text, end + 1, text.data + at, size);
    *hopeless = behind_it == text.size;
    return behind_it;
}

/* Where the statement ends that begins at `at`: at its `;` or the text's end. */
static size_t statement_end(struct span text, size_t at)
{
    bool hopeless = false;
    while (at < text.size && text.data[at] != ';') {
        uint8_t byte = text.data[at];
        if (byte == '\'' || byte == '"' || byte == '`') {
            at = behind_quote(text, at);
        } else if (byte == '$') {
            at = behind_dollars(text, at, &hopeless);
        } else {
            size_t behind_it = behind_comment(text, at);
            at = behind_it > at ? behind_it : at + 1;
        }
    }
    return at < text.size ? at : text.size;
}

struct span sql_next(struct span *rest)
{
    while (rest->size > 0) {
        size_t start = skip_blank(*rest, 0);
        size_t end = statement_end(*rest, start < rest->size ? start : rest->size);
        struct span found = sql_trim(span_of(rest->data, end));
        bool is_empty = start >= end;
        *rest = span_skip(*rest, end + 1);
        if (!is_empty) {
            return found;
        }
    }
    return span_of(rest->data, 0);
}
