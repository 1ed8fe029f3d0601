// SPDX-License-Identifier: Apache-2.0
#include "engine/flood.h"

#include "base/hash.h"

static uint64_t hash_of_server(const struct flow *flow)
{
    unsigned end = 1U - flow->initiator;
    return hash64(flow->key.address[end], sizeof flow->key.address[end],
                  hash_seed() ^ (uint64_t)flow->key.port[end] << 8 ^ flow->key.version);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1U;
}

static void add(struct flood_server *server, uint32_t tag)
{
    uint32_t owner = atomic_load_explicit(&server->tag, memory_order_relaxed);
    if (owner != tag && atomic_load_explicit(&server->waiting, memory_order_relaxed) > 0) {
        return;
    }
    if (owner != tag) {
        atomic_store_explicit(&server->tag, tag, memory_order_relaxed);
        atomic_store_explicit(&server->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&server->is_flooded, false, memory_order_relaxed);
    }
    if (atomic_fetch_add_explicit(&server->waiting, 1, memory_order_relaxed) + 1 >= FLOOD_LEAST) {
        atomic_store_explicit(&server->is_flooded, true, memory_order_relaxed);
    }
}

/* One that was not counted may be over, too: then none is left sooner. */
static void take(struct flood_server *server, uint32_t tag)
{
    if (atomic_load_explicit(&server->tag, memory_order_relaxed) == tag &&
        atomic_fetch_sub_explicit(&server->waiting, 1, memory_order_relaxed) <= 1) {
        atomic_store_explicit(&server->waiting, 0, memory_order_relaxed);
        atomic_store_explicit(&server->is_flooded, false, memory_order_relaxed);
    }
}

void flood_note(struct flood *flood, const struct flow *flow, int change)
{
    uint64_t hash = hash_of_server(flow);
    struct flood_server *server = &flood->servers[hash % FLOOD_SERVERS];
    if (change > 0) {
        add(server, tag_of(hash));
    } else {
        take(server, tag_of(hash));
    }
}

bool flood_has(const struct flood *flood, const struct flow *flow)
{
    if (!flow_is_half_open(flow)) {
        return false;
    }
    uint64_t hash = hash_of_server(flow);
    const struct flood_server *server = &flood->servers[hash % FLOOD_SERVERS];
    return atomic_load_explicit(&server->tag, memory_order_relaxed) == tag_of(hash) &&
           atomic_load_explicit(&server->is_flooded, memory_order_relaxed);
}
