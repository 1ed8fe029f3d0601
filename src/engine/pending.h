// SPDX-License-Identifier: Apache-2.0
/* Bytes of one side of a conversation that its protocol has not consumed yet, in a slab block that
 * grows with them, up to PROTO_PENDING_MAX, and the time of the first of them. Zeroes are an empty
 * one, which costs its pointer. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

struct pending_block {
    uint64_t since_ns;
    uint32_t size;
    uint8_t bytes[];
};

struct pending {
    struct pending_block *block; /* NULL: empty */
};

static inline size_t pending_size(const struct pending *pending)
{
    return pending->block != NULL ? pending->block->size : 0;
}

static inline struct span pending_data(const struct pending *pending)
{
    return pending->block != NULL ? span_of(pending->block->bytes, pending->block->size)
                                  : span_of(NULL, 0);
}

/* Appends a copy of `data`, which came at `time_ns`; false when there is no room for it. */
bool pending_keep(struct pending *pending, struct slab *slab, struct span data, uint64_t time_ns);
/* When the first of them came, in ns; there must be some. Taking bytes off does not change it. */
static inline uint64_t pending_since(const struct pending *pending)
{
    return pending->block->since_ns;
}

/* Takes consumed bytes off the front; costs moving the rest. */
void pending_consume(struct pending *pending, struct slab *slab, size_t consumed);
/* Forgets all. */
void pending_drop(struct pending *pending, struct slab *slab);
