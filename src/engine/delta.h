// SPDX-License-Identifier: Apache-2.0
/* A delta is what one worker counted since its last flush: plain counters, the protocol hierarchy and
 * every protocol's metric block, in one flat piece of memory. A worker has two: it fills one while
 * the collector adds the other to the board. */
#pragma once

#include "engine/board.h"
#include "proto/proto.h"

/* Where each protocol's block lies within the blocks of a delta, a window or a total. */
struct delta_layout {
    uint32_t count;
    uint32_t on_frame, on_packet, on_flow, on_end; /* who has such a hook, a bit each */
    size_t size; /* of all blocks */
    const struct metric_set *sets[BOARD_SETS];
    const struct proto *protos[BOARD_SETS];
    size_t offsets[BOARD_SETS];
};

struct delta_paths {
    uint32_t count;
    uint64_t lost; /* frames whose path found no room: BOARD_PATHS distinct ones is plenty */
    struct board_path paths[BOARD_PATHS];
    uint16_t slots[2 * BOARD_PATHS]; /* hash table: index + 1 into paths */
};

struct delta {
    uint64_t from_ns; /* time of its first packet and of its latest; without packets both are */
    uint64_t to_ns;   /* the time of the flush */
    uint64_t packets[2]; /* as in struct board_second */
    uint64_t bytes[2];
    uint64_t frames;
    uint64_t frame_bytes;
    uint64_t flows_created;
    struct delta_paths paths;
    const struct delta_layout *layout;
    uint8_t *blocks; /* layout->size bytes */
};

/* Walks the protocols of one of the masks above: the next one's number, which is taken out. */
static inline unsigned delta_next(uint32_t *mask)
{
    unsigned k = (unsigned)__builtin_ctz(*mask);
    *mask &= *mask - 1;
    return k;
}

/* The layout of the blocks of all protocols, or of those only that do not listen to conversations;
 * constant once made. */
void delta_layout_init(struct delta_layout *layout, bool listens);

/* Whether a protocol reads what flows say, not only their headers. */
bool delta_is_listener(const struct proto *proto);

/* Memory for blocks of a layout, empty; NULL when the system refuses. Freed by blocks_free(). */
uint8_t *blocks_new(const struct delta_layout *layout);
void blocks_free(const struct delta_layout *layout, uint8_t *blocks);
void blocks_reset(const struct delta_layout *layout, uint8_t *blocks);
void blocks_merge(const struct delta_layout *layout, uint8_t *into, const uint8_t *from);

/* A delta on the heap, empty; NULL when out of memory. */
struct delta *delta_new(const struct delta_layout *layout);
void delta_free(struct delta *delta);
void delta_reset(struct delta *delta);

/* Counts frames in the hierarchy and returns their path, NULL when there is no room for another
 * one. Packet path: a hash look-up. */
struct board_path *delta_paths_add(struct delta_paths *paths, uint64_t layers, uint64_t packets, uint64_t bytes);
