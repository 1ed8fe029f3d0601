// SPDX-License-Identifier: Apache-2.0
#include "engine/places.h"

#include "geo/geo.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct zone {
    char *name;
    uint8_t address[16];
    uint8_t version;
    uint8_t prefix; /* bits */
};

struct places {
    struct zone *zones; /* the smallest networks first */
    size_t zone_count;
    struct geo *city;
    struct geo *owner;
};

/* ---- Zones ---------------------------------------------------------------------------------- */

/* Reads "10.1.0.0/16", or a single address. */
static bool read_network(const char *text, struct zone *ret)
{
    char address[64];
    size_t size = strcspn(text, "/");
    if (size >= sizeof address) {
        return false;
    }
    memcpy(address, text, size);
    address[size] = '\0';
    ret->version = inet_pton(AF_INET, address, ret->address) == 1    ? 4
                   : inet_pton(AF_INET6, address, ret->address) == 1 ? 6
                                                                     : 0;
    int64_t bits = ret->version == 4 ? 32 : 128;
    int64_t prefix = bits;
    bool is_prefix = text[size] == '\0' || text_parse_number(text + size + 1, &prefix);
    if (ret->version == 0 || !is_prefix || prefix < 0 || prefix > bits) {
        return false;
    }
    ret->prefix = (uint8_t)prefix;
    return true;
}

static bool read_zone(const char *text, struct zone *ret, struct err *err)
{
    const char *equals = strchr(text, '=');
    *ret = (struct zone){0};
    if (equals == NULL || equals == text || !read_network(equals + 1, ret)) {
        char quote[80];
        return err_set(err, ERR_USAGE,
                       "zone '%s' is not NAME=NETWORK, as paris=10.1.0.0/16 or paris=2001:db8::/48",
                       text_printable(quote, sizeof quote, text));
    }
    return true;
}

bool places_zone_check(const char *text, struct err *err)
{
    struct zone zone;
    return read_zone(text, &zone, err);
}

static bool contains(const struct zone *zone, unsigned version, const uint8_t *address)
{
    if (zone->version != version) {
        return false;
    }
    unsigned bytes = zone->prefix / 8;
    unsigned rest = zone->prefix % 8;
    if (memcmp(zone->address, address, bytes) != 0) {
        return false;
    }
    uint8_t mask = (uint8_t)(0xff00U >> rest);
    return rest == 0 || ((zone->address[bytes] ^ address[bytes]) & mask) == 0;
}

static int smallest_first(const void *a, const void *b)
{
    return ((const struct zone *)b)->prefix - ((const struct zone *)a)->prefix;
}

static bool take_zones(struct places *places, const struct text_list *list, struct err *err)
{
    if (list->count > PLACES_ZONES_MAX) {
        return err_set(err, ERR_USAGE, "zones: more than %d networks", PLACES_ZONES_MAX);
    }
    places->zones = calloc(list->count + 1, sizeof *places->zones);
    if (places->zones == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    for (size_t i = 0; i < list->count; i++) {
        struct zone *zone = &places->zones[places->zone_count];
        if (!read_zone(list->items[i], zone, err)) {
            return false;
        }
        zone->name = strndup(list->items[i], strcspn(list->items[i], "="));
        if (zone->name == NULL) {
            return err_set(err, ERR_FAILED, "out of memory");
        }
        places->zone_count++;
    }
    qsort(places->zones, places->zone_count, sizeof *places->zones, smallest_first);
    return true;
}

/* ---- The door ------------------------------------------------------------------------------- */

static bool open_base(const char *path, struct geo **ret, struct err *err)
{
    if (path == NULL || path[0] == '\0') {
        return true;
    }
    *ret = geo_open(path, 0, err); /* whoever asks keeps the answer */
    return *ret != NULL;
}

struct places *places_new(const struct places_options *options, struct err *err)
{
    struct places *places = calloc(1, sizeof *places);
    if (places == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    if (!take_zones(places, options->zones, err) || !open_base(options->city, &places->city, err) ||
        !open_base(options->owner, &places->owner, err)) {
        places_free(places);
        return NULL;
    }
    return places;
}

void places_free(struct places *places)
{
    if (places == NULL) {
        return;
    }
    for (size_t i = 0; i < places->zone_count; i++) {
        free(places->zones[i].name);
    }
    free(places->zones);
    geo_close(places->city);
    geo_close(places->owner);
    free(places);
}

bool places_refresh(struct places *places, char *note, size_t size)
{
    return (places->city != NULL && geo_refresh(places->city, note, size)) ||
           (places->owner != NULL && geo_refresh(places->owner, note, size));
}

void places_find(const struct places *places, unsigned version, const uint8_t *address,
                 struct place *ret)
{
    *ret = (struct place){0};
    if (version != 4 && version != 6) {
        return;
    }
    for (size_t i = 0; i < places->zone_count && ret->zone == NULL; i++) {
        if (contains(&places->zones[i], version, address)) {
            ret->zone = places->zones[i].name;
        }
    }
    if (places->city != NULL) {
        geo_country(places->city, version, address, ret->country);
    }
    if (places->owner != NULL) {
        ret->as_number = geo_as_number(places->owner, version, address, ret->as_name,
                                       sizeof ret->as_name);
    }
}
