// SPDX-License-Identifier: Apache-2.0
/* The front half of the walk: frames in, units out. It decodes, reassembles IP fragments, makes the
 * flow's key and hash, and keeps packet time: it marks every second and every flush. One front a
 * reading thread; with several workers on a file it is the one place that sees all packets in
 * order, so that the answer does not depend on how many workers there are. */
#pragma once

#include "base/err.h"
#include "engine/flood.h"
#include "engine/unit.h"
#include "flow/defrag.h"

struct front_options {
    uint64_t seed;             /* of the flow hash */
    uint64_t fragments_memory; /* bytes */
    uint64_t linger_ns;        /* longest time-out: after so long a silence no flow is left */
    struct flood *flood;       /* of all fronts; NULL: nobody looks */
    bool is_live;              /* flush every second; else as often as the capture is short */
};

struct front_totals {
    uint64_t frames;
    uint64_t bytes;
    uint64_t first_ns; /* earliest and latest time of any frame; first_ns > last_ns: none had one */
    uint64_t last_ns;
    uint64_t past; /* frames more than FRONT_PAST_NS older than one before them */
};
#define FRONT_PAST_NS UINT64_C(1000000000)

struct front; /* opaque */

struct front *front_new(const struct front_options *options, struct err *err);
void front_free(struct front *front);

/* Decodes frames into the chunk's units, one each (at most frame_capacity), with keys and hashes. Pure:
 * any thread, any order. `ahead` is the table in which their flows will be looked up next, whose buckets
 * are asked for while other frames are decoded; NULL when that is another thread's. */
void front_decode(const struct front_options *options, const struct frame *frames, uint32_t count,
                  struct chunk *chunk, const struct flow_table *ahead);

/* Puts time and order to the decoded frames from..frame_count-1 and lists the units of each worker,
 * reassembled datagrams among them. Chunks come in the order of the capture. The chunk was cleared
 * before. Returns the frame that it could not take for want of room (of marks, extras, arena): run the
 * chunk, clear it and call again from there; frame_count when all were taken. */
uint32_t front_stitch(struct front *front, const struct frame *frames, uint32_t from,
                      struct chunk *chunk);

/* Packet time goes on to `now_ns` without packets (a live tap that is idle). True when all marks
 * found room; else run the chunk, clear it and call again. */
bool front_advance(struct front *front, uint64_t now_ns, struct chunk *chunk);

/* The capture ended: lets go of incomplete datagrams and marks a last flush. True when done; else
 * run the chunk, clear it and call again. */
bool front_end(struct front *front, struct chunk *chunk);

/* Packet time: the latest time seen, never going back. */
uint64_t front_now(const struct front *front);
const struct front_totals *front_totals(const struct front *front);
const struct defrag_stats *front_fragments(const struct front *front);
