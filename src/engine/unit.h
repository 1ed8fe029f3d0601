// SPDX-License-Identifier: Apache-2.0
/* What travels from the front to the workers: packets with their flow's key, and marks that divide
 * them by packet time. A chunk of both is made of a batch of frames in two steps, which may be done by
 * different threads: front_decode() is pure and fills units; front_stitch() sees all chunks in the order
 * of the capture, puts time and order to the units and lists for each worker those that are its own.
 * Everything in a chunk is borrowed from the batch of frames under it. */
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
    MARK_FLOOD, /* a server is under a flood of SYNs: flood.h */
};

struct mark {
    uint64_t step;    /* falls between the units of lower and of higher steps */
    uint64_t time_ns; /* of the boundary */
    uint64_t server;  /* MARK_FLOOD: which */
    uint8_t kind;     /* enum mark_kind */
};

/* The units of one worker, by index, in order. */
struct unit_list {
    uint32_t *indices;
    uint32_t count;
};

struct chunk {
    const struct frame *frames; /* that its units were made of */
    struct unit *units;      /* one a frame; behind them what the front adds */
    struct mark *marks;
    uint8_t *arena;          /* reassembled datagrams */
    struct unit_list *lists; /* one a worker */
    uint32_t ahead; /* what lies so many bytes behind a frame comes next, and is asked for; 0: nothing does */
    uint32_t frame_capacity;
    uint32_t frame_count;    /* units that front_decode() made */
    uint32_t extra_capacity;
    uint32_t extra_count;    /* units that front_stitch() added */
    uint32_t mark_capacity;
    uint32_t mark_count;
    uint32_t list_count;
    size_t arena_size, arena_used;
    uint64_t last_step;      /* of its last unit or mark */
};

struct chunk_options {
    uint32_t frames; /* that one chunk may be made of */
    uint32_t extras;
    uint32_t marks;
    uint32_t workers;
    size_t arena; /* bytes */
};

/* A chunk with so much room, which is touched only as it is used. Aborts when the system refuses,
 * which only happens at start. chunk_done() frees it. */
void chunk_init(struct chunk *chunk, const struct chunk_options *options);
void chunk_done(struct chunk *chunk);
/* Empties lists, marks, extras and arena; the frames' units stay. */
void chunk_clear(struct chunk *chunk);
