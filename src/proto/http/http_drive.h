// SPDX-License-Identifier: Apache-2.0
/* For tests and fuzzers only: does to HTTP's hooks what the engine does. Bytes that were not consumed
 * come again with more behind them; events become lines of JSON. A talk is a list of steps, of which
 * what is said is cut as the driver is told. */
#pragma once

#include <stdlib.h>

#include "proto/http/http_report.h"
#include "proto/http/http_talk.h"
#include "proto/proto_said.h"

enum drive_kind { DRIVE_SAY, DRIVE_GAP, DRIVE_FIN, DRIVE_CLOSE };

struct drive_step {
    enum drive_kind kind;
    unsigned side;
    struct span text;     /* DRIVE_SAY */
    uint32_t length;      /* DRIVE_GAP */
    enum proto_close why; /* DRIVE_CLOSE */
};

#define SAY(side_, text_) {.kind = DRIVE_SAY, .side = side_, .text = {(const uint8_t *)(text_), sizeof(text_) - 1}}
#define GAP(side_, length_) {.kind = DRIVE_GAP, .side = side_, .length = length_}
#define FIN(side_) {.kind = DRIVE_FIN, .side = side_}
#define CLOSE(why_) {.kind = DRIVE_CLOSE, .why = why_}

struct drive {
    struct slab *slab;
    const struct http_options *options;
    struct http_talk state;
    struct http_stats stats;
    struct flow flow;
    struct event_log log;
    size_t sizes[2];     /* of what is pending */
    struct json lines;   /* events, one a line */
    uint64_t now_ns;
    bool is_over;        /* the protocol has let go, or the flow is closed */
    /* what is not zeroed at first */
    uint8_t pending[2][PROTO_PENDING_MAX];
    _Alignas(8) uint8_t memory[1 << 20]; /* of the log */
};

extern const struct proto proto_http;

/* Those of a program that was told nothing, and all lone responses. */
static inline struct http_options drive_options(void)
{
    struct http_options options;
    proto_options_default(&proto_http, &options);
    options.settings.report_unmatched = true;
    return options;
}

static inline void drive_init(struct drive *d, struct slab *slab, const struct http_options *options)
{
    memset(d, 0, offsetof(struct drive, pending));
    d->slab = slab;
    d->options = options;
    d->flow.key.port[0] = 40000;
    d->flow.key.port[1] = 80;
    d->flow.key.version = 4;
    d->flow.key.protocol = 6;
    d->log = (struct event_log){
        .memory = d->memory, .capacity = sizeof d->memory, .text_max = 1 << 16};
    json_init(&d->lines);
}

static inline void drive_done(struct drive *d)
{
    json_done(&d->lines);
}

static inline struct proto_context drive_context(struct drive *d)
{
    return (struct proto_context){.block = &d->stats, .state = &d->state, .flow = &d->flow,
                                  .memory = d->slab, .events = &d->log, .now_ns = d->now_ns,
                                  .settings = &d->options->settings};
}

static inline void drive_events(struct drive *d)
{
    said_pass(&d->lines, &d->log);
}

static inline void drive_close(struct drive *d, enum proto_close why)
{
    struct proto_context c = drive_context(d);
    http_talk_close(&c, why, d->options);
    drive_events(d);
    d->is_over = true;
}

/* Says a piece, which is all there is in one packet. */
static inline void drive_piece(struct drive *d, unsigned side, struct span piece)
{
    if (d->is_over) {
        return;
    }
    if (d->sizes[side] + piece.size > PROTO_PENDING_MAX) {
        drive_close(d, PROTO_CLOSED);
        return;
    }
    if (piece.size > 0) {
        memcpy(d->pending[side] + d->sizes[side], piece.data, piece.size);
        d->sizes[side] += piece.size;
    }
    struct proto_context c = drive_context(d);
    struct proto_chunk chunk = {.data = span_of(d->pending[side], d->sizes[side]),
                                .side = (uint8_t)side, .time_ns = d->now_ns};
    struct proto_taken taken = http_talk_chunk(&c, &chunk, d->options);
    if (taken.consumed > d->sizes[side]) {
        abort();
    }
    d->sizes[side] -= taken.consumed;
    memmove(d->pending[side], d->pending[side] + taken.consumed, d->sizes[side]);
    drive_events(d);
    if (taken.verdict != PROTO_GOES_ON) {
        drive_close(d, PROTO_CLOSED);
    }
}

/* One step at a time of its own; `cut` says how many bytes the next piece has. */
static inline void drive_step(struct drive *d, const struct drive_step *step,
                              size_t (*cut)(size_t left, void *of), void *of)
{
    d->now_ns += 1000000;
    if (d->is_over) {
        return;
    }
    struct proto_context c = drive_context(d);
    switch (step->kind) {
    case DRIVE_SAY:
        for (size_t at = 0; at < step->text.size;) {
            size_t size = cut(step->text.size - at, of);
            drive_piece(d, step->side, span_of(step->text.data + at, size));
            at += size;
        }
        break;
    case DRIVE_GAP:
        d->sizes[step->side] = 0;
        http_talk_gap(&c, step->side, step->length, d->options);
        drive_events(d);
        break;
    case DRIVE_FIN:
        http_talk_fin(&c, step->side, d->options);
        drive_events(d);
        break;
    case DRIVE_CLOSE:
        drive_close(d, step->why);
        break;
    }
}
