// SPDX-License-Identifier: Apache-2.0
/* Bytes of a side become messages. Heads and lines are read when they are whole (the engine keeps
 * what is not, MEMCACHE_LINE_MAX bytes at most); values are passed over as they come, and kept only
 * as far as users ask for them. */
#pragma once

#include "proto/memcache/memcache_flow.h"

enum { MEMCACHE_LINE_MAX = 64 << 10 };

/* As proto.on_chunk. */
struct proto_taken memcache_stream_chunk(struct proto_context *c, const struct proto_chunk *chunk);
/* As proto.on_gap. */
void memcache_stream_gap(struct proto_context *c, unsigned side, uint32_t length);

/* Gives back what a side has begun. */
void memcache_stream_drop(struct proto_context *c, unsigned side);

enum proto_guess memcache_probe(struct span data, unsigned side);
