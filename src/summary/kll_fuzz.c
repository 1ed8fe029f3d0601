// SPDX-License-Identifier: Apache-2.0
/* Bytes that are no sketch, and some that are: what is read can be used, and is the same again when
 * it was written. */
#include <assert.h>

#include "summary/kll.h"
#include "summary/sketch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kll a, b;
    if (!kll_read(&a, span_of(data, size))) {
        assert(a.count == 0);
        return 0;
    }
    struct json image;
    json_init(&image);
    kll_write(&a, &image);
    assert(kll_read(&b, span_of(image.data, image.size)));
    json_done(&image);
    assert(a.count == b.count);
    assert(a.count == 0 || kll_at(&a, 0.5) == kll_at(&b, 0.5));
    kll_merge(&a, &b);
    for (int i = 0; i < 2000; i++) {
        kll_add(&a, (float)i);
    }
    assert(a.count == 2 * b.count + 2000 && kll_at(&a, 0.9) >= a.min);
    return 0;
}
