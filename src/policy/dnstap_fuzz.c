// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>

#include "policy/dnstap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span left = span_of(data, size);
    for (;;) {
        size_t used;
        uint32_t control;
        struct span frame;
        struct handler_event event;
        enum dnstap_frame kind = dnstap_next(left, &used, &frame, &control);
        if (kind == DNSTAP_MORE || kind == DNSTAP_BAD) {
            return 0;
        }
        if (kind == DNSTAP_DATA && dnstap_event(frame, 1, &event) && event.payload.size > 0) {
            volatile uint8_t last = event.payload.data[event.payload.size - 1];
            (void)last;
        }
        left = span_skip(left, used);
    }
}
