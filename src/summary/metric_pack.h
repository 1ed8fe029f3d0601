// SPDX-License-Identifier: Apache-2.0
/* Blocks of metrics in few bytes, for those that only wait to be read: numbers as long as they are,
 * of tables and sketches only what is there. What was packed is added to a block as that one would
 * have been, with the same result; but where names may be longer than TOPN_WIDE_WHOLE, and there are
 * more than METRIC_PACK_NAMES bytes of them: then the lightest are left out, as a purge would (topn.h), and
 * the error says so.
 *
 * Bytes are this program's own: for its memory, not for files or strangers. Blocks with parts (a table's
 * own reset and merge), facts and histograms with bounds are not packed. Cold path, any thread. */
#pragma once

#include "base/span.h"

struct metric_set;

enum { METRIC_PACK_NAMES = 24 << 10 };

/* Whether blocks of this table can be packed. */
bool metric_pack_can(const struct metric_set *set);
/* Bytes that are room enough for any block of it. */
size_t metric_pack_room(const struct metric_set *set);
/* Writes a block to `to`; returns how many bytes that are. */
size_t metric_pack(const struct metric_set *set, const void *block, uint8_t *to);
/* Adds what was packed to a block of the same table. */
void metric_pack_merge(const struct metric_set *set, void *into, struct span packed);
