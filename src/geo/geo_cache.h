// SPDX-License-Identifier: Apache-2.0
/* Private to geo/: the places of addresses that were looked up lately. Sets of eight entries, of which
 * the one that was used longest ago makes room. Any thread; nobody waits: who finds a set in use does
 * without. Memory is touched as entries come. */
#pragma once

#include "geo/geo.h"

struct geo_cache; /* opaque */

struct geo_key {
    uint32_t generation; /* of the database: places of an older one are not found any more */
    uint8_t kind;
    uint8_t version;
    uint8_t address[16]; /* of IPv4 the first four, the rest zero */
};

/* Room for at least so many entries; NULL without memory, or when there are to be none. */
struct geo_cache *geo_cache_new(uint32_t entries);
/* NULL is fine. */
void geo_cache_free(struct geo_cache *cache);

/* Both are for `cache` NULL, too: nothing is found. */
bool geo_cache_find(struct geo_cache *cache, const struct geo_key *key, struct geo_place *ret);
void geo_cache_keep(struct geo_cache *cache, const struct geo_key *key,
                    const struct geo_place *place);
