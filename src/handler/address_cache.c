// SPDX-License-Identifier: Apache-2.0
#include "handler/address_cache.h"

#include "base/cursor.h"
#include "handler/handler.h"

/* A weak hash does: whoever aims at one entry only takes from himself what the cache would save. */
static uint32_t slot_of(unsigned version, const uint8_t *address, uint8_t side)
{
    uint64_t low = version == 4 ? load_le32(address) : load_le64(address) ^ load_le64(address + 8);
    return (uint32_t)(((low + side) * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % ADDRESS_CACHE_SLOTS;
}

void address_cache_add(struct address_cache *cache, struct handler_event *event, unsigned end,
                       address_cache_leave *leave, void *context)
{
    const uint8_t *address = event->address[end];
    uint8_t side = event->direction, version = event->version;
    struct address_cache_entry *entry = &cache->entries[slot_of(version, address, side)];
    size_t size = handler_address_size(version);
    if (entry->count > 0 && entry->key[0] == version && entry->side == side &&
        memcmp(entry->key + 1, address, size) == 0) {
        entry->count++;
        return;
    }
    if (entry->count > 0) {
        leave(context, entry);
    }
    *entry = (struct address_cache_entry){.key = {version}, .side = side, .count = 1};
    entry->coupon = handler_coupon(event, end);
    memcpy(entry->key + 1, address, size);
}

void address_cache_fold(struct address_cache *cache, address_cache_leave *leave, void *context)
{
    for (uint32_t i = 0; i < ADDRESS_CACHE_SLOTS; i++) {
        if (cache->entries[i].count > 0) {
            leave(context, &cache->entries[i]);
            cache->entries[i].count = 0;
        }
    }
}
