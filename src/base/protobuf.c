// SPDX-License-Identifier: Apache-2.0
#include "base/protobuf.h"

#include <endian.h>

enum { VARINT_MAX = 10, WIRE_VARINT = 0, WIRE_EIGHT = 1, WIRE_LENGTH = 2 };

static size_t put_varint(uint8_t to[VARINT_MAX], uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) {
        to[size++] = (uint8_t)(value | 0x80);
    }
    to[size++] = (uint8_t)value;
    return size;
}

void protobuf_varint(struct json *to, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    json_append(to, bytes, put_varint(bytes, value));
}

void protobuf_zigzag(struct json *to, int64_t value)
{
    protobuf_varint(to, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void protobuf_eight(struct json *to, uint64_t value)
{
    uint64_t bytes = htole64(value);
    json_append(to, &bytes, sizeof bytes);
}

static void put_tag(struct json *to, uint32_t field, unsigned wire)
{
    protobuf_varint(to, (uint64_t)field << 3 | wire);
}

void protobuf_u64(struct json *to, uint32_t field, uint64_t value)
{
    put_tag(to, field, WIRE_VARINT);
    protobuf_varint(to, value);
}

void protobuf_signed(struct json *to, uint32_t field, int64_t value)
{
    put_tag(to, field, WIRE_VARINT);
    protobuf_zigzag(to, value);
}

void protobuf_fixed(struct json *to, uint32_t field, uint64_t value)
{
    put_tag(to, field, WIRE_EIGHT);
    protobuf_eight(to, value);
}

void protobuf_double(struct json *to, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    protobuf_fixed(to, field, bits);
}

void protobuf_bytes(struct json *to, uint32_t field, struct span value)
{
    put_tag(to, field, WIRE_LENGTH);
    protobuf_varint(to, value.size);
    json_append(to, value.data, value.size);
}

void protobuf_text(struct json *to, uint32_t field, struct span value)
{
    size_t mark = protobuf_begin(to, field);
    while (value.size > 0) {
        size_t fine = 0;
        unsigned length;
        while (fine < value.size && (length = json_utf8(span_skip(value, fine))) > 0) {
            fine += length;
        }
        json_append(to, value.data, fine);
        value = span_skip(value, fine);
        if (value.size > 0) {
            json_append(to, "\xef\xbf\xbd", 3);
            value = span_skip(value, 1);
        }
    }
    protobuf_end(to, mark);
}

size_t protobuf_begin(struct json *to, uint32_t field)
{
    put_tag(to, field, WIRE_LENGTH);
    return to->size;
}

void protobuf_end(struct json *to, size_t mark)
{
    uint8_t length[VARINT_MAX];
    if (to->failed || to->size < mark) {
        return;
    }
    size_t inside = to->size - mark;
    size_t size = put_varint(length, inside);
    if (json_reserve(to, size) == NULL) {
        return;
    }
    memmove(to->data + mark + size, to->data + mark, inside);
    memcpy(to->data + mark, length, size);
    to->size += size;
}
