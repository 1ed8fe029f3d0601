// SPDX-License-Identifier: Apache-2.0
/* Where hooks on the packet path put their events: a piece of memory taken at start that holds them one
 * behind the other. Who owns the log completes each event with what its maker does not know. Mostly
 * nobody will look at it any more but those who want its JSON: then it is encoded from where it is,
 * and what the log holds is a line; or the line is written to where lines are wanted right away, and the
 * log holds nothing. Otherwise it is packed. The engine empties the log after each call
 * of a hook, so it only has to hold what one call makes; what finds no room is counted.
 *
 * An event with a large text in it, the body of a message or a long statement, may be larger than the log.
 * It is packed into a block of its own then, of the maker's memory, and the log says where. Where there
 * is no such memory its texts are cut. One thread. */
#pragma once

#include "event/event.h"

struct event_writer;
struct json;
struct slab;

struct event_log {
    uint8_t *memory; /* owned by whoever made the log; 8-byte aligned */
    size_t capacity;
    size_t used;
    size_t text_max; /* longer texts are cut */
    struct slab *slab; /* has blocks for events that are larger than the log; NULL: there are none */
    size_t large_bytes; /* of those that were taken */
    uint64_t lost;   /* events that found no room */
    uint64_t cut;    /* events of which texts were cut for want of memory, by the log or by their
                      * makers; each counts once, however many texts */
    bool is_cut;     /* this was so of the event that is being added; its maker says so before */
    struct event_writer *writer; /* makes lines; NULL: events are packed */
    struct json *lines;  /* where they go as far as it has room, not the log's; NULL: into the log */
    uint32_t line_count; /* of what went there */
    /* Completes an event, which may refer to itself then; NULL: there is nothing to add. */
    void (*complete)(void *owner, struct event_head *event);
    void *owner;
};

/* An event that has been encoded: its head's type is event_line_type. */
struct event_line {
    struct event_head head;
    size_t size;
    char text[]; /* JSON and a newline */
};

extern const struct event_type event_line_type;

/* An event that is elsewhere: its head's type is event_large_type. Whoever is done with it gives the block
 * back to the slab, on the slab's thread. */
struct event_large {
    struct event_head head;
    struct event_head *event; /* packed, at the beginning of its block */
};

extern const struct event_type event_large_type;

/* The event that a record of a log stands for: mostly itself. */
static inline struct event_head *event_log_whole(struct event_head *record)
{
    return record->type == &event_large_type ? ((struct event_large *)record)->event : record;
}

/* As event_log_add(), and its texts are cut only where memory is short: for those whose maker has bounded
 * them, and says what was cut. */
bool event_log_add_whole(struct event_log *log, struct event_head *event);

/* Completes an event and puts it behind the others; false, and counted, when there is no room. An event
 * with a text that is to be cut is always packed, and so is one that has to have a block. */
bool event_log_add(struct event_log *log, struct event_head *event);

/* The first record of the log, and the one behind `event`; NULL at the end. */
struct event_head *event_log_first(struct event_log *log);
struct event_head *event_log_next(struct event_log *log, const struct event_head *event);

/* Forgets all. */
void event_log_reset(struct event_log *log);
