// SPDX-License-Identifier: Apache-2.0
/* Request bodies that wait, oldest first, bounded by their bytes: in memory, or in a journal, a
 * directory with a file for each (NUMBER-POINTS.push). When it is full the oldest go and are
 * counted. Files are written under another name first, so that one that is there is whole.
 * Any thread. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct push_queue; /* opaque */

/* `journal`: a directory, made if it is not there; "" for none. NULL and err when it cannot be
 * used. */
struct push_queue *push_queue_new(size_t bytes, const char *journal, struct err *err);
void push_queue_free(struct push_queue *queue);

/* Puts in a copy; in memory at first. */
void push_queue_put(struct push_queue *queue, struct span body, uint32_t points);

struct push_item {
    uint8_t *data; /* owned: free() */
    size_t size;
    uint32_t points;
    uint64_t number; /* for push_queue_done() */
};

/* A copy of the oldest, which stays until push_queue_done(); waits at most wait_ms for one. */
bool push_queue_first(struct push_queue *queue, unsigned wait_ms, struct push_item *ret);
/* It was sent, or given up. */
void push_queue_done(struct push_queue *queue, uint64_t number);
/* Writes what is in memory to the journal, if there is one. Blocks as long as the disk does. */
void push_queue_save(struct push_queue *queue);

struct push_queue_state {
    uint32_t bodies;
    uint64_t points; /* in them */
    uint64_t lost;   /* points of those that went, ever */
    bool has_trouble; /* the journal cannot be written: bodies stay in memory */
};
struct push_queue_state push_queue_state(struct push_queue *queue);
