// SPDX-License-Identifier: Apache-2.0
#include "engine/listeners.h"

#include <netinet/in.h>

enum { CACHE_ALIGN = 64 };

static const struct proto_settings *settings_of(const struct config *config,
                                                const struct proto *proto)
{
    for (size_t i = 0; i < config->protocol_count; i++) {
        if (config->protocols[i].proto == proto) {
            return config->protocols[i].options;
        }
    }
    return NULL;
}

/* Notes who is to be asked about what, for listeners_ask(). */
static void note(struct listeners *to, const struct listener *l)
{
    uint64_t bit = UINT64_C(1) << (l - to->items);
    bool is_asked = l->proto->probe != NULL;
    to->reads_tcp |= is_asked && l->proto->on_chunk != NULL ? bit : 0;
    to->reads_datagrams |= is_asked && l->proto->on_datagram != NULL ? bit : 0;
    to->begins_late |= l->proto->probe_late != NULL ? to->reads_tcp & bit : 0;
    to->reads_anywhere |= l->settings->only_ports ? 0 : bit;
    for (uint32_t i = 0; i < l->port_count; i++) {
        for (uint32_t port = l->ports[i].low; port <= l->ports[i].high; port++) {
            to->hints[port % 256] |= bit;
        }
    }
}

static void add(struct listeners *to, const struct proto *proto, size_t offset,
                const struct proto_settings *settings)
{
    struct listener *l = &to->items[to->count++];
    *l = (struct listener){
        .proto = proto, .settings = settings, .offset = offset, .cache_at = to->cache_size};
    to->cache_size += (proto->cache_size + CACHE_ALIGN - 1) & ~(size_t)(CACHE_ALIGN - 1);
    for (size_t i = 0; i < settings->ports.count && l->port_count < LISTENER_PORTS; i++) {
        l->port_count += config_port_range(settings->ports.items[i], &l->ports[l->port_count]);
    }
    to->has_tcp = to->has_tcp || proto->on_chunk != NULL;
    to->has_udp = to->has_udp || (proto->on_datagram != NULL && proto->probe != NULL);
    if (proto->reads_icmp && to->icmp == NULL) {
        to->icmp = l;
    }
    note(to, l);
}

void listeners_init(struct listeners *to, const struct config *config,
                    const struct delta_layout *layout)
{
    *to = (struct listeners){0};
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct proto *proto = layout->protos[i];
        const struct proto_settings *settings = settings_of(config, proto);
        if (settings != NULL && settings->enabled) {
            add(to, proto, layout->offsets[i], settings);
        }
    }
}

static bool has_port(const struct listener *l, const struct flow_key *key)
{
    for (uint32_t i = 0; i < l->port_count; i++) {
        const struct config_ports *range = &l->ports[i];
        if ((key->port[0] >= range->low && key->port[0] <= range->high) ||
            (key->port[1] >= range->low && key->port[1] <= range->high)) {
            return true;
        }
    }
    return false;
}

static bool reads(const struct proto *proto, const struct flow_key *key)
{
    bool has_hook = key->protocol == IPPROTO_TCP ? proto->on_chunk != NULL
                                                 : proto->on_datagram != NULL;
    return has_hook && proto->probe != NULL;
}

/* Those of `among` at one of whose ports the flow is. */
static uint64_t hinted(const struct listeners *all, const struct flow_key *key, uint64_t among)
{
    uint64_t ret = 0;
    uint64_t may_be = among & (all->hints[key->port[0] % 256] | all->hints[key->port[1] % 256]);
    for (; may_be != 0; may_be &= may_be - 1) {
        if (has_port(&all->items[__builtin_ctzll(may_be)], key)) {
            ret |= may_be & -may_be;
        }
    }
    return ret;
}

struct answer {
    uint32_t number; /* a listener's plus 1, or 0 */
    bool unsure;
    bool waits; /* nobody else is to be asked yet */
};

