// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes over TCP: a byte says who does what, the next how many bytes come.
 * It is played as it comes and again byte by byte; both must say and count the same. And all of it
 * as one datagram. */
#include "base/cursor.h"
#include "proto/sip/sip_report.h"
#include "proto/proto_stage.h"

extern const struct proto proto_sip;

enum { LOG_ROOM = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(struct stage *s, struct span input, size_t piece)
{
    struct cursor c = cursor_of(input);
    while (cursor_left(&c) > 0 && !s->let_go) {
        uint8_t what = cursor_u8(&c);
        size_t length = cursor_u8(&c);
        if ((what & 0xf0) == 0xf0) {
            stage_gap(s, what & 1, (uint32_t)length);
        } else {
            length <<= what >> 4 & 3;
            length = length < cursor_left(&c) ? length : cursor_left(&c);
            stage_say(s, what & 1, cursor_take(&c, length), piece);
        }
    }
    stage_close(s, PROTO_TIMEOUT);
}

static void play_datagram(const void *settings, struct span input)
{
    static struct stage s;
    struct packet p = {.payload = input.data, .payload_len = (uint32_t)input.size,
                       .end = input.data + input.size};
    stage_init(&s, &proto_sip, settings, 300, LOG_ROOM);
    proto_sip.on_datagram(&s.context, &p, 0);
    stage_pass(&s);
    stage_close(&s, PROTO_CLOSED);
    stage_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    static struct sip_options options;
    static struct stage whole, bytes;
    if (size == 0) {
        return 0;
    }
    proto_sip.probe(input, 0);
    proto_options_default(&proto_sip, &options);
    play_datagram(&options, input);
    stage_init(&whole, &proto_sip, &options, 300, LOG_ROOM);
    stage_init(&bytes, &proto_sip, &options, 300, LOG_ROOM);
    play(&whole, input, SIZE_MAX);
    play(&bytes, input, 1);
    stage_require(whole.said.size == bytes.said.size);
    stage_require(memcmp(whole.said.data, bytes.said.data, whole.said.size) == 0);
    stage_require(memcmp(whole.context.block, bytes.context.block, proto_sip.metrics->size) == 0);
    stage_require(whole.let_go == bytes.let_go);
    stage_done(&whole);
    stage_done(&bytes);
    return 0;
}
