// SPDX-License-Identifier: Apache-2.0
#include "policy/sflow.h"

static void take(void *context, const struct flow_record *record)
{
    *(uint64_t *)context += record->bytes + record->source_port;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    struct export_sink sink = {take, &sum};
    struct export_datagram datagram = {.bytes = span_of(data, size)};
    sflow_read(&datagram, &sink);
    return 0;
}
