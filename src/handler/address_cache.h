// SPDX-License-Identifier: Apache-2.0
/* The addresses of the packets at hand, with how many there were of each: what is costly (canonical
 * text and its hash, the heaviest items, look-ups of places) is done when an address leaves
 * the cache, not for every packet. Direct-mapped; zeroes are an empty one. One thread. */
#pragma once

#include "base/span.h"

struct handler_run;
struct handler_event;

enum { ADDRESS_CACHE_SLOTS = 1024, ADDRESS_CACHE_KEY = 17 };

struct address_cache_entry {
    uint8_t key[ADDRESS_CACHE_KEY]; /* version, then the address, padded: METRIC_KEY_ADDRESS */
    uint8_t side;                   /* enum frame_direction, or what the user tells apart by */
    uint32_t count;                 /* 0: free */
    uint32_t coupon;                /* of the address's text */
};

struct address_cache {
    struct address_cache_entry entries[ADDRESS_CACHE_SLOTS];
};

/* What is done with an address that leaves. */
typedef void address_cache_leave(void *context, const struct address_cache_entry *entry);

/* Counts an address of an event (end 0: the source) that has an IP version. */
void address_cache_add(struct address_cache *cache, struct handler_event *event, unsigned end,
                       address_cache_leave *leave, void *context);
/* Empties it. */
void address_cache_fold(struct address_cache *cache, address_cache_leave *leave, void *context);
