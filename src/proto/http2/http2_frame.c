// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_frame.h"

#include "base/cursor.h"

enum phase {
    PHASE_START, /* a preface may come; zeroed memory begins here */
    PHASE_BETWEEN,
    PHASE_BODY,
    PHASE_LOST,
};

/* What frames have at least for the search of them: nobody asks for more without need (§4.2). */
enum { USUAL_LENGTH = 16384, SETTING = 6, KNOWN_SETTINGS = 9 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static struct http2_piece piece(enum http2_kind kind, size_t size)
{
    return (struct http2_piece){.kind = kind, .size = size};
}

/* ---- Headers of frames ----------------------------------------------------------------------- */

/* The fixed header (§4.1). */
static struct http2_frame header_of(const uint8_t *bytes)
{
    return (struct http2_frame){
        .length = load_be32(bytes) >> 8,
        .type = bytes[3],
        .flags = bytes[4],
        .stream = load_be32(bytes + 5) & INT32_MAX,
    };
}

/* Bytes of the payload that are read with the header. */
static uint32_t prelude_of(const struct http2_frame *f)
{
    bool pads = f->flags & HTTP2_PADDED;
    switch (f->type) {
    case HTTP2_DATA:
        return pads;
    case HTTP2_HEADERS:
        return pads + (f->flags & HTTP2_HAS_PRIORITY ? 5U : 0U);
    case HTTP2_PUSH_PROMISE:
        return pads + 4U;
    case HTTP2_RST_STREAM:
        return 4;
    case HTTP2_GOAWAY:
        return 8;
    default:
        return 0;
    }
}

/* Whether length and stream are what the type demands (§6). */
static bool is_lawful(const struct http2_frame *f)
{
    switch (f->type) {
    case HTTP2_DATA:
    case HTTP2_HEADERS:
    case HTTP2_PUSH_PROMISE:
        return f->stream != 0 && f->length >= prelude_of(f);
    case HTTP2_CONTINUATION:
        return f->stream != 0;
    case HTTP2_PRIORITY:
        return f->stream != 0 && f->length == 5;
    case HTTP2_RST_STREAM:
        return f->stream != 0 && f->length == 4;
    case HTTP2_SETTINGS:
        return f->stream == 0 && f->length % SETTING == 0 && !(f->flags & HTTP2_ACK && f->length > 0);
    case HTTP2_PING:
        return f->stream == 0 && f->length == 8;
    case HTTP2_GOAWAY:
        return f->stream == 0 && f->length >= 8;
    case HTTP2_WINDOW_UPDATE:
        return f->length == 4;
    default:
        return true;
    }
}

/* Whether 9 bytes are likely the header of a frame, found where it is not known that one begins. */
static bool is_likely(const uint8_t *bytes)
{
    static const uint8_t flags[HTTP2_TYPES] = {
        [HTTP2_DATA] = HTTP2_END_STREAM | HTTP2_PADDED,
        [HTTP2_HEADERS] = HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_HAS_PRIORITY,
        [HTTP2_SETTINGS] = HTTP2_ACK,
        [HTTP2_PUSH_PROMISE] = HTTP2_END_HEADERS | HTTP2_PADDED,
        [HTTP2_PING] = HTTP2_ACK,
        [HTTP2_CONTINUATION] = HTTP2_END_HEADERS,
    };
    struct http2_frame f = header_of(bytes);
    bool known = f.type < HTTP2_TYPES && (f.flags & ~(unsigned)flags[f.type]) == 0;
    return known && f.length <= USUAL_LENGTH && !(bytes[5] & 0x80) && is_lawful(&f);
}

/* A header and the one behind its payload: 1 both are likely, 0 they are not, -1 more is needed. */
static int is_chain(struct span data)
{
    if (data.size < HTTP2_HEADER) {
        return data.size == 0 || data.data[0] == 0 ? -1 : 0;
    }
    if (!is_likely(data.data)) {
        return 0;
    }
    struct span behind = span_skip(data, HTTP2_HEADER + header_of(data.data).length);
    return behind.size < HTTP2_HEADER ? -1 : is_likely(behind.data);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static struct http2_piece take_broken(struct http2_parser *p)
{
    p->phase = PHASE_LOST;
    p->block = 0;
    return piece(HTTP2_BROKEN, 0);
}

static bool is_block(const struct http2_frame *f)
{
    return f->type == HTTP2_HEADERS || f->type == HTTP2_PUSH_PROMISE || f->type == HTTP2_CONTINUATION;
}

/* Nothing may come between the frames of a header block (§6.10). */
static bool keeps_order(const struct http2_parser *p, const struct http2_frame *f)
{
    bool continues = f->type == HTTP2_CONTINUATION;
    return continues ? p->block == f->stream : p->block == 0;
}

/* The parts of the payload that are told with the header; false when padding leaves no room (§6.1). */
static bool read_prelude(struct http2_frame *f, struct span bytes)
{
    struct cursor c = cursor_of(bytes);
    bool pads = f->type == HTTP2_DATA || f->type == HTTP2_HEADERS || f->type == HTTP2_PUSH_PROMISE;
    if (pads && f->flags & HTTP2_PADDED) {
        f->padding = cursor_u8(&c);
    }
    if (f->type == HTTP2_PUSH_PROMISE || f->type == HTTP2_RST_STREAM || f->type == HTTP2_GOAWAY) {
        f->value = cursor_be32(&c);
    }
    if (f->type == HTTP2_PUSH_PROMISE || f->type == HTTP2_GOAWAY) {
        f->value &= INT32_MAX;
    }
    uint32_t rest = f->length - (uint32_t)bytes.size;
    f->body = rest - (f->padding <= rest ? f->padding : 0U);
    return f->padding <= rest;
}

static struct http2_piece next_frame(struct http2_parser *p, struct span data)
{
    if (data.size < HTTP2_HEADER) {
        return piece(HTTP2_MORE, 0);
    }
    struct http2_frame f = header_of(data.data);
    if (!is_lawful(&f) || !keeps_order(p, &f)) {
        return take_broken(p);
    }
    uint32_t prelude = prelude_of(&f);
    if (data.size < HTTP2_HEADER + prelude) {
        return piece(HTTP2_MORE, 0);
    }
    if (!read_prelude(&f, span_of(data.data + HTTP2_HEADER, prelude))) {
        return take_broken(p);
    }
    if (is_block(&f)) {
        p->block = f.flags & HTTP2_END_HEADERS ? 0 : f.stream;
    }
    p->frame = f;
    p->remaining = f.body;
    p->padding = f.padding;
    p->phase = PHASE_BODY;
    return piece(HTTP2_HEAD, HTTP2_HEADER + prelude);
}

static struct http2_piece next_body(struct http2_parser *p, struct span data)
{
    if (p->remaining == 0 && p->padding == 0) {
        p->phase = PHASE_BETWEEN;
        return piece(HTTP2_END, 0);
    }
    if (data.size == 0) {
        return piece(HTTP2_MORE, 0);
    }
    if (p->remaining > 0) {
        uint32_t size = data.size < p->remaining ? (uint32_t)data.size : p->remaining;
        p->remaining -= size;
        return piece(HTTP2_BODY, size);
    }
    uint8_t size = data.size < p->padding ? (uint8_t)data.size : p->padding;
    p->padding = (uint8_t)(p->padding - size);
    return piece(HTTP2_PADDING, size);
}

static struct http2_piece next_start(struct http2_parser *p, struct span data)
{
    size_t size = data.size < HTTP2_PREFACE_SIZE ? data.size : HTTP2_PREFACE_SIZE;
    bool begins = size > 0 && memcmp(data.data, preface, size) == 0;
    if (size == 0 || (begins && size < HTTP2_PREFACE_SIZE)) {
        return piece(HTTP2_MORE, 0);
    }
    p->phase = PHASE_BETWEEN;
    return begins ? piece(HTTP2_BEGUN, size) : next_frame(p, data);
}

static struct http2_piece next_lost(struct http2_parser *p, struct span data)
{
    size_t at = 0;
    int found = 0;
    while (at < data.size) {
        found = is_chain(span_skip(data, at));
        if (found != 0) {
            break;
        }
        at++;
    }
    if (at > 0) {
        return piece(HTTP2_JUNK, at);
    }
    if (found != 1) {
        return piece(HTTP2_MORE, 0);
    }
    p->phase = PHASE_BETWEEN;
    if (data.data[3] == HTTP2_CONTINUATION) { /* of a block whose begin is lost: read past as one */
        p->block = header_of(data.data).stream;
    }
    struct http2_piece frame = next_frame(p, data);
    return frame.kind == HTTP2_BROKEN ? piece(HTTP2_JUNK, 1) : frame; /* not here, so it goes on */
}

struct http2_piece http2_parser_next(struct http2_parser *p, struct span data)
{
    switch (p->phase) {
    case PHASE_START:
        return next_start(p, data);
    case PHASE_BETWEEN:
        return next_frame(p, data);
    case PHASE_BODY:
        return next_body(p, data);
    default:
        return next_lost(p, data);
    }
}

bool http2_parser_gap(struct http2_parser *p, uint32_t length, uint32_t *body)
{
    *body = 0;
    if (p->phase != PHASE_BODY || is_block(&p->frame) || length > p->remaining + p->padding) {
        (void)take_broken(p);
        return false;
    }
    *body = length < p->remaining ? length : p->remaining;
    p->remaining -= *body;
    p->padding = (uint8_t)(p->padding - (length - *body));
    return true;
}

/* ---- Whether it is HTTP/2 -------------------------------------------------------------------- */

/* Settings that are known by their numbers (§6.5.2, RFC 8441, RFC 9218) begin what a server says. */
static int looks_like_settings(struct span data)
{
    uint32_t length = header_of(data.data).length;
    if (length == 0) {
        return -1;
    }
    if (data.size < HTTP2_HEADER + 2) {
        return -1;
    }
    unsigned id = load_be16(data.data + HTTP2_HEADER);
    return id >= 1 && id <= KNOWN_SETTINGS ? 1 : -1;
}

int http2_looks_like(struct span data)
{
    size_t size = data.size < HTTP2_PREFACE_SIZE ? data.size : HTTP2_PREFACE_SIZE;
    if (size == 0 || memcmp(data.data, preface, size) == 0) {
        return size == HTTP2_PREFACE_SIZE ? 1 : -1;
    }
    int chain = is_chain(data);
    if (chain >= 0 || data.size < HTTP2_HEADER || data.data[3] != HTTP2_SETTINGS) {
        return chain;
    }
    return looks_like_settings(data);
}
