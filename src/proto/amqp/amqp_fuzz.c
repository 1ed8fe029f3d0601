// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/amqp/amqp_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_amqp;

enum { SHOW_CONNECTION = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct amqp_options *options = stage_options(&proto_amqp, input);
    options->hide_connection_information = !(script_flags(input) & SHOW_CONNECTION);
    stage_probe(&proto_amqp, input, 60);
    stage_play_twice(&proto_amqp, options, input, NULL, NULL);
    return 0;
}
