// SPDX-License-Identifier: Apache-2.0
/* A connection as the engine would drive it, for the unit tests and the fuzz target: bytes of each side
 * in pieces, what is not consumed comes again, events become lines of JSON. */
#pragma once

#include <assert.h>

#include "base/json.h"
#include "base/json_check.h"
#include "proto/pgsql/pgsql_event.h"
#include "proto/pgsql/pgsql_flow.h"

extern const struct proto proto_pgsql;

enum { DRIVE_BUDGET = 1 << 22, DRIVE_LOG = 1 << 18 };

struct drive {
    struct pgsql_stats stats;
    struct pgsql_flow flow;
    struct pgsql_options options;
    struct event_log log;
    struct proto_context context;
    struct json said;
    struct slab *own; /* of the log and what is pending */
    uint8_t *pending[2];
    size_t pending_size[2];
    bool let_go;
    bool switched;
};

static inline void drive_begin(struct drive *d, struct slab *slab, size_t text_max)
{
    memset(d, 0, sizeof *d);
    proto_options_default(&proto_pgsql, &d->options);
    d->own = slab_new(4 * DRIVE_LOG);
    assert(d->own != NULL);
    d->log = (struct event_log){
        .memory = slab_take(d->own, DRIVE_LOG), .capacity = DRIVE_LOG, .text_max = text_max};
    d->context = (struct proto_context){.block = &d->stats,
                                        .state = &d->flow,
                                        .memory = slab,
                                        .events = &d->log,
                                        .settings = &d->options.common};
    assert(d->log.memory != NULL);
    json_init(&d->said);
}

static inline void drive_pass_events(struct drive *d)
{
    for (struct event_head *e = event_log_first(&d->log); e; e = event_log_next(&d->log, e)) {
        transaction_finish((struct transaction *)e);
        size_t before = d->said.size;
        event_json(&d->said, e);
        assert(json_check(d->said.data + before, d->said.size - before));
        json_append(&d->said, "\n", 1);
    }
    event_log_reset(&d->log);
}

/* Offers a piece, copied; the rest is kept. */
static inline void drive_offer(struct drive *d, unsigned side, struct span piece, uint64_t now)
{
    size_t size = d->pending_size[side] + piece.size;
    uint8_t *bytes = slab_take(d->own, size);
    assert(bytes != NULL);
    if (d->pending_size[side] > 0) {
        memcpy(bytes, d->pending[side], d->pending_size[side]);
    }
    memcpy(bytes + d->pending_size[side], piece.data, piece.size);
    slab_give(d->own, d->pending[side]);
    struct proto_chunk chunk = {
        .data = span_of(bytes, size), .side = (uint8_t)side, .time_ns = now};
    struct proto_taken taken = proto_pgsql.on_chunk(&d->context, &chunk);
    assert(taken.consumed <= size);
    d->let_go = taken.verdict == PROTO_NOT_MINE;
    d->switched = taken.verdict == PROTO_SWITCHED;
    d->pending_size[side] = size - taken.consumed;
    memmove(bytes, bytes + taken.consumed, d->pending_size[side]);
    d->pending[side] = bytes;
    assert(d->pending_size[side] <= PROTO_PENDING_MAX);
    drive_pass_events(d);
}

static inline void drive_say(struct drive *d, unsigned side, struct span data, uint64_t now, size_t piece)
{
    d->context.now_ns = now;
    while (data.size > 0 && !d->let_go && !d->switched) {
        drive_offer(d, side, span_head(data, piece), now);
        data = span_skip(data, piece);
    }
}

static inline void drive_gap(struct drive *d, unsigned side, uint32_t length)
{
    d->pending_size[side] = 0;
    if (!d->let_go && !d->switched) {
        proto_pgsql.on_gap(&d->context, side, length);
        drive_pass_events(d);
    }
}

static inline void drive_fin(struct drive *d, unsigned side)
{
    if (!d->let_go && !d->switched) {
        proto_pgsql.on_fin(&d->context, side);
        drive_pass_events(d);
    }
}

/* Ends it; what was said is left for the caller, who ends it with drive_free(). */
static inline void drive_end(struct drive *d, enum proto_close why)
{
    proto_pgsql.on_close(&d->context, why);
    drive_pass_events(d);
    assert(slab_used(d->context.memory) == 0);
    slab_free(d->own);
}

static inline void drive_free(struct drive *d)
{
    json_done(&d->said);
}
