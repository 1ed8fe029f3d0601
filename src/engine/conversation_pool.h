// SPDX-License-Identifier: Apache-2.0
/* What a worker keeps of each conversation, private to conversation*.c: an array whose address space is
 * reserved at start, of which a number in each flow says which is its own. What was given back is taken
 * first; what is new is paid from a budget. */
#pragma once

#include "base/budget.h"
#include "base/prefetch.h"
#include "engine/inner.h"
#include "engine/late.h"
#include "engine/pending.h"
#include "flow/tcp_stream.h"

enum { CONVERSATION_BYTES = 128 }; /* that one takes, but for what waits and the protocol's state */

struct conversation {
    struct tcp_stream stream;
    struct pending pending[2];
    struct inner *inner; /* what is said within, NULL: nothing */
    void *state;      /* flow_size bytes in a slab block, NULL when that is 0 or not known yet */
    uint32_t next_free;
    uint16_t proto;   /* its listener's number plus 1; 0: not known yet */
    bool reset;       /* a side has sent RST */
    uint8_t fins;     /* sides that have said all, a bit each */
    uint8_t begun;    /* sides that have begun: a proxy's header does not come any more */
    uint8_t switches; /* how often it went on with another protocol */
    uint8_t holes;    /* before the protocol was known, and what was not understood behind them */
    uint8_t first;    /* the side that spoke first, of what was said before the protocol was known */
    struct late late; /* what was said while it was not */
};

_Static_assert(sizeof(struct conversation) <= CONVERSATION_BYTES, "what the budget counts");

struct conversation_pool {
    struct conversation *items; /* 0 is never used: flows without one have it */
    struct budget_row row;      /* items that were used, and what pays for more */
    uint32_t free_list;
    uint8_t *caches;            /* of all protocols; touched as they need them */
    size_t items_size;          /* bytes of the reservations */
    size_t caches_size;
};

/* For so many conversations at a time, paid from a budget (NULL: nobody asks), and bytes of protocols'
 * caches. False when the system refuses; then, too, it is to be done with. */
bool conversation_pool_init(struct conversation_pool *pool, uint32_t capacity, size_t caches,
                            struct budget *budget);
void conversation_pool_done(struct conversation_pool *pool);

/* A zeroed one for a flow; NULL when there are as many as there may be. */
struct conversation *conversation_pool_take(struct conversation_pool *pool, struct flow *flow);
/* That of a flow, which has one. */
static inline struct conversation *conversation_pool_at(const struct conversation_pool *pool,
                                                        const struct flow *flow)
{
    return &pool->items[flow->talk];
}
/* As conversation_prefetch(). */
static inline void conversation_pool_prefetch(const struct conversation_pool *pool,
                                              const struct flow *later, const struct flow *soon)
{
    const uint8_t *at = (const uint8_t *)conversation_pool_at(pool, later);
    prefetch_write(at);
    prefetch_write(at + sizeof(struct conversation) / 2);
    prefetch_write(conversation_pool_at(pool, soon)->state);
}
void conversation_pool_give(struct conversation_pool *pool, struct flow *flow);
