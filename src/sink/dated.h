// SPDX-License-Identifier: Apache-2.0
/* Names of the files that an output begins one after the other, as Packetbeat gives them: behind the stem
 * the day in UTC, and from a day's second file on a number: packetbeat-20261121.ndjson, then
 * packetbeat-20261121-1.ndjson. A file keeps its name, so that who collects them reads each once. */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <time.h>

enum { DATED_FILES_MAX = 4096 }; /* of a stem, in its folder; of more the others are not removed */

/* The last of the day's files that there is, or the one that would be its first. */
void dated_last(const char *stem, time_t now, char ret[PATH_MAX]);

/* The one behind the last. */
void dated_next(const char *stem, time_t now, char ret[PATH_MAX]);

/* Removes the oldest files of the stem but for `keep`; what cannot be removed stays. */
void dated_purge(const char *stem, uint32_t keep);
