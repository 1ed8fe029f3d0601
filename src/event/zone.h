// SPDX-License-Identifier: Apache-2.0
/* Time zones by their names (Europe/Berlin), from the files of the system's tz database (RFC 8536). libc
 * knows one zone at a time, for all threads; these are tables that anybody may look into. All changes up
 * to ZONE_LAST_YEAR are in the table, so that a look costs a search. Made when a configuration is read. */
#pragma once

#include "base/node.h"
#include "base/span.h"

enum { ZONE_LAST_YEAR = 2200, ZONE_FILE_MAX = 1 << 16 };

struct zone; /* opaque; lives as long as the nodes */

/* The zone of that name; NULL when the system has no file of it, or one that is none. */
const struct zone *zone_named(struct span name, struct nodes *tree);
/* The one that the bytes of a file tell; NULL when they are none (version 1 only, too: it ends in 2037). */
const struct zone *zone_of(struct span file, struct nodes *tree);

/* How many seconds east of UTC clocks were at a time, in seconds since 1970. */
int32_t zone_offset(const struct zone *zone, int64_t utc);
/* The same where clocks showed `local`, as if they were UTC's. An hour that clocks showed twice is one of
 * the two, and one that they left out is taken by one of the offsets around it. */
int32_t zone_local_offset(const struct zone *zone, int64_t local);
