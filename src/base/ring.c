// SPDX-License-Identifier: Apache-2.0
#include "base/ring.h"

#include <assert.h>

#include "base/pages.h"

/* Before each record stands one 64-bit word: its size in bytes, or RING_SKIP. */
enum { RING_HEADER = 8 };
#define RING_SKIP UINT64_MAX

bool ring_init(struct ring *r, size_t size)
{
    assert(size >= 4096 && (size & (size - 1)) == 0);
    *r = (struct ring){.memory = pages_reserve(size), .size = size};
    return r->memory != NULL;
}

void ring_done(struct ring *r)
{
    pages_release(r->memory, r->size);
    r->memory = NULL;
}

static uint64_t *ring_word(const struct ring *r, uint64_t position)
{
    return (uint64_t *)(void *)(r->memory + (position & (r->size - 1)));
}

/* Whether the ring has room up to the position `end`; looks at the consumer only in need. */
static bool ring_fits(struct ring *r, uint64_t end)
{
    if (end - r->tail_seen <= r->size) {
        return true;
    }
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    return end - r->tail_seen <= r->size;
}

void *ring_reserve(struct ring *r, size_t size)
{
    if (size > r->size / 2 - RING_HEADER) {
        return NULL;
    }
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t need = RING_HEADER + (((uint64_t)size + 7) & ~(uint64_t)7);
    uint64_t to_end = r->size - (head & (r->size - 1));
    uint64_t skip = need > to_end ? to_end : 0;
    if (!ring_fits(r, head + skip + need)) {
        return NULL;
    }
    if (skip > 0) {
        *ring_word(r, head) = RING_SKIP;
        head += skip;
    }
    *ring_word(r, head) = size;
    r->reserved = head + need;
    r->is_open = false;
    return ring_word(r, head) + 1;
}

void *ring_open(struct ring *r, size_t size)
{
    assert(size % RING_HEADER == 0 && size <= r->size / 2);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t to_end = r->size - (head & (r->size - 1));
    uint64_t skip = size > to_end ? to_end : 0;
    if (!ring_fits(r, head + skip + size)) {
        return NULL;
    }
    if (skip > 0) {
        *ring_word(r, head) = RING_SKIP;
    }
    r->reserved = head + skip;
    r->is_open = true;
    return ring_word(r, head + skip);
}

void ring_commit_many(struct ring *r, size_t size)
{
    r->reserved += size;
    ring_commit(r);
}

void ring_rewind(struct ring *r)
{
    uint64_t start = (atomic_load_explicit(&r->head, memory_order_relaxed) + r->size - 1) &
                     ~(r->size - 1);
    atomic_store_explicit(&r->head, start, memory_order_relaxed);
    atomic_store_explicit(&r->tail, start, memory_order_relaxed);
    r->tail_seen = r->head_seen = r->peeked = r->reserved = start;
    r->is_open = false;
}

void ring_commit(struct ring *r)
{
    r->is_open = false;
    atomic_store_explicit(&r->head, r->reserved, memory_order_release);
}

void *ring_peek(struct ring *r, size_t *size)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail == r->head_seen) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail == r->head_seen) {
            return NULL;
        }
    }
    /* A skip record is never the last: it is committed together with what stands behind it. */
    if (*ring_word(r, tail) == RING_SKIP) {
        tail += r->size - (tail & (r->size - 1));
    }
    *size = *ring_word(r, tail);
    r->peeked = tail + RING_HEADER + ((*size + 7) & ~(uint64_t)7);
    return ring_word(r, tail) + 1;
}

void ring_release(struct ring *r)
{
    atomic_store_explicit(&r->tail, r->peeked, memory_order_release);
}

size_t ring_used(const struct ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    return head - tail;
}
