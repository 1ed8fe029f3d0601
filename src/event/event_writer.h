// SPDX-License-Identifier: Apache-2.0
/* Encodes many events as JSON: what events of one shape have in common (event_plan.h) is made once
 * and kept as a template, some of them; of an event only the values that differ are written, those
 * that come twice (client.ip, source.ip) once. Some hundreds of templates at most, each of a few kilobytes,
 * the two newest of those that fall on one pair of places. One thread at a time. */
#pragma once

#include "event/event.h"

struct event_writer; /* opaque */

/* One that leaves fields out which have any of `without` (enum event_flags). NULL without memory. */
struct event_writer *event_writer_new(unsigned without);
void event_writer_free(struct event_writer *writer);

/* Appends one event as a nested JSON object, no newline. */
void event_writer_put(struct event_writer *writer, struct json *to, const struct event_head *event);

/* Appends the events of an array, of which each item begins with one and takes `size` bytes. */
void event_writer_list(struct json *to, const struct event_head *first, size_t count, size_t size);
