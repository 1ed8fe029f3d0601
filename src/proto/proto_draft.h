// SPDX-License-Identifier: Apache-2.0
/* Records of messages in the making: written to a block that has room for all that may be to write,
 * and then put into one of just their size. Both are slab blocks, the caller's. */
#pragma once

#include <string.h>

#include "base/slab.h"

/* A block of `fixed` bytes and `*room` more; where memory is short of a half, or a quarter …, but
 * of `sure` at least, which `*room` then says. NULL without memory. */
static inline void *draft_take(struct slab *slab, size_t fixed, size_t *room, size_t sure)
{
    void *block = slab_take_large(slab, fixed + *room);
    while (block == NULL && *room > sure) {
        *room = *room / 2 > sure ? *room / 2 : sure;
        block = slab_take_large(slab, fixed + *room);
    }
    return block;
}

/* The first `size` bytes of a draft in a block of that size, where there is one. */
static inline void *draft_fit(struct slab *slab, void *draft, size_t size)
{
    void *block = slab_take_large(slab, size);
    if (block == NULL) {
        return draft;
    }
    memcpy(block, draft, size);
    slab_give(slab, draft);
    return block;
}
