// SPDX-License-Identifier: Apache-2.0
/* What a worker has once for all TLS connections: what hellos and certificates have in common, and what
 * records are opened with. */
#pragma once

#include "handshake/hello_show.h"
#include "proto/tls/tls_opener.h"

struct tls_cache {
    struct tls_opener opener;
    bool recalls_nothing; /* for tests: each hello is told anew */
    struct hello_cache hellos;
};

/* Of a context; NULL where it has none, in tests. */
static inline struct hello_cache *tls_cache_hellos(const struct proto_context *c)
{
    struct tls_cache *cache = c->cache;
    return cache == NULL || cache->recalls_nothing ? NULL : &cache->hellos;
}
