// SPDX-License-Identifier: Apache-2.0
#include "handler/place_filter.h"

#include <assert.h>
#include <strings.h>

#include "base/cursor.h"

bool place_filter_read(const struct handler_options *options, struct place_filter *ret,
                       struct err *err)
{
    ret->is_nowhere = handler_flag(options, "geoloc_notfound");
    ret->is_nobodys = handler_flag(options, "asn_notfound");
    ret->prefixes = handler_list(options, "only_geoloc_prefix");
    ret->owners = handler_list(options, "only_asn_number");
    for (size_t i = 0; i < ret->owners.count; i++) {
        const char *word = ret->owners.words[i];
        if (*word == '\0' || word[strspn(word, "0123456789")] != '\0') {
            return err_set(err, ERR_USAGE,
                           "%s: only_asn_number filter contained an invalid/unsupported value: %s",
                           options->title, ret->owners.written[i]);
        }
    }
    ret->is_on = ret->is_nowhere || ret->is_nobodys || ret->prefixes.count > 0 ||
                 ret->owners.count > 0;
    return true;
}

static bool is_at(const struct place_filter *filter, const char *name)
{
    for (size_t i = 0; i < filter->prefixes.count; i++) {
        const char *prefix = filter->prefixes.words[i];
        if (strncasecmp(name, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return filter->prefixes.count == 0;
}

static bool is_owned(const struct place_filter *filter, const char *name)
{
    size_t digits = strspn(name, "0123456789");
    for (size_t i = 0; i < filter->owners.count; i++) {
        const char *number = filter->owners.words[i];
        if (strlen(number) == digits && strncmp(name, number, digits) == 0) {
            return true;
        }
    }
    return filter->owners.count == 0;
}

static bool judge(const struct place_filter *filter, const struct handler_world *world,
                  unsigned version, const uint8_t *address)
{
    struct geo_place place;
    if (filter->is_nowhere || filter->prefixes.count > 0) {
        if (world->city == NULL) {
            return false;
        }
        geo_city(world->city, version, address, &place);
        if ((filter->is_nowhere && place.found) || !is_at(filter, place.name)) {
            return false;
        }
    }
    if (filter->is_nobodys || filter->owners.count > 0) {
        if (world->owner == NULL) {
            return false;
        }
        geo_owner(world->owner, version, address, &place);
        return !(filter->is_nobodys && place.found) && is_owned(filter, place.name);
    }
    return true;
}

bool place_filter_passes(const struct place_filter *filter, const struct handler_world *world,
                         struct place_filter_cache *cache, unsigned version,
                         const uint8_t *address)
{
    if (!filter->is_on || cache == NULL) {
        return !filter->is_on || judge(filter, world, version, address);
    }
    assert(address != NULL); /* who has a version has addresses */
    size_t size = handler_address_size(version);
    uint32_t slot = load_be32(address + size - 4) % PLACE_FILTER_SLOTS;
    if (cache->entries[slot].version != version ||
        memcmp(cache->entries[slot].address, address, size) != 0) {
        cache->entries[slot].version = (uint8_t)version;
        cache->entries[slot].passes = judge(filter, world, version, address);
        memcpy(cache->entries[slot].address, address, size);
    }
    return cache->entries[slot].passes;
}

bool place_filter_event(const struct place_filter *filter, const struct handler_world *world,
                        struct place_filter_cache *cache, const struct handler_event *event)
{
    if (!filter->is_on) {
        return true;
    }
    if (event->version == 0) {
        return false;
    }
    const uint8_t *end = place_filter_end(event);
    if (end != NULL) {
        return place_filter_passes(filter, world, cache, event->version, end);
    }
    return place_filter_passes(filter, world, cache, event->version, event->address[0]) ||
           place_filter_passes(filter, world, cache, event->version, event->address[1]);
}

bool place_filter_known(const struct place_filter *filter, const struct handler_world *world,
                        struct place_filter_cache *cache, const struct handler_event *event)
{
    const uint8_t *end = place_filter_end(event);
    return !filter->is_on || (event->version != 0 && end != NULL &&
                              place_filter_passes(filter, world, cache, event->version, end));
}
