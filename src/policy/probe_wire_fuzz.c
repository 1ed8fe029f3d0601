// SPDX-License-Identifier: Apache-2.0
#include "policy/probe_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_echo echo;
    probe_wire_read(4, true, span_of(data, size), &echo);
    probe_wire_read(4, false, span_of(data, size), &echo);
    probe_wire_read(6, false, span_of(data, size), &echo);
    return 0;
}
