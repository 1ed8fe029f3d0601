// SPDX-License-Identifier: Apache-2.0
/* How far pieces of RESP reach in the bytes at hand. Pure. */
#pragma once

#include "base/span.h"

/* The bytes of a value's type, a length of a few digits behind it and the end of their line, all at the
 * front of `data`, and the length in *ret; 0: that is not what is there, or not all of it. */
size_t redis_measure_length(struct span data, uint32_t *ret);

/* How many of the next bytes of a line a value of this type may have, were the line to end there;
 * `before`: bytes of the line so far. */
size_t redis_measure_line(uint8_t type, size_t before, struct span next);
