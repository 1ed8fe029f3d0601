// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/memcache/memcache_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_memcache;

enum { FEW_VALUES = 1, UNKNOWN = 2, SHORT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same steps in UDP. */
static void play_datagrams(struct span input, const void *settings)
{
    static struct stage s; /* large */
    struct cursor c = script_steps(input);
    struct script_step step;
    stage_init(&s, &proto_memcache, settings, STAGE_TEXT, STAGE_LOG);
    while (script_next(&c, &step)) {
        struct packet packet = {.class = PACKET_UDP,
                                .payload = step.data.data,
                                .payload_len = (uint32_t)step.data.size,
                                .end = step.data.data + step.data.size};
        s.context.now_ns += s.pace_ns;
        proto_memcache.on_datagram(&s.context, &packet, step.side);
        stage_pass(&s);
    }
    stage_close(&s, PROTO_TIMEOUT);
    stage_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct memcache_options *options = stage_options(&proto_memcache, input);
    options->values_max = script_flags(input) & FEW_VALUES ? 3 : 0;
    options->max_message_size = script_flags(input) & SHORT ? 24 : options->max_message_size;
    options->parse_unknown = script_flags(input) & UNKNOWN;
    stage_probe(&proto_memcache, input, 40);
    stage_play_twice(&proto_memcache, options, input, NULL, NULL);
    play_datagrams(input, options);
    return 0;
}
