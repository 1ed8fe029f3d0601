// SPDX-License-Identifier: Apache-2.0
/* A stage for tests and fuzz targets of protocols over TCP: plays a conversation to the hooks as the
 * engine does, with what is not consumed kept and offered again, and writes down what they report, an
 * event a line. Memory is checked: all of it comes back. Aborts where a protocol breaks its contract. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "proto/proto_said.h"
#include "proto/proto_script.h"

enum {
    STAGE_BUDGET = 1 << 22,
    STAGE_LOG = 1 << 20, /* the most that a stage may ask for */
    STAGE_STATE = 4096,
    STAGE_BLOCK = 4096,
    STAGE_OPTIONS = 512,
    STAGE_TEXT = 300, /* of texts in events, when a fuzzer plays */
    STAGE_WINDOW = 2 * PROTO_PENDING_MAX,
};

struct stage {
    const struct proto *proto;
    struct slab *slab;
    struct event_log log;
    struct json said;
    struct flow flow;
    struct proto_context context;
    size_t pending_size[2];
    uint64_t now_ns;
    uint64_t pace_ns; /* between two things that are said */
    bool let_go;
    bool switched;
    bool begins_whole; /* what is said comes in one piece until the protocol knows what it is */
    _Alignas(16) uint8_t state[STAGE_STATE];
    _Alignas(16) uint8_t block[STAGE_BLOCK];
    /* What is not zeroed at first. */
    _Alignas(64) uint8_t memory[STAGE_LOG];
    uint8_t pending[2][STAGE_WINDOW];
    uint8_t window[STAGE_WINDOW]; /* what is offered ends where it ends, and so does the stage */
};

static inline void stage_require(bool fine)
{
    if (!fine) {
        abort();
    }
}

/* `settings`: of the size of the protocol's options; kept by the caller. The events of one call find room
 * in `log_room` bytes, STAGE_LOG at most. */
static inline void stage_init(struct stage *s, const struct proto *proto, const void *settings,
                              size_t text_max, size_t log_room)
{
    memset(s, 0, offsetof(struct stage, memory));
    stage_require(log_room <= sizeof s->memory);
    s->proto = proto;
    s->slab = slab_new(STAGE_BUDGET);
    s->now_ns = 1000000000;
    s->pace_ns = 1000000;
    s->log = (struct event_log){.memory = s->memory, .capacity = log_room, .text_max = text_max};
    s->context = (struct proto_context){
        .block = s->block,
        .state = s->state,
        .flow = &s->flow,
        .memory = s->slab,
        .events = &s->log,
        .now_ns = s->now_ns,
        .settings = settings,
    };
    stage_require(proto->metrics->size <= sizeof s->block);
    metric_block_reset(proto->metrics, s->block);
    stage_require(proto->flow_size <= sizeof s->state);
    json_init(&s->said);
    stage_require(s->slab != NULL);
}

static inline void stage_done(struct stage *s)
{
    stage_require(slab_used(s->slab) == 0 && s->log.lost == 0);
    slab_free(s->slab);
    json_done(&s->said);
}

static inline void stage_pass(struct stage *s)
{
    said_pass(&s->said, &s->log);
}

/* Offers what is pending and `data` behind it, with nothing behind that. */
static inline void stage_offer(struct stage *s, unsigned side, struct span data)
{
    size_t before = s->pending_size[side];
    size_t size = before + data.size;
    stage_require(size <= STAGE_WINDOW);
    uint8_t *bytes = s->window + STAGE_WINDOW - size;
    memcpy(bytes, s->pending[side], before);
    memcpy(bytes + before, data.data, data.size);
    struct proto_chunk chunk = {
        .data = span_of(bytes, size), .side = (uint8_t)side, .time_ns = s->now_ns};
    struct proto_taken taken = s->proto->on_chunk(&s->context, &chunk);
    stage_require(taken.consumed <= size);
    s->pending_size[side] = size - taken.consumed;
    memcpy(s->pending[side], bytes + taken.consumed, s->pending_size[side]);
    s->switched = taken.verdict == PROTO_SWITCHED;
    s->let_go = taken.verdict != PROTO_GOES_ON || s->pending_size[side] > PROTO_PENDING_MAX;
    stage_pass(s);
}

/* A millisecond (pace_ns) later, a side says something, in pieces. */
static inline void stage_say(struct stage *s, unsigned side, struct span data, size_t piece)
{
    s->now_ns += s->pace_ns;
    s->context.now_ns = s->now_ns;
    piece = s->begins_whole ? SIZE_MAX : piece;
    for (; data.size > 0 && !s->let_go; data = span_skip(data, piece)) {
        stage_offer(s, side, span_head(data, piece));
    }
    s->begins_whole = s->begins_whole && s->pending_size[side] > 0;
}

static inline void stage_gap(struct stage *s, unsigned side, uint32_t length)
{
    if (!s->let_go && length > 0) {
        s->pending_size[side] = 0;
        s->proto->on_gap(&s->context, side, length);
        stage_pass(s);
    }
}

