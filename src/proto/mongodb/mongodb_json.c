// SPDX-License-Identifier: Apache-2.0
#include "proto/mongodb/mongodb_bson.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/text.h"

enum { DEPTH_MAX = 24, SORTED_MAX = 48, NUMBER_ROOM = 40 };

static void put_value(struct bson_out *to, const struct bson_element *e, unsigned depth);

/* ---- Texts ---------------------------------------------------------------------------------- */

void bson_put(struct bson_out *to, struct span bytes)
{
    size_t room = (size_t)(to->end - to->at);
    size_t size = bytes.size < room ? bytes.size : room;
    if (size > 0) {
        memcpy(to->at, bytes.data, size);
    }
    to->at += size;
    to->is_full = to->is_full || size < bytes.size;
}

void bson_put_text(struct bson_out *to, const char *text)
{
    bson_put(to, span_str(text));
}

void bson_put_integer(struct bson_out *to, int64_t value)
{
    char digits[JSON_U64_MAX];
    bool negative = value < 0;
    bson_put_text(to, negative ? "-" : "");
    char *end = json_digits(digits, negative ? -(uint64_t)value : (uint64_t)value);
    bson_put(to, span_of(digits, (size_t)(end - digits)));
}

static void put_escape(struct bson_out *to, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = "\\u00..";
    switch (byte) {
    case '"':
        bson_put_text(to, "\\\"");
        return;
    case '\\':
        bson_put_text(to, "\\\\");
        return;
    case '\n':
        bson_put_text(to, "\\n");
        return;
    case '\r':
        bson_put_text(to, "\\r");
        return;
    case '\t':
        bson_put_text(to, "\\t");
        return;
    default:
        text[4] = hex[byte >> 4];
        text[5] = hex[byte & 15];
        bson_put_text(to, text);
        return;
    }
}

static void put_string(struct bson_out *to, struct span text)
{
    bson_put_text(to, "\"");
    while (text.size > 0 && !to->is_full) {
        size_t plain = 0;
        while (plain < text.size && text.data[plain] >= ' ' && text.data[plain] != '"' &&
               text.data[plain] != '\\') {
            plain++;
        }
        bson_put(to, span_head(text, plain));
        text = span_skip(text, plain);
        if (text.size > 0) {
            put_escape(to, text.data[0]);
            text = span_skip(text, 1);
        }
    }
    bson_put_text(to, "\"");
}

static void put_hex(struct bson_out *to, struct span bytes)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        bson_put(to, span_of((char[]){hex[bytes.data[i] >> 4], hex[bytes.data[i] & 15]}, 2));
    }
}

static void put_base64(struct bson_out *to, struct span from)
{
    for (; from.size > 0 && !to->is_full; from = span_skip(from, 3)) {
        char four[4];
        text_base64(four, from.data, from.size < 3 ? from.size : 3);
        bson_put(to, span_of(four, sizeof four));
    }
}

/* ---- Scalars -------------------------------------------------------------------------------- */

/* The shortest digits that read back the same. */
static void put_double(struct bson_out *to, uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number)) {
        bson_put_text(to, "null");
        return;
    }
    char text[NUMBER_ROOM];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    bson_put_text(to, text);
}

static void put_date(struct bson_out *to, int64_t milliseconds)
{
    if (milliseconds < 0 || milliseconds > INT64_C(9000000000000)) {
        bson_put_integer(to, milliseconds);
        return;
    }
    char text[TEXT_TIME_ROOM];
    size_t size = text_rfc3339(text, (uint64_t)milliseconds * 1000000, 3);
    bson_put_text(to, "\"");
    bson_put(to, span_of(text, size));
    bson_put_text(to, "\"");
}

/* coefficient * 10^exponent: with a point where one fits among the digits. */
static void put_scaled(struct bson_out *to, uint64_t coefficient, int64_t exponent)
{
    char digits[JSON_U64_MAX];
    size_t count = (size_t)(json_digits(digits, coefficient) - digits);
    bool has_point = exponent < 0 && exponent > -(int64_t)count;
    size_t before = has_point ? count - (size_t)-exponent : count;
    bson_put(to, span_of(digits, before));
    if (has_point) {
        bson_put_text(to, ".");
        bson_put(to, span_of(digits + before, count - before));
    } else if (exponent != 0) {
        bson_put_text(to, "E");
        bson_put_integer(to, exponent);
    }
}

/* IEEE 754 decimal128 (BSON's uses the binary encoding of its coefficient): as coefficient and
 * exponent, without the work of 128-bit divisions for those beyond 64 bits. */
static void put_decimal(struct bson_out *to, struct span value)
{
    uint64_t low = load_le64(value.data), high = load_le64(value.data + 8);
    bson_put_text(to, "\"");
    if ((high >> 58 & 0x1f) >= 0x1e || high & UINT64_C(0x1ffffffffffff) || (high >> 61 & 3) == 3) {
        put_hex(to, value);
    } else {
        bson_put_text(to, high >> 63 ? "-" : "");
        put_scaled(to, low, (int64_t)(high >> 49 & 0x3fff) - 6176);
    }
    bson_put_text(to, "\"");
}

static void put_regex(struct bson_out *to, struct span value)
{
    size_t pattern = strnlen((const char *)value.data, value.size);
    struct span options = span_skip(value, pattern + 1);
    bson_put_text(to, "{\"Pattern\":");
    put_string(to, span_head(value, pattern));
    bson_put_text(to, ",\"Options\":");
    put_string(to, span_head(options, options.size > 0 ? options.size - 1 : 0));
    bson_put_text(to, "}");
}

