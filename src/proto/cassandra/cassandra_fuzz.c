// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/cassandra/cassandra_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_cassandra;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHORT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    stage_probe(&proto_cassandra, input, 40);
    struct cassandra_options *options = stage_options(&proto_cassandra, input);
    options->max_message_size = script_flags(input) & SHORT ? 24 : options->max_message_size;
    stage_play_twice(&proto_cassandra, options, input, NULL, NULL);
    return 0;
}
