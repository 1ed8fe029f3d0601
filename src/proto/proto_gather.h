// SPDX-License-Identifier: Apache-2.0
/* The beginning of a message that is longer than what is left with the engine until it is whole:
 * gathered in a slab block that grows as its bytes come, so that what a message says of its size
 * costs nothing. For protocols that read message by message (proto_reading.h). What was taken of
 * the message is in the block but for what memory was short for. Constant work a byte; the block is
 * the side's. */
#pragma once

#include "proto/proto_cut.h"
#include "proto/proto_reading.h"

/* A connection's side has one while it gathers, else NULL. */
struct gather {
    uint32_t size;   /* bytes that are there, */
    uint32_t taken;  /* that were taken, */
    uint32_t wanted; /* that are to be there */
    uint8_t bytes[];
};

enum { GATHER_FIRST = 16 << 10 };

/* Begins a message of which `wanted` bytes are to be gathered, none of them yet; false without
 * memory. */
static inline bool gather_begin(struct gather **g, struct slab *slab, uint32_t wanted)
{
    *g = slab_take(slab, sizeof **g + GATHER_FIRST);
    if (*g != NULL) {
        **g = (struct gather){.wanted = wanted};
    }
    return *g != NULL;
}

/* Has room for `size` more bytes; how many there is room for. */
static inline size_t gather_room(struct gather **g, struct slab *slab, size_t size)
{
    size_t room = slab_room(*g) - sizeof **g;
    size_t wanted = (*g)->size + size;
    if (wanted > room) {
        size_t twice = 2 * room < (*g)->wanted ? 2 * room : (*g)->wanted;
        wanted = wanted > twice ? wanted : twice;
        struct gather *larger = slab_grow_large(slab, *g, sizeof **g + wanted);
        *g = larger != NULL ? larger : *g;
        room = slab_room(*g) - sizeof **g;
    }
    return room - (*g)->size;
}

/* Bytes of the message are there; keeps of them what is wanted. */
static inline void gather_add(struct gather **g, struct slab *slab, struct span bytes)
{
    struct span wanted = span_head(bytes, (*g)->wanted - (*g)->size);
    bool is_short = (*g)->size < (*g)->taken && wanted.size > 0; /* before: no more then */
    struct span kept =
        span_head(wanted, is_short || wanted.size == 0 ? 0 : gather_room(g, slab, wanted.size));
    if (kept.size > 0) {
        memcpy((*g)->bytes + (*g)->size, kept.data, kept.size);
    }
    (*g)->size += (uint32_t)kept.size;
    (*g)->taken += (uint32_t)bytes.size;
}

/* Takes what is at hand of the message; whether that is all that is to be had: what is wanted is
 * there, or memory is short. */
static inline bool gather_take(struct gather **g, struct reading *r)
{
    struct span here = span_head(r->rest, (*g)->wanted - (*g)->taken);
    gather_add(g, r->c->memory, here);
    r->rest = span_skip(r->rest, here.size);
    return (*g)->size < (*g)->taken || (*g)->taken == (*g)->wanted;
}

static inline struct span gather_span(const struct gather *g)
{
    return span_of(g->bytes, g->size);
}

/* Why the message ends there; a hole says so itself. */
static inline enum proto_cut gather_cut(const struct gather *g, size_t whole)
{
    bool is_all = g->taken == g->wanted && g->wanted == whole;
    return g->size < g->taken               ? PROTO_CUT_SHORT
           : is_all || g->taken < g->wanted ? PROTO_CUT_NOT
                                            : PROTO_CUT_AT_MOST;
}

static inline void gather_end(struct gather **g, struct slab *slab)
{
    slab_give(slab, *g);
    *g = NULL;
}
