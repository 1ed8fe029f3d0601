// SPDX-License-Identifier: Apache-2.0
#include "geo/geo.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "geo/geo_cache.h"
#include "geo/geo_file.h"

enum kind { CITY, OWNER };

struct geo {
    struct geo_file file;
    struct geo_cache *cache; /* NULL: none */
};

struct geo *geo_open(const char *path, uint32_t cached, struct err *err)
{
    struct geo *geo = calloc(1, sizeof *geo);
    if (geo == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    if (!geo_file_open(&geo->file, path, err)) {
        geo_close(geo);
        return NULL;
    }
    geo->cache = geo_cache_new(cached);
    return geo;
}

void geo_close(struct geo *geo)
{
    if (geo != NULL) {
        geo_file_close(&geo->file);
        geo_cache_free(geo->cache);
        free(geo);
    }
}

bool geo_refresh(struct geo *geo, char *note, size_t size)
{
    struct err err = {0};
    switch (geo_file_refresh(&geo->file, &err)) {
    case GEO_NEW:
        snprintf(note, size, "%s: read anew", geo->file.path);
        return true;
    case GEO_BAD:
        snprintf(note, size, "%s; the database before goes on", err.text);
        return true;
    case GEO_SAME:
        break;
    }
    return false;
}

/* ---- Looking up ----------------------------------------------------------------------------- */

static bool look_up(const MMDB_s *base, unsigned version, const uint8_t *address,
                    MMDB_entry_s *ret)
{
    struct sockaddr_storage storage = {0};
    int status = MMDB_SUCCESS;
    if (version == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)&storage;
        in->sin_family = AF_INET;
        memcpy(&in->sin_addr, address, 4);
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)&storage;
        in->sin6_family = AF_INET6;
        memcpy(&in->sin6_addr, address, 16);
    }
    MMDB_lookup_result_s result =
        MMDB_lookup_sockaddr(base, (const struct sockaddr *)&storage, &status);
    *ret = result.entry;
    return status == MMDB_SUCCESS && result.found_entry;
}

/* The text at a path, or an empty span. */
static struct span text_at(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;
    bool there = MMDB_aget_value(entry, &data, path) == MMDB_SUCCESS && data.has_data &&
                 data.type == MMDB_DATA_TYPE_UTF8_STRING;
    return there ? span_of(data.utf8_string, data.data_size) : span_of(NULL, 0);
}

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

static void append(char *to, size_t room, const char *before, struct span text)
{
    size_t at = strlen(to);
    if (text.size > 0 && at < room) {
        snprintf(to + at, room - at, "%s%.*s", before, (int)text.size, (const char *)text.data);
    }
}

static void coordinate(MMDB_entry_s *entry, const char *name, char to[GEO_COORDINATE])
{
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, PATH("location", name)) == MMDB_SUCCESS && data.has_data &&
        data.type == MMDB_DATA_TYPE_DOUBLE) {
        snprintf(to, GEO_COORDINATE, "%f", data.double_value);
    }
}

static void unknown(struct geo_place *ret)
{
    *ret = (struct geo_place){.name = "Unknown"};
}

static void read_city(const MMDB_s *base, unsigned version, const uint8_t *address,
                      struct geo_place *ret)
{
    MMDB_entry_s entry;
    unknown(ret);
    if (!look_up(base, version, address, &entry)) {
        return;
    }
    struct geo_place place = {.found = true};
    struct span country = text_at(&entry, PATH("country", "names", "en"));
    append(place.name, sizeof place.name, "", text_at(&entry, PATH("continent", "code")));
    append(place.name, sizeof place.name, "/",
           country.size > 0 ? country : text_at(&entry, PATH("country", "iso_code")));
    append(place.name, sizeof place.name, "/", text_at(&entry, PATH("subdivisions", "0", "iso_code")));
    append(place.name, sizeof place.name, "/", text_at(&entry, PATH("city", "names", "en")));
    if (place.name[0] == '\0') {
        return;
    }
    coordinate(&entry, "latitude", place.latitude);
    coordinate(&entry, "longitude", place.longitude);
    *ret = place;
}

/* The number of the system, 0 when it has none; its organisation to *ret_name. */
static uint32_t read_number(const MMDB_s *base, unsigned version, const uint8_t *address,
                            struct span *ret_name)
{
    MMDB_entry_s entry;
    MMDB_entry_data_s number;
    if (!look_up(base, version, address, &entry) ||
        MMDB_aget_value(&entry, &number, PATH("autonomous_system_number")) != MMDB_SUCCESS ||
        !number.has_data || number.type != MMDB_DATA_TYPE_UINT32) {
        return 0;
    }
    *ret_name = text_at(&entry, PATH("autonomous_system_organization"));
    return number.uint32;
}

static void read_owner(const MMDB_s *base, unsigned version, const uint8_t *address,
                       struct geo_place *ret)
{
    struct span name = {0};
    unknown(ret);
    uint32_t number = read_number(base, version, address, &name);
    if (number != 0) {
        *ret = (struct geo_place){.found = true};
        snprintf(ret->name, sizeof ret->name, "%u", number);
        append(ret->name, sizeof ret->name, "/", name);
    }
}

/* What was looked up lately is not looked up again. */
static void find(struct geo *geo, enum kind kind, unsigned version, const uint8_t *address,
                 struct geo_place *ret)
{
    struct geo_key key = {.kind = (uint8_t)kind, .version = (uint8_t)version};
    const MMDB_s *base = geo_file_take(&geo->file, &key.generation);
    memcpy(key.address, address, version == 4 ? 4 : 16);
    if (!geo_cache_find(geo->cache, &key, ret)) {
        (kind == CITY ? read_city : read_owner)(base, version, address, ret);
        geo_cache_keep(geo->cache, &key, ret);
    }
    geo_file_give(&geo->file, key.generation);
}

void geo_city(struct geo *geo, unsigned version, const uint8_t *address, struct geo_place *ret)
{
    find(geo, CITY, version, address, ret);
}

void geo_owner(struct geo *geo, unsigned version, const uint8_t *address, struct geo_place *ret)
{
    find(geo, OWNER, version, address, ret);
}

uint32_t geo_as_number(struct geo *geo, unsigned version, const uint8_t *address, char *name,
                       size_t room)
{
    struct span owner = {0};
    uint32_t held;
    name[0] = '\0';
    const MMDB_s *base = geo_file_take(&geo->file, &held);
    uint32_t number = read_number(base, version, address, &owner);
    append(name, room, "", owner);
    geo_file_give(&geo->file, held);
    return number;
}

void geo_country(struct geo *geo, unsigned version, const uint8_t *address, char ret[3])
{
    MMDB_entry_s entry;
    uint32_t held;
    memset(ret, 0, 3);
    const MMDB_s *base = geo_file_take(&geo->file, &held);
    if (look_up(base, version, address, &entry)) {
        struct span code = text_at(&entry, PATH("country", "iso_code"));
        if (code.size == 2) {
            memcpy(ret, code.data, 2);
        }
    }
    geo_file_give(&geo->file, held);
}
