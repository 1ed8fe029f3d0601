// SPDX-License-Identifier: Apache-2.0
/* A table of header fields (HPACK, RFC 7541 §2.3.2) while nobody needs it: written as the header block
 * that makes it, the oldest entry first, names by their index where the static table has them. Unpacked by
 * an inflater that is new, and allows the table what it was allowed, it is what it was: the same entries
 * in the same order, with the same bound. An inflater takes some KiB, this the bytes of its entries. */
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/span.h"

/* Writes the table to `to`, or nowhere when that is NULL; returns how many bytes these are. The inflater
 * is between two blocks. */
size_t http2_table_write(nghttp2_hd_inflater *inflater, uint8_t *to);

/* Makes it what was written. False when it breaks the rules, which what was written does not, or memory
 * runs short: the inflater is of no use then. */
bool http2_table_read(nghttp2_hd_inflater *inflater, struct span written);
