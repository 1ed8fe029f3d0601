// SPDX-License-Identifier: Apache-2.0
/* Templates of transactions that have their ends written already: addresses, ports and Community ID, which
 * are the same in all that one end asks the other in a flow. Few flows have most transactions, and what
 * comes in such a row is told from its shape and 74 bytes. Ends that had some events of one shape get a
 * template of their own. Owned by whoever writes; bounded: EVENT_ENDS_MOST templates of some KB, and
 * flows pay nothing. */
#pragma once

#include "event/event_template.h"

enum {
    EVENT_ENDS_MOST = 512,
    EVENT_ENDS_SEEN = 32, /* events of the same ends and shape until they have a template */
};

struct event_ends;

/* For events without fields that have any flag of `without`; NULL without memory. */
struct event_ends *event_ends_new(unsigned without);
void event_ends_free(struct event_ends *ends);

/* The template for a transaction of this shape, and of the hash that event_plan_shape() has given, with
 * its ends; NULL when they have none. The plan's has_ends is true. */
const struct event_template *event_ends_find(struct event_ends *ends, const struct event_plan *plan,
                                             const struct event_shape *shape, uint64_t hash,
                                             const void *event);
