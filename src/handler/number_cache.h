// SPDX-License-Identifier: Apache-2.0
/* Numbers that come again and again (ports, types, codes), with how often each came since it last left:
 * their texts and their places in top-Ns are looked up when they leave, not for every event.
 * Direct-mapped; zeroes are an empty one. One thread; an add costs a nanosecond or two. */
#pragma once

#include "base/span.h"

enum { NUMBER_CACHE_SLOTS = 512 };

struct number_cache_entry {
    uint32_t number;
    uint32_t count; /* 0: free */
};

struct number_cache {
    struct number_cache_entry entries[NUMBER_CACHE_SLOTS];
};

/* What is done with a number that leaves. */
typedef void number_cache_leave(void *context, const struct number_cache_entry *entry);

static inline void number_cache_add(struct number_cache *cache, uint32_t number,
                                    number_cache_leave *leave, void *context)
{
    struct number_cache_entry *entry = &cache->entries[number % NUMBER_CACHE_SLOTS];
    if (entry->number != number || entry->count == UINT32_MAX) {
        if (entry->count > 0) {
            leave(context, entry);
        }
        *entry = (struct number_cache_entry){.number = number};
    }
    entry->count++;
}

/* Empties it. */
void number_cache_fold(struct number_cache *cache, number_cache_leave *leave, void *context);
