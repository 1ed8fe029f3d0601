// SPDX-License-Identifier: Apache-2.0
/* Datagrams of hostile bytes (proto/proto_script.h). They are sent as they are, or, so that frames are
 * reached, sealed as Initial packets; once as if for the first time, twice with a cache of what was made
 * before. All memory comes back, and what is said is the same each time. */
#include <stdlib.h>

#include "base/pages.h"
#include "proto/proto_said.h"
#include "proto/proto_script.h"
#include "proto/quic/quic_flow.h"
#include "proto/quic/quic_seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct proto proto_quic;

enum { BUDGET = 1 << 20, LOG = 1 << 18, SEALED = 2 };

static void require(bool fine)
{
    if (!fine) {
        abort();
    }
}

/* Says what there is to say of the input. */
static void play(struct json *said, struct span input, struct quic_cache *cache)
{
    static const uint8_t id[8] = "an ident";
    static _Alignas(8) uint8_t memory[LOG];
    uint8_t sealed[SEAL_ROOM];
    struct quic_options options;
    struct quic_stats stats = {0};
    struct quic_flow flow = {.has_client = false};
    struct event_log log = {.memory = memory, .capacity = LOG, .text_max = 500};
    struct slab *slab = slab_new(BUDGET);
    require(slab != NULL);
    proto_options_default(&proto_quic, &options);
    struct proto_context c = {.block = &stats, .state = &flow, .memory = slab, .events = &log,
                              .settings = &options.settings, .cache = cache};
    struct cursor at = script_steps(input);
    struct script_step step;
    while (script_next(&at, &step)) {
        if (step.kind != SCRIPT_SAY) {
            continue;
        }
        struct span part = step.data;
        bool is_server = step.side;
        c.now_ns++;
        if (step.what & SEALED) {
            size_t whole = seal_initial(sealed, id, is_server, part, 0);
            part = span_of(sealed, whole);
        }
        (void)proto_quic.probe(part, 0);
        quic_flow_take(&c, part, is_server);
    }
    proto_quic.on_close(&c, PROTO_TIMEOUT);
    json_init(said);
    said_pass(said, &log);
    require(slab_used(slab) == 0);
    slab_free(slab);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = size > 0 ? span_of(data, size) : span_of("", 0);
    struct quic_cache *cache = pages_reserve_sparse(proto_quic.cache_size);
    struct json first, again;
    require(cache != NULL);
    play(&first, input, NULL);
    for (unsigned i = 0; i < 2; i++) {
        play(&again, input, cache);
        require(first.size == again.size);
        require(first.size == 0 || memcmp(first.data, again.data, first.size) == 0);
        json_done(&again);
    }
    json_done(&first);
    pages_release(cache, proto_quic.cache_size);
    return 0;
}
