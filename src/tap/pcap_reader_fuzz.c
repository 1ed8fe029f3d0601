// SPDX-License-Identifier: Apache-2.0
/* Any bytes, cut in two ways that the input itself chooses: no frame may point outside its piece,
 * and both ways must give the same frames and the same verdict. */
#include "tap/pcap_reader.h"

#include <assert.h>
#include <stdlib.h>

#include "tap/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum pcap_reader_status status;
    uint64_t offset;
    uint64_t frames;
    uint64_t sum; /* of everything that frames say */
};

static uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x9e3779b97f4a7c15U + (sum >> 29);
}

static void add_frame(struct outcome *o, const struct frame *frame, struct span piece)
{
    assert(frame->cap_len <= TAP_FRAME_MAX && frame->wire_len >= frame->cap_len);
    assert(frame->data >= piece.data && frame->data + frame->cap_len <= piece.data + piece.size);
    o->frames++;
    o->sum = mix(o->sum, frame->time_ns);
    o->sum = mix(o->sum, frame->cap_len);
    o->sum = mix(o->sum, frame->wire_len);
    o->sum = mix(o->sum, (uint64_t)frame->interface << 32 | frame->link);
    o->sum = mix(o->sum, frame->direction);
    for (uint32_t i = 0; i < frame->cap_len; i++) {
        o->sum = mix(o->sum, frame->data[i]);
    }
    for (size_t i = 0; i < frame->comment.size; i++) {
        o->sum = mix(o->sum, frame->comment.data[i]);
    }
}

static struct outcome run(struct span bytes, size_t step, uint32_t room)
{
    struct outcome o = {0};
    struct frame frames[16];
    struct pcap_reader reader;
    pcap_reader_init(&reader, 3);
    size_t start = 0;
    size_t end = 0;
    enum pcap_reader_status status = PCAP_READER_MORE;
    for (;;) {
        if (status == PCAP_READER_MORE) {
            if (end == bytes.size) {
                break;
            }
            end = step < bytes.size - end ? end + step : bytes.size;
        }
        uint8_t *piece = malloc(end - start + 1); /* of its exact size, for the sanitizer */
        memcpy(piece, bytes.data + start, end - start);
        struct span whole = span_of(piece, end - start);
        struct span left = whole;
        uint32_t count;
        status = pcap_reader_feed(&reader, &left, frames, room, &count);
        assert(count <= room);
        for (uint32_t i = 0; i < count; i++) {
            add_frame(&o, &frames[i], whole);
        }
        assert(status != PCAP_READER_MORE || left.size < PCAP_READER_RECORD_MAX);
        start = end - left.size;
        free(piece);
        if (status == PCAP_READER_DAMAGED || status == PCAP_READER_FOREIGN) {
            break;
        }
    }
    if (status == PCAP_READER_MORE) {
        status = pcap_reader_end(&reader, span_of(bytes.data + start, bytes.size - start));
    }
    o.status = status;
    o.offset = reader.damage.offset;
    pcap_reader_done(&reader);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct span bytes = span_of(data, size - 2);
    struct outcome whole = run(bytes, size, 16);
    size_t step = 1 + data[size - 1] + size / 512; /* pieces of a long input are not too many */
    struct outcome cut = run(bytes, step, 1 + data[size - 2] % 16U);
    assert(whole.status == cut.status && whole.offset == cut.offset);
    assert(whole.frames == cut.frames && whole.sum == cut.sum);
    return 0;
}
