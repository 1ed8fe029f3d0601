// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_hpack.h"

#include <nghttp2/nghttp2.h>

enum { PLACEHOLDER = '?', ENTRY_OVERHEAD = 32 /* RFC 7541 §4.1 */ };

struct http2_hpack {
    nghttp2_hd_inflater *inflater;
    nghttp2_mem memory; /* the inflater keeps a pointer to it */
    uint32_t allowed;
};

/* ---- Memory ---------------------------------------------------------------------------------- */

static void *take(size_t size, void *slab)
{
    return slab_take(slab, size);
}

static void give(void *block, void *slab)
{
    slab_give(slab, block);
}

static void *take_zeroed(size_t count, size_t size, void *slab)
{
    size_t bytes;
    void *block = __builtin_mul_overflow(count, size, &bytes) ? NULL : slab_take(slab, bytes);
    return block != NULL ? memset(block, 0, bytes) : NULL;
}

static void *grow(void *block, size_t size, void *slab)
{
    return slab_grow(slab, block, size);
}

/* ---- Lifetime -------------------------------------------------------------------------------- */

/* Fills the table with entries of an unknown name: one literal with a name of one byte, then the same
 * name by its index (§6.2.1). */
static bool fill(struct http2_hpack *hpack)
{
    enum { COUNT = HTTP2_TABLE_USUAL / (ENTRY_OVERHEAD + 1) };
    uint8_t block[4 + 2 * (COUNT - 1)] = {0x40, 1, PLACEHOLDER, 0};
    for (size_t i = 4; i < sizeof block; i += 2) {
        block[i] = 0x40 | 62;
        block[i + 1] = 0;
    }
    struct span data = span_of(block, sizeof block);
    struct http2_field field;
    for (;;) {
        switch (http2_hpack_next(hpack, &data, true, &field)) {
        case HTTP2_NONE:
            return true;
        case HTTP2_FAILED:
            return false;
        default:
            break;
        }
    }
}

struct http2_hpack *http2_hpack_new(struct slab *memory, bool midway)
{
    struct http2_hpack *hpack = slab_take(memory, sizeof *hpack);
    if (hpack == NULL) {
        return NULL;
    }
    *hpack = (struct http2_hpack){.allowed = HTTP2_TABLE_USUAL};
    hpack->memory = (nghttp2_mem){.mem_user_data = memory, .malloc = take, .free = give,
                                  .calloc = take_zeroed, .realloc = grow};
    if (nghttp2_hd_inflate_new2(&hpack->inflater, &hpack->memory) != 0) {
        slab_give(memory, hpack);
        return NULL;
    }
    if (midway && !fill(hpack)) {
        http2_hpack_free(memory, hpack);
        return NULL;
    }
    return hpack;
}

void http2_hpack_free(struct slab *memory, struct http2_hpack *hpack)
{
    if (hpack != NULL) {
        nghttp2_hd_inflate_del(hpack->inflater);
        slab_give(memory, hpack);
    }
}

/* Only more is allowed, as what is less comes within the block (§4.2) and may be in force later. */
void http2_hpack_allow(struct http2_hpack *hpack, uint32_t size)
{
    size = size < HTTP2_TABLE_MAX ? size : HTTP2_TABLE_MAX;
    if (size > hpack->allowed &&
        nghttp2_hd_inflate_change_table_size(hpack->inflater, size) == 0) {
        hpack->allowed = size;
    }
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

enum http2_unpacked http2_hpack_next(struct http2_hpack *hpack, struct span *data, bool is_last,
                                     struct http2_field *ret)
{
    if (data->size == 0 && !is_last) {
        return HTTP2_NONE;
    }
    static const uint8_t nothing[1];
    nghttp2_nv pair;
    int flags = 0;
    ssize_t used = nghttp2_hd_inflate_hd2(hpack->inflater, &pair, &flags,
                                          data->size > 0 ? data->data : nothing, data->size, is_last);
    if (used < 0 || (size_t)used > data->size) {
        return HTTP2_FAILED;
    }
    *data = span_skip(*data, (size_t)used);
    if (flags & NGHTTP2_HD_INFLATE_EMIT) {
        *ret = (struct http2_field){.name = span_of(pair.name, pair.namelen),
                                    .value = span_of(pair.value, pair.valuelen)};
        bool is_known = pair.namelen != 1 || pair.name[0] != PLACEHOLDER;
        return is_known ? HTTP2_FIELD : HTTP2_UNKNOWN;
    }
    if (flags & NGHTTP2_HD_INFLATE_FINAL) {
        nghttp2_hd_inflate_end_headers(hpack->inflater);
    }
    return HTTP2_NONE;
}
