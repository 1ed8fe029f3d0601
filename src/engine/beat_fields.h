// SPDX-License-Identifier: Apache-2.0
/* Fields with types in Elasticsearch that event tables do not tell: Packetbeat has another one for them,
 * or they stand around events. For index templates; template_types.h has the rest. */
#pragma once

struct beat_field {
    const char *name; /* a path */
    const char *type; /* of a mapping */
};

extern const struct beat_field beat_fields[]; /* ended by a NULL name */
