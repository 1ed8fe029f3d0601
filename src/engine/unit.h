// SPDX-License-Identifier: Apache-2.0
/* What travels from the front (the thread that reads) to a worker: packets with their flow's key,
 * and marks that divide them by packet time. A chunk of both is filled by front_take(), then
 * consumed by worker_run(), by the same thread or another. Everything in a chunk is borrowed from
 * the batch of frames under it. */
#pragma once

#include "flow/flow.h"
#include "wire/wire.h"

enum unit_flags {
    UNIT_FRAME = 1, /* count it as a frame */
    UNIT_FLOW = 2,  /* it belongs to the flow of its key */
    UNIT_NOTE = 4,  /* an ICMP error: tell the flow of the key, which it quoted */
};

struct unit {
    struct packet packet;
    struct flow_key key;
    uint64_t hash; /* of the key; 0 without a flow */
    uint64_t step; /* number among all units and marks of the capture: the order of things */
    int8_t end;    /* which end of the key sent it */
    uint8_t flags; /* enum unit_flags */
};

enum mark_kind {
    MARK_TICK,  /* a second of packet time began: timers */
    MARK_FLUSH, /* what flows gained goes into the summaries */
};

struct mark {
    uint32_t before; /* falls before the unit of this index */
    uint8_t kind;    /* enum mark_kind */
    uint64_t step;
    uint64_t time_ns; /* of the boundary */
};

struct chunk {
    struct unit *units;
    struct mark *marks;
    uint8_t *arena; /* reassembled datagrams */
    uint32_t unit_count, unit_capacity;
    uint32_t mark_count, mark_capacity;
    size_t arena_used, arena_size;
};

/* A chunk with room for so many units and marks; aborts when memory ends, which only happens at
 * start. chunk_done() frees it. */
void chunk_init(struct chunk *chunk, uint32_t units, uint32_t marks, size_t arena);
void chunk_done(struct chunk *chunk);
/* Forgets its content. */
void chunk_reset(struct chunk *chunk);
