// SPDX-License-Identifier: Apache-2.0
/* A queue of records of any size from one thread (the producer) to one other (the consumer), in
 * place: the producer writes into the ring, the consumer reads out of it, nothing is copied and
 * nobody waits. Each side keeps the other's position as it last saw it and looks again only when
 * that is not enough, so a record costs a few nanoseconds and seldom a cache miss.
 *
 * Records are aligned to 8 bytes and whole in memory: one that would run over the end begins at
 * the start, behind a skip record. The memory is taken once, by ring_init(). */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *memory;
    uint64_t size; /* power of two */
    /* Positions only grow; modulo size they are offsets. The producer's line: */
    alignas(64) _Atomic uint64_t head; /* end of what is committed */
    uint64_t tail_seen;
    uint64_t reserved; /* head after the commit of the open reservation */
    bool is_open;      /* by ring_open(), and nothing was reserved or committed since */
    /* The consumer's line: */
    alignas(64) _Atomic uint64_t tail; /* end of what is released */
    uint64_t head_seen;
    uint64_t peeked; /* tail after the release of the record last peeked at */
};

/* Takes `size` bytes (a power of two, at least a page). False when the system refuses. */
bool ring_init(struct ring *r, size_t size);
/* Gives them back; both threads must be done with the ring. A zeroed ring is fine. */
void ring_done(struct ring *r);

/* Producer: room for a record of `size` bytes, or NULL when the ring is too full for it. At most
 * half of the ring less 8 bytes: what is larger never fits. A reservation that was not committed
 * is forgotten by the next. */
void *ring_reserve(struct ring *r, size_t size);
/* Producer: hands the reserved record to the consumer. */
void ring_commit(struct ring *r);

/* Producer: `size` bytes (a multiple of 8, half of the ring at most) for several records one behind
 * the other, each behind a 64-bit word that says how many bytes it takes, a multiple of 8; NULL when
 * there is no such room. ring_commit_many() hands over those in the first `size` bytes, at least one
 * record; what lies behind them is to be opened anew. */
void *ring_open(struct ring *r, size_t size);
void ring_commit_many(struct ring *r, size_t size);
/* Producer: whether what was opened last is as it was; then it need not be opened again. */
static inline bool ring_is_open(const struct ring *r)
{
    return r->is_open;
}

/* Of a ring that is empty, whose producer and consumer are one thread: what comes next stands at the
 * start of the memory again, which is in the cache. */
void ring_rewind(struct ring *r);

/* Consumer: the oldest record and its size, or NULL when there is none. Stays the same until it
 * is released. */
void *ring_peek(struct ring *r, size_t *size);
/* Consumer: ends the use of the record last peeked at. */
void ring_release(struct ring *r);

/* Bytes in use, headers included; any thread, a moment's value for display. */
size_t ring_used(const struct ring *r);
