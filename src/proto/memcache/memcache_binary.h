// SPDX-License-Identifier: Apache-2.0
/* Heads of memcached's binary protocol (BinaryProtocolRevamped of memcached's wiki, with the SASL
 * commands of SASLAuthProtocol): 24 bytes, then extras, key and value. Pure but for the texts of
 * the message, which go into the slab. */
#pragma once

#include "proto/memcache/memcache_message.h"

enum {
    MEMCACHE_HEADER = 24,
};

struct memcache_header {
    bool is_request;
    uint8_t opcode;
    uint16_t head_size; /* header, extras and key */
    uint32_t value_size;
};

enum memcache_header_kind { MEMCACHE_HEADER_BAD, MEMCACHE_HEADER_CUT, MEMCACHE_HEADER_GOOD };

/* Whether `data` begins with a header whose parts fit together. `is_known`: that this is the binary protocol
 * is known from what came before, so that operations, types of data and extras may be another server's. */
enum memcache_header_kind memcache_header_read(struct span data, bool is_known,
                                               struct memcache_header *ret);

/* Reads the head of a message, all header->head_size bytes of it, into `m`. */
void memcache_binary_read(struct slab *slab, struct memcache_message *m,
                          const struct memcache_header *header, struct span head);

/* What to do with a message's value. */
enum memcache_value_use {
    MEMCACHE_VALUE_SHOWN,  /* if users ask for values */
    MEMCACHE_VALUE_SECRET, /* of SASL: never kept */
    MEMCACHE_VALUE_TEXT,   /* a statistic, a version, an error: kept */
    MEMCACHE_VALUE_NUMBER, /* a counter, 8 bytes */
};
enum memcache_value_use memcache_binary_use(const struct memcache_message *m, bool is_request);

/* The value is whole, in the last item of kind VALUE: makes of it what it is. */
void memcache_binary_value(struct slab *slab, struct memcache_message *m,
                           enum memcache_value_use use, struct span value);
