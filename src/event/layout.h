// SPDX-License-Identifier: Apache-2.0
/* Times as other programs write them, read by a layout in the words of Go's package time, as Elastic's
 * configurations have them: a layout shows how Monday, 2 January 2006, 15:04:05 of UTC-7 would look.
 * Pure, but for this machine's zone and this year, where the text leaves them open. Off the packet path. */
#pragma once

#include "base/span.h"
#include "event/zone.h"

/* What is taken for the zone of a text that names none. */
struct layout_zone {
    const struct zone *named; /* of the tz database; NULL: none */
    bool is_local;  /* this machine's */
    int32_t offset; /* seconds east of UTC */
};

/* "UTC", "Local", "+02:00", "-0730", "Europe/Berlin", whose table is put into the tree; an empty name is
 * UTC. False for all else. */
bool layout_zone_read(struct span name, struct nodes *tree, struct layout_zone *ret);

/* Reads all of `text`; UNIX and UNIX_MS are seconds and milliseconds since 1970. Nanoseconds since
 * 1970, of this year where none is told. False when the text is otherwise, or no such time is. */
bool layout_parse(struct span layout, struct span text, struct layout_zone zone, int64_t *ret);
