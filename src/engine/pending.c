// SPDX-License-Identifier: Apache-2.0
#include "engine/pending.h"

#include <assert.h>

#include "proto/proto.h"

enum { PENDING_FIRST = 512 };

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
    }
    memcpy(block->bytes + had, data.data, data.size);
    block->size = (uint32_t)wanted;
    pending->block = block;
    return true;
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
    }
}

void pending_drop(struct pending *pending, struct slab *slab)
{
    slab_give(slab, pending->block);
    pending->block = NULL;
}