static inline void stage_fin(struct stage *s, unsigned side)
{
    if (!s->let_go && s->proto->on_fin != NULL) {
        s->proto->on_fin(&s->context, side);
        stage_pass(s);
    }
}

static inline void stage_close(struct stage *s, enum proto_close why)
{
    s->proto->on_close(&s->context, why);
    stage_pass(s);
    json_append(&s->said, "", 1);
}

/* Ends it and frees it, which is the heap's. All of `pieces`, ended by NULL, are in what was said, in
 * their order. */
static inline void stage_finish(struct stage *s, enum proto_close why, const char *const *pieces)
{
    stage_close(s, why);
    for (const char *at = s->said.data; *pieces != NULL; pieces++) {
        const char *found = strstr(at, *pieces);
        if (found == NULL) {
            fprintf(stderr, "no %s in %s\n", *pieces, at);
            abort();
        }
        at = found + strlen(*pieces);
    }
    stage_done(s);
    free(s);
}

#define STAGE_FINISH(s, why, ...)                                                                  \
    stage_finish(s, why, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* ---- For fuzz targets: a script (proto/proto_script.h), played twice --------------------------- */

/* Asks for a verdict on the first bytes that a script says, `most` at most, as they come. */
static inline void stage_probe(const struct proto *proto, struct span input, size_t most)
{
    struct cursor c = script_steps(input);
    struct script_step step;
    while (script_next(&c, &step) && step.kind != SCRIPT_SAY) {
    }
    for (size_t n = 0; n <= most && n <= step.data.size; n++) {
        proto->probe(span_head(step.data, n), step.side);
    }
}

/* Of the first bytes that a script says, what is sure of some is sure of more, too. */
static inline void stage_guesses(enum proto_guess (*probe)(struct span data, unsigned side),
                                 struct span input)
{
    struct cursor c = script_steps(input);
    struct script_step step;
    while (script_next(&c, &step) && step.kind != SCRIPT_SAY) {
    }
    enum proto_guess before = PROTO_UNSURE;
    for (size_t n = 0; n <= step.data.size; n++) {
        enum proto_guess guess = probe(span_head(step.data, n), step.side);
        stage_require(before == PROTO_UNSURE || guess == before);
        before = guess;
    }
}

/* The protocol's default options with what the script's flags ask for; the room of the next call. */
static inline void *stage_options(const struct proto *proto, struct span input)
{
    static _Alignas(16) uint8_t room[STAGE_OPTIONS];
    stage_require(proto_options_size(proto) <= sizeof room);
    proto_options_default(proto, room);
    struct proto_settings *settings = (struct proto_settings *)room;
    settings->send_request = settings->send_response = script_flags(input) & SCRIPT_SEND;
    settings->report_unmatched = script_flags(input) & SCRIPT_REPORT;
    return settings;
}

/* Plays it in pieces; `open`, unless NULL, says what goes before the script, as its flags want it. */
static inline void stage_play(struct stage *s, struct span input, size_t piece,
                              void (*open)(struct stage *s, uint8_t flags))
{
    struct cursor c = script_steps(input);
    struct script_step step;
    s->pace_ns = script_flags(input) & SCRIPT_SLOW ? UINT64_C(1000000000) : s->pace_ns;
    if (open != NULL) {
        open(s, script_flags(input));
    }
    while (!s->let_go && script_next(&c, &step)) {
        if (step.kind == SCRIPT_GAP) {
            stage_gap(s, step.side, step.length);
        } else if (step.kind == SCRIPT_FIN) {
            stage_fin(s, step.side);
        } else {
            stage_say(s, step.side, step.data, piece);
        }
    }
    stage_close(s, PROTO_TIMEOUT);
}

/* Plays it as it comes, and again byte by byte: both say and count the same; but for plays of which
 * `is_sure` says no, where it is not NULL: a protocol that has lost its place looks for the next message
 * where a segment begins, so that what it finds depends on how it was cut. */
static inline void stage_play_twice(const struct proto *proto, const void *settings,
                                    struct span input,
                                    void (*open)(struct stage *s, uint8_t flags),
                                    bool (*is_sure)(const struct stage *s))
{
    static struct stage whole, bytes; /* large */
    stage_init(&whole, proto, settings, STAGE_TEXT, STAGE_LOG);
    stage_init(&bytes, proto, settings, STAGE_TEXT, STAGE_LOG);
    stage_play(&whole, input, SIZE_MAX, open);
    stage_play(&bytes, input, 1, open);
    if (is_sure == NULL || (is_sure(&whole) && is_sure(&bytes))) {
        stage_require(whole.said.size == bytes.said.size);
        stage_require(memcmp(whole.said.data, bytes.said.data, whole.said.size) == 0);
        stage_require(memcmp(whole.block, bytes.block, proto->metrics->size) == 0);
        stage_require(whole.let_go == bytes.let_go);
        stage_require(whole.log.lost == bytes.log.lost); /* of many that end at once */
    }
    whole.log.lost = bytes.log.lost = 0;
    stage_done(&whole);
    stage_done(&bytes);
}
