// SPDX-License-Identifier: Apache-2.0
#include "engine/pending.h"

#include <assert.h>

#include "proto/proto.h"

enum { PENDING_FIRST = 512 };

/* Bytes up to the block's end came at `time_ns`. Without memory for a mark they are of the one before. */
static void mark(struct pending_block *block, struct slab *slab, uint64_t time_ns)
{
    struct pending_marks *marks = block->marks;
    uint32_t count = marks != NULL ? marks->count : 0;
    if (count < PENDING_MARKS_MAX) {
        size_t room = sizeof *marks + (count + 1) * sizeof marks->items[0];
        struct pending_marks *grown = slab_grow(slab, marks, room);
        if (grown != NULL) {
            marks = grown;
            marks->count = ++count;
            block->marks = marks;
        }
    }
    if (count > 0) {
        marks->items[count - 1] = (struct pending_mark){.time_ns = time_ns, .end = block->size};
    }
}

/* That many bytes were taken off the front. */
static void shift_marks(struct pending_marks *marks, uint32_t consumed)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < marks->count; i++) {
        if (marks->items[i].end > consumed) {
            marks->items[kept] = marks->items[i];
            marks->items[kept++].end -= consumed;
        }
    }
    marks->count = kept;
}

bool pending_keep(struct pending *pending, struct slab *slab, struct span data, uint64_t time_ns)
{
    size_t had = pending_size(pending), wanted = had + data.size;
    if (data.size == 0) {
        return true;
    }
    if (wanted > PROTO_PENDING_MAX) {
        return false;
    }
    size_t room = sizeof *pending->block + (wanted < PENDING_FIRST ? PENDING_FIRST : wanted);
    struct pending_block *block = slab_grow(slab, pending->block, room);
    if (block == NULL) {
        return false;
    }
    if (had == 0) {
        block->since_ns = time_ns;
        block->marks = NULL;
    }
    memcpy(block->bytes + had, data.data, data.size);
    block->size = (uint32_t)wanted;
    pending->block = block;
    if (block->marks != NULL) {
        mark(block, slab, time_ns);
    }
    return true;
}

void pending_await(struct pending *pending, struct slab *slab, uint64_t time_ns)
{
    struct pending_block *block = pending->block;
    const struct pending_marks *marks = block != NULL ? block->marks : NULL;
    if (block != NULL && (marks == NULL || marks->items[marks->count - 1].end < block->size)) {
        mark(block, slab, time_ns);
    }
}

void pending_settle(struct pending *pending, struct slab *slab)
{
    if (pending_waits(pending)) {
        slab_give(slab, pending->block->marks);
        pending->block->marks = NULL;
    }
}

unsigned pending_next(const struct pending sides[2], const uint32_t tried[2], unsigned first)
{
    const struct pending_mark *one = pending_mark(&sides[first], tried[first]);
    const struct pending_mark *other = pending_mark(&sides[1 - first], tried[1 - first]);
    if (one == NULL || other == NULL) {
        return one != NULL ? first : other != NULL ? 1 - first : 2;
    }
    return other->time_ns < one->time_ns ? 1 - first : first;
}

void pending_consume(struct pending *pending, struct slab *slab, size_t consumed)
{
    size_t had = pending_size(pending);
    assert(consumed <= had);
    if (consumed == had) {
        pending_drop(pending, slab);
    } else if (consumed > 0) {
        struct pending_block *block = pending->block;
        block->size -= (uint32_t)consumed;
        memmove(block->bytes, block->bytes + consumed, block->size);
        if (block->marks != NULL) {
            shift_marks(block->marks, (uint32_t)consumed);
        }
    }
}

void pending_drop(struct pending *pending, struct slab *slab)
{
    pending_settle(pending, slab);
    slab_give(slab, pending->block);
    pending->block = NULL;
}
