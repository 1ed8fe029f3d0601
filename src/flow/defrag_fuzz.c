// SPDX-License-Identifier: Apache-2.0
/* Fragments as the input says, held against the simplest model: a datagram is an array of bytes of
 * which the first copy stays. Every frame that goes in must come out again, and a whole datagram is
 * what the model has. The input is read as steps of six bytes. */
#include "flow/defrag.h"

#include "base/cursor.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { STEP = 6, IDS = 4, SECOND = 1000000000, HEADERS_MAX = 56, BYTES_MAX = UINT16_MAX + 1 };

struct model {
    uint8_t bytes[BYTES_MAX];
    uint8_t seen[BYTES_MAX];
    uint64_t frames;
};

static struct model models[2][IDS]; /* by version and fragment id */
static uint8_t memory[DEFRAG_DATAGRAM_MAX];
static uint64_t frames_in, frames_out;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model *model_of(const struct packet *p)
{
    return &models[p->version == 6][p->fragment_id % IDS];
}

static void forget(struct model *model)
{
    memset(model->seen, 0, sizeof model->seen);
    model->frames = 0;
}

/* Writes the headers of a fragment, of IPv6 with or without options before the fragment header. */
static uint32_t write_headers(uint8_t *bytes, uint8_t kind)
{
    memset(bytes, 0, HEADERS_MAX);
    if (!(kind & 1)) {
        bytes[0] = 0x45;
        return 20;
    }
    bool options = kind & 4;
    bytes[0] = 0x60;
    bytes[6] = options ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT;
    bytes[40] = options ? IPPROTO_FRAGMENT : IPPROTO_UDP;
    bytes[48] = IPPROTO_UDP;
    return options ? 56 : 48;
}

/* A fragment whose bytes all have one value, of which some may not be captured. */
static struct packet fragment_of(uint8_t *bytes, const uint8_t *step, uint64_t now_ns)
{
    bool six = step[0] & 1;
    uint32_t header = write_headers(bytes, step[0]);
    uint32_t size = load_be16(step + 3) % 2048 + (step[0] & 0x10 ? 0 : 8U);
    uint32_t captured = step[0] & 0x20 ? size * step[5] / 255 : size;
    memset(bytes + header, step[5], size);
    return (struct packet){
        .time_ns = now_ns,
        .mac = step[0] & 8 ? bytes : NULL,
        .outer_ip = step[0] & 8 ? bytes : NULL,
        .ip = bytes,
        .l4 = bytes + header,
        .payload = bytes + header,
        .end = bytes + header + captured,
        .frames = 1,
        .wire_len = header + size,
        .payload_len = size,
        .version = six ? 6 : 4,
        .fragment_id = step[1] % IDS,
        .fragment_offset = (uint16_t)(step[2] * 8U),
        .fragment = step[2] == 0 ? FRAGMENT_FIRST : FRAGMENT_LATER,
        .more_fragments = !(step[0] & 2),
        .protocol = IPPROTO_UDP,
    };
}

static void note(struct model *model, const struct packet *p)
{
    model->frames++;
    for (uint32_t i = 0; i < p->payload_len; i++) {
        uint32_t at = p->fragment_offset + i;
        if (!model->seen[at]) {
            model->seen[at] = 1;
            model->bytes[at] = p->l4[0];
        }
    }
}

static void check_whole(struct model *model, const struct packet *p, struct span datagram,
                        uint32_t frames)
{
    bool six = p->version == 6;
    size_t header = !six ? 20 : memory[6] == IPPROTO_UDP ? 40 : 48;
    assert(datagram.size >= header && datagram.data == memory);
    size_t length = load_be16(memory + (six ? 4 : 2)) + (six ? 40U : 0) - header;
    assert(datagram.size - header <= length);
    assert(memcmp(memory + header, model->bytes, datagram.size - header) == 0);
    for (size_t i = 0; i < length; i++) {
        assert(model->seen[i]);
    }
    assert(frames == model->frames);
    frames_out += frames;
    forget(model);
}

static bool pop(struct defrag *d, uint64_t now_ns)
{
    struct packet p;
    if (!defrag_pop(d, now_ns, &p, memory)) {
        return false;
    }
    struct model *model = model_of(&p);
    assert(p.frames == model->frames && p.ip >= memory && p.l4 > p.ip && p.end >= p.l4);
    assert((size_t)(p.end - memory) <= sizeof memory);
    frames_out += p.frames;
    forget(model);
    return true;
}

static void step_of(struct defrag *d, const uint8_t *step, uint64_t now_ns)
{
    uint8_t bytes[HEADERS_MAX + 2048 + 8];
    struct packet p = fragment_of(bytes, step, now_ns);
    struct span datagram;
    uint32_t frames, wire_len;
    assert(!defrag_needs_room(d, &p));
    switch (defrag_push(d, &p, memory, &datagram, &frames, &wire_len)) {
    case DEFRAG_HELD:
        frames_in++;
        note(model_of(&p), &p);
        break;
    case DEFRAG_WHOLE:
        frames_in++;
        note(model_of(&p), &p);
        check_whole(model_of(&p), &p, datagram, frames);
        break;
    case DEFRAG_BAD:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct defrag_options options = {.memory = DEFRAG_MEMORY_MIN, .seed = 1};
    struct defrag *d = defrag_new(&options, NULL);
    uint64_t now_ns = SECOND;
    frames_in = frames_out = 0;
    for (; size >= STEP; data += STEP, size -= STEP) {
        now_ns += (uint64_t)(data[0] >> 6) * SECOND;
        while (pop(d, now_ns)) {
        }
        step_of(d, data, now_ns);
    }
    while (pop(d, UINT64_MAX)) {
    }
    assert(frames_in == frames_out && defrag_stats(d)->held == 0);
    defrag_free(d);
    return 0;
}
