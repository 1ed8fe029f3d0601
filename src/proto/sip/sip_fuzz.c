// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte. */
#include "proto/proto_stage.h"

extern const struct proto proto_sip;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All of it as one datagram. */
static void play_datagram(struct span input, const void *settings)
{
    static struct stage s; /* large */
    struct packet p = {.payload = input.data, .payload_len = (uint32_t)input.size,
                       .end = input.data + input.size};
    stage_init(&s, &proto_sip, settings, STAGE_TEXT, STAGE_LOG);
    proto_sip.on_datagram(&s.context, &p, 0);
    stage_pass(&s);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    if (size == 0) {
        return 0;
    }
    const void *options = stage_options(&proto_sip, input);
    proto_sip.probe(input, 0);
    play_datagram(input, options);
    stage_play_twice(&proto_sip, options, input, NULL, NULL);
    return 0;
}
