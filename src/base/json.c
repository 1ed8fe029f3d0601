// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/digits.h"

enum { JSON_FIRST_CAPACITY = 1024, JSON_ESCAPE_MAX = 6, JSON_DOUBLE_MAX = 32 };

void json_init(struct json *j)
{
    *j = (struct json){0};
}

void json_done(struct json *j)
{
    free(j->data);
    *j = (struct json){0};
}

void json_reset(struct json *j)
{
    j->size = 0;
    j->comma = false;
    j->failed = false;
}

/* Doubles until `n` more bytes fit. After a failure the capacity ends at the size, so that the fast
 * half refuses too and nothing is written behind a hole. */
bool json_grow(struct json *j, size_t n)
{
    size_t capacity = j->capacity > 0 ? j->capacity : JSON_FIRST_CAPACITY;
    while (!j->failed && !j->is_fixed && capacity - j->size < n) {
        j->failed = capacity > SIZE_MAX / 2;
        capacity *= 2;
    }
    j->failed |= j->is_fixed;
    char *data = j->failed ? NULL : realloc(j->data, capacity);
    if (data == NULL) {
        j->failed = true;
        j->capacity = j->size;
        return false;
    }
    j->data = data;
    j->capacity = capacity;
    return true;
}

static void json_put(struct json *j, const void *data, size_t size)
{
    char *to = json_reserve(j, size);
    if (to != NULL && size > 0) {
        memcpy(to, data, size);
        j->size += size;
    }
}

static void json_put_char(struct json *j, char c)
{
    char *to = json_reserve(j, 1);
    if (to != NULL) {
        *to = c;
        j->size++;
    }
}

/* Called before every value and every key. */
static void json_separate(struct json *j)
{
    if (j->comma) {
        json_put_char(j, ',');
    }
    j->comma = true;
}

static void json_begin(struct json *j, char bracket)
{
    json_separate(j);
    json_put_char(j, bracket);
    j->comma = false;
}

static void json_end(struct json *j, char bracket)
{
    json_put_char(j, bracket);
    j->comma = true;
}

void json_object_begin(struct json *j)
{
    json_begin(j, '{');
}

void json_object_end(struct json *j)
{
    json_end(j, '}');
}

void json_array_begin(struct json *j)
{
    json_begin(j, '[');
}

void json_array_end(struct json *j)
{
    json_end(j, ']');
}

void json_key(struct json *j, const char *name)
{
    json_key_span(j, span_str(name));
}

void json_key_span(struct json *j, struct span name)
{
    json_span(j, name);
    json_put_char(j, ':');
    j->comma = false;
}

