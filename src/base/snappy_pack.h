// SPDX-License-Identifier: Apache-2.0
/* Bytes packed as a Snappy block (google/snappy, format_description.txt): the raw format, which
 * snappy.h unpacks. What repeats within 64 KiB is said by where it stood before; good at text that
 * says the same names again and again, and quick: linear time, one look at each place. No
 * allocation, 32 KiB of stack; any thread. */
#pragma once

#include "base/span.h"

/* The most bytes that packing `size` bytes may take. */
size_t snappy_pack_bound(size_t size);

/* Packs `bytes`, 4 GiB at most, into `to`, which has room for snappy_pack_bound(); returns how many
 * bytes these are. */
size_t snappy_pack(struct span bytes, uint8_t *to);
