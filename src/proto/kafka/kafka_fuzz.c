// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes: two bytes say who does what, then come so many. It is played as it
 * comes and again byte by byte; both must say and count the same, and give all memory back. */
#include <stdlib.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/json_check.h"
#include "proto/kafka/kafka_flow.h"
#include "proto/kafka/kafka_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct proto proto_kafka;

enum { BUDGET = 1 << 24, LOG = 1 << 20, TEXT_MAX = 300 };

static void require(bool fine)
{
    if (!fine) {
        abort();
    }
}

struct stage {
    struct kafka_stats stats;
    struct kafka_flow flow;
    struct flow ends;
    struct event_log log;
    struct proto_context context;
    struct json said;
    uint8_t *pending[2];
    size_t sizes[2];
    bool let_go;
};

static void pass_events(struct stage *s)
{
    for (struct event_head *e = event_log_first(&s->log); e; e = event_log_next(&s->log, e)) {
        transaction_finish((struct transaction *)e);
        size_t before = s->said.size;
        event_json(&s->said, e);
        require(json_check(s->said.data + before, s->said.size - before));
        json_append(&s->said, "\n", 1);
    }
    event_log_reset(&s->log);
}

static void say(struct stage *s, struct span data, unsigned side, uint64_t now, size_t piece)
{
    while (data.size > 0 && !s->let_go) {
        struct span part = span_head(data, piece);
        memcpy(s->pending[side] + s->sizes[side], part.data, part.size);
        s->sizes[side] += part.size;
        struct proto_chunk chunk = {.data = span_of(s->pending[side], s->sizes[side]),
                                    .side = (uint8_t)side, .time_ns = now};
        struct proto_taken taken = proto_kafka.on_chunk(&s->context, &chunk);
        require(taken.consumed <= chunk.data.size);
        s->sizes[side] -= taken.consumed;
        memmove(s->pending[side], s->pending[side] + taken.consumed, s->sizes[side]);
        s->let_go = taken.verdict == PROTO_NOT_MINE;
        data = span_skip(data, piece);
        pass_events(s);
    }
}

/* Plays the input: a byte says who and what, the next two how many bytes. */
static void play(struct stage *s, struct span input, struct slab *slab, size_t piece)
{
    s->log = (struct event_log){
        .memory = aligned_alloc(64, LOG), .capacity = LOG, .text_max = TEXT_MAX};
    static struct proto_settings settings;
    proto_options_default(&proto_kafka, &settings);
    settings.report_unmatched = true;
    s->context = (struct proto_context){
        .settings = &settings, .flow = &s->ends, .block = &s->stats, .state = &s->flow,
        .memory = slab, .events = &s->log};
    require(s->log.memory != NULL);
    for (unsigned i = 0; i < 2; i++) {
        s->pending[i] = malloc(input.size + 1);
        require(s->pending[i] != NULL);
    }
    json_init(&s->said);
    struct cursor c = cursor_of(input);
    for (uint64_t now = 1; cursor_left(&c) > 0 && !s->let_go; now++) {
        uint8_t what = cursor_u8(&c);
        size_t length = cursor_u8(&c);
        s->context.now_ns = now << 30;
        if ((what & 0xf0) == 0xf0) {
            s->sizes[what & 1] = 0;
            proto_kafka.on_gap(&s->context, what & 1, (uint32_t)length);
        } else if ((what & 0xf0) == 0xe0) {
            proto_kafka.on_fin(&s->context, what & 1);
        } else {
            length = length < cursor_left(&c) ? length : cursor_left(&c);
            say(s, cursor_take(&c, length), what & 1, now << 30, piece);
        }
        pass_events(s);
    }
    proto_kafka.on_close(&s->context, PROTO_TIMEOUT);
    pass_events(s);
    require(slab_used(slab) == 0);
    free(s->log.memory);
    free(s->pending[0]);
    free(s->pending[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    for (size_t n = 0; n <= 40 && n <= size; n++) {
        proto_kafka.probe(span_head(input, n), 0);
    }
    struct slab *slab = slab_new(BUDGET);
    require(slab != NULL);
    struct stage whole = {0}, bytes = {0};
    play(&whole, input, slab, SIZE_MAX);
    play(&bytes, input, slab, 1);
    require(whole.said.size == bytes.said.size);
    require(whole.said.size == 0 || memcmp(whole.said.data, bytes.said.data, whole.said.size) == 0);
    require(memcmp(&whole.stats, &bytes.stats, sizeof whole.stats) == 0);
    require(whole.let_go == bytes.let_go);
    json_done(&whole.said);
    json_done(&bytes.said);
    slab_free(slab);
    return 0;
}
