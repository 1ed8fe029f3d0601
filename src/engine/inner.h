// SPDX-License-Identifier: Apache-2.0
/* What is said within a conversation: the plain bytes of a connection whose protocol opened them (TLS
 * with a key log) are a conversation of their own, which all protocols are asked about. It has no TCP
 * stream, so no gaps; it begins with the first plain bytes and ends with the outer one. It lives in a
 * slab block that only such connections have. What the two sides agreed to say is believed, as far as the
 * bytes are not against it.
 *
 * The outer protocol knows nothing of it: it returns plain bytes as a value, and conversation.c carries
 * them here. What is said within what is said within is not looked for. */
#pragma once

#include "engine/listeners.h"

struct inner; /* opaque */

/* What a call may use; all of it is the conversation's. Events are left in the log. */
struct inner_world {
    const struct listeners *listeners;
    struct slab *slab;
    struct event_log *events;
    uint8_t *blocks; /* of the worker's delta */
    uint8_t *caches; /* of the worker */
    const struct flow *flow;
    uint64_t now_ns;
    struct span agreed; /* what the two sides agreed to say, as ALPN calls it; empty: not known */
};

/* Plain bytes of a side; *inner is NULL at first. */
void inner_feed(const struct inner_world *world, struct inner **inner,
                const struct proto_chunk *chunk);
/* A side has said all. */
void inner_fin(const struct inner_world *world, struct inner *inner, unsigned side);
/* The end; gives all memory back. NULL is fine. */
void inner_close(const struct inner_world *world, struct inner *inner, enum proto_close why);
