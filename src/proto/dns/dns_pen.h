// SPDX-License-Identifier: Apache-2.0
/* JSON written straight into memory that has room for it, without a look at what is left: whoever writes
 * has summed up what there can be at most. All functions return the end of what they wrote, and may write
 * up to DNS_PEN_BEHIND bytes behind it. Packet path. */
#pragma once

#include "base/digits.h"
#include "base/json.h"
#include "base/span.h"
#include "proto/dns/dns_name.h"
#include "proto/dns/dns_words.h"

enum { DNS_PEN_BEHIND = DNS_NAME_BEHIND, DNS_PEN_HALF = DNS_PEN_BEHIND / 2 };

/* A literal. */
#define dns_pen_put(to, literal) dns_pen_bytes(to, literal, sizeof(literal) - 1)

static inline char *dns_pen_bytes(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

/* One of dns_words.h. */
static inline char *dns_pen_word(char *to, struct span word)
{
    memcpy(to, word.data, DNS_WORD_ROOM);
    return to + word.size;
}

/* Text behind which DNS_PEN_BEHIND bytes may be read. */
static inline char *dns_pen_text(char *to, struct span text)
{
    for (size_t at = 0; at < text.size; at += DNS_PEN_HALF) {
        memcpy(to + at, text.data + at, DNS_PEN_HALF);
    }
    return to + text.size;
}

static inline char *dns_pen_number(char *to, uint32_t number)
{
    if (number < 10) {
        *to = (char)('0' + number);
        return to + 1;
    }
    return digits_write(to, number);
}

/* Printable ASCII in quotes: twice its size and two bytes at most. */
static inline char *dns_pen_quoted(char *to, struct span ascii)
{
    char *end = json_quote(to, ascii);
    if (end != NULL) { /* mostly nothing is to be escaped */
        return end;
    }
    *to++ = '"';
    for (size_t i = 0; i < ascii.size; i++) {
        if (ascii.data[i] == '"' || ascii.data[i] == '\\') {
            *to++ = '\\';
        }
        *to++ = (char)ascii.data[i];
    }
    *to++ = '"';
    return to;
}

/* A name, or a part of the text of one, in quotes. */
static inline char *dns_pen_name(char *to, struct span text, bool is_plain)
{
    if (!is_plain) {
        return dns_pen_quoted(to, text);
    }
    *to++ = '"';
    to = dns_pen_text(to, text);
    *to++ = '"';
    return to;
}
