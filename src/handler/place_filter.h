// SPDX-License-Identifier: Apache-2.0
/* Which addresses a policy wants to see, by where they are and whose: the four filters of that kind
 * that handlers have in common. Verdicts are kept for the addresses at hand, so that a look-up is not
 * made for every packet. Settings are constant, a cache belongs to one run. */
#pragma once

#include "handler/handler.h"

struct place_filter {
    bool is_on;
    bool is_nowhere; /* geoloc_notfound: only those whose place is not known */
    bool is_nobodys; /* asn_notfound */
    struct handler_words prefixes; /* only_geoloc_prefix, lower case */
    struct handler_words owners;   /* only_asn_number */
};

enum { PLACE_FILTER_SLOTS = 256 };

struct place_filter_cache {
    struct {
        uint8_t version; /* 0: free */
        bool passes;
        uint8_t address[16];
    } entries[PLACE_FILTER_SLOTS];
};

/* Reads the settings; false and err when an owner is no number. */
bool place_filter_read(const struct handler_options *options, struct place_filter *ret,
                       struct err *err);

/* Whether an address passes; `cache` may be NULL. */
bool place_filter_passes(const struct place_filter *filter, const struct handler_world *world,
                         struct place_filter_cache *cache, unsigned version,
                         const uint8_t *address);

/* The other end of an event: who sent what comes in, who gets what goes out. Of what does neither,
 * both must be asked: NULL. */
static inline const uint8_t *place_filter_end(const struct handler_event *event)
{
    return event->direction == FRAME_DIRECTION_IN    ? event->address[0]
           : event->direction == FRAME_DIRECTION_OUT ? event->address[1]
                                                     : NULL;
}

/* Whether the event's other end passes, and is known: what goes neither way does not, as in pktvisor. */
bool place_filter_known(const struct place_filter *filter, const struct handler_world *world,
                        struct place_filter_cache *cache, const struct handler_event *event);
/* Whether the event's other end passes, or one of both where neither is ours; what has no addresses does not, if there is a filter. */
bool place_filter_event(const struct place_filter *filter, const struct handler_world *world,
                        struct place_filter_cache *cache, const struct handler_event *event);
