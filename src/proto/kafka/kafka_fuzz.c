// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/proto_stage.h"

extern const struct proto proto_kafka;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    stage_probe(&proto_kafka, input, 40);
    stage_play_twice(&proto_kafka, stage_options(&proto_kafka, input), input, NULL, NULL);
    return 0;
}
