// SPDX-License-Identifier: Apache-2.0
/* OP_COMPRESSED: the message that is packed in it, by Snappy, zlib or Zstandard. What is unpacked
 * is at most MONGODB_UNPACKED_MAX bytes, or as many as are asked for, but then no more than
 * PROTO_DENSITY_MAX times what is packed; the rest stays packed.
 * All memory comes from the slab: also that of the libraries, which allocate nothing of their own.
 */
#pragma once

#include "base/slab.h"
#include "base/span.h"
#include "proto/proto_cut.h"

enum { MONGODB_UNPACKED_MAX = 256 << 10 };

struct mongodb_packed {
    uint32_t opcode; /* of what is packed */
    uint32_t size;   /* unpacked, as it says */
    uint8_t compressor;
    struct span bytes; /* what there is of them */
    enum proto_cut cut; /* why not all of it was unpacked */
};

/* Reads what stands before the packed bytes; false when it is broken. */
bool mongodb_packed_read(struct span body, struct mongodb_packed *ret);

/* What could be unpacked of it, `most` bytes or MONGODB_UNPACKED_MAX; false when there is none, or
 * no memory. `block` is the slab block that it stands in, which the caller gives back: NULL where
 * nothing was packed. */
bool mongodb_unpack(struct slab *slab, struct mongodb_packed *packed, size_t most, struct span *ret,
                    uint8_t **block);
