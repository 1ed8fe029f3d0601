// SPDX-License-Identifier: Apache-2.0
/* Snappy blocks unpacked (google/snappy, format_description.txt): the raw format, without the
 * framing of files. Hostile input is fine: nothing is read or written out of bounds, the work is
 * linear in what comes and what goes out. No allocation, no state; any thread. */
#pragma once

#include "base/span.h"

/* The length that a block says it has unpacked, at most 5 bytes at its beginning; false when there
 * is none, or it is above 4 GiB. */
bool snappy_length(struct span block, uint64_t *ret);

/* Unpacks as much as there is and as fits; returns the bytes written. `whole` is whether that is
 * the block, all of it. */
size_t snappy_unpack(struct span block, uint8_t *to, size_t room, bool *whole);
