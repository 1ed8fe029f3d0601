// SPDX-License-Identifier: Apache-2.0
/* Bytes of one side of a conversation that its protocol has not consumed yet, in a slab block that
 * grows with them, up to PROTO_PENDING_MAX. Before them the block has the time of the first of them.
 * Zeroes are an empty one. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

struct pending {
    uint8_t *bytes;
    uint32_t size;
};

/* Appends a copy of `data`, which came at `time_ns`; false when there is no room for it. */
bool pending_keep(struct pending *pending, struct slab *slab, struct span data, uint64_t time_ns);
/* When the first of them came, in ns; there must be some. Taking bytes off does not change it. */
uint64_t pending_since(const struct pending *pending);
/* Takes consumed bytes off the front; costs moving the rest. */
void pending_consume(struct pending *pending, struct slab *slab, size_t consumed);
/* Forgets all. */
void pending_drop(struct pending *pending, struct slab *slab);
