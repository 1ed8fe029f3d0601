// SPDX-License-Identifier: Apache-2.0
/* Memory for things that live longer than a packet (segments that wait for a hole to be filled, the
 * beginning of a message, a request that waits for its response), within a budget: blocks of
 * power-of-two sizes, a header of 16 bytes included, from SLAB_BLOCK_MIN up, cut from address space
 * that is reserved at start and touched as it is needed. A block that is larger than asked for is
 * split, and what comes back joins its free other half, so that no burst of small blocks keeps large
 * ones from being had later, nor the other way round. To take and to give are at most 15 such steps,
 * and mostly none: the last few blocks of each size are kept for who asks next (when memory runs short
 * they are joined first). Blocks are aligned to 16 bytes. With ASan, what is not out must not be
 * touched.
 *
 * Few things are larger than a block can be: the body of a message that somebody wants to see whole. They
 * have pages of their own (slab_grow_large), of which the budget is told as long as they are out: they
 * go back to the system, so that what was needed for them once is there for flows again. That takes a
 * system call or two for a megabyte and more. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"

enum { SLAB_BLOCK_MIN = 64, SLAB_BLOCK_MAX = 1 << 20 };

struct slab; /* opaque */

/* Reserves `budget` bytes of address space; NULL when the system refuses, or it is no block at all. */
struct slab *slab_new(uint64_t budget);
/* Reserves `most` bytes, of huge pages where there are such; what is made of them is paid from a budget,
 * which lives longer. */
struct slab *slab_new_within(uint64_t most, struct budget *budget);
/* Ends it with all blocks that are out; NULL is fine. */
void slab_free(struct slab *slab);

/* A block of at least `size` bytes, not zeroed; NULL when the budget is spent or size is above
 * SLAB_BLOCK_MAX. */
void *slab_take(struct slab *slab, size_t size);
/* Gives a block back; NULL is fine. */
void slab_give(struct slab *slab, void *block);
/* The same content in a block of at least `size` bytes; NULL when there is none, and then the old one
 * stays. `block` NULL: as slab_take. */
void *slab_grow(struct slab *slab, void *block, size_t size);
/* As slab_grow(), and of any size that the budget has. What is above SLAB_BLOCK_MAX grows by a fourth of
 * itself at least, and is not copied for that. */
void *slab_grow_large(struct slab *slab, void *block, size_t size);
/* As slab_take(), and of any size that the budget has. */
static inline void *slab_take_large(struct slab *slab, size_t size)
{
    return size <= SLAB_BLOCK_MAX ? slab_take(slab, size) : slab_grow_large(slab, NULL, size);
}
/* Bytes that fit in a block: a power of two less 16, so that who grows by it wastes nothing; of a large
 * one what it has. */
size_t slab_room(const void *block);

/* A place for one pointer, NULL at first, for what hangs on the slab (slab_text.h). */
void **slab_place(struct slab *slab);

/* Bytes in blocks that are out, headers included. */
uint64_t slab_used(const struct slab *slab);
/* How often a block was refused. */
uint64_t slab_refused(const struct slab *slab);
