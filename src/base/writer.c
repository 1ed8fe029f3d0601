// SPDX-License-Identifier: Apache-2.0
#include "base/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

enum { NUMBER_ROOM = 32, DOUBLE_DIGITS = 17, FLOAT_DIGITS = 9 };

void writer_lower(struct writer *w, struct span s)
{
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.data[i];
        writer_byte(w, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
    }
}

void writer_upper(struct writer *w, struct span s)
{
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.data[i];
        writer_byte(w, c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c);
    }
}

void writer_hex(struct writer *w, struct span s, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (size_t i = 0; i < s.size; i++) {
        writer_byte(w, (uint8_t)digits[s.data[i] >> 4]);
        writer_byte(w, (uint8_t)digits[s.data[i] & 15]);
    }
}

void writer_u64(struct writer *w, uint64_t value)
{
    char text[JSON_U64_MAX];
    writer_span(w, span_of(text, (size_t)(json_digits(text, value) - text)));
}

void writer_i64(struct writer *w, int64_t value)
{
    if (value < 0) {
        writer_byte(w, '-');
    }
    writer_u64(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void put_escaped(struct writer *w, uint8_t c)
{
    static const char shorts[] = "btn?fr";
    writer_byte(w, '\\');
    if (c == '"' || c == '\\') {
        writer_byte(w, c);
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        writer_byte(w, (uint8_t)shorts[c - '\b']);
    } else {
        writer_text(w, "u00");
        writer_hex(w, span_of(&c, 1), false);
    }
}

void writer_json(struct writer *w, struct span text)
{
    writer_byte(w, '"');
    while (text.size > 0 && !w->full) {
        uint8_t c = text.data[0];
        unsigned size = 1;
        if (c < 0x20 || c == '"' || c == '\\') {
            put_escaped(w, c);
        } else if (c < 0x80) {
            writer_byte(w, c);
        } else if ((size = json_utf8(text)) > 0) {
            writer_span(w, span_head(text, size));
        } else {
            writer_text(w, "\xef\xbf\xbd");
            size = 1;
        }
        text = span_skip(text, size);
    }
    writer_byte(w, '"');
}

void writer_json_double(struct writer *w, double value)
{
    char text[NUMBER_ROOM];
    if (!isfinite(value)) {
        writer_text(w, "null");
        return;
    }
    int digits = 1;
    do {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
    } while (++digits <= DOUBLE_DIGITS && strtod(text, NULL) != value);
    writer_text(w, text);
}

void writer_json_float(struct writer *w, float value)
{
    char text[NUMBER_ROOM];
    if (!isfinite(value)) {
        writer_text(w, "null");
        return;
    }
    int digits = 1;
    do {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)value);
    } while (++digits <= FLOAT_DIGITS && strtof(text, NULL) != value);
    writer_text(w, text);
}
