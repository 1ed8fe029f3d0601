// SPDX-License-Identifier: Apache-2.0
/* Networks that are "ours": a list of CIDR blocks of both versions, and in which direction a packet
 * goes by it. Constant once read; any thread; the cost is one comparison a block. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { HOSTS_MAX = 256 };

struct hosts_network {
    uint8_t version;
    uint8_t bits;
    uint8_t address[16];
};

struct hosts {
    uint32_t count;
    struct hosts_network networks[HOSTS_MAX];
};

/* Adds the block that `text` (terminated) is; an address alone is a block of one. */
bool hosts_add(struct hosts *hosts, const char *text, struct err *err);
/* Adds all of a list with commas. */
bool hosts_read(struct hosts *hosts, const char *text, struct err *err);

/* The first block that an address is in; NULL: none. */
const struct hosts_network *hosts_find(const struct hosts *hosts, unsigned version,
                                       const uint8_t *address);
static inline bool hosts_have(const struct hosts *hosts, unsigned version, const uint8_t *address)
{
    return hosts_find(hosts, version, address) != NULL;
}
