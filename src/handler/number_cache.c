// SPDX-License-Identifier: Apache-2.0
#include "handler/number_cache.h"

void number_cache_fold(struct number_cache *cache, number_cache_leave *leave, void *context)
{
    for (uint32_t i = 0; i < NUMBER_CACHE_SLOTS; i++) {
        if (cache->entries[i].count > 0) {
            leave(context, &cache->entries[i]);
            cache->entries[i].count = 0;
        }
    }
}
