// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/proto_stage.h"
#include "proto/redis/redis_flow.h"

extern const struct proto proto_redis;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHORT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    stage_probe(&proto_redis, input, 16);
    stage_guesses(proto_redis.probe, input);
    stage_guesses(proto_redis.probe_at_port, input);
    struct redis_options *options = stage_options(&proto_redis, input);
    options->max_message_size = script_flags(input) & SHORT ? 24 : options->max_message_size;
    stage_play_twice(&proto_redis, options, input, NULL, NULL);
    return 0;
}
