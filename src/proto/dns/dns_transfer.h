// SPDX-License-Identifier: Apache-2.0
/* A zone transfer (RFC 5936, RFC 1995): many messages that are one response. It begins and ends with the
 * same SOA; when it has come so far is all that is followed here, and its first message is kept for the
 * event. In a slab block. */
#pragma once

#include "base/slab.h"
#include "proto/dns/dns_message.h"

struct dns_transfer {
    uint64_t bytes;        /* of all messages but the first */
    uint64_t first_bytes;
    uint32_t more_answers; /* records of all messages but the first */
    uint32_t records;      /* of all of them, seen to now; saturates at 2 */
    uint32_t serial;       /* of the SOA that it begins with */
    uint8_t soas;          /* with that serial */
    bool is_incremental;
    bool holed;            /* bytes of it were not captured */
    uint32_t size;
    uint8_t first[];
};

/* Begins with its first message, of which the block keeps a copy; NULL without memory. */
struct dns_transfer *dns_transfer_new(struct slab *memory, const struct dns_message *first,
                                      uint64_t bytes);

/* Takes a message, the first one too, and tells whether it is the last. `type` is that of the question. */
bool dns_transfer_take(struct dns_transfer *t, const struct dns_message *m, unsigned type);
