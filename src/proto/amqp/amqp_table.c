// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_table.h"

#include "base/text.h"

enum { DEPTH_MAX = 12, DECIMALS_MAX = 255 };

static const uint64_t ns_a_second = 1000000000;

static void write_value(struct writer *to, struct cursor *from, unsigned depth);

static void write_members(struct writer *to, struct cursor *from, unsigned depth, bool are_named)
{
    struct span all = cursor_take(from, cursor_be32(from));
    if (from->bad || depth > DEPTH_MAX) {
        from->bad = true;
        return;
    }
    struct cursor c = cursor_of(all);
    writer_byte(to, are_named ? '{' : '[');
    for (unsigned i = 0; cursor_left(&c) > 0 && !c.bad && !to->full; i++) {
        if (i > 0) {
            writer_byte(to, ',');
        }
        if (are_named) {
            writer_json(to, cursor_take(&c, cursor_u8(&c)));
            writer_byte(to, ':');
        }
        write_value(to, &c, depth + 1);
    }
    writer_byte(to, are_named ? '}' : ']');
    from->bad |= c.bad;
}

/* A whole number and how many of its digits are behind the point. */
static void write_decimal(struct writer *to, struct cursor *from)
{
    unsigned scale = cursor_u8(from);
    int32_t value = (int32_t)cursor_be32(from);
    uint32_t size = value < 0 ? -(uint32_t)value : (uint32_t)value;
    uint8_t digits[DECIMALS_MAX + 2];
    unsigned count = 0;
    for (; count <= scale || size > 0; size /= 10) {
        digits[count++] = (uint8_t)('0' + size % 10);
    }
    writer_text(to, value < 0 ? "\"-" : "\"");
    while (count > 0) {
        writer_byte(to, digits[--count]);
        if (count == scale && count > 0) {
            writer_byte(to, '.');
        }
    }
    writer_byte(to, '"');
}

static void write_time(struct writer *to, struct cursor *from)
{
    char text[TEXT_TIME_ROOM];
    uint64_t seconds = cursor_be64(from);
    bool fits = seconds <= UINT64_MAX / ns_a_second / 2;
    size_t size = fits ? text_rfc3339(text, seconds * ns_a_second, 0) : 0;
    writer_json(to, span_of(text, size));
}

static void write_double(struct writer *to, uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    writer_json_double(to, value);
}

static void write_float(struct writer *to, uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    writer_json_float(to, value);
}

/* What is longer than a number. */
static void write_large(struct writer *to, struct cursor *from, uint8_t type, unsigned depth)
{
    switch (type) {
    case 'D':
        write_decimal(to, from);
        break;
    case 'S':
    case 'x':
        writer_json(to, cursor_take(from, cursor_be32(from)));
        break;
    case 'A':
        write_members(to, from, depth, false);
        break;
    case 'F':
        write_members(to, from, depth, true);
        break;
    case 'T':
        write_time(to, from);
        break;
    case 'V':
        writer_text(to, "null");
        break;
    default:
        from->bad = true;
    }
}

static void write_value(struct writer *to, struct cursor *from, unsigned depth)
{
    uint8_t type = cursor_u8(from);
    switch (type) {
    case 't':
        writer_text(to, cursor_u8(from) != 0 ? "true" : "false");
        break;
    case 'b':
        writer_i64(to, (int8_t)cursor_u8(from));
        break;
    case 'B':
        writer_u64(to, cursor_u8(from));
        break;
    case 's': /* RabbitMQ's; the specification's short text is used by nobody */
        writer_i64(to, (int16_t)cursor_be16(from));
        break;
    case 'u':
        writer_u64(to, cursor_be16(from));
        break;
    case 'I':
        writer_i64(to, (int32_t)cursor_be32(from));
        break;
    case 'i':
        writer_u64(to, cursor_be32(from));
        break;
    case 'l':
    case 'L':
        writer_i64(to, (int64_t)cursor_be64(from));
        break;
    case 'f':
        write_float(to, cursor_be32(from));
        break;
    case 'd':
        write_double(to, cursor_be64(from));
        break;
    default:
        write_large(to, from, type, depth);
    }
}

bool amqp_table_write(struct writer *to, struct cursor *from)
{
    struct cursor behind = *from;
    cursor_skip(&behind, cursor_be32(&behind));
    write_members(to, from, 0, true);
    bool fine = !from->bad && !to->full;
    *from = behind;
    return fine;
}
