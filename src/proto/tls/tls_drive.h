// SPDX-License-Identifier: Apache-2.0
/* For tests and fuzzers only: does to TLS's hooks what the engine does. Bytes that were not consumed
 * come again with more behind them; events become lines of JSON. */
#pragma once

#include "proto/proto_said.h"
#include "proto/tls/tls_flow.h"

extern const struct proto proto_tls;

enum { DRIVE_LOG = 1 << 20 };

struct drive {
    struct tls_options options;
    struct tls_stats stats;
    struct tls_flow flow;
    struct event_log log;
    struct proto_context context;
    struct json lines;
    size_t sizes[2];
    bool is_over;
    uint8_t pending[2][PROTO_PENDING_MAX];
    _Alignas(8) uint8_t memory[DRIVE_LOG];
};

/* Begins with zeroes; a drive is too large for a stack. */
static inline void drive_init(struct drive *d, struct slab *slab)
{
    static const char *const hashes[] = {"md5", "sha1", "sha256"};
    memset(d, 0, sizeof *d);
    proto_options_default(&proto_tls, &d->options);
    d->options.fingerprints = (struct text_list){.items = (const char **)(void *)hashes, .count = 3};
    d->log = (struct event_log){
        .memory = d->memory, .capacity = DRIVE_LOG, .text_max = 1 << 16};
    d->context = (struct proto_context){.block = &d->stats,
                                        .state = &d->flow,
                                        .memory = slab,
                                        .events = &d->log,
                                        .settings = &d->options.settings};
    json_init(&d->lines);
}

static inline void drive_done(struct drive *d)
{
    json_done(&d->lines);
}

static inline void drive_pass(struct drive *d)
{
    said_pass(&d->lines, &d->log);
}

static inline void drive_close(struct drive *d, enum proto_close why)
{
    if (!d->is_over) {
        d->is_over = true;
        proto_tls.on_close(&d->context, why);
        drive_pass(d);
    }
}

/* Says `data` in pieces of `piece` bytes. */
static inline void drive_say(struct drive *d, unsigned side, struct span data, size_t piece)
{
    while (data.size > 0 && !d->is_over) {
        struct span part = span_head(data, piece);
        data = span_skip(data, piece);
        if (d->sizes[side] + part.size > PROTO_PENDING_MAX) {
            drive_close(d, PROTO_CLOSED);
            return;
        }
        memcpy(d->pending[side] + d->sizes[side], part.data, part.size);
        d->sizes[side] += part.size;
        struct proto_chunk chunk = {.data = span_of(d->pending[side], d->sizes[side]),
                                    .side = (uint8_t)side,
                                    .time_ns = d->context.now_ns};
        struct proto_taken taken = proto_tls.on_chunk(&d->context, &chunk);
        d->sizes[side] -= taken.consumed;
        memmove(d->pending[side], d->pending[side] + taken.consumed, d->sizes[side]);
        drive_pass(d);
        if (taken.verdict != PROTO_GOES_ON) {
            drive_close(d, PROTO_CLOSED);
        }
    }
}

static inline void drive_gap(struct drive *d, unsigned side, uint32_t length)
{
    if (!d->is_over) {
        d->sizes[side] = 0;
        proto_tls.on_gap(&d->context, side, length);
        drive_pass(d);
    }
}
