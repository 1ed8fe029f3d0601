// SPDX-License-Identifier: Apache-2.0
#include "engine/flood.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/seconds.h"

/* TCP's first time-out is a second (RFC 6298 §2), Linux's least one 200 ms; what comes sooner is a copy of
 * the frame. */
#define AGAIN_NS (190 * MS_NS)

enum { HANDSHAKES = 1 << 14, PLACES = 4 /* where one may be */, TICK_SHIFT = 20 };
enum handshake_state { HANDSHAKE_ANSWERED, HANDSHAKE_COUNTED, HANDSHAKE_ALIVE };

struct handshake {
    uint32_t tag;  /* 0: none; the lowest two bits are its state */
    uint32_t tick; /* of its first answer, by a clock of a millisecond that wraps after 52 days */
};

struct flood_watch {
    struct flood *flood;
    struct handshake handshakes[HANDSHAKES];
};

struct flood_watch *flood_watch_new(struct flood *flood)
{
    struct flood_watch *watch = calloc(1, sizeof *watch);
    if (watch != NULL) {
        watch->flood = flood;
    }
    return watch;
}

void flood_watch_free(struct flood_watch *watch)
{
    free(watch);
}

/* ---- Servers --------------------------------------------------------------------------------- */

/* An end of a flow as a server. Never 0. */
static uint64_t name_of(const struct flow_key *key, unsigned end)
{
    return hash64(key->address[end], sizeof key->address[end],
                  hash_seed() ^ (uint64_t)key->port[end] << 8 ^ key->version) | 1U;
}

/* Its place; NULL when another one has it, which was not quiet since the period before. */
static struct flood_server *place_of(struct flood *flood, uint64_t name, uint32_t period)
{
    struct flood_server *server = &flood->servers[(name >> 1) % FLOOD_SERVERS];
    uint32_t tag = (uint32_t)(name >> 32) | 1U;
    uint32_t owner = atomic_load_explicit(&server->tag, memory_order_relaxed);
    if (owner == tag) {
        return server;
    }
    if (owner != 0 && atomic_load_explicit(&server->period, memory_order_relaxed) + 1 >= period) {
        return NULL;
    }
    atomic_store_explicit(&server->tag, tag, memory_order_relaxed);
    atomic_store_explicit(&server->period, 0, memory_order_relaxed);
    atomic_store_explicit(&server->told, 0, memory_order_relaxed);
    return server;
}

static void turn(struct flood_server *server, uint32_t period)
{
    uint32_t last = atomic_load_explicit(&server->period, memory_order_relaxed);
    if (last >= period) {
        return;
    }
    int32_t before = last + 1 == period
                         ? atomic_load_explicit(&server->counts[0], memory_order_relaxed)
                         : 0;
    atomic_store_explicit(&server->counts[1], before, memory_order_relaxed);
    atomic_store_explicit(&server->counts[0], 0, memory_order_relaxed);
    atomic_store_explicit(&server->period, period, memory_order_relaxed);
}

/* One of its handshakes more (`change` 1), or one less. Returns its name when that is to be told. */
static uint64_t count(struct flood *flood, uint64_t name, int32_t change, uint64_t now_ns)
{
    uint32_t second = (uint32_t)(now_ns / SECOND_NS);
    struct flood_server *server = place_of(flood, name, second / FLOOD_PERIOD);
    if (server == NULL) {
        return 0;
    }
    turn(server, second / FLOOD_PERIOD);
    int32_t sum = atomic_fetch_add_explicit(&server->counts[0], change, memory_order_relaxed) + change +
                  atomic_load_explicit(&server->counts[1], memory_order_relaxed);
    if (change < 0 || sum < FLOOD_LEAST ||
        atomic_load_explicit(&server->told, memory_order_relaxed) == second) {
        return 0;
    }
    atomic_store_explicit(&server->told, second, memory_order_relaxed);
    return name;
}

/* ---- Handshakes ------------------------------------------------------------------------------ */

/* The client's first number tells handshakes of the same ends apart; VLANs do not, for those of the
 * answer may differ. */
static uint64_t handshake_of(const struct flow_key *key, uint32_t first)
{
    struct flow_key ends = *key;
    memset(ends.vlan, 0, sizeof ends.vlan);
    return hash64(&ends, sizeof ends, hash_seed() ^ first);
}

/* The places where a handshake may be. */
static struct handshake *places_of(struct flood_watch *watch, uint64_t hash)
{
    return &watch->handshakes[hash % (HANDSHAKES / PLACES) * PLACES];
}

/* The handshake of that tag; NULL: it is not known. */
static struct handshake *find(struct handshake *places, uint32_t tag)
{
    for (unsigned i = 0; i < PLACES; i++) {
        if ((places[i].tag & ~3U) == tag) {
            return &places[i];
        }
    }
    return NULL;
}

/* The place that is free, or else the one whose handshake is the oldest. */
static struct handshake *place_for(struct handshake *places, uint32_t tick)
{
    struct handshake *ret = places;
    for (unsigned i = 0; i < PLACES && ret->tag != 0; i++) {
        if (places[i].tag == 0 || tick - places[i].tick > tick - ret->tick) {
            ret = &places[i];
        }
    }
    return ret;
}

static void set_state(struct handshake *at, enum handshake_state state)
{
    at->tag = (at->tag & ~3U) | state;
}

uint64_t flood_watch_syn(struct flood_watch *watch, const struct packet *packet,
                         const struct flow_key *key, unsigned end, uint64_t now_ns)
{
    bool is_answer = packet->tcp_flags & TCP_ACK;
    uint64_t hash = handshake_of(key, is_answer ? packet->ack - 1 : packet->seq);
    struct handshake *places = places_of(watch, hash);
    uint32_t tag = ((uint32_t)(hash >> 32) | 4U) & ~3U;
    uint32_t tick = (uint32_t)(now_ns >> TICK_SHIFT);
    struct handshake *at = find(places, tag);
    if (!is_answer) {
        bool counted = at != NULL && (at->tag & 3U) == HANDSHAKE_COUNTED;
        if (at != NULL) { /* who asks again lives */
            set_state(at, HANDSHAKE_ALIVE);
        }
        return counted ? count(watch->flood, name_of(key, 1 - end), -1, now_ns) : 0;
    }
    if (at == NULL) {
        *place_for(places, tick) = (struct handshake){.tag = tag | HANDSHAKE_ANSWERED, .tick = tick};
        return 0;
    }
    if ((at->tag & 3U) != HANDSHAKE_ANSWERED || tick - at->tick < (AGAIN_NS >> TICK_SHIFT)) {
        return 0;
    }
    set_state(at, HANDSHAKE_COUNTED);
    return count(watch->flood, name_of(key, end), 1, now_ns);
}

/* ---- Workers --------------------------------------------------------------------------------- */

void flood_note(struct flood_told *told, uint64_t server, uint64_t time_ns)
{
    told->places[(server >> 1) % FLOOD_SERVERS].server = server;
    told->places[(server >> 1) % FLOOD_SERVERS].second = time_ns / SECOND_NS;
}

bool flood_has(const struct flood_told *told, const struct flow *flow)
{
    if (!flow_is_half_open(flow)) {
        return false;
    }
    uint64_t server = name_of(&flow->key, 1U - flow->initiator);
    uint64_t place = (server >> 1) % FLOOD_SERVERS;
    return told->places[place].server == server &&
           told->places[place].second >= flow->first_ns / SECOND_NS;
}
