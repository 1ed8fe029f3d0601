// SPDX-License-Identifier: Apache-2.0
/* Where hooks on the packet path put their events: a piece of memory taken at start that holds
 * packed events one behind the other. The engine empties it after each call of a hook, so it only
 * has to hold what one call makes; what finds no room is counted. One thread. */
#pragma once

#include "event/event.h"

struct event_log {
    uint8_t *memory; /* owned by whoever made the log; 8-byte aligned */
    size_t capacity;
    size_t used;
    size_t text_max; /* longer texts are cut */
    uint64_t lost;   /* events that found no room */
};

/* Packs an event behind the others; false, and counted, when there is no room. */
bool event_log_add(struct event_log *log, const struct event_head *event);

/* The first event of the log, and the one behind `event`; NULL at the end. */
struct event_head *event_log_first(struct event_log *log);
struct event_head *event_log_next(struct event_log *log, const struct event_head *event);

/* Forgets all. */
void event_log_reset(struct event_log *log);
