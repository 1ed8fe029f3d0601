// SPDX-License-Identifier: Apache-2.0
/* A flow of hostile messages (proto/proto_script.h): as datagrams, packed and as lines, and as a connection
 * played as it comes and again byte by byte; both must say and count the same. */
#include "proto/dns/dns_stage.h"
#include "proto/proto_script.h"

enum { MULTICAST = 8, CUT_SHORT = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say(struct stage *s, unsigned side, struct span data, uint64_t now_ns, size_t piece)
{
    while (data.size > 0 && !s->let_go) {
        stage_chunk(s, side, span_head(data, piece), now_ns);
        data = span_skip(data, piece);
    }
}

/* Plays the input; `piece` 0: as datagrams. */
static void play(struct stage *s, struct span input, size_t piece, bool is_lines)
{
    stage_init(s);
    if (is_lines) {
        stage_take_lines(s);
    }
    s->options.include_additionals = s->options.include_authorities = true;
    s->options.settings.send_request = s->options.settings.send_response = true;
    struct cursor c = script_steps(input);
    struct script_step step;
    for (uint64_t now = 1; !s->let_go && script_next(&c, &step); now += 400000000) {
        if (piece == 0) {
            s->flow.key.port[0] = step.what & MULTICAST ? 5353 : 53;
            size_t wire = step.data.size + (step.what & CUT_SHORT ? 16 : 0);
            stage_datagram(s, step.side, step.data, wire, now);
        } else if (step.kind == SCRIPT_GAP) {
            stage_gap(s, step.side, step.length);
        } else {
            say(s, step.side, step.data, now, piece);
        }
    }
    stage_done(s, PROTO_TIMEOUT);
}

/* Both must have said and counted the same. */
static void compare(struct stage *a, struct stage *b)
{
    stage_require(a->said.size == b->said.size);
    stage_require(memcmp(a->said.data, b->said.data, a->said.size) == 0);
    stage_require(memcmp(&a->stats, &b->stats, sizeof a->stats) == 0);
    stage_require(a->let_go == b->let_go);
    json_done(&a->said);
    json_done(&b->said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    proto_dns.probe(input, 0);
    proto_dns.probe_at_port(input, 0);
    static struct stage whole, other;
    play(&whole, input, 0, false);
    play(&other, input, 0, true);
    compare(&whole, &other);
    play(&whole, input, SIZE_MAX, false);
    play(&other, input, 1, true);
    compare(&whole, &other);
    return 0;
}
