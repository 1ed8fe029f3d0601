// SPDX-License-Identifier: Apache-2.0
/* A flow of hostile messages: two bytes say who does what, then come so many. As datagrams, and as a
 * connection played as it comes and again byte by byte; both must say and count the same. */
#include "proto/dns/dns_stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(struct stage *s, unsigned side, struct span data, uint64_t now_ns, size_t piece)
{
    while (data.size > 0 && !s->let_go) {
        stage_chunk(s, side, span_head(data, piece), now_ns);
        data = span_skip(data, piece);
    }
}

/* Plays the input; `piece` 0: as datagrams. */
static void play(struct stage *s, struct span input, size_t piece)
{
    stage_init(s);
    s->options.include_additionals = s->options.include_authorities = true;
    s->options.settings.send_request = s->options.settings.send_response = true;
    struct cursor c = cursor_of(input);
    for (uint64_t now = 1; cursor_left(&c) > 0 && !s->let_go; now += 400000000) {
        uint8_t what = cursor_u8(&c);
        size_t length = cursor_u8(&c) + 256U * (what >> 1 & 3);
        if (what >= 0xf0 && piece > 0) {
            stage_gap(s, what & 1, (uint32_t)length);
            continue;
        }
        length = length < cursor_left(&c) ? length : cursor_left(&c);
        struct span message = cursor_take(&c, length);
        if (piece > 0) {
            say(s, what & 1, message, now, piece);
        } else {
            s->flow.key.port[0] = what & 8 ? 5353 : 53;
            stage_datagram(s, what & 1, message, message.size + (what & 16), now);
        }
    }
    stage_done(s, PROTO_TIMEOUT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    proto_dns.probe(input, 0);
    static struct stage whole, bytes;
    play(&whole, input, 0);
    json_done(&whole.said);
    play(&whole, input, SIZE_MAX);
    play(&bytes, input, 1);
    stage_require(whole.said.size == bytes.said.size);
    stage_require(memcmp(whole.said.data, bytes.said.data, whole.said.size) == 0);
    stage_require(memcmp(&whole.stats, &bytes.stats, sizeof whole.stats) == 0);
    stage_require(whole.let_go == bytes.let_go);
    json_done(&whole.said);
    json_done(&bytes.said);
    return 0;
}
