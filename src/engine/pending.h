// SPDX-License-Identifier: Apache-2.0
/* Bytes of one side of a conversation that its protocol has not consumed yet, in a slab block that
 * grows with them, up to PROTO_PENDING_MAX, and the time of the first of them. Zeroes are an empty
 * one, which costs its pointer.
 *
 * Bytes that wait for something from elsewhere (a key, or that it is known whose they are) may be read long
 * after they came, many messages at once. From pending_await() on they have marks, which tell when each came: PENDING_MARKS_MAX of
 * them, behind which all bytes are of the latest. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

enum { PENDING_MARKS_MAX = 1024 };

struct pending_mark {
    uint64_t time_ns;
    uint32_t end; /* where the bytes end that came then */
};

struct pending_marks {
    uint32_t count;
    struct pending_mark items[];
};

struct pending_block {
    uint64_t since_ns;
    struct pending_marks *marks; /* slab; NULL: they wait for nothing but more bytes */
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

/* What is there waits for something, and came at `time_ns`, but for what has marks. */
void pending_await(struct pending *pending, struct slab *slab, uint64_t time_ns);
/* Waits no more. */
void pending_settle(struct pending *pending, struct slab *slab);

static inline bool pending_waits(const struct pending *pending)
{
    return pending->block != NULL && pending->block->marks != NULL;
}

static inline uint32_t pending_marks(const struct pending *pending)
{
    return pending_waits(pending) ? pending->block->marks->count : 0;
}

/* The mark with that number, 0 being the first that was not consumed; NULL behind the last, and where
 * nothing waits. Borrowed until the bytes change. */
static inline const struct pending_mark *pending_mark(const struct pending *pending, uint32_t number)
{
    return number < pending_marks(pending) ? &pending->block->marks->items[number] : NULL;
}

/* Of two sides that wait, the one whose next mark is the earlier, or side `first`, with `tried` marks of each
 * behind us; 2 when there is none to be tried. */
unsigned pending_next(const struct pending sides[2], const uint32_t tried[2], unsigned first);

/* Takes consumed bytes off the front; costs moving the rest. */
void pending_consume(struct pending *pending, struct slab *slab, size_t consumed);
/* Forgets all. */
void pending_drop(struct pending *pending, struct slab *slab);
