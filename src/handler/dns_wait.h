// SPDX-License-Identifier: Apache-2.0
/* DNS queries that wait for their responses, in one run of a handler: found by conversation, message
 * number and side, given up after a time-out in packet time. A table of fixed size; what finds no room
 * takes the place of what has waited longest in its corner, which then counts as timed out. Zeroes
 * are an empty table. One thread; a look-up touches one cache line or two. */
#pragma once

#include "base/span.h"

enum { DNS_WAIT_SLOTS = 1 << 14, DNS_WAIT_WAYS = 4, DNS_WAIT_RING = 1 << 15 };

/* What is kept of a query: 16 bytes, so that the table stays in the cache. */
struct dns_waiting {
    uint64_t since_ns;
    uint32_t size;     /* bytes of the query */
    uint16_t port;     /* of the client */
    uint8_t side;      /* enum frame_direction */
    bool is_filtered : 1;    /* it was not wanted, and its response is not either */
    bool checks_nothing : 1; /* CD */
    bool is_known_elsewhere : 1; /* its response may come to another table: not to be missed here */
    unsigned char subnet_version : 4; /* of the client's subnet (RFC 7871); 0: none */
};

enum { DNS_WAIT_SUBNET = 16 };

/* A query that waits no longer. */
struct dns_waited {
    uint64_t key; /* 0: there is none */
    struct dns_waiting query;
    uint8_t subnet[DNS_WAIT_SUBNET]; /* if it has one */
};

struct dns_wait {
    uint64_t keys[DNS_WAIT_SLOTS]; /* 0: free */
    struct dns_waiting slots[DNS_WAIT_SLOTS];
    uint8_t subnets[DNS_WAIT_SLOTS][DNS_WAIT_SUBNET];
    struct {
        uint32_t stamp; /* low bits of the time in the slot, unless that was taken anew */
        uint32_t slot;
    } ring[DNS_WAIT_RING]; /* in the order of their coming */
    uint32_t head, count, current; /* how many of them were, when the others were last thrown out */
};

/* Whole microseconds from a query to its response; 0 when the clock went back. */
static inline double dns_wait_us(const struct dns_waiting *query, uint64_t now_ns)
{
    uint64_t us = now_ns > query->since_ns ? (now_ns - query->since_ns) / 1000 : 0;
    return (double)us;
}

/* The key of a query or response; never 0. */
uint64_t dns_wait_key(uint64_t talk, uint16_t id, unsigned side);

/* The entry of a query that is new, empty but for key and time. If another one had to make room for
 * it, that is in *ret_lost (its key is 0 otherwise). */
struct dns_waiting *dns_wait_add(struct dns_wait *wait, uint64_t key, uint64_t now_ns,
                                 struct dns_waited *ret_lost);
/* Says of an entry whose subnet it is; `bytes` has DNS_WAIT_SUBNET of them. */
void dns_wait_subnet(struct dns_wait *wait, struct dns_waiting *entry, unsigned version,
                     const uint8_t *bytes);
/* Takes the query with this key out; false when there is none. */
bool dns_wait_take(struct dns_wait *wait, uint64_t key, struct dns_waited *ret);
/* Takes the next one out that has waited longer than its patience; false when there is none. */
bool dns_wait_expire(struct dns_wait *wait, uint64_t now_ns, uint64_t patience_ns,
                     struct dns_waited *ret);
/* Takes in the queries that wait in another table, as far as there is room; or, of the same one, says of
 * all that they are known elsewhere. */
void dns_wait_inherit(struct dns_wait *wait, const struct dns_wait *from);
