// SPDX-License-Identifier: Apache-2.0
/* Bytes that are no sketch, and some that are: what is read can be used, and is the same again when
 * it was written. */
#include <assert.h>

#include "summary/theta.h"
#include "summary/sketch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct theta a, b;
    if (!theta_read(&a, span_of(data, size))) {
        assert(a.count == 0);
        return 0;
    }
    struct json image;
    json_init(&image);
    theta_write(&a, &image);
    assert(theta_read(&b, span_of(image.data, image.size)));
    json_done(&image);
    assert(theta_estimate(&a) == theta_estimate(&b));
    theta_unite(&a, &b);
    assert(theta_estimate(&a) == theta_estimate(&b));
    theta_intersect(&b, &a);
    assert(theta_estimate(&a) == theta_estimate(&b));
    theta_subtract(&a, &b);
    assert(a.count == 0);
    return 0;
}
