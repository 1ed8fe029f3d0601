// SPDX-License-Identifier: Apache-2.0
/* A flow of hostile messages, four bytes each: side, type, code, number. What they say must be JSON, and
 * all memory come back. */
#include <stdlib.h>

#include "proto/icmp/icmp_event.h"
#include "proto/icmp/icmp_flow.h"
#include "proto/proto_said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct proto proto_icmp;

enum { BUDGET = 1 << 18, LOG = 1 << 20 };

static void require(bool fine)
{
    if (!fine) {
        abort();
    }
}

static void pass_events(struct event_log *log)
{
    struct json said;
    json_init(&said);
    said_pass(&said, log);
    json_done(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t memory[LOG];
    struct icmp_stats stats = {0};
    struct icmp_flow state = {0};
    struct flow flow = {.key = {.version = size & 1 ? 4 : 6}};
    struct proto_settings settings = {.report_unmatched = true, .transaction_timeout = 1000};
    struct event_log log = {.memory = memory, .capacity = LOG, .text_max = 100};
    struct slab *slab = slab_new(BUDGET);
    require(slab != NULL);
    struct proto_context c = {.block = &stats, .state = &state, .flow = &flow, .memory = slab,
                              .events = &log, .settings = &settings};
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint8_t bytes[8] = {data[i + 1], data[i + 2], 0, 0, 0, 0, 0, data[i + 3]};
        struct packet p = {.time_ns = i * (data[i] >> 1),
                           .l4 = bytes,
                           .payload_len = data[i],
                           .end = bytes + sizeof bytes - (data[i + 2] == 99),
                           .icmp_type = data[i + 1],
                           .icmp_code = data[i + 2]};
        proto_icmp.on_datagram(&c, &p, data[i] & 1);
        pass_events(&log);
    }
    proto_icmp.on_close(&c, size & 2 ? PROTO_TIMEOUT : PROTO_CLOSED);
    pass_events(&log);
    require(slab_used(slab) == 0 && log.lost == 0);
    slab_free(slab);
    return 0;
}
