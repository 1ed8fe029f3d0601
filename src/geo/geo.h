// SPDX-License-Identifier: Apache-2.0
/* Where an address is, and whose: look-ups in the databases of MaxMind's format (MMDB), which are
 * mapped into memory. Names are written the way pktvisor does: continent code, country, first
 * subdivision's code and city ("EU/Sweden/E/Linköping"), number and organisation of the autonomous
 * system ("1221/Telstra Pty Ltd").
 *
 * Any thread. A look-up costs about a microsecond: not for every packet; places and owners that were
 * looked up lately are kept. When the file is replaced, geo_refresh() takes the new one, and look-ups
 * never wait for it. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { GEO_NAME = 160, GEO_COORDINATE = 16 };

struct geo; /* opaque: a database */

struct geo_place {
    bool found;
    char name[GEO_NAME]; /* "Unknown" when it is not found */
    char latitude[GEO_COORDINATE]; /* "" where there is none */
    char longitude[GEO_COORDINATE];
};

/* Opens a database; keeps about `cached` places and owners, 0 for none. NULL and err when there is none
 * of that format. */
struct geo *geo_open(const char *path, uint32_t cached, struct err *err);
/* NULL is fine. */
void geo_close(struct geo *geo);
/* Takes the database's file anew when it is another one than before. True when there is something to tell:
 * a sentence in `note`. One thread, now and then. */
bool geo_refresh(struct geo *geo, char *note, size_t size);

/* Where an address of this IP version (4 or 6) is, by a database of cities. */
void geo_city(struct geo *geo, unsigned version, const uint8_t *address,
              struct geo_place *ret);
/* Whose it is, by a database of autonomous systems or providers; without coordinates. */
void geo_owner(struct geo *geo, unsigned version, const uint8_t *address,
               struct geo_place *ret);

/* The country's ISO 3166-1 alpha-2 code by a database of cities or countries; "" when it has none. */
void geo_country(struct geo *geo, unsigned version, const uint8_t *address, char ret[3]);
/* The number of the autonomous system, 0 when there is none, and its organisation, cut to `room`. */
uint32_t geo_as_number(struct geo *geo, unsigned version, const uint8_t *address, char *name,
                       size_t room);
