// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_body.h"

#include <zlib.h>

#include "proto/http/http_headers.h"

/* What zlib calls its formats: both with a header (gzip, RFC 1952; zlib, RFC 1950), and deflate bare
 * (RFC 1951), as some servers send it. */
enum { WINDOW_BITS = 15, WITH_HEADER = 32 };

static bool is_listed(struct span text, const struct text_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (http_contains(text, words->items[i])) {
            return true;
        }
    }
    return false;
}

bool http_body_is_wanted(const struct http_message *m, const struct http_options *options)
{
    struct span type = http_text_of(m, m->head.content_type);
    const struct text_list *own = m->head.status == 0 ? &options->include_request_body_for
                                                      : &options->include_response_body_for;
    return type.size > 0 && (is_listed(type, &options->include_body_for) || is_listed(type, own));
}

static void *take_block(void *slab, unsigned count, unsigned size)
{
    return slab_take(slab, (size_t)count * size);
}

static void give_block(void *slab, void *block)
{
    slab_give(slab, block);
}

/* Whether there may be more of it, and is room for that. */
static bool make_room(struct http_body *body, z_stream *z)
{
    size_t size = (size_t)(z->next_out - body->unpacked);
    if (size == body->most) {
        return false;
    }
    size_t wanted = 2 * size < body->most ? 2 * size : body->most;
    void *larger = slab_grow_large(body->memory, body->unpacked, wanted);
    if (larger == NULL) {
        body->cut = HTTP_BODY_SHORT;
        return false;
    }
    body->unpacked = larger;
    size_t room = slab_room(larger);
    z->next_out = body->unpacked + size;
    z->avail_out = (unsigned)((room < body->most ? room : body->most) - size);
    return true;
}

/* Unpacks what there is, which may be the beginning only; returns the size, 0 when it is no such
 * thing. */
static size_t unpack(struct http_body *body, struct span packed, int window_bits)
{
    z_stream z = {.zalloc = take_block, .zfree = give_block, .opaque = body->memory};
    z.next_in = (uint8_t *)(uintptr_t)packed.data;
    z.avail_in = (unsigned)packed.size;
    z.next_out = body->unpacked;
    z.avail_out = (unsigned)(body->most < HTTP_BODY_SHOWN ? body->most : HTTP_BODY_SHOWN);
    if (inflateInit2(&z, window_bits) != Z_OK) {
        return 0;
    }
    int result;
    do {
        result = inflate(&z, Z_FINISH);
    } while (result == Z_BUF_ERROR && z.avail_out == 0 && make_room(body, &z));
    size_t size = (size_t)(z.next_out - body->unpacked);
    inflateEnd(&z);
    if (result == Z_BUF_ERROR && z.avail_out == 0 && body->cut == HTTP_BODY_WHOLE) {
        body->cut = body->is_dense ? HTTP_BODY_TOO_DENSE : HTTP_BODY_AT_MOST;
    }
    return size;
}

static bool is_packed(const struct http_message *m)
{
    static const char *const codings[] = {"gzip", "x-gzip", "deflate", "x-deflate"};
    struct span coding = http_header(m, "content-encoding");
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        if (http_equals(coding, codings[i])) {
            return true;
        }
    }
    return http_contains(http_header(m, "transfer-encoding"), "gzip");
}

/* How much of a body is unpacked. */
static void bound(struct http_body *body, size_t packed, const struct http_options *options)
{
    size_t most = (size_t)options->max_message_size;
    size_t dense = packed * HTTP_BODY_DENSE;
    dense = dense > HTTP_BODY_SHOWN ? dense : HTTP_BODY_SHOWN;
    body->is_dense = dense < most;
    body->most = body->is_dense ? dense : most;
}

struct span http_body_of(struct http_body *body, const struct http_message *m,
                         const struct http_options *options)
{
    struct span packed = span_of(m->body, m->body_kept);
    if (packed.size == 0 || !options->decode_body || !is_packed(m)) {
        return packed;
    }
    bound(body, packed.size, options);
    body->unpacked = slab_take(body->memory, HTTP_BODY_SHOWN);
    if (body->unpacked == NULL) {
        return span_head(packed, 0);
    }
    size_t size = unpack(body, packed, WINDOW_BITS + WITH_HEADER);
    size = size > 0 ? size : unpack(body, packed, -WINDOW_BITS);
    body->is_broken = size == 0;
    return span_of(body->unpacked, size);
}

void http_body_done(struct http_body *body)
{
    slab_give(body->memory, body->unpacked);
    body->unpacked = NULL;
}
