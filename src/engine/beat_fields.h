// SPDX-License-Identifier: Apache-2.0
/* The fields of Packetbeat's events with their types in Elasticsearch, for index templates. */
#pragma once

struct beat_field {
    const char *name; /* a path */
    const char *type; /* of a mapping */
};

extern const struct beat_field beat_fields[]; /* ended by a NULL name */
