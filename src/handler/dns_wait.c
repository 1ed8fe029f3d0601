// SPDX-License-Identifier: Apache-2.0
#include "handler/dns_wait.h"

/* So many of the order may be out of date, beside as many as wait, before they are thrown out. */
enum { RING_SLACK = 1024 };

uint64_t dns_wait_key(uint64_t talk, uint16_t id, unsigned side)
{
    uint64_t key = (talk ^ ((uint64_t)id << 2 | side)) * UINT64_C(0x9e3779b97f4a7c15);
    key ^= key >> 29;
    return key != 0 ? key : 1;
}

static uint32_t corner(uint64_t key)
{
    return (uint32_t)(key % (DNS_WAIT_SLOTS / DNS_WAIT_WAYS) * DNS_WAIT_WAYS);
}

/* The place of a query in its corner; DNS_WAIT_SLOTS when it is not there. */
static uint32_t find(const struct dns_wait *wait, uint64_t key)
{
    uint32_t first = corner(key);
    for (uint32_t i = first; i < first + DNS_WAIT_WAYS; i++) {
        if (wait->keys[i] == key) {
            return i;
        }
    }
    return DNS_WAIT_SLOTS;
}

/* A free place of the key's corner, or that which has waited longest. */
static uint32_t place_for(const struct dns_wait *wait, uint64_t key)
{
    uint32_t first = corner(key), best = first;
    for (uint32_t i = first; i < first + DNS_WAIT_WAYS; i++) {
        if (wait->keys[i] == 0) {
            return i;
        }
        best = wait->slots[i].since_ns < wait->slots[best].since_ns ? i : best;
    }
    return best;
}

static bool is_current(const struct dns_wait *wait, uint32_t at)
{
    uint32_t slot = wait->ring[at].slot;
    return wait->keys[slot] != 0 && (uint32_t)wait->slots[slot].since_ns == wait->ring[at].stamp;
}

/* Empties a place and says what was in it. */
static void take_out(struct dns_wait *wait, uint32_t slot, struct dns_waited *ret)
{
    ret->key = wait->keys[slot];
    ret->query = wait->slots[slot];
    if (ret->query.subnet_version != 0) {
        memcpy(ret->subnet, wait->subnets[slot], sizeof ret->subnet);
    }
    wait->keys[slot] = 0;
}

/* Throws out of the order what was answered or taken anew. Half of it came since the last time, so that
 * this is shared by as many queries. Most are answered at once: with few that wait the order stays
 * short, and in the cache. */
static void ring_compact(struct dns_wait *wait)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < wait->count; i++) {
        uint32_t from = (wait->head + i) % DNS_WAIT_RING;
        if (is_current(wait, from)) {
            wait->ring[(wait->head + kept++) % DNS_WAIT_RING] = wait->ring[from];
        }
    }
    wait->count = wait->current = kept;
}

static void ring_push(struct dns_wait *wait, uint32_t slot)
{
    if (wait->count >= 2 * wait->current + RING_SLACK || wait->count == DNS_WAIT_RING) {
        ring_compact(wait);
    }
    if (wait->count == DNS_WAIT_RING) { /* the same again and again within one tick of the clock */
        wait->head = (wait->head + 1) % DNS_WAIT_RING;
        wait->count--;
    }
    uint32_t at = (wait->head + wait->count++) % DNS_WAIT_RING;
    wait->ring[at].slot = slot;
    wait->ring[at].stamp = (uint32_t)wait->slots[slot].since_ns;
}

struct dns_waiting *dns_wait_add(struct dns_wait *wait, uint64_t key, uint64_t now_ns,
                                 struct dns_waited *ret_lost)
{
    uint32_t slot = find(wait, key); /* its own: the client asked again */
    ret_lost->key = 0;
    if (slot == DNS_WAIT_SLOTS) {
        slot = place_for(wait, key);
        if (wait->keys[slot] != 0) {
            take_out(wait, slot, ret_lost);
        }
    }
    wait->keys[slot] = key;
    wait->slots[slot] = (struct dns_waiting){.since_ns = now_ns};
    ring_push(wait, slot);
    return &wait->slots[slot];
}

void dns_wait_subnet(struct dns_wait *wait, struct dns_waiting *entry, unsigned version,
                     const uint8_t *bytes)
{
    entry->subnet_version = version & 15;
    memcpy(wait->subnets[entry - wait->slots], bytes, DNS_WAIT_SUBNET);
}

bool dns_wait_take(struct dns_wait *wait, uint64_t key, struct dns_waited *ret)
{
    uint32_t slot = find(wait, key);
    if (slot == DNS_WAIT_SLOTS) {
        return false;
    }
    take_out(wait, slot, ret);
    return true;
}

bool dns_wait_expire(struct dns_wait *wait, uint64_t now_ns, uint64_t patience_ns,
                     struct dns_waited *ret)
{
    while (wait->count > 0) {
        uint32_t slot = wait->ring[wait->head].slot;
        bool is_there = is_current(wait, wait->head);
        if (is_there && wait->slots[slot].since_ns + patience_ns > now_ns) {
            return false; /* all behind it came later */
        }
        wait->head = (wait->head + 1) % DNS_WAIT_RING;
        wait->count--;
        if (is_there) {
            take_out(wait, slot, ret);
            return true;
        }
    }
    return false;
}

static void inherit(struct dns_wait *wait, const struct dns_wait *from, uint32_t slot)
{
    uint64_t key = from->keys[slot];
    uint32_t to = find(wait, key) == DNS_WAIT_SLOTS ? place_for(wait, key) : DNS_WAIT_SLOTS;
    if (to == DNS_WAIT_SLOTS || wait->keys[to] != 0) {
        return;
    }
    wait->keys[to] = key;
    wait->slots[to] = from->slots[slot];
    wait->slots[to].is_known_elsewhere = true;
    if (from->slots[slot].subnet_version != 0) {
        memcpy(wait->subnets[to], from->subnets[slot], DNS_WAIT_SUBNET);
    }
    ring_push(wait, to);
}

void dns_wait_inherit(struct dns_wait *wait, const struct dns_wait *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t at = (from->head + i) % DNS_WAIT_RING;
        if (is_current(from, at) && wait != from) {
            inherit(wait, from, from->ring[at].slot);
        } else if (is_current(from, at)) {
            wait->slots[wait->ring[at].slot].is_known_elsewhere = true;
        }
    }
}
