// SPDX-License-Identifier: Apache-2.0
#include "engine/pending.h"

#include <assert.h>

#include "proto/proto.h"

enum { PENDING_FIRST = 512 };

bool pending_keep(struct pending *pending, struct slab *slab, struct span data)
{
    size_t wanted = pending->size + data.size;
    if (data.size == 0) {
        return true;
    }
    if (wanted > PROTO_PENDING_MAX) {
        return false;
    }
    if (pending->bytes == NULL || wanted > slab_room(pending->bytes)) {
        uint8_t *bytes =
            slab_grow(slab, pending->bytes, wanted < PENDING_FIRST ? PENDING_FIRST : wanted);
        if (bytes == NULL) {
            return false;
        }
        pending->bytes = bytes;
    }
    memcpy(pending->bytes + pending->size, data.data, data.size);
    pending->size = (uint32_t)wanted;
    return true;
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
    slab_give(slab, pending->bytes);
    *pending = (struct pending){0};
}
