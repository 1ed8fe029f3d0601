// SPDX-License-Identifier: Apache-2.0
#include "geo/geo.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

struct geo {
    MMDB_s base;
};

struct geo *geo_open(const char *path, struct err *err)
{
    struct geo *geo = calloc(1, sizeof *geo);
    if (geo == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    int status = MMDB_open(path, MMDB_MODE_MMAP, &geo->base);
    if (status != MMDB_SUCCESS) {
        err_set(err, ERR_FAILED, "%s: %s; give the path of a database in MMDB format", path,
                MMDB_strerror(status));
        free(geo);
        return NULL;
    }
    return geo;
}

void geo_close(struct geo *geo)
{
    if (geo != NULL) {
        MMDB_close(&geo->base);
        free(geo);
    }
}

static bool look_up(const struct geo *geo, unsigned version, const uint8_t *address,
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
        MMDB_lookup_sockaddr(&geo->base, (const struct sockaddr *)&storage, &status);
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

void geo_city(const struct geo *geo, unsigned version, const uint8_t *address,
              struct geo_place *ret)
{
    MMDB_entry_s entry;
    unknown(ret);
    if (!look_up(geo, version, address, &entry)) {
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

uint32_t geo_as_number(const struct geo *geo, unsigned version, const uint8_t *address, char *name,
                       size_t room)
{
    MMDB_entry_s entry;
    MMDB_entry_data_s number;
    name[0] = '\0';
    if (!look_up(geo, version, address, &entry) ||
        MMDB_aget_value(&entry, &number, PATH("autonomous_system_number")) != MMDB_SUCCESS ||
        !number.has_data || number.type != MMDB_DATA_TYPE_UINT32) {
        return 0;
    }
    append(name, room, "", text_at(&entry, PATH("autonomous_system_organization")));
    return number.uint32;
}

void geo_country(const struct geo *geo, unsigned version, const uint8_t *address, char ret[3])
{
    MMDB_entry_s entry;
    memset(ret, 0, 3);
    if (look_up(geo, version, address, &entry)) {
        struct span code = text_at(&entry, PATH("country", "iso_code"));
        if (code.size == 2) {
            memcpy(ret, code.data, 2);
        }
    }
}

void geo_owner(const struct geo *geo, unsigned version, const uint8_t *address,
               struct geo_place *ret)
{
    MMDB_entry_s entry;
    MMDB_entry_data_s number;
    unknown(ret);
    if (!look_up(geo, version, address, &entry) ||
        MMDB_aget_value(&entry, &number, PATH("autonomous_system_number")) != MMDB_SUCCESS ||
        !number.has_data || number.type != MMDB_DATA_TYPE_UINT32) {
        return;
    }
    *ret = (struct geo_place){.found = true};
    snprintf(ret->name, sizeof ret->name, "%u", number.uint32);
    append(ret->name, sizeof ret->name, "/",
           text_at(&entry, PATH("autonomous_system_organization")));
}
