// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

enum { NUMBER_ROOM = 400 };

static void put_value(struct thrift_writer *w, uint8_t type, const struct thrift_type_names *names);

/* ---- Scalars -------------------------------------------------------------------------------- */

void thrift_put(struct thrift_writer *w, struct span text)
{
    if (w->silent > 0) {
        return;
    }
    size_t room = (size_t)(w->end - w->at);
    size_t size = text.size < room ? text.size : room;
    w->is_full |= size < text.size;
    if (size > 0) {
        w->at = mempcpy(w->at, text.data, size);
    }
}

static void put(struct thrift_writer *w, const char *text)
{
    thrift_put(w, span_str(text));
}

static void put_integer(struct thrift_writer *w, int64_t value)
{
    char digits[JSON_U64_MAX];
    bool negative = value < 0;
    put(w, negative ? "-" : "");
    char *end = json_digits(digits, negative ? -(uint64_t)value : (uint64_t)value);
    thrift_put(w, span_of(digits, (size_t)(end - digits)));
}

/* The shortest digits that read back the same, without an exponent. */
static void put_double(struct thrift_writer *w, uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    if (w->silent > 0) {
        return;
    }
    if (!isfinite(number)) {
        put(w, isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
        return;
    }
    char text[NUMBER_ROOM];
    (void)snprintf(text, sizeof text, "%.0f", number);
    bool is_huge = fabs(number) >= 1e17 || strtod(text, NULL) == number;
    for (int digits = 1; !is_huge && digits <= 340; digits += digits < 17 ? 1 : 17) {
        (void)snprintf(text, sizeof text, "%.*f", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    put(w, text);
}

static void put_hex(struct thrift_writer *w, struct span bytes)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size && w->silent == 0; i++) {
        thrift_put(w, span_of((char[]){hex[bytes.data[i] >> 4], hex[bytes.data[i] & 15]}, 2));
    }
}

static bool is_utf8(struct span text)
{
    while (text.size > 0) {
        unsigned size = json_utf8(text);
        if (size == 0) {
            return false;
        }
        text = span_skip(text, size);
    }
    return true;
}

static void put_escaped(struct thrift_writer *w, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    const char *plain = byte == '\n'   ? "\\n"
                        : byte == '\r' ? "\\r"
                        : byte == '\t' ? "\\t"
                        : byte == '"'  ? "\\\""
                        : byte == '\\' ? "\\\\"
                                       : NULL;
    if (plain != NULL) {
        put(w, plain);
    } else if (byte < ' ' || byte == 0x7f) {
        thrift_put(w, span_of((char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4));
    } else {
        thrift_put(w, span_of(&byte, 1));
    }
}

static void put_text(struct thrift_writer *w, struct span text)
{
    if (w->silent > 0) {
        return;
    }
    if (w->limits->hides_texts && text.size > 0) {
        put(w, "\"*\"");
        return;
    }
    bool is_cut = text.size > w->limits->text_max;
    struct span shown = span_head(text, w->limits->text_max);
    if (!is_utf8(text)) {
        put_hex(w, shown);
        put(w, is_cut ? "2e2e2e" : ""); /* the three dots, in hexadecimal as well */
        return;
    }
    while (is_cut && shown.size > 0 && (shown.data[shown.size] & 0xc0) == 0x80) {
        shown.size--; /* to where a character begins */
    }
    put(w, "\"");
    for (size_t i = 0; i < shown.size; i++) {
        put_escaped(w, shown.data[i]);
    }
    put(w, is_cut ? "...\"" : "\"");
}

static int64_t take_integer(struct thrift_writer *w, uint8_t type)
{
    if (w->is_compact) {
        return thrift_zigzag(thrift_varint(&w->from));
    }
    return type == THRIFT_I16   ? (int16_t)cursor_be16(&w->from)
           : type == THRIFT_I32 ? (int32_t)cursor_be32(&w->from)
                                : (int64_t)cursor_be64(&w->from);
}

/* What there is of a text whose end may be missing. */
static struct span take_text(struct thrift_writer *w)
{
    uint64_t size = w->is_compact ? thrift_varint(&w->from) : cursor_be32(&w->from);
    size_t left = cursor_left(&w->from);
    bool is_cut = size > left;
    struct span text = cursor_take(&w->from, is_cut ? left : (size_t)size);
    w->from.bad = w->from.bad || is_cut;
    return text;
}

static uint64_t take_double(struct thrift_writer *w)
{
    struct span bytes = cursor_take(&w->from, 8);
    return bytes.size < 8 ? 0 : w->is_compact ? load_le64(bytes.data) : load_be64(bytes.data);
}

/* ---- Collections ---------------------------------------------------------------------------- */

/* Before an element: elements beyond those that are shown are gone past. Undone by end_element().
 */
static void begin_element(struct thrift_writer *w, uint32_t number)
{
    if (number <= w->limits->elements_max) {
        put(w, number > 0 ? ", " : "");
    }
    if (number == w->limits->elements_max) {
        put(w, "...");
    }
    w->silent += number >= w->limits->elements_max;
}

static void end_element(struct thrift_writer *w, uint32_t number)
{
    w->silent -= number >= w->limits->elements_max;
}

static void put_container(struct thrift_writer *w, uint8_t type,
                          const struct thrift_type_names *names)
{
    bool is_map = type == THRIFT_MAP;
    struct thrift_container container = thrift_container_read(&w->from, w->is_compact, is_map);
    put(w, type == THRIFT_LIST ? "[" : "{");
    for (uint32_t i = 0; i < container.count && !w->from.bad; i++) {
        begin_element(w, i);
        if (is_map) {
            put_value(w, container.types[0], names != NULL ? names->key : NULL);
            put(w, ": ");
        }
        put_value(w, container.types[is_map], names != NULL ? names->value : NULL);
        end_element(w, i);
    }
    put(w, type == THRIFT_LIST ? "]" : "}");
}

enum which { ALL, RETURNED, EXCEPTIONS };

static void put_field(struct thrift_writer *w, struct thrift_field field, bool has_name,
                      const struct thrift_struct_names *names)
{
    const struct thrift_field_names *known = thrift_idl_field(names, field.id);
    if (has_name && known != NULL) {
        thrift_put(w, known->name);
    } else if (has_name) {
        put_integer(w, field.id);
    }
    put(w, has_name ? ": " : "");
    put_value(w, field.type, known != NULL ? known->type : NULL);
}

/* Fields of a struct, of a reply either the one that is the value or all others. */
static void put_fields(struct thrift_writer *w, const struct thrift_struct_names *names,
                       enum which which)
{
    int16_t last = 0;
    uint32_t shown = 0;
    for (uint32_t count = 0; !w->from.bad; count++) {
        struct thrift_field field = thrift_field_read(&w->from, w->is_compact, last);
        if (field.type == THRIFT_STOP || field.type == THRIFT_NONE) {
            w->from.bad = w->from.bad || field.type == THRIFT_NONE;
            return;
        }
        w->has_too_many = w->has_too_many || count >= w->limits->fields_max;
        last = field.id;
        bool is_wanted = which == ALL || (which == RETURNED) == (field.id == 0);
        w->silent += !is_wanted;
        if (is_wanted) {
            begin_element(w, shown);
        }
        put_field(w, field, which != RETURNED, names);
        if (is_wanted) {
            end_element(w, shown++);
        }
        w->silent -= !is_wanted;
    }
}

static void put_nested(struct thrift_writer *w, const struct thrift_type_names *names)
{
    put(w, "(");
    put_fields(w, names != NULL ? names->of : NULL, ALL);
    put(w, ")");
}

static void put_nesting(struct thrift_writer *w, uint8_t type,
                        const struct thrift_type_names *names)
{
    if (w->depth >= THRIFT_DEPTH_MAX) {
        w->from.bad = true;
        return;
    }
    w->depth++;
    if (type == THRIFT_STRUCT) {
        put_nested(w, names);
    } else {
        put_container(w, type, names);
    }
    w->depth--;
}

static void put_value(struct thrift_writer *w, uint8_t type, const struct thrift_type_names *names)
{
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        put(w, type == THRIFT_TRUE ? "true" : "false");
        break;
    case THRIFT_BOOL:
        put(w, cursor_u8(&w->from) == 1 ? "true" : "false");
        break;
    case THRIFT_BYTE:
        put_integer(w, (int8_t)cursor_u8(&w->from));
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        put_integer(w, take_integer(w, type));
        break;
    case THRIFT_DOUBLE:
        put_double(w, take_double(w));
        break;
    case THRIFT_STRING:
        put_text(w, take_text(w));
        break;
    case THRIFT_UUID:
        put_hex(w, cursor_take(&w->from, 16));
        break;
    default:
        put_nesting(w, type, names);
        break;
    }
}

void thrift_put_struct(struct thrift_writer *w, const struct thrift_struct_names *names)
{
    put(w, "(");
    put_fields(w, names, ALL);
    put(w, ")");
}

void thrift_put_returned(struct thrift_writer *w, const struct thrift_struct_names *names)
{
    put_fields(w, names, RETURNED);
}

void thrift_put_exceptions(struct thrift_writer *w, const struct thrift_struct_names *names)
{
    uint8_t *before = w->at;
    put(w, "(");
    put_fields(w, names, EXCEPTIONS);
    if (w->at == before + 1) {
        w->at = before;
    } else {
        put(w, ")");
    }
}
