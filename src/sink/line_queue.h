// SPDX-License-Identifier: Apache-2.0
/* Events on their way to a sink that sends them from a thread of its own: whole lines in the order of
 * their coming, bounded by their bytes and their number. A queue that is full takes no more: the lines are lost and
 * counted, or, where the source can wait (a file), the writer waits. Two threads: one puts, one takes. */
#pragma once

#include "base/span.h"

struct line_queue; /* opaque */

/* At most `most` lines (0: as many as fit); NULL without memory. */
struct line_queue *line_queue_new(size_t bytes, uint32_t most, bool waits);
void line_queue_free(struct line_queue *queue);

/* Puts lines in, each ended by a newline; returns how many were lost. */
uint32_t line_queue_put(struct line_queue *queue, struct span lines);

/* Copies at most `most` lines, as many whole ones as fit in `room` bytes, to `to`; a line that is longer
 * comes alone, so that `to` has room for all that the queue may hold. Waits for the first at most
 * `wait_ms`. Returns how many; `ret_size` is their size. */
uint32_t line_queue_take(struct line_queue *queue, void *to, size_t room, uint32_t most,
                         unsigned wait_ms, size_t *ret_size);

/* Nothing will be put any more; who waits goes on. */
void line_queue_end(struct line_queue *queue);
bool line_queue_has_ended(struct line_queue *queue);

struct line_queue_state {
    uint32_t lines; /* in it now */
    size_t bytes;
    uint64_t lost;  /* ever */
};

struct line_queue_state line_queue_state(struct line_queue *queue);
