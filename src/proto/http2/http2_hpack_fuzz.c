// SPDX-License-Identifier: Apache-2.0
/* Header blocks of hostile bytes: a table that is put to sleep after each says what one says that never
 * sleeps. A block is a byte of length, a byte that says how large the table may be from then on, and so
 * many bytes. */
#include "proto/http2/http2_hpack.h"

#include <assert.h>

enum { BUDGET = 1 << 20, HEAD = 2, ALLOWED_UNIT = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next thing both say; they have to agree. True when the block goes on. */
static bool step(struct http2_hpack *const both[2], struct span rest[2], enum http2_unpacked *ret)
{
    struct http2_field fields[2] = {{{0}}};
    *ret = http2_hpack_next(both[0], &rest[0], true, &fields[0]);
    enum http2_unpacked other = http2_hpack_next(both[1], &rest[1], true, &fields[1]);
    assert(*ret == other && rest[0].size == rest[1].size);
    if (*ret == HTTP2_FIELD || *ret == HTTP2_UNKNOWN) {
        assert(span_equal(fields[0].name, fields[1].name));
        assert(span_equal(fields[0].value, fields[1].value));
        return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slab *slab = slab_new(BUDGET);
    struct http2_warm warm = {.most = 1};
    bool midway = size > 0 && *data & 1;
    struct http2_hpack *both[] = {http2_hpack_new(slab, NULL, midway),
                                  http2_hpack_new(slab, &warm, midway)};
    struct http2_hpack *rival = http2_hpack_new(slab, &warm, false);
    struct span input = span_skip(span_of(data, size), 1);
    enum http2_unpacked last = HTTP2_NONE;
    while (input.size > HEAD && last != HTTP2_FAILED) {
        struct span block = span_head(span_skip(input, HEAD), input.data[0]);
        struct span rest[] = {block, block};
        assert(http2_hpack_wake(both[1], slab));
        for (unsigned i = 0; i < 2; i++) {
            http2_hpack_allow(both[i], input.data[1] * ALLOWED_UNIT);
        }
        while (step(both, rest, &last)) {
        }
        input = span_skip(input, HEAD + block.size);
        assert(http2_hpack_wake(rival, slab));
    }
    http2_hpack_free(slab, both[0]);
    http2_hpack_free(slab, both[1]);
    http2_hpack_free(slab, rival);
    assert(slab_used(slab) == 0);
    slab_free(slab);
    return 0;
}
