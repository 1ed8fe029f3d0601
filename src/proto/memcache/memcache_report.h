// SPDX-License-Identifier: Apache-2.0
/* A transaction as an event: Packetbeat's rules of what it says. */
#pragma once

#include "proto/memcache/memcache_flow.h"

struct memcache_pair {
    const struct memcache_message *request;  /* NULL: it was not seen */
    const struct memcache_message *response; /* NULL: there is none */
    const char *reason;                      /* why */
    const char *note;
};

/* Counts and logs it. */
void memcache_report(struct proto_context *c, const struct memcache_pair *pair);
