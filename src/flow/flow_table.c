// SPDX-License-Identifier: Apache-2.0
/* Buckets: open addressing with linear probing over 8-byte slots, `tag << 32 | index`; the tag's low
 * bits are the slot's home, so that growing needs no key. The slots of every size the table may grow
 * to lie in one reservation, those of size s at [s, 2s): growing touches new pages and gives the old
 * ones back, and allocates nothing. Flows and their cold halves are two parallel arrays. A third one has
 * the links of lists of them: who walks along a list knows each flow only by the link before it, and
 * links by themselves stay in a near cache where flows do not. */
#include "flow/flow.h"

#include "base/pages.h"
#include "base/prefetch.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

enum {
    SLOTS_FIRST = 1024,
    WHEEL_SECONDS = 512,
    TIMER_UNARMED = 0x3ff,
    VICTIM_CANDIDATES = 16,
    FLOW_ROW_BYTES = sizeof(struct flow) + sizeof(struct flow_cold) + sizeof(uint32_t),
};

_Static_assert(sizeof(struct flow_key) == 48, "a key has no hidden padding");
_Static_assert(sizeof(struct flow) == 128, "a flow is two cache lines");
_Static_assert(sizeof(struct flow_cold) <= 48, "cold half");

struct flow_table {
    struct flow *flows;
    uint64_t *slots; /* of the present size */
    uint64_t mask;
    struct flow_cold *cold;
    uint32_t *next;  /* of each flow, in its timer's list, or in the list of what is free */
    uint64_t *reservation; /* of slots of all sizes */
    uint64_t slots_max;
    uint64_t seed;
    uint64_t second;    /* the wheel's present */
    uint32_t capacity;
    uint32_t count;
    uint32_t free_list;
    bool has_vlans;     /* a flow with a VLAN was here */
    uint32_t hand;      /* of the clock that looks for victims */
    struct budget_row row; /* indices that were used, and what pays for more */
    uint32_t wheel[WHEEL_SECONDS];
};

static uint64_t slots_for(uint32_t capacity)
{
    uint64_t slots = SLOTS_FIRST;
    while (slots * 3 / 4 < capacity) {
        slots *= 2;
    }
    return slots;
}

static size_t flows_size(const struct flow_table *table)
{
    return ((size_t)table->capacity + 1) * sizeof(struct flow);
}

static size_t cold_size(const struct flow_table *table)
{
    return ((size_t)table->capacity + 1) * sizeof(struct flow_cold);
}

static size_t next_size(const struct flow_table *table)
{
    return ((size_t)table->capacity + 1) * sizeof *table->next;
}

static size_t slots_size(const struct flow_table *table)
{
    return 2 * table->slots_max * sizeof(uint64_t);
}

struct flow_table *flow_table_new(const struct flow_table_options *options, struct err *err)
{
    assert(options->capacity > 0 && options->capacity < UINT32_MAX / 2);
    struct flow_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        err_set(err, ERR_FAILED, "out of memory for a flow table");
        return NULL;
    }
    table->capacity = options->capacity;
    table->seed = options->seed;
    table->slots_max = slots_for(options->capacity);
    table->hand = 1;
    table->row = (struct budget_row){.budget = options->budget,
                                     .bytes_each = options->bytes_each,
                                     .most = options->capacity};
    table->flows = pages_reserve(flows_size(table));
    table->cold = pages_reserve(cold_size(table));
    table->next = pages_reserve(next_size(table));
    table->reservation = pages_reserve(slots_size(table));
    if (table->flows == NULL || table->cold == NULL || table->next == NULL ||
        table->reservation == NULL) {
        err_set(err, ERR_FAILED,
                "cannot reserve memory for %u flows; lower limits.flows or limits.memory",
                options->capacity);
        flow_table_free(table);
        return NULL;
    }
    table->slots = table->reservation + SLOTS_FIRST;
    table->mask = SLOTS_FIRST - 1;
    return table;
}

void flow_table_free(struct flow_table *table)
{
    if (table == NULL) {
        return;
    }
    pages_release(table->flows, flows_size(table));
    pages_release(table->cold, cold_size(table));
    pages_release(table->next, next_size(table));
    pages_release(table->reservation, slots_size(table));
    free(table);
}

