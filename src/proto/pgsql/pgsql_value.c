// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql_value.h"

#include <math.h>
#include <stdio.h>

/* OIDs of pg_type.dat. */
enum type {
    TYPE_BOOL = 16, TYPE_NAME = 19, TYPE_INT8 = 20, TYPE_INT2 = 21, TYPE_INT4 = 23, TYPE_TEXT = 25,
    TYPE_OID = 26, TYPE_JSON = 114, TYPE_FLOAT4 = 700, TYPE_FLOAT8 = 701, TYPE_UNKNOWN = 705,
    TYPE_BPCHAR = 1042, TYPE_VARCHAR = 1043,
};

struct span pgsql_text(struct cursor *c)
{
    const uint8_t *end = c->bad ? NULL : memchr(c->at, '\0', cursor_left(c));
    if (end == NULL) {
        c->bad = true;
        return span_of(c->at, 0);
    }
    struct span text = cursor_take(c, (size_t)(end - c->at));
    cursor_skip(c, 1);
    return text;
}

static struct span written(char *room, int size)
{
    int most = PGSQL_VALUE_ROOM - 1;
    return span_of(room, (size_t)(size < 0 ? 0 : size < most ? size : most));
}

static struct span write_integer(int64_t value, char *room)
{
    return written(room, snprintf(room, PGSQL_VALUE_ROOM, "%lld", (long long)value));
}

/* As short as it may be and still be the same number. */
static struct span write_double(double value, char *room)
{
    double back = NAN;
    int size = snprintf(room, PGSQL_VALUE_ROOM, "%.15g", value);
    if (sscanf(room, "%lf", &back) != 1 || memcmp(&back, &value, sizeof back) != 0) {
        size = snprintf(room, PGSQL_VALUE_ROOM, "%.17g", value);
    }
    return written(room, size);
}

/* As bytea is shown, as far as there is room. */
static struct span write_hexadecimal(struct span bytes, char *room)
{
    static const char digits[] = "0123456789abcdef";
    char *at = mempcpy(room, "\\x", 2);
    for (size_t i = 0; i < bytes.size && at + 2 <= room + PGSQL_VALUE_ROOM; i++) {
        *at++ = digits[bytes.data[i] >> 4];
        *at++ = digits[bytes.data[i] & 15];
    }
    return span_of(room, (size_t)(at - room));
}

static struct span write_number(struct span bytes, uint32_t type, char *room)
{
    float single;
    double number;
    uint64_t bits = bytes.size == 8 ? load_be64(bytes.data)
                    : bytes.size == 4 ? load_be32(bytes.data)
                                      : load_be16(bytes.data);
    uint32_t half = (uint32_t)bits;
    switch (type) {
    case TYPE_INT2:
        return write_integer((int16_t)bits, room);
    case TYPE_INT4:
        return write_integer((int32_t)bits, room);
    case TYPE_FLOAT4:
        memcpy(&single, &half, sizeof single);
        return written(room, snprintf(room, PGSQL_VALUE_ROOM, "%.7g", (double)single));
    case TYPE_FLOAT8:
        memcpy(&number, &bits, sizeof number);
        return write_double(number, room);
    default: /* int8, and OIDs, which have no sign */
        return write_integer((int64_t)bits, room);
    }
}

struct span pgsql_value(struct span bytes, uint32_t type, char room[PGSQL_VALUE_ROOM])
{
    static const struct {
        uint32_t type;
        uint32_t size;
    } numbers[] = {{TYPE_INT2, 2},   {TYPE_INT4, 4},   {TYPE_INT8, 8},
                   {TYPE_OID, 4},    {TYPE_FLOAT4, 4}, {TYPE_FLOAT8, 8}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].type == type && numbers[i].size == bytes.size) {
            return write_number(bytes, type, room);
        }
    }
    switch (type) {
    case TYPE_BOOL:
        return span_str(bytes.size == 1 && bytes.data[0] != 0 ? "t" : "f");
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_BPCHAR:
    case TYPE_NAME:
    case TYPE_JSON:
    case TYPE_UNKNOWN:
        return bytes;
    default:
        return write_hexadecimal(bytes, room);
    }
}
