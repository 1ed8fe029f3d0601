// SPDX-License-Identifier: Apache-2.0
#include "engine/lane.h"

enum { LANE_FRAMES = 64, LANE_EXTRAS = 64, LANE_MARKS = 64 };

bool lane_init(struct lane *lane, const struct front_options *options, struct worker *worker,
               struct err *err)
{
    struct chunk_options chunk = {
        .frames = LANE_FRAMES,
        .extras = LANE_EXTRAS,
        .marks = LANE_MARKS,
        .workers = 1,
        .arena = 16 * DEFRAG_DATAGRAM_MAX,
    };
    *lane = (struct lane){.worker = worker, .options = options};
    chunk_init(&lane->chunk, &chunk);
    lane->front = front_new(options, err);
    return lane->front != NULL;
}

void lane_done(struct lane *lane)
{
    front_free(lane->front);
    chunk_done(&lane->chunk);
}

static bool walk_chunk(struct lane *lane, const struct frame *frames, uint32_t count)
{
    bool marked = false;
    front_decode(lane->options, frames, count, &lane->chunk, worker_flows(lane->worker));
    for (uint32_t at = 0; at < count;) {
        chunk_clear(&lane->chunk);
        at = front_stitch(lane->front, frames, at, &lane->chunk);
        worker_run(lane->worker, &lane->chunk);
        marked = marked || lane->chunk.mark_count > 0;
    }
    return marked;
}

bool lane_frames(struct lane *lane, const struct frame *frames, uint32_t count)
{
    bool marked = false;
    for (uint32_t at = 0; at < count; at += LANE_FRAMES) {
        uint32_t left = count - at;
        marked |= walk_chunk(lane, frames + at, left < LANE_FRAMES ? left : LANE_FRAMES);
    }
    return marked;
}

void lane_advance(struct lane *lane, uint64_t now_ns)
{
    bool done;
    do {
        chunk_clear(&lane->chunk);
        done = front_advance(lane->front, now_ns, &lane->chunk);
        worker_run(lane->worker, &lane->chunk);
    } while (!done);
}

void lane_end(struct lane *lane)
{
    bool done;
    do {
        chunk_clear(&lane->chunk);
        done = front_end(lane->front, &lane->chunk);
        worker_run(lane->worker, &lane->chunk);
    } while (!done);
    worker_end(lane->worker);
}
