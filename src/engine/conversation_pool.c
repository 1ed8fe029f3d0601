// SPDX-License-Identifier: Apache-2.0
#include "engine/conversation_pool.h"

#include "base/pages.h"

bool conversation_pool_init(struct conversation_pool *pool, uint32_t capacity, size_t caches,
                            struct budget *budget)
{
    *pool = (struct conversation_pool){
        .row = {.budget = budget,
                .bytes_each = sizeof *pool->items,
                .most = capacity},
        .items_size = ((size_t)capacity + 1) * sizeof *pool->items,
        .caches_size = caches + 1,
    };
    pool->items = pages_reserve(pool->items_size);
    pool->caches = pages_reserve_sparse(pool->caches_size);
    return pool->items != NULL && pool->caches != NULL;
}

void conversation_pool_done(struct conversation_pool *pool)
{
    pages_release(pool->items, pool->items_size);
    pages_release(pool->caches, pool->caches_size);
}

struct conversation *conversation_pool_take(struct conversation_pool *pool, struct flow *flow)
{
    uint32_t number = pool->free_list;
    if (number != 0) {
        pool->free_list = pool->items[number].next_free;
    } else if ((number = budget_row_next(&pool->row)) == 0) {
        return NULL;
    }
    flow->talk = number;
    pool->items[number] = (struct conversation){0};
    return &pool->items[number];
}

void conversation_pool_give(struct conversation_pool *pool, struct flow *flow)
{
    pool->items[flow->talk].state = NULL; /* which nobody fetches ahead */
    pool->items[flow->talk].next_free = pool->free_list;
    pool->free_list = flow->talk;
    flow->talk = 0;
}
