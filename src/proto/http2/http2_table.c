// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_table.h"

enum {
    STATIC_MAX = 61, /* RFC 7541 appendix A */
    NEWEST = STATIC_MAX + 1,
    USUAL = 4096,    /* an inflater's bound at first */
    LITERAL = 0x40,  /* §6.2.1: with incremental indexing; 6 bits of the name's index */
    LITERAL_BITS = 6,
    BOUND = 0x20,    /* §6.3; 5 bits */
    BOUND_BITS = 5,
    STRING_BITS = 7, /* §5.2, as it is */
};

/* ---- Writing --------------------------------------------------------------------------------- */

struct writer {
    uint8_t *to; /* NULL: it is counted only */
    size_t size;
};

static void put(struct writer *w, const void *bytes, size_t size)
{
    if (w->to != NULL && size > 0) {
        memcpy(w->to + w->size, bytes, size);
    }
    w->size += size;
}

static void put_byte(struct writer *w, size_t byte)
{
    uint8_t b = (uint8_t)byte;
    put(w, &b, 1);
}

/* §5.1; `first` has the bits before the number. */
static void put_number(struct writer *w, unsigned first, unsigned bits, size_t number)
{
    size_t most = (1U << bits) - 1;
    if (number < most) {
        put_byte(w, first | number);
        return;
    }
    put_byte(w, first | most);
    for (number -= most; number >= 0x80; number >>= 7) {
        put_byte(w, 0x80 | (number & 0x7f));
    }
    put_byte(w, number);
}

static void put_string(struct writer *w, const uint8_t *bytes, size_t size)
{
    put_number(w, 0, STRING_BITS, size);
    put(w, bytes, size);
}

static bool has_name(const nghttp2_nv *a, const nghttp2_nv *b)
{
    return a->namelen == b->namelen && memcmp(a->name, b->name, a->namelen) == 0;
}

/* The index of a name in the static table, or of the entry that is the newest by then; 0: of none. */
static size_t index_of(nghttp2_hd_inflater *inflater, const nghttp2_nv *entry, const nghttp2_nv *newest)
{
    if (newest != NULL && has_name(entry, newest)) {
        return NEWEST;
    }
    for (size_t i = 1; i <= STATIC_MAX; i++) {
        if (has_name(entry, nghttp2_hd_inflate_get_table_entry(inflater, i))) {
            return i;
        }
    }
    return 0;
}

size_t http2_table_write(nghttp2_hd_inflater *inflater, uint8_t *to)
{
    struct writer w = {.to = to};
    size_t bound = nghttp2_hd_inflate_get_max_dynamic_table_size(inflater);
    if (bound != USUAL) {
        put_number(&w, BOUND, BOUND_BITS, bound);
    }
    const nghttp2_nv *newest = NULL;
    for (size_t i = nghttp2_hd_inflate_get_num_table_entries(inflater); i > STATIC_MAX; i--) {
        const nghttp2_nv *entry = nghttp2_hd_inflate_get_table_entry(inflater, i);
        size_t index = index_of(inflater, entry, newest);
        put_number(&w, LITERAL, LITERAL_BITS, index);
        if (index == 0) {
            put_string(&w, entry->name, entry->namelen);
        }
        put_string(&w, entry->value, entry->valuelen);
        newest = entry;
    }
    return w.size;
}

/* ---- Reading --------------------------------------------------------------------------------- */

bool http2_table_read(nghttp2_hd_inflater *inflater, struct span written)
{
    nghttp2_nv pair;
    int flags = 0;
    if (written.size == 0) {
        return true; /* as it is */
    }
    do {
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &pair, &flags, written.data, written.size, 1);
        if (used < 0) {
            return false;
        }
        written = span_skip(written, (size_t)used);
    } while (!(flags & NGHTTP2_HD_INFLATE_FINAL));
    nghttp2_hd_inflate_end_headers(inflater);
    return written.size == 0;
}
