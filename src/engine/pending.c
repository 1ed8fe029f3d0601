// SPDX-License-Identifier: Apache-2.0
#include "engine/pending.h"

#include <assert.h>

#include "proto/proto.h"

/* Before the bytes, in their block: the time of the first. */
enum { PENDING_HEAD = sizeof(uint64_t), PENDING_FIRST = 512 - PENDING_HEAD };

static uint8_t *block_of(const struct pending *pending)
{
    return pending->bytes == NULL ? NULL : pending->bytes - PENDING_HEAD;
}

bool pending_keep(struct pending *pending, struct slab *slab, struct span data, uint64_t time_ns)
{
    size_t wanted = pending->size + data.size;
    if (data.size == 0) {
        return true;
    }
    if (wanted > PROTO_PENDING_MAX) {
        return false;
    }
    uint8_t *block = block_of(pending);
    if (block == NULL || wanted + PENDING_HEAD > slab_room(block)) {
        size_t room = wanted < PENDING_FIRST ? PENDING_FIRST : wanted;
        block = slab_grow(slab, block, room + PENDING_HEAD);
        if (block == NULL) {
            return false;
        }
        pending->bytes = block + PENDING_HEAD;
    }
    if (pending->size == 0) {
        memcpy(block, &time_ns, sizeof time_ns);
    }
    memcpy(pending->bytes + pending->size, data.data, data.size);
    pending->size = (uint32_t)wanted;
    return true;
}

uint64_t pending_since(const struct pending *pending)
{
    uint64_t time_ns;
    memcpy(&time_ns, block_of(pending), sizeof time_ns);
    return time_ns;
}

void pending_consume(struct pending *pending, struct slab *slab, size_t consumed)
{
    assert(consumed <= pending->size);
    pending->size -= (uint32_t)consumed;
    if (pending->size == 0) {
        pending_drop(pending, slab);
    } else if (consumed > 0) {
        memmove(pending->bytes, pending->bytes + consumed, pending->size);
    }
}

void pending_drop(struct pending *pending, struct slab *slab)
{
    slab_give(slab, block_of(pending));
    *pending = (struct pending){0};
}
