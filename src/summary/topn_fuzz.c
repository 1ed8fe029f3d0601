// SPDX-License-Identifier: Apache-2.0
/* Bytes that are no sketch, and some that are: what is read can be used, and is the same again when
 * it was written. */
#include <assert.h>

#include "summary/sketch.h"
#include "summary/topn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 32 };

struct block {
    TOPN_DECLARE(top, SLOTS);
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct block a, b;
    topn_reset(&a.top);
    topn_reset(&b.top);
    topn_init(&a.top, SLOTS, TOPN_KEY_MAX);
    topn_init(&b.top, SLOTS, TOPN_KEY_MAX);
    if (!topn_read(&a.top, span_of(data, size))) {
        assert(a.top.count == 0 && a.top.total == 0 && a.top.error == 0);
        return 0;
    }
    struct json image;
    json_init(&image);
    topn_write(&a.top, &image);
    assert(topn_read(&b.top, span_of(image.data, image.size)));
    assert(a.top.count == b.top.count);
    json_done(&image);
    topn_merge(&a.top, &b.top);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t key[TOPN_KEY_MAX / sizeof i] = {i};
        topn_add(&a.top, key, i, NULL);
    }
    const struct topn_item *top[SLOTS];
    assert(topn_top(&a.top, top, SLOTS) <= SLOTS / 4 * 3);
    return 0;
}
