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

/* Unpacks what there is, which may be the beginning only; returns the size, 0 when it is no such
 * thing. */
static size_t unpack(struct http_body *body, struct span packed, int window_bits)
{
    z_stream z = {.zalloc = take_block, .zfree = give_block, .opaque = body->memory};
    z.next_in = (uint8_t *)(uintptr_t)packed.data;
    z.avail_in = (unsigned)packed.size;
    z.next_out = body->unpacked;
    z.avail_out = HTTP_BODY_SHOWN;
    if (inflateInit2(&z, window_bits) != Z_OK) {
        return 0;
    }
    int result = inflate(&z, Z_FINISH);
    size_t size = HTTP_BODY_SHOWN - z.avail_out;
    inflateEnd(&z);
    bool is_whole = result == Z_STREAM_END || result == Z_BUF_ERROR;
    return is_whole || size > 0 ? size : 0;
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

struct span http_body_of(struct http_body *body, const struct http_message *m,
                         const struct http_options *options)
{
    struct span packed = span_of(m->body, m->body_kept);
    if (packed.size == 0 || !options->decode_body || !is_packed(m)) {
        return packed;
    }
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
