// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes: a byte says who does what, the next how many bytes come. It is
 * played as it comes and again byte by byte; both must say and count the same, and give all memory
 * back. */
#include "base/cursor.h"
#include "proto/proto_stage.h"

extern const struct proto proto_nfs;

enum { LOG_ROOM = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(struct stage *s, struct span input, size_t piece)
{
    struct cursor c = cursor_of(input);
    while (cursor_left(&c) > 0 && !s->let_go) {
        uint8_t what = cursor_u8(&c);
        size_t length = cursor_u8(&c);
        if ((what & 0xf0) == 0xf0) {
            stage_gap(s, what & 1, (uint32_t)length);
        } else if ((what & 0xf0) == 0xe0) {
            stage_fin(s, what & 1);
        } else {
            length <<= what >> 4 & 3;
            length = length < cursor_left(&c) ? length : cursor_left(&c);
            stage_say(s, what & 1, cursor_take(&c, length), piece);
        }
    }
    stage_close(s, PROTO_TIMEOUT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    if (size == 0) {
        return 0;
    }
    for (size_t n = 0; n <= 40 && n <= size; n++) {
        proto_nfs.probe(span_head(input, n), 0);
    }
    static _Alignas(16) uint8_t settings[512];
    stage_require(proto_options_size(&proto_nfs) <= sizeof settings);
    proto_options_default(&proto_nfs, settings);
    struct proto_settings *options = (struct proto_settings *)settings;
    options->report_unmatched = size & 1;
    options->send_request = options->send_response = size & 2;
    struct stage whole, bytes;
    stage_init(&whole, &proto_nfs, settings, 300, LOG_ROOM);
    stage_init(&bytes, &proto_nfs, settings, 300, LOG_ROOM);
    play(&whole, input, SIZE_MAX);
    play(&bytes, input, 1);
    stage_require(whole.said.size == bytes.said.size);
    stage_require(memcmp(whole.said.data, bytes.said.data, whole.said.size) == 0);
    stage_require(memcmp(whole.context.block, bytes.context.block, proto_nfs.metrics->size) == 0);
    stage_require(whole.let_go == bytes.let_go);
    stage_done(&whole);
    stage_done(&bytes);
    return 0;
}