unsigned json_utf8(struct span s)
{
    if (s.size == 0) {
        return 0;
    }
    uint8_t lead = s.data[0];
    if (lead < 0x80) {
        return 1;
    }
    unsigned length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || s.size < length) {
        return 0;
    }
    /* Only the second byte's range depends on the lead (RFC 3629, section 4). */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (s.data[1] < low || s.data[1] > high) {
        return 0;
    }
    for (unsigned i = 2; i < length; i++) {
        if ((s.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static inline bool json_is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Bytes are looked at and copied a piece at a time: 16 where the processor has such registers. */
#ifdef __SSE2__
typedef __m128i json_piece;

/* A bit for each byte that is no ASCII or needs an escape; as numbers with a sign, those from 0x80 on
 * are below the blank, too. */
static inline unsigned json_special_piece(json_piece p)
{
    json_piece low = _mm_cmplt_epi8(p, _mm_set1_epi8(0x20));
    json_piece quote = _mm_cmpeq_epi8(p, _mm_set1_epi8('"'));
    json_piece slash = _mm_cmpeq_epi8(p, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quote), slash));
}

static inline unsigned json_special(const uint8_t *at, json_piece *ret)
{
    *ret = _mm_loadu_si128((const __m128i *)(const void *)at);
    return json_special_piece(*ret);
}

/* Whether there is such a byte in either word. */
static inline bool json_is_special(uint64_t a, uint64_t b)
{
    return json_special_piece(_mm_set_epi64x((long long)b, (long long)a)) != 0;
}

static inline unsigned json_first(unsigned special)
{
    return (unsigned)__builtin_ctz(special);
}
#else
typedef uint64_t json_piece;

/* The top bit of each byte of `w` that is zero; exact up to the first such byte. */
static inline uint64_t json_zero_bytes(uint64_t w)
{
    return (w - 0x0101010101010101u) & ~w & 0x8080808080808080u;
}

/* The top bit of each byte of `w` that is no ASCII or needs an escape; exact up to the first. */
static inline uint64_t json_special_bytes(uint64_t w)
{
    return ((w - 0x2020202020202020u) & ~w & 0x8080808080808080u) | (w & 0x8080808080808080u) |
           json_zero_bytes(w ^ 0x2222222222222222u) | json_zero_bytes(w ^ 0x5c5c5c5c5c5c5c5cu);
}

static inline uint64_t json_special(const uint8_t *at, json_piece *ret)
{
    memcpy(ret, at, sizeof *ret);
    return json_special_bytes(load_le64(at));
}

static inline bool json_is_special(uint64_t a, uint64_t b)
{
    return (json_special_bytes(a) | json_special_bytes(b)) != 0;
}

static inline unsigned json_first(uint64_t special)
{
    return (unsigned)__builtin_ctzll(special) / 8;
}
#endif

enum { JSON_PIECE = sizeof(json_piece) };

/* How many bytes at the start of `s` are ASCII and need no escape. */
static size_t json_plain_ascii(struct span s)
{
    size_t i = 0;
    json_piece piece;
    for (; s.size - i >= JSON_PIECE; i += JSON_PIECE) {
        __auto_type special = json_special(s.data + i, &piece);
        if (special != 0) {
            return i + json_first(special);
        }
    }
    while (i < s.size && json_is_plain(s.data[i])) {
        i++;
    }
    return i;
}

/* The same of less than a piece, which are copied on the way. */
static inline size_t json_copy_short(char *to, struct span s)
{
    size_t i = 0;
    if (s.size >= 8) { /* as two words, which may have bytes in common */
        if (!json_is_special(load_le64(s.data), load_le64(s.data + s.size - 8))) {
            memcpy(to, s.data, 8);
            memcpy(to + s.size - 8, s.data + s.size - 8, 8);
            return s.size;
        }
    } else if (s.size >= 4) {
        uint64_t both = load_le32(s.data) | (uint64_t)load_le32(s.data + s.size - 4) << 32;
        if (!json_is_special(both, both)) {
            memcpy(to, s.data, 4);
            memcpy(to + s.size - 4, s.data + s.size - 4, 4);
            return s.size;
        }
    }
    for (; i < s.size && json_is_plain(s.data[i]); i++) {
        to[i] = (char)s.data[i];
    }
    return i;
}

/* The same, and copies them on the way; of `to`, which has room for all of `s`, what lies behind them
 * may have been written to. */
static size_t json_copy_ascii(char *to, struct span s)
{
    size_t i = 0;
    json_piece piece;
    for (; s.size - i >= JSON_PIECE; i += JSON_PIECE) {
        __auto_type special = json_special(s.data + i, &piece);
        memcpy(to + i, &piece, JSON_PIECE);
        if (special != 0) {
            return i + json_first(special);
        }
    }
    size_t last = s.size - JSON_PIECE; /* the end once more, with what lies before it */
    if (i > 0 && json_special(s.data + last, &piece) == 0) {
        memcpy(to + last, &piece, JSON_PIECE);
        return s.size;
    }
    return i + json_copy_short(to + i, span_skip(s, i));
}

/* How many bytes at the start of `s` can be copied as they are. */
static size_t json_plain(struct span s)
{
    size_t plain = 0;
    for (;;) {
        plain += json_plain_ascii(span_skip(s, plain));
        unsigned length = json_utf8(span_skip(s, plain));
        if (length < 2) {
            return plain;
        }
        plain += length;
    }
}

/* Writes what stands for the byte `c`, which cannot be copied: an escape or U+FFFD. */
static void json_escape(struct json *j, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    char *to = json_reserve(j, JSON_ESCAPE_MAX);
    if (to == NULL) {
        return;
    }
    if (c >= 0x80) {
        memcpy(to, "\xef\xbf\xbd", 3);
        j->size += 3;
    } else if (c == '"' || c == '\\' || letters[c & 0x1f] != 0) {
        to[0] = '\\';
        to[1] = c >= 0x20 ? (char)c : letters[c];
        j->size += 2;
    } else {
        memcpy(to, "\\u00", 4);
        to[4] = hex[c >> 4];
        to[5] = hex[c & 15];
        j->size += 6;
    }
}

/* The part of json_span() for text that cannot be copied as one piece, between the quotes. */
static void json_put_escaped(struct json *j, struct span text)
{
    while (text.size > 0) {
        size_t plain = json_plain(text);
        json_put(j, text.data, plain);
        text = span_skip(text, plain);
        if (text.size > 0) {
            json_escape(j, text.data[0]);
            text = span_skip(text, 1);
        }
    }
}

char *json_quote(char *to, struct span text)
{
    *to++ = '"';
    if (json_copy_ascii(to, text) < text.size) {
        return NULL;
    }
    to += text.size;
    *to++ = '"';
    return to;
}

char *json_quote_terminated(char *to, const char *text, size_t readable)
{
    json_piece piece;
    *to++ = '"';
    for (size_t i = 0; i + JSON_PIECE <= readable; i += JSON_PIECE) {
        __auto_type special = json_special((const uint8_t *)text + i, &piece);
        memcpy(to + i, &piece, JSON_PIECE);
        if (special != 0) {
            size_t end = i + json_first(special);
            to[end] = '"';
            return text[end] == '\0' ? to + end + 1 : NULL;
        }
    }
    return NULL;
}

void json_span(struct json *j, struct span text)
{
    json_separate(j);
    char *to = json_reserve(j, text.size + 2);
    if (to == NULL) {
        return;
    }
    *to++ = '"';
    size_t plain = json_copy_ascii(to, text);
    if (plain == text.size) {
        to[plain] = '"';
        j->size += plain + 2;
        return;
    }
    j->size += plain + 1;
    json_put_escaped(j, span_skip(text, plain));
    json_put_char(j, '"');
}

void json_text(struct json *j, const char *text)
{
    if (text == NULL) {
        json_null(j);
    } else {
        json_span(j, span_str(text));
    }
}

char *json_digits(char *to, uint64_t value)
{
    char text[DIGITS_ROOM];
    return mempcpy(to, text, (size_t)(digits_write(text, value) - text));
}

void json_u64(struct json *j, uint64_t value)
{
    json_separate(j);
    char *to = json_reserve(j, JSON_U64_MAX);
    if (to != NULL) {
        j->size = (size_t)(digits_write(to, value) - j->data);
    }
}

void json_i64(struct json *j, int64_t value)
{
    json_separate(j);
    char *to = json_reserve(j, JSON_U64_MAX + 1);
    if (to == NULL) {
        return;
    }
    if (value < 0) {
        *to++ = '-';
    }
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    j->size = (size_t)(digits_write(to, magnitude) - j->data);
}

void json_double(struct json *j, double value)
{
    if (!isfinite(value)) {
        json_null(j);
        return;
    }
    char text[JSON_DOUBLE_MAX];
    int size = 0;
    /* 15 digits are always exact one way, 17 the other (IEEE 754-2019, section 5.12.2). */
    for (int precision = 15; precision <= 17; precision++) {
        size = snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    json_raw(j, span_of(text, (size_t)size));
}

void json_bool(struct json *j, bool value)
{
    json_raw(j, span_str(value ? "true" : "false"));
}

void json_null(struct json *j)
{
    json_raw(j, span_of("null", 4));
}

void json_member_text(struct json *j, const char *name, const char *text)
{
    json_key(j, name);
    json_text(j, text);
}

void json_member_u64(struct json *j, const char *name, uint64_t value)
{
    json_key(j, name);
    json_u64(j, value);
}

void json_raw(struct json *j, struct span value)
{
    json_separate(j);
    json_put(j, value.data, value.size);
}

void json_append(struct json *j, const void *data, size_t size)
{
    json_put(j, data, size);
    j->comma = false;
}

void json_printf(struct json *j, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *to = size >= 0 ? json_reserve(j, (size_t)size + 1) : NULL;
    if (to != NULL) {
        vsnprintf(to, (size_t)size + 1, format, again);
        j->size += (size_t)size;
    }
    va_end(again);
    va_end(args);
    j->comma = false;
}
