// SPDX-License-Identifier: Apache-2.0
/* What waits for its answer: records of messages, slab blocks, in the order in which they were said. Each
 * answer names what it answers, so that any of them may be next. Pure; the records are the caller's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a protocol's record of a message begins with. */
struct waiter {
    struct waiter *next;
    struct waiter *previous;
    uint64_t start_ns; /* of its first packet */
    uint64_t end_ns;   /* of its last one */
    uint32_t weight;   /* bytes that the list counts for it */
    uint8_t side;      /* that said it */
    bool doubted;      /* its answer may have been in a hole */
};

/* Zeroes are an empty one. */
struct waiting {
    struct waiter *head; /* the oldest */
    struct waiter *tail;
    uint16_t count;
    uint16_t doubted;
    uint32_t bytes;
};

/* As a side: both. */
enum { WAITING_BOTH = 2 };

static inline void waiting_add(struct waiting *q, struct waiter *w)
{
    w->next = NULL;
    w->previous = q->tail;
    w->doubted = false;
    *(q->tail != NULL ? &q->tail->next : &q->head) = w;
    q->tail = w;
    q->count++;
    q->bytes += w->weight;
}

static inline void waiting_remove(struct waiting *q, struct waiter *w)
{
    *(w->previous != NULL ? &w->previous->next : &q->head) = w->next;
    *(w->next != NULL ? &w->next->previous : &q->tail) = w->previous;
    q->count--;
    q->doubted -= w->doubted;
    q->bytes -= w->weight;
}

/* Whether `side` said it, which may be WAITING_BOTH. */
static inline bool waiting_is_of(const struct waiter *w, unsigned side)
{
    return side == WAITING_BOTH || w->side == side;
}

/* More than so many, or more bytes; one alone is never too much. */
static inline bool waiting_is_full(const struct waiting *q, uint32_t count, uint32_t bytes)
{
    return q->head != NULL && (q->count > count || (q->bytes > bytes && q->count > 1));
}

/* A hole is where the answers to what `side` said may have been: whoever is answered later all the same was
 * not. The others wait on, for a later answer is surely theirs as long as their names are not used anew. */
static inline void waiting_doubt(struct waiting *q, unsigned side)
{
    for (struct waiter *w = q->head; w != NULL; w = w->next) {
        if (w->side == side && !w->doubted) {
            w->doubted = true;
            q->doubted++;
        }
    }
}

/* Why there is no answer; NULL for what wants none. */
static inline const char *waiting_reason(const struct waiter *w, const char *reason)
{
    return w->doubted && reason != NULL ? "gap" : reason;
}
