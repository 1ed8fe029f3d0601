// SPDX-License-Identifier: Apache-2.0
/* Whether something holds for an event: equals, contains, regexp, range, network and has_fields over
 * its fields, joined by and, or and not; as Elastic's programs write them under `when` and `if`.
 * Made once from a configuration, then asked of each event. A condition lives in the tree that it was
 * made in, and refers to the configuration's nodes. Asking is pure; any thread. */
#pragma once

#include "base/err.h"
#include "base/node.h"

struct condition; /* opaque */

/* Reads a condition from a map; NULL and err (which begins with LINE:COLUMN: where it is known) when
 * it is none. */
struct condition *condition_new(struct nodes *tree, const struct node *map, struct err *err);

/* Gives back what is not in the tree. */
void condition_free(struct condition *condition);

bool condition_holds(const struct condition *condition, const struct node *event);

/* Fills in err for a node of a configuration, with its place; returns false. */
__attribute__((format(printf, 3, 4))) bool condition_refuse(const struct node *at,
                                                            struct err *err, const char *format,
                                                            ...);
