// SPDX-License-Identifier: Apache-2.0
/* A lane is the whole walk on one thread: a front and a worker with a chunk between them, 64 frames at
 * a time, so that a packet is still in the first cache when its flow is counted. Live workers and the
 * one worker of a file walk like this. */
#pragma once

#include "engine/front.h"
#include "engine/worker.h"

struct lane {
    struct front *front;
    struct worker *worker; /* not owned */
    const struct front_options *options;
    struct chunk chunk;
};

/* `options` must outlive the lane. */
bool lane_init(struct lane *lane, const struct front_options *options, struct worker *worker,
               struct err *err);
void lane_done(struct lane *lane);

/* Walks frames; true when packet time crossed a mark meanwhile, so that there is something to collect. */
bool lane_frames(struct lane *lane, const struct frame *frames, uint32_t count);
/* Packet time goes on without packets. */
void lane_advance(struct lane *lane, uint64_t now_ns);
/* The capture ended: the last fragments, the last flows. */
void lane_end(struct lane *lane);
