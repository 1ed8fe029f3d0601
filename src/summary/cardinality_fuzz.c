// SPDX-License-Identifier: Apache-2.0
/* Bytes that are no sketch, and some that are: what is read can be used, and is the same again when
 * it was written. */
#include <assert.h>

#include "summary/cardinality.h"
#include "summary/sketch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cardinality c, again, both;
    if (!cardinality_read(&c, span_of(data, size))) {
        assert(c.mode == CARDINALITY_EMPTY);
        return 0;
    }
    struct json image;
    json_init(&image);
    cardinality_write(&c, &image);
    assert(cardinality_read(&again, span_of(image.data, image.size)));
    assert(cardinality_estimate(&c) == cardinality_estimate(&again));
    json_done(&image);
    both = c;
    cardinality_merge(&both, &again);
    assert(cardinality_estimate(&c) == cardinality_estimate(&both));
    for (uint32_t i = 1; i < 1000; i++) {
        cardinality_add(&c, i * 0x9e3779b97f4a7c15u);
    }
    return 0;
}
