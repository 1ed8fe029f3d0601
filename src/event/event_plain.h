// SPDX-License-Identifier: Apache-2.0
/* A struct as JSON by the table of its type, in one walk over the fields and with nothing kept between
 * two: for parts of events that are written once and told many times (EVENT_VALUE with an `item`). What
 * comes out is what event_writer.h makes of the same. Any thread. */
#pragma once

#include "base/json.h"
#include "event/event.h"

/* Appends the struct at `from` as an object; `type` lives as long as the process. */
void event_plain_put(struct json *to, const struct event_type *type, const void *from);
