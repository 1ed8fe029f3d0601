// SPDX-License-Identifier: Apache-2.0
#include "policy/dnstap.h"

#include "base/cursor.h"
#include "base/hash.h"

enum { WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_FIXED32 = 5, VARINT_BYTES = 10 };
enum { FIELD_MESSAGE = 14 };
/* Fields of dnstap.proto's Message. */
enum {
    TYPE = 1, FAMILY, PROTOCOL, QUERY_ADDRESS, RESPONSE_ADDRESS, QUERY_PORT, RESPONSE_PORT,
    QUERY_SECOND, QUERY_NS, QUERY, ZONE, RESPONSE_SECOND, RESPONSE_NS, RESPONSE, FIELDS,
};
/* Its SocketProtocols over TCP: TCP, DOT, DOH, DNSCryptTCP. */
static const uint8_t tcp_sockets[] = {2, 3, 4, 6};

enum dnstap_frame dnstap_next(struct span bytes, size_t *ret_size, struct span *ret_frame,
                              uint32_t *ret_control)
{
    struct cursor c = cursor_of(bytes);
    uint32_t size = cursor_be32(&c);
    bool is_control = !c.bad && size == 0;
    if (is_control) {
        size = cursor_be32(&c);
    }
    if (c.bad) {
        return DNSTAP_MORE;
    }
    if (size > DNSTAP_FRAME_MAX || (is_control && size < 4)) {
        return DNSTAP_BAD;
    }
    *ret_frame = cursor_take(&c, size);
    *ret_size = bytes.size - cursor_left(&c);
    if (c.bad) {
        return DNSTAP_MORE;
    }
    *ret_control = is_control ? load_be32(ret_frame->data) : 0;
    return is_control ? DNSTAP_CONTROL : DNSTAP_DATA;
}

enum dnstap_frame dnstap_take(struct dnstap_stream *s, struct span *ret_frame, uint32_t *ret_control)
{
    size_t size = 0;
    struct span left = span_skip(span_of(s->room, s->used), s->taken);
    enum dnstap_frame kind = dnstap_next(left, &size, ret_frame, ret_control);
    s->taken += size;
    if (kind == DNSTAP_MORE || kind == DNSTAP_BAD) {
        memmove(s->room, left.data, left.size);
        s->used = left.size;
        s->taken = 0;
    }
    return kind;
}

/* ---- Protocol buffers ----------------------------------------------------------------------- */

static uint64_t varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES; i++) {
        uint8_t byte = cursor_u8(c);
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (!(byte & 0x80)) {
            return value;
        }
    }
    c->bad = true;
    return 0;
}

struct field {
    uint64_t number;
    uint64_t value;
    struct span bytes;
};

static bool next_field(struct cursor *c, struct field *ret)
{
    if (cursor_left(c) == 0) {
        return false;
    }
    uint64_t tag = varint(c);
    *ret = (struct field){.number = tag >> 3};
    switch (tag & 7) {
    case WIRE_VARINT:
        ret->value = varint(c);
        break;
    case WIRE_FIXED64:
        cursor_skip(c, 8);
        break;
    case WIRE_FIXED32: {
        struct span four = cursor_take(c, 4);
        ret->value = four.size == 4 ? load_le32(four.data) : 0;
        break;
    }
    case WIRE_BYTES: {
        uint64_t size = varint(c);
        ret->bytes = cursor_take(c, size < SIZE_MAX ? (size_t)size : SIZE_MAX);
        break;
    }
    default:
        c->bad = true;
        break;
    }
    return !c->bad;
}

/* ---- Events --------------------------------------------------------------------------------- */

static uint64_t end_hash(struct span address, uint64_t port)
{
    return hash64(address.data, address.size, port);
}

static bool is_tcp(uint64_t socket)
{
    for (size_t i = 0; i < sizeof tcp_sockets; i++) {
        if (tcp_sockets[i] == socket) {
            return true;
        }
    }
    return false;
}

static void fill(const struct field f[FIELDS], bool is_response, uint64_t now_ns,
                 struct handler_event *ret)
{
    const struct field *second = &f[is_response ? RESPONSE_SECOND : QUERY_SECOND];
    struct span ends[2] = {f[QUERY_ADDRESS].bytes, f[RESPONSE_ADDRESS].bytes};
    uint16_t ports[2] = {(uint16_t)f[QUERY_PORT].value, (uint16_t)f[RESPONSE_PORT].value};
    size_t size = f[FAMILY].value == 2 ? 16 : 4;
    bool knows_ends = ends[0].size == size && ends[1].size == size;
    *ret = (struct handler_event){
        .time_ns = second->number != 0 && second->value < UINT64_C(10000000000)
                       ? second->value * UINT64_C(1000000000) +
                             f[is_response ? RESPONSE_NS : QUERY_NS].value
                       : now_ns,
        .talk = end_hash(ends[0], ports[0]) ^ end_hash(ends[1], ports[1]) * 3 ^
                f[PROTOCOL].value * UINT64_C(0x9e3779b97f4a7c15), /* a port of UDP is not one of TCP */
        .address = {knows_ends ? ends[is_response].data : NULL,
                    knows_ends ? ends[!is_response].data : NULL},
        .port = {ports[is_response], ports[!is_response]},
        .payload = f[is_response ? RESPONSE : QUERY].bytes,
        .kinds = HANDLER_FRAME | HANDLER_DATAGRAM,
        .direction = is_response ? FRAME_DIRECTION_OUT : FRAME_DIRECTION_IN,
        .version = !knows_ends ? 0 : size == 16 ? 6 : 4,
        .protocol = is_tcp(f[PROTOCOL].value) ? 6 : 17,
        .dnstap_type = (uint8_t)f[TYPE].value,
        .dnstap_socket = (uint8_t)f[PROTOCOL].value,
    };
    ret->size = (uint32_t)ret->payload.size;
}

bool dnstap_event(struct span frame, uint64_t now_ns, struct handler_event *ret)
{
    struct cursor outer = cursor_of(frame);
    struct field fields[FIELDS + 1] = {0}, one;
    struct span message = {0};
    while (next_field(&outer, &one)) {
        message = one.number == FIELD_MESSAGE ? one.bytes : message;
    }
    struct cursor inner = cursor_of(message);
    while (next_field(&inner, &one)) {
        if (one.number < FIELDS) {
            fields[one.number] = one;
        }
    }
    uint64_t type = fields[TYPE].value;
    if (outer.bad || inner.bad || type == 0 || type > 14) {
        return false;
    }
    fill(fields, type % 2 == 0, now_ns, ret); /* queries have the odd numbers */
    return true;
}
