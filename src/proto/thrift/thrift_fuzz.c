// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/proto_stage.h"
#include "proto/thrift/thrift_options.h"

extern const struct proto proto_thrift;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHORT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct thrift_options *options = stage_options(&proto_thrift, input);
    options->text_max = 20;
    options->elements_max = 4;
    options->max_message_size = script_flags(input) & SHORT ? 24 : options->max_message_size;
    stage_probe(&proto_thrift, input, 40);
    stage_play_twice(&proto_thrift, options, input, NULL, NULL);
    return 0;
}
