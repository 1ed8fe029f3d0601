// SPDX-License-Identifier: Apache-2.0
/* Where an address belongs: the zone that the configuration gives its network, the country and the
 * autonomous system that databases of MaxMind's format say. Any thread. A look-up costs a
 * microsecond or two: for reports, not for packets. */
#pragma once

#include "base/err.h"
#include "base/text.h"

enum { PLACES_COUNTRY = 3, PLACES_OWNER = 64, PLACES_ZONES_MAX = 1024 };

struct places; /* opaque */

struct place {
    char country[PLACES_COUNTRY]; /* ISO 3166-1 alpha-2, "" when it is not known */
    uint32_t as_number;           /* 0: not known */
    char as_name[PLACES_OWNER];
    const char *zone;             /* NULL: of none; it lives as long as the places */
};

struct places_options {
    const struct text_list *zones; /* "NAME=NETWORK", as 10.1.0.0/16 or 2001:db8::/48; borrowed */
    const char *city;              /* a database of cities or countries; "" or NULL for none */
    const char *owner;             /* of autonomous systems; likewise */
};

/* NULL and err when a zone is none or a database cannot be opened. */
struct places *places_new(const struct places_options *options, struct err *err);
/* NULL is fine. */
void places_free(struct places *places);

/* Takes databases anew that were replaced. True when there is something to tell: a sentence in `note`. One
 * thread, now and then. */
bool places_refresh(struct places *places, char *note, size_t size);

/* Whether a text names a zone and its network. */
bool places_zone_check(const char *text, struct err *err);

/* Where an address of this IP version (4 or 6) belongs. Of zones that overlap, the smallest. */
void places_find(const struct places *places, unsigned version, const uint8_t *address,
                 struct place *ret);