/* Asks those of a mask; the first that is sure has it. */
static struct answer ask(const struct listeners *all, uint64_t whom, bool at_port, struct span data,
                         unsigned side)
{
    struct answer ret = {0};
    for (; whom != 0; whom &= whom - 1) {
        unsigned i = (unsigned)__builtin_ctzll(whom);
        const struct proto *proto = all->items[i].proto;
        bool is_own = at_port && proto->probe_at_port != NULL;
        enum proto_guess guess = is_own ? proto->probe_at_port(data, side) : proto->probe(data, side);
        if (guess == PROTO_YES) {
            return (struct answer){.number = i + 1};
        }
        ret.unsure = ret.unsure || guess == PROTO_UNSURE;
        ret.waits = ret.waits || (is_own && guess == PROTO_UNSURE);
    }
    return ret;
}

uint32_t listeners_ask(const struct listeners *all, const struct flow_key *key, struct span data,
                       unsigned side)
{
    uint64_t readers = key->protocol == IPPROTO_TCP ? all->reads_tcp : all->reads_datagrams;
    uint64_t hinted_at = hinted(all, key, readers);
    struct answer first = ask(all, hinted_at, true, data, side);
    if (first.number != 0 || (first.waits && data.size < LISTENERS_PROBE)) {
        return first.number;
    }
    struct answer other = ask(all, readers & ~hinted_at & all->reads_anywhere, false, data, side);
    bool may_tell = (first.unsure || other.unsure) && data.size < LISTENERS_PROBE;
    return other.number != 0 || may_tell ? other.number : LISTENERS_NONE;
}

uint32_t listeners_ask_late(const struct listeners *all, const struct flow_key *key,
                            struct span data, unsigned side)
{
    uint64_t whom = all->begins_late & (all->reads_anywhere | hinted(all, key, all->begins_late));
    bool is_unsure = false;
    for (; whom != 0; whom &= whom - 1) {
        unsigned i = (unsigned)__builtin_ctzll(whom);
        enum proto_guess guess = all->items[i].proto->probe_late(data, side);
        if (guess == PROTO_YES) {
            return i + 1;
        }
        is_unsure = is_unsure || guess == PROTO_UNSURE;
    }
    return is_unsure ? 0 : LISTENERS_NONE;
}

uint32_t listeners_ask_datagram(const struct listeners *all, struct flow *flow, struct span data,
                                unsigned side)
{
    uint64_t hinted_at = hinted(all, &flow->key, all->reads_datagrams);
    uint32_t number = flow->talk == 0 ? listeners_ask(all, &flow->key, data, side)
                                      : ask(all, hinted_at, true, data, side).number;
    if (number != 0 && number != LISTENERS_NONE) {
        flow->talk = 0;
        return number;
    }
    bool is_over = hinted_at == 0 || flow->talk + 1 == LISTENERS_TRIES;
    flow->talk = is_over ? 0 : flow->talk + 1;
    return is_over ? LISTENERS_NONE : 0;
}

static bool is_called(const struct proto *proto, struct span name)
{
    const char *const *names = proto->agreed_names;
    while (names != NULL && *names != NULL && !span_equal(name, span_str(*names))) {
        names++;
    }
    return names != NULL && *names != NULL;
}

uint32_t listeners_agreed(const struct listeners *all, const struct flow_key *key, struct span name,
                          const struct proto_chunk *chunk)
{
    for (uint32_t i = 0; name.size > 0 && i < all->count; i++) {
        const struct listener *l = &all->items[i];
        bool is_wanted = all->reads_anywhere & UINT64_C(1) << i || has_port(l, key);
        if (is_wanted && reads(l->proto, key) && is_called(l->proto, name) &&
            l->proto->probe(chunk->data, chunk->side) != PROTO_NO) {
            return i + 1;
        }
    }
    return 0;
}

uint32_t listeners_refused(const struct listeners *all, const struct flow_key *key, uint8_t *blocks,
                           struct span data, unsigned side)
{
    for (uint32_t i = 0; i < all->count; i++) {
        const struct listener *l = &all->items[i];
        if (l->proto->on_refused != NULL && reads(l->proto, key) && has_port(l, key)) {
            l->proto->on_refused(blocks + l->offset, data, side);
        }
    }
    return LISTENERS_NONE;
}
