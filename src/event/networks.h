// SPDX-License-Identifier: Apache-2.0
/* Sets of IP addresses as people name them: CIDR blocks, single addresses, and the words private,
 * public, loopback, unicast (global_unicast), multicast, interface_local_multicast,
 * link_local_unicast, link_local_multicast, unspecified. Pure. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { NETWORKS_MAX = 64 };

/* An address of either version; IPv4 as ::ffff:a.b.c.d. */
struct networks_address {
    uint8_t bytes[16];
    bool is_v4;
};

struct networks_block {
    const char *word; /* of a named set, or NULL: */
    struct networks_address address;
    uint8_t prefix;   /* bits, of the address's own version */
};

struct networks {
    size_t count;
    struct networks_block blocks[NETWORKS_MAX];
};

/* Reads an address; false when the text is none. */
bool networks_address_read(struct span text, struct networks_address *ret);

/* Adds a block, an address or a word. */
bool networks_add(struct networks *set, struct span text, struct err *err);

bool networks_have(const struct networks *set, const struct networks_address *address);
/* Whether an address is of a named set. */
bool networks_is(const char *word, const struct networks_address *address);