/* ---- Documents ------------------------------------------------------------------------------ */

static bool is_among(struct span name, const char *const *list)
{
    for (; list != NULL && *list != NULL; list++) {
        if (span_equal(name, span_str(*list))) {
            return true;
        }
    }
    return false;
}

static int compare_names(struct span a, struct span b)
{
    size_t both = a.size < b.size ? a.size : b.size;
    int order = both > 0 ? memcmp(a.data, b.data, both) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static void put_member(struct bson_out *to, const struct bson_element *e, unsigned number,
                       const struct bson_style *style, unsigned depth)
{
    bson_put_text(to, number > 0 ? "," : "");
    put_string(to, e->name);
    bson_put_text(to, ":");
    if (style != NULL && is_among(e->name, style->secret)) {
        bson_put_text(to, "\"****\"");
    } else {
        put_value(to, e, depth);
    }
}

/* Members as they come, from one on. */
static unsigned put_rest(struct bson_out *to, struct bson_walk *walk, unsigned number,
                         const struct bson_style *style, unsigned depth)
{
    struct bson_element e;
    while (!to->is_full && bson_next(walk, &e)) {
        if (style == NULL || !is_among(e.name, style->without)) {
            put_member(to, &e, number++, style, depth);
        }
    }
    to->is_cut |= walk->is_cut;
    return number;
}

/* Members sorted by name; those beyond SORTED_MAX follow as they come. */
static unsigned put_members(struct bson_out *to, struct span document,
                            const struct bson_style *style, unsigned depth)
{
    struct bson_element sorted[SORTED_MAX];
    struct bson_element e;
    unsigned count = 0;
    struct bson_walk walk = bson_open(document);
    while (count < SORTED_MAX && bson_next(&walk, &e)) {
        if (style != NULL && is_among(e.name, style->without)) {
            continue;
        }
        unsigned at = count++;
        for (; at > 0 && compare_names(sorted[at - 1].name, e.name) > 0; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = e;
    }
    for (unsigned i = 0; i < count && !to->is_full; i++) {
        put_member(to, &sorted[i], i, style, depth);
    }
    return put_rest(to, &walk, count, style, depth);
}

static void put_items(struct bson_out *to, struct span document, unsigned depth)
{
    struct bson_walk walk = bson_open(document);
    struct bson_element e;
    for (unsigned i = 0; !to->is_full && bson_next(&walk, &e); i++) {
        bson_put_text(to, i > 0 ? "," : "");
        put_value(to, &e, depth);
    }
    to->is_cut |= walk.is_cut;
}

static void put_nested(struct bson_out *to, const struct bson_element *e, unsigned depth)
{
    bool is_array = e->type == BSON_ARRAY;
    bson_put_text(to, is_array ? "[" : "{");
    if (depth >= DEPTH_MAX) {
        bson_put_text(to, "...");
    } else if (is_array) {
        put_items(to, e->value, depth + 1);
    } else {
        (void)put_members(to, e->value, NULL, depth + 1);
    }
    bson_put_text(to, is_array ? "]" : "}");
}

static void put_code_with_scope(struct bson_out *to, struct span value)
{
    struct bson_element code = {.type = BSON_CODE, .value = span_skip(value, 4)};
    bson_put_text(to, "{\"Code\":");
    put_string(to, bson_text(&code));
    bson_put_text(to, "}");
}

static void put_bytes(struct bson_out *to, const struct bson_element *e)
{
    bson_put_text(to, "\"");
    if (e->type == BSON_OBJECT_ID) {
        put_hex(to, e->value);
    } else {
        put_base64(to, span_skip(e->value, 5));
    }
    bson_put_text(to, "\"");
}

static void put_value(struct bson_out *to, const struct bson_element *e, unsigned depth)
{
    switch (e->type) {
    case BSON_DOUBLE:
        put_double(to, load_le64(e->value.data));
        break;
    case BSON_STRING:
    case BSON_SYMBOL:
    case BSON_CODE:
        put_string(to, bson_text(e));
        break;
    case BSON_DOCUMENT:
    case BSON_ARRAY:
        put_nested(to, e, depth);
        break;
    case BSON_OBJECT_ID:
    case BSON_BINARY:
        put_bytes(to, e);
        break;
    case BSON_BOOL:
        bson_put_text(to, e->value.data[0] ? "true" : "false");
        break;
    case BSON_DATE:
        put_date(to, bson_integer(e));
        break;
    case BSON_REGEX:
        put_regex(to, e->value);
        break;
    case BSON_CODE_SCOPE:
        put_code_with_scope(to, e->value);
        break;
    case BSON_INT32:
    case BSON_INT64:
        bson_put_integer(to, bson_integer(e));
        break;
    case BSON_TIMESTAMP:
        bson_put_integer(to, (int64_t)load_le64(e->value.data));
        break;
    case BSON_DECIMAL:
        put_decimal(to, e->value);
        break;
    default: /* null, undefined, the smallest and the largest key, pointers to elsewhere */
        bson_put_text(to, "null");
        break;
    }
}

unsigned bson_put_open(struct bson_out *to, struct span document, const struct bson_style *style)
{
    bson_put_text(to, "{");
    return put_members(to, document, style, 1);
}

void bson_put_document(struct bson_out *to, struct span document, const struct bson_style *style)
{
    (void)bson_put_open(to, document, style);
    bson_put_text(to, "}");
}

void bson_put_value(struct bson_out *to, const struct bson_element *e, bool is_plain)
{
    struct span text = bson_text(e);
    if (is_plain && text.size > 0) {
        bson_put(to, text);
    } else {
        put_value(to, e, 1);
    }
}
