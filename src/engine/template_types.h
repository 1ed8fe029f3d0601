// SPDX-License-Identifier: Apache-2.0
/* All fields that events may have, with their types in Elasticsearch: those of the tables of protocols,
 * flows and connections, each by its kind, and what stands around events. Where Packetbeat has a type
 * of its own for a field (beat_fields.h), that is its type. Cold path. */
#pragma once

#include "event/event.h"

/* The type of a field of a table whose whole path this is; NULL where its kind does not tell and
 * beat_fields does not name it. */
const char *template_types_of(const struct event_field *field, const char *path);

typedef void template_types_visit(void *context, const char *path, const char *type);

/* Calls `visit` with each field, maybe more than once. */
void template_types_walk(template_types_visit *visit, void *context);
