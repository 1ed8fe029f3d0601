// SPDX-License-Identifier: Apache-2.0
#include "handshake/hello.h"

enum { SESSION_ID_MAX = 32 };

bool hello_read(struct hello *hello, struct span body, bool is_server)
{
    struct cursor c = cursor_of(body);
    struct span none = span_of("", 0);
    *hello = (struct hello){
        .is_server = is_server, .ciphers = none, .compressions = none, .extensions = none};
    hello->version = cursor_be16(&c);
    hello->random = cursor_take(&c, HELLO_RANDOM_BYTES);
    hello->session_id = cursor_take(&c, cursor_u8(&c));
    if (is_server) {
        hello->cipher = cursor_be16(&c);
        hello->compression = cursor_u8(&c);
    } else {
        hello->ciphers = cursor_take(&c, cursor_be16(&c));
        hello->compressions = cursor_take(&c, cursor_u8(&c));
    }
    if (c.bad || hello->session_id.size > SESSION_ID_MAX || hello->ciphers.size % 2 != 0 ||
        hello->version >> 8 != 3) {
        return false;
    }
    if (cursor_left(&c) > 0) {
        hello->extensions = cursor_take(&c, cursor_be16(&c));
    }
    return !c.bad;
}

bool hello_next_extension(struct cursor *at, struct hello_extension *ret)
{
    if (cursor_left(at) == 0) {
        return false;
    }
    ret->id = cursor_be16(at);
    ret->body = cursor_take(at, cursor_be16(at));
    return !at->bad;
}

bool hello_find(const struct hello *hello, uint16_t id, struct span *ret)
{
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension extension;
    while (hello_next_extension(&at, &extension)) {
        if (extension.id == id) {
            if (ret != NULL) {
                *ret = extension.body;
            }
            return true;
        }
    }
    return false;
}

struct span hello_list(struct span body, unsigned length_bytes)
{
    if (body.size < length_bytes) {
        return span_of("", 0);
    }
    size_t length = length_bytes == 1 ? body.data[0] : load_be16(body.data);
    return length == body.size - length_bytes ? span_skip(body, length_bytes) : span_of("", 0);
}

bool hello_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

bool hello_next_name(struct cursor *at, struct span *ret)
{
    while (cursor_left(at) > 0) {
        uint8_t type = cursor_u8(at);
        struct span name = cursor_take(at, cursor_be16(at));
        if (at->bad) {
            return false;
        }
        if (type == 0) {
            *ret = name;
            return true;
        }
    }
    return false;
}

struct span hello_server_name(const struct hello *hello)
{
    struct span body, name = span_of("", 0);
    if (hello_find(hello, HELLO_SERVER_NAME, &body)) {
        struct cursor at = cursor_of(hello_list(body, 2));
        (void)hello_next_name(&at, &name);
    }
    return name;
}

bool hello_next_protocol(struct cursor *at, struct span *ret)
{
    if (cursor_left(at) == 0) {
        return false;
    }
    *ret = cursor_take(at, cursor_u8(at));
    return !at->bad;
}

struct span hello_first_protocol(const struct hello *hello)
{
    struct span body, protocol = span_of("", 0);
    if (hello_find(hello, HELLO_ALPN, &body)) {
        struct cursor at = cursor_of(hello_list(body, 2));
        (void)hello_next_protocol(&at, &protocol);
    }
    return protocol;
}

uint16_t hello_best_version(const struct hello *hello)
{
    struct span body;
    if (!hello_find(hello, HELLO_VERSIONS, &body)) {
        return hello->version;
    }
    if (hello->is_server) {
        return body.size == 2 ? load_be16(body.data) : hello->version;
    }
    uint16_t best = 0;
    struct cursor at = cursor_of(hello_list(body, 1));
    while (cursor_left(&at) >= 2) {
        uint16_t version = cursor_be16(&at);
        best = version > best && !hello_is_grease(version) ? version : best;
    }
    return best != 0 ? best : hello->version;
}

bool hello_is_retry(const struct hello *hello)
{
    /* SHA-256 of "HelloRetryRequest" */
    static const uint8_t retry[HELLO_RANDOM_BYTES] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    };
    return hello->is_server && hello->random.size == sizeof retry &&
           memcmp(hello->random.data, retry, sizeof retry) == 0;
}

/* ---- Outline -------------------------------------------------------------------------------- */

struct outline {
    uint8_t *at;
    uint8_t *end;
    unsigned names; /* extensions that name the server */
    bool failed;
};

static void outline_put(struct outline *o, uint16_t number, struct span bytes)
{
    if (o->failed || (size_t)(o->end - o->at) < 4 + bytes.size) {
        o->failed = true;
        return;
    }
    const uint8_t head[] = {(uint8_t)(number >> 8), (uint8_t)number, (uint8_t)(bytes.size >> 8),
                            (uint8_t)bytes.size};
    memcpy(o->at, head, sizeof head);
    if (bytes.size > 0) {
        memcpy(o->at + sizeof head, bytes.data, bytes.size);
    }
    o->at += sizeof head + bytes.size;
}

/* What is told of an extension: of some what is in it, of one its size, mostly that it is there. */
static void outline_extension(struct outline *o, const struct hello_extension *e)
{
    struct cursor names;
    struct span told = span_of("", 0), name;
    uint8_t size[2];
    switch (e->id) {
    case HELLO_SERVER_NAME:
        names = cursor_of(hello_list(e->body, 2));
        told = span_of("named", hello_next_name(&names, &name) ? 1 : 0);
        o->failed = o->failed || ++o->names > 1;
        break;
    case HELLO_STATUS_REQUEST:
    case HELLO_GROUPS:
    case HELLO_POINT_FORMATS:
    case HELLO_SIGNATURES:
    case HELLO_ALPN:
    case HELLO_VERSIONS:
        told = e->body;
        break;
    case HELLO_TICKET:
        size[0] = (uint8_t)(e->body.size >> 8);
        size[1] = (uint8_t)e->body.size;
        told = span_of(size, sizeof size);
        break;
    default:
        o->failed = o->failed || hello_is_grease(e->id);
        break;
    }
    outline_put(o, e->id, told);
}

size_t hello_outline(uint8_t *to, size_t room, const struct hello *hello)
{
    struct outline o = {.at = to, .end = to + room};
    outline_put(&o, hello->version, hello->ciphers);
    outline_put(&o, (uint16_t)(hello->compression << 8), hello->compressions);
    outline_put(&o, hello->cipher, span_of("", 0));
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension e;
    while (!o.failed && hello_next_extension(&at, &e)) {
        outline_extension(&o, &e);
    }
    return o.failed ? 0 : (size_t)(o.at - to);
}
