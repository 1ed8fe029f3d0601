// SPDX-License-Identifier: Apache-2.0
/* Private to the reading of Packetbeat's configuration: what may be set for single kinds of events: index,
 * tags, fields, processors. */
#pragma once

#include "engine/beat_value.h"

enum { BEAT_TYPES_MAX = 64 };

/* Adds to r->types what a protocol's map says of its events; false and r->err after a fault. */
bool beat_read_type(struct beat_reading *r, const char *type, struct node *map);
/* Checks a list of processors, and tells of those that do nothing here. NULL after a fault. */
struct processors *beat_processors(struct beat_reading *r, const struct node *list);
