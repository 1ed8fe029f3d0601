// SPDX-License-Identifier: Apache-2.0
/* LZ4 blocks unpacked (lz4/lz4, doc/lz4_Block_format.md): the raw format, without the frames of
 * files. Hostile input is fine: nothing is read or written out of bounds, the work is linear in what
 * comes and what goes out. No allocation, no state; any thread. */
#pragma once

#include "base/span.h"

/* Unpacks as much as there is and as fits; returns the bytes written. `whole` is whether the block
 * was well-formed and all of it fitted. A block does not say how long it is unpacked. */
size_t lz4_unpack(struct span block, uint8_t *to, size_t room, bool *whole);
