// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_value.h"

#include <math.h>
#include <stdio.h>

uint64_t mysql_fixed(struct cursor *c, unsigned size)
{
    struct span s = cursor_take(c, size);
    uint64_t value = 0;
    for (size_t i = s.size; i > 0; i--) {
        value = value << 8 | s.data[i - 1];
    }
    return value;
}

uint64_t mysql_number(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    switch (first) {
    case 0xfc:
        return mysql_fixed(c, 2);
    case 0xfd:
        return mysql_fixed(c, 3);
    case 0xfe:
        return mysql_fixed(c, 8);
    case 0xfb:
    case 0xff:
        c->bad = true;
        return 0;
    default:
        return first;
    }
}

struct span mysql_text(struct cursor *c)
{
    uint64_t size = mysql_number(c);
    size_t left = cursor_left(c);
    if (c->bad || size <= left) {
        return cursor_take(c, size);
    }
    struct span part = cursor_take(c, left);
    c->bad = true;
    return part;
}

static struct span written(char *room, int size)
{
    int most = MYSQL_VALUE_ROOM - 1;
    return span_of(room, (size_t)(size < 0 ? 0 : size < most ? size : most));
}

static struct span write_integer(struct cursor *c, unsigned size, bool is_unsigned, char *room)
{
    uint64_t value = mysql_fixed(c, size);
    if (is_unsigned) {
        return written(room, snprintf(room, MYSQL_VALUE_ROOM, "%llu", (unsigned long long)value));
    }
    unsigned unused = 64 - 8 * size;
    long long with_sign = (long long)(value << unused) >> unused;
    return written(room, snprintf(room, MYSQL_VALUE_ROOM, "%lld", with_sign));
}

static struct span write_real(double value, int digits, char *room)
{
    return written(room, snprintf(room, MYSQL_VALUE_ROOM, "%.*g", digits, value));
}

static struct span write_float(struct cursor *c, char *room)
{
    uint32_t bits = (uint32_t)mysql_fixed(c, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return write_real((double)value, 7, room);
}

/* As short as it may be and still be the same number. */
static struct span write_double(struct cursor *c, char *room)
{
    uint64_t bits = mysql_fixed(c, 8);
    double value, back = NAN;
    memcpy(&value, &bits, sizeof value);
    struct span text = write_real(value, 15, room);
    if (sscanf(room, "%lf", &back) != 1 || memcmp(&back, &value, sizeof back) != 0) {
        text = write_real(value, 17, room);
    }
    return text;
}

/* A length, then year, month, day, hour, minute, second, microseconds, as far as they are not 0. */
static struct span write_date(struct cursor *c, bool with_time, char *room)
{
    struct cursor in = cursor_of(cursor_take(c, cursor_u8(c)));
    bool has_time = cursor_left(&in) >= 7;
    bool has_micros = cursor_left(&in) >= 11;
    unsigned year = (unsigned)mysql_fixed(&in, 2);
    unsigned month = cursor_u8(&in), day = cursor_u8(&in);
    unsigned hour = cursor_u8(&in), minute = cursor_u8(&in), second = cursor_u8(&in);
    int size = snprintf(room, MYSQL_VALUE_ROOM, "%04u-%02u-%02u", year, month, day);
    if (with_time || has_time) {
        size += snprintf(room + size, MYSQL_VALUE_ROOM - (size_t)size, " %02u:%02u:%02u", hour,
                         minute, second);
    }
    if (has_micros) {
        unsigned micros = (unsigned)mysql_fixed(&in, 4);
        size += snprintf(room + size, MYSQL_VALUE_ROOM - (size_t)size, ".%06u", micros);
    }
    return written(room, size);
}

/* A length, then the sign, days, hours, minutes, seconds, microseconds. */
static struct span write_time(struct cursor *c, char *room)
{
    struct cursor in = cursor_of(cursor_take(c, cursor_u8(c)));
    bool has_micros = cursor_left(&in) >= 12;
    bool negative = cursor_u8(&in) != 0;
    uint64_t hours = mysql_fixed(&in, 4) * 24;
    hours += cursor_u8(&in);
    unsigned minute = cursor_u8(&in), second = cursor_u8(&in);
    int size = snprintf(room, MYSQL_VALUE_ROOM, "%s%02llu:%02u:%02u", negative ? "-" : "",
                        (unsigned long long)hours, minute, second);
    if (has_micros) {
        unsigned micros = (unsigned)mysql_fixed(&in, 4);
        size += snprintf(room + size, MYSQL_VALUE_ROOM - (size_t)size, ".%06u", micros);
    }
    return written(room, size);
}

struct span mysql_value(struct cursor *c, struct mysql_kind kind, char room[MYSQL_VALUE_ROOM])
{
    switch (kind.type) {
    case MYSQL_TINY:
        return write_integer(c, 1, kind.is_unsigned, room);
    case MYSQL_SHORT:
    case MYSQL_YEAR:
        return write_integer(c, 2, kind.is_unsigned, room);
    case MYSQL_LONG:
    case MYSQL_INT24:
        return write_integer(c, 4, kind.is_unsigned, room);
    case MYSQL_LONGLONG:
        return write_integer(c, 8, kind.is_unsigned, room);
    case MYSQL_FLOAT:
        return write_float(c, room);
    case MYSQL_DOUBLE:
        return write_double(c, room);
    case MYSQL_NULL:
        return span_str("NULL");
    case MYSQL_DATE:
        return write_date(c, false, room);
    case MYSQL_TIMESTAMP:
    case MYSQL_DATETIME:
        return write_date(c, true, room);
    case MYSQL_TIME:
        return write_time(c, room);
    default: /* texts, blobs, decimals, JSON, bits, geometries */
        return mysql_text(c);
    }
}
