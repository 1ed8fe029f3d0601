// SPDX-License-Identifier: Apache-2.0
/* The first byte says how long the first datagram is; the rest is the second, which may use what the
 * first one announced. */
#include "policy/netflow.h"

static void take(void *context, const struct flow_record *record)
{
    *(uint64_t *)context += record->bytes + record->sampling;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    struct export_sink sink = {take, &sum};
    struct netflow_templates *templates = netflow_templates_new();
    if (templates == NULL || size == 0) {
        netflow_templates_free(templates);
        return 0;
    }
    struct span all = span_of(data + 1, size - 1);
    size_t first = (size_t)data[0] * 4;
    struct export_datagram datagram = {.exporter = {.version = 4}, .time_ns = 1};
    datagram.bytes = span_head(all, first);
    netflow_read(templates, &datagram, &sink);
    datagram.bytes = span_skip(all, first);
    netflow_read(templates, &datagram, &sink);
    netflow_templates_free(templates);
    return 0;
}
