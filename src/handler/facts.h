// SPDX-License-Identifier: Apache-2.0
/* What an event says in fields of certain names, whatever its struct is: handlers know the names that
 * users know (ECS), and no protocol. Where the fields are is looked up when a type of event is met
 * first and kept in the handler's state. One thread. */
#pragma once

#include "event/transaction.h"

enum { FACTS_MAX = 24 /* names */, FACTS_TYPES = 8 /* types of events at hand */ };

/* Zeroes are an empty one; it belongs to one list of names. */
struct facts {
    struct {
        const struct event_type *type; /* NULL: free */
        const struct event_field *fields[FACTS_MAX];
    } known[FACTS_TYPES];
};

/* Looks the names (ended by NULL) up in the event's type. The fields, by the names' numbers, NULL where
 * the type has none of that name; valid until the next call. */
const struct event_field *const *facts_find(struct facts *facts, const char *const *names,
                                            const struct event_head *event);

/* The value of a field (NULL: none) of an event: a text, empty when it is another kind; ... */
struct span facts_text(const struct event_head *event, const struct event_field *field);
/* ... a number, 0 when it is none; a truth as 0 (not told), 1 (false) or 2 (true). */
uint64_t facts_number(const struct event_head *event, const struct event_field *field);
