// SPDX-License-Identifier: Apache-2.0
#include "handler/dns_wait.h"

uint64_t dns_wait_key(uint64_t talk, uint16_t id, unsigned side)
{
    uint64_t key = (talk ^ ((uint64_t)id << 2 | side)) * UINT64_C(0x9e3779b97f4a7c15);
    key ^= key >> 29;
    return key != 0 ? key : 1;
}

static struct dns_waiting *corner(struct dns_wait *wait, uint64_t key)
{
    return &wait->slots[key % (DNS_WAIT_SLOTS / DNS_WAIT_WAYS) * DNS_WAIT_WAYS];
}

/* A free entry of the key's corner, or that which has waited longest; the key's own if it is
 * there: the client asked again. */
static struct dns_waiting *place_for(struct dns_wait *wait, uint64_t key)
{
    struct dns_waiting *first = corner(wait, key), *best = first;
    for (unsigned i = 0; i < DNS_WAIT_WAYS; i++) {
        if (first[i].key == key) {
            return &first[i];
        }
        bool is_better = first[i].key == 0 ? best->key != 0
                                           : best->key != 0 && first[i].since_ns < best->since_ns;
        best = is_better ? &first[i] : best;
    }
    return best;
}

static bool is_current(const struct dns_wait *wait, uint32_t at)
{
    const struct dns_waiting *entry = &wait->slots[wait->ring[at].slot];
    return entry->key != 0 && entry->since_ns == wait->ring[at].since_ns;
}

/* Throws out of the order what was answered or taken anew: half of it at least, so that this is
 * shared by as many queries. */
static void ring_compact(struct dns_wait *wait)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < wait->count; i++) {
        uint32_t from = (wait->head + i) % DNS_WAIT_RING;
        if (is_current(wait, from)) {
            wait->ring[(wait->head + kept++) % DNS_WAIT_RING] = wait->ring[from];
        }
    }
    wait->count = kept;
}

static void ring_push(struct dns_wait *wait, uint32_t slot)
{
    if (wait->count == DNS_WAIT_RING) {
        ring_compact(wait);
    }
    if (wait->count == DNS_WAIT_RING) { /* the same again and again within one tick of the clock */
        wait->head = (wait->head + 1) % DNS_WAIT_RING;
        wait->count--;
    }
    uint32_t at = (wait->head + wait->count++) % DNS_WAIT_RING;
    wait->ring[at].slot = slot;
    wait->ring[at].since_ns = wait->slots[slot].since_ns;
}

struct dns_waiting *dns_wait_add(struct dns_wait *wait, uint64_t key, uint64_t now_ns,
                                 struct dns_waiting *ret_lost)
{
    struct dns_waiting *entry = place_for(wait, key);
    *ret_lost = entry->key == key ? (struct dns_waiting){0} : *entry;
    *entry = (struct dns_waiting){.key = key, .since_ns = now_ns};
    ring_push(wait, (uint32_t)(entry - wait->slots));
    return entry;
}

bool dns_wait_take(struct dns_wait *wait, uint64_t key, struct dns_waiting *ret)
{
    struct dns_waiting *first = corner(wait, key);
    for (unsigned i = 0; i < DNS_WAIT_WAYS; i++) {
        if (first[i].key == key) {
            *ret = first[i];
            first[i].key = 0;
            return true;
        }
    }
    return false;
}

bool dns_wait_expire(struct dns_wait *wait, uint64_t now_ns, uint64_t patience_ns,
                     struct dns_waiting *ret)
{
    while (wait->count > 0) {
        struct dns_waiting *entry = &wait->slots[wait->ring[wait->head].slot];
        bool is_there = is_current(wait, wait->head);
        if (is_there && entry->since_ns + patience_ns > now_ns) {
            return false; /* all behind it came later */
        }
        wait->head = (wait->head + 1) % DNS_WAIT_RING;
        wait->count--;
        if (is_there) {
            *ret = *entry;
            entry->key = 0;
            return true;
        }
    }
    return false;
}