/* ---- Buckets ------------------------------------------------------------------------------- */

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static uint32_t slot_tag(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

void flow_prefetch_bucket(const struct flow_table *table, uint64_t hash)
{
    prefetch_read(&table->slots[tag_of(hash) & table->mask]);
}

flow_index flow_prefetch(const struct flow_table *table, uint64_t hash)
{
    uint32_t tag = tag_of(hash);
    for (uint64_t i = tag & table->mask; table->slots[i] != 0; i = (i + 1) & table->mask) {
        if (slot_tag(table->slots[i]) == tag) {
            const struct flow *flow = &table->flows[(uint32_t)table->slots[i]];
            prefetch_write(flow);
            prefetch_write(&flow->first_ns);
            return (uint32_t)table->slots[i];
        }
    }
    return 0;
}

flow_index flow_find(const struct flow_table *table, const struct flow_key *key, uint64_t hash)
{
    uint32_t tag = tag_of(hash);
    for (uint64_t i = tag & table->mask; table->slots[i] != 0; i = (i + 1) & table->mask) {
        if (slot_tag(table->slots[i]) == tag) {
            flow_index index = (uint32_t)table->slots[i];
            if (memcmp(&table->flows[index].key, key, sizeof *key) == 0) {
                return index;
            }
        }
    }
    return 0;
}

flow_index flow_find_near(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                          flow_index hint)
{
    const struct flow *flow = &table->flows[hint];
    bool is_it = flow->flags & FLOW_IN_USE && memcmp(&flow->key, key, sizeof *key) == 0;
    return is_it ? hint : flow_find(table, key, hash);
}

/* ---- VLANs that differ by direction -----------------------------------------------------------
 */

static bool differ_in_vlans(const struct flow_key *a, const struct flow_key *b)
{
    size_t head = offsetof(struct flow_key, vlan), tail = offsetof(struct flow_key, protocol);
    return memcmp(a, b, head) == 0 && memcmp(&a->protocol, &b->protocol, sizeof *a - tail) == 0;
}

void flow_vlans(const struct flow *flow, const struct flow_cold *cold, unsigned side,
                uint16_t ret[2])
{
    bool differ = flow->key.vlan[0] & FLOW_VLANS_DIFFER;
    bool is_first = side == (flow->flags & FLOW_FLIPPED ? 1 : 0);
    ret[0] = differ && !is_first ? cold->other_vlan[0]
                                 : (uint16_t)(flow->key.vlan[0] & ~FLOW_VLANS_DIFFER);
    ret[1] = differ && !is_first ? cold->other_vlan[1] : flow->key.vlan[1];
}

static bool has_borne(const struct flow_table *table, flow_index index, const struct flow_key *key,
                      unsigned end)
{
    const struct flow *flow = &table->flows[index];
    uint16_t vlan[2];
    flow_vlans(flow, &table->cold[index], end ^ flow->initiator, vlan);
    return flow->key.vlan[0] & FLOW_VLANS_DIFFER && memcmp(vlan, key->vlan, sizeof vlan) == 0;
}

/* Whether it has no packets from `end` yet, so that nobody knows what tags they bear. */
static bool has_not_heard(const struct flow *flow, unsigned end)
{
    return flow->packets[end ^ flow->initiator] == 0 && !(flow->key.vlan[0] & FLOW_VLANS_DIFFER);
}

flow_index flow_find_across(const struct flow_table *table, const struct flow_key *key,
                            unsigned end, uint64_t hash)
{
    if (!(table->has_vlans || key->vlan[0] != 0) || !flow_key_may_cross(key)) {
        return 0;
    }
    uint32_t tag = tag_of(hash);
    flow_index half = 0, any = 0;
    unsigned count = 0;
    for (uint64_t i = tag & table->mask; table->slots[i] != 0; i = (i + 1) & table->mask) {
        flow_index index = (uint32_t)table->slots[i];
        const struct flow *flow = &table->flows[index];
        if (slot_tag(table->slots[i]) != tag || !differ_in_vlans(&flow->key, key)) {
            continue;
        }
        if (has_borne(table, index, key, end)) {
            return index;
        }
        if (has_not_heard(flow, end) && (half == 0 || flow->last_ns > table->flows[half].last_ns)) {
            half = index;
        }
        any = index;
        count++;
    }
    return half != 0 || count < FLOW_VLANS_MOST ? half : any;
}

void flow_cross(struct flow_table *table, flow_index index, const struct flow_key *key,
                unsigned end)
{
    struct flow *flow = &table->flows[index];
    if (has_not_heard(flow, end)) {
        memcpy(table->cold[index].other_vlan, key->vlan, sizeof key->vlan);
        flow->key.vlan[0] |= FLOW_VLANS_DIFFER;
    }
}

static void slot_insert(struct flow_table *table, uint64_t slot)
{
    uint64_t i = slot_tag(slot) & table->mask;
    while (table->slots[i] != 0) {
        i = (i + 1) & table->mask;
    }
    table->slots[i] = slot;
}

/* Doubles the slots. One pass over the old ones, whose homes are in order, so that both sides
 * stream: a few milliseconds for a million flows, and rare. */
static void slots_grow(struct flow_table *table)
{
    uint64_t old_count = table->mask + 1;
    uint64_t *old = table->slots;
    table->slots = table->reservation + 2 * old_count;
    table->mask = 2 * old_count - 1;
    for (uint64_t i = 0; i < old_count; i++) {
        if (old[i] != 0) {
            slot_insert(table, old[i]);
        }
    }
    /* Small sizes share pages with their neighbours and stay. */
    if (old_count * sizeof *old >= (2 << 20)) {
        pages_discard(old, old_count * sizeof *old);
    }
}

/* Takes the slot out and closes the gap: later slots of the run move back towards their homes, so
 * that no tombstones pile up. */
static void slot_remove(struct flow_table *table, flow_index index, uint32_t tag)
{
    uint64_t hole = tag & table->mask;
    while ((uint32_t)table->slots[hole] != index) {
        assert(table->slots[hole] != 0);
        hole = (hole + 1) & table->mask;
    }
    for (uint64_t i = (hole + 1) & table->mask; table->slots[i] != 0; i = (i + 1) & table->mask) {
        uint64_t home = slot_tag(table->slots[i]) & table->mask;
        if (((i - home) & table->mask) >= ((i - hole) & table->mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = 0;
}

/* ---- Flows --------------------------------------------------------------------------------- */

struct flow *flow_at(const struct flow_table *table, flow_index index)
{
    return &table->flows[index];
}

struct flow_cold *flow_cold_at(const struct flow_table *table, flow_index index)
{
    return &table->cold[index];
}

uint32_t flow_table_count(const struct flow_table *table)
{
    return table->count;
}

uint32_t flow_table_bound(const struct flow_table *table)
{
    return table->row.used + 1;
}

bool flow_table_is_full(const struct flow_table *table)
{
    return table->count >= table->capacity ||
           (table->free_list == 0 && !budget_row_has(&table->row));
}

uint64_t flow_table_memory(const struct flow_table *table)
{
    return ((uint64_t)table->row.used + 1) * FLOW_ROW_BYTES +
           (table->mask + 1) * sizeof(uint64_t);
}

flow_index flow_add(struct flow_table *table, const struct flow_key *key, uint64_t hash)
{
    assert(table->count < table->capacity);
    flow_index index = table->free_list;
    if (index != 0) {
        table->free_list = table->next[index];
    } else {
        index = budget_row_next(&table->row);
        assert(index != 0);
    }
    struct flow *flow = &table->flows[index];
    memset(flow, 0, sizeof *flow);
    memset(&table->cold[index], 0, sizeof table->cold[index]);
    flow->key = *key;
    table->has_vlans |= key->vlan[0] != 0;
    flow->flags = FLOW_IN_USE;
    flow->timer_slot = TIMER_UNARMED;
    table->count++;
    if (table->count > (table->mask + 1) * 3 / 4) {
        slots_grow(table);
    }
    slot_insert(table, (uint64_t)tag_of(hash) << 32 | index);
    return index;
}

static void disarm(struct flow_table *table, flow_index index);

void flow_prefetch_drop(const struct flow_table *table, flow_index index)
{
    flow_prefetch_bucket(table, flow_key_hash(&table->flows[index].key, table->seed));
}

void flow_drop(struct flow_table *table, flow_index index)
{
    struct flow *flow = &table->flows[index];
    assert(flow->flags & FLOW_IN_USE);
    disarm(table, index);
    slot_remove(table, index, tag_of(flow_key_hash(&flow->key, table->seed)));
    flow->flags = 0;
    table->next[index] = table->free_list;
    table->free_list = index;
    table->count--;
}

/* The lower, the sooner it may go. */
static unsigned worth(const struct flow *flow)
{
    unsigned touched = flow->flags & FLOW_TOUCHED ? 4 : 0;
    if (flow->flags & FLOW_CLOSED) {
        return touched;
    }
    return touched + (flow->packets[0] == 0 || flow->packets[1] == 0 ? 1 : 2);
}

flow_index flow_table_victim(struct flow_table *table)
{
    assert(table->count > 0);
    flow_index best = 0;
    for (unsigned looked = 0; looked < VICTIM_CANDIDATES || best == 0; looked++) {
        flow_index index = table->hand;
        table->hand = index + 1 < (table->row.used + 1) ? index + 1 : 1;
        const struct flow *flow = &table->flows[index];
        if (!(flow->flags & FLOW_IN_USE)) {
            continue;
        }
        const struct flow *rival = &table->flows[best];
        if (best == 0 || worth(flow) < worth(rival) ||
            (worth(flow) == worth(rival) && flow->last_ns < rival->last_ns)) {
            best = index;
        }
    }
    return best;
}

/* ---- Timers -------------------------------------------------------------------------------- */

static void disarm(struct flow_table *table, flow_index index)
{
    struct flow *flow = &table->flows[index];
    if (flow->timer_slot == TIMER_UNARMED) {
        return;
    }
    flow_index next = table->next[index];
    if (flow->timer_previous != 0) {
        table->next[flow->timer_previous] = next;
    } else {
        table->wheel[flow->timer_slot] = next;
    }
    if (next != 0) {
        table->flows[next].timer_previous = flow->timer_previous;
    }
    flow->timer_slot = TIMER_UNARMED;
}

void flow_arm(struct flow_table *table, flow_index index, uint64_t second)
{
    disarm(table, index);
    uint64_t earliest = table->second + 1;
    uint64_t latest = table->second + WHEEL_SECONDS - 1;
    uint64_t at = second < earliest ? earliest : second > latest ? latest : second;
    struct flow *flow = &table->flows[index];
    flow_index next = table->wheel[at % WHEEL_SECONDS];
    flow->timer_slot = (uint16_t)(at % WHEEL_SECONDS) & TIMER_UNARMED;
    flow->timer_previous = 0;
    table->next[index] = next;
    if (next != 0) {
        table->flows[next].timer_previous = index;
    }
    table->wheel[flow->timer_slot] = index;
}

/* Takes the first flows of a list, at most `max`. It does not wait for what it writes to them. */
static uint32_t take_first(struct flow_table *table, uint32_t *list, flow_index *ret, uint32_t max)
{
    uint32_t count = 0;
    flow_index index = *list;
    for (; index != 0 && count < max; index = table->next[index]) {
        table->flows[index].timer_slot = TIMER_UNARMED;
        ret[count++] = index;
    }
    if (index != 0) {
        table->flows[index].timer_previous = 0;
    }
    *list = index;
    return count;
}

uint32_t flow_due(struct flow_table *table, uint64_t second, flow_index *ret, uint32_t max)
{
    uint32_t count = 0;
    if (second > table->second + WHEEL_SECONDS) {
        table->second = second - WHEEL_SECONDS; /* a long jump: each list comes up once */
    }
    while (table->second <= second) {
        uint32_t *list = &table->wheel[table->second % WHEEL_SECONDS];
        count += take_first(table, list, ret + count, max - count);
        if (count == max || table->second == second) {
            return count;
        }
        table->second++;
    }
    return count;
}
