// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/http2/http2_options.h"
#include "proto/proto_stage.h"

extern const struct proto proto_http2;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct http2_options *options = stage_options(&proto_http2, input);
    options->shown.send_all_headers = options->shown.split_cookie = true;
    stage_probe(&proto_http2, input, 40);
    stage_play_twice(&proto_http2, options, input, NULL, NULL);
    return 0;
}
