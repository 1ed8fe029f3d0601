// SPDX-License-Identifier: Apache-2.0
#include "engine/delta.h"

#include "base/pages.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCK_ALIGN = 64 };

bool delta_is_listener(const struct proto *proto)
{
    return proto->on_chunk != NULL || proto->on_datagram != NULL;
}

void delta_layout_init(struct delta_layout *layout, bool listens)
{
    *layout = (struct delta_layout){0};
    for (const struct proto *const *proto = protos; *proto != NULL; proto++) {
        if (!listens && delta_is_listener(*proto)) {
            continue;
        }
        assert(layout->count < BOARD_SETS);
        uint32_t bit = 1U << layout->count;
        layout->on_frame |= (*proto)->on_frame != NULL ? bit : 0;
        layout->on_packet |= (*proto)->on_packet != NULL ? bit : 0;
        layout->on_flow |= (*proto)->on_flow != NULL ? bit : 0;
        layout->on_end |= (*proto)->on_end != NULL ? bit : 0;
        layout->protos[layout->count] = *proto;
        layout->sets[layout->count] = (*proto)->metrics;
        layout->offsets[layout->count] = layout->size;
        layout->size += ((*proto)->metrics->size + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
        layout->count++;
    }
}

uint8_t *blocks_new(const struct delta_layout *layout)
{
    uint8_t *blocks = pages_reserve(layout->size);
    if (blocks != NULL) {
        blocks_reset(layout, blocks);
    }
    return blocks;
}

void blocks_free(const struct delta_layout *layout, uint8_t *blocks)
{
    pages_release(blocks, layout->size);
}

void blocks_reset(const struct delta_layout *layout, uint8_t *blocks)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        metric_block_reset(layout->sets[i], blocks + layout->offsets[i]);
    }
}

void blocks_merge(const struct delta_layout *layout, uint8_t *into, const uint8_t *from)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        metric_block_merge(layout->sets[i], into + layout->offsets[i], from + layout->offsets[i]);
    }
}

struct delta *delta_new(const struct delta_layout *layout)
{
    struct delta *delta = calloc(1, sizeof *delta);
    if (delta == NULL) {
        return NULL;
    }
    delta->layout = layout;
    delta->blocks = blocks_new(layout);
    if (delta->blocks == NULL) {
        free(delta);
        return NULL;
    }
    return delta;
}

void delta_free(struct delta *delta)
{
    if (delta != NULL) {
        blocks_free(delta->layout, delta->blocks);
        free(delta);
    }
}

void delta_reset(struct delta *delta)
{
    const struct delta_layout *layout = delta->layout;
    uint8_t *blocks = delta->blocks;
    blocks_reset(layout, blocks);
    *delta = (struct delta){.layout = layout, .blocks = blocks};
}

struct board_path *delta_paths_add(struct delta_paths *paths, uint64_t layers, uint64_t packets, uint64_t bytes)
{
    enum { SLOTS = 2 * BOARD_PATHS };
    uint64_t i = (layers * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
    for (;; i++) {
        uint16_t *slot = &paths->slots[i % SLOTS];
        if (*slot == 0) {
            if (paths->count == BOARD_PATHS) {
                paths->lost += packets;
                return NULL;
            }
            paths->paths[paths->count].layers = layers;
            *slot = (uint16_t)++paths->count;
        }
        struct board_path *path = &paths->paths[*slot - 1];
        if (path->layers == layers) {
            path->packets += packets;
            path->bytes += bytes;
            return path;
        }
    }
}
