// SPDX-License-Identifier: Apache-2.0
#include "geo/geo_cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"

enum { WAYS = 8 };

struct entry {
    uint64_t used; /* number of the use; 0: free */
    struct geo_key key;
    struct geo_place place;
};

struct set {
    atomic_flag in_use;
    uint64_t uses;
    struct entry entries[WAYS];
};

struct geo_cache {
    uint32_t count; /* of sets, a power of two */
    struct set *sets;
};

struct geo_cache *geo_cache_new(uint32_t entries)
{
    struct geo_cache *cache = entries > 0 ? calloc(1, sizeof *cache) : NULL;
    if (cache == NULL) {
        return NULL;
    }
    cache->count = 1;
    while (cache->count < (entries + WAYS - 1) / WAYS) {
        cache->count *= 2;
    }
    cache->sets = pages_reserve(cache->count * sizeof *cache->sets);
    if (cache->sets == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

void geo_cache_free(struct geo_cache *cache)
{
    if (cache != NULL) {
        pages_release(cache->sets, cache->count * sizeof *cache->sets);
        free(cache);
    }
}

/* The key's set, taken; NULL when another thread has it. */
static struct set *take(struct geo_cache *cache, const struct geo_key *key)
{
    uint64_t hash = hash64(key->address, sizeof key->address, key->version);
    struct set *set = &cache->sets[hash & (cache->count - 1)];
    return atomic_flag_test_and_set_explicit(&set->in_use, memory_order_acquire) ? NULL : set;
}

static void give(struct set *set)
{
    atomic_flag_clear_explicit(&set->in_use, memory_order_release);
}

static bool is_same(const struct geo_key *a, const struct geo_key *b)
{
    return a->generation == b->generation && a->kind == b->kind && a->version == b->version &&
           memcmp(a->address, b->address, sizeof a->address) == 0;
}

bool geo_cache_find(struct geo_cache *cache, const struct geo_key *key, struct geo_place *ret)
{
    struct set *set = cache != NULL ? take(cache, key) : NULL;
    bool found = false;
    for (unsigned i = 0; set != NULL && i < WAYS && !found; i++) {
        struct entry *entry = &set->entries[i];
        found = entry->used != 0 && is_same(&entry->key, key);
        if (found) {
            entry->used = ++set->uses;
            *ret = entry->place;
        }
    }
    if (set != NULL) {
        give(set);
    }
    return found;
}

void geo_cache_keep(struct geo_cache *cache, const struct geo_key *key,
                    const struct geo_place *place)
{
    struct set *set = cache != NULL ? take(cache, key) : NULL;
    if (set == NULL) {
        return;
    }
    struct entry *oldest = &set->entries[0];
    for (unsigned i = 1; i < WAYS; i++) {
        oldest = set->entries[i].used < oldest->used ? &set->entries[i] : oldest;
    }
    *oldest = (struct entry){.used = ++set->uses, .key = *key, .place = *place};
    give(set);
}
