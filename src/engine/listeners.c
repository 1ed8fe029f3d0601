// SPDX-License-Identifier: Apache-2.0
#include "engine/listeners.h"

#include <netinet/in.h>

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

static void add(struct listeners *to, const struct proto *proto, size_t offset,
                const struct proto_settings *settings)
{
    struct listener *l = &to->items[to->count++];
    *l = (struct listener){.proto = proto, .settings = settings, .offset = offset};
    for (size_t i = 0; i < settings->ports.count && l->port_count < LISTENER_PORTS; i++) {
        l->port_count += config_port_range(settings->ports.items[i], &l->ports[l->port_count]);
    }
    to->has_tcp = to->has_tcp || proto->on_chunk != NULL;
    to->has_udp = to->has_udp || (proto->on_datagram != NULL && proto->probe != NULL);
    if (proto->reads_icmp && to->icmp == NULL) {
        to->icmp = l;
    }
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

uint32_t listeners_ask(const struct listeners *all, const struct flow_key *key, struct span data,
                       unsigned side)
{
    bool unsure = false;
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < all->count; i++) {
            const struct listener *l = &all->items[i];
            bool hinted = has_port(l, key);
            bool is_turn = hinted == (round == 0) && (hinted || !l->settings->only_ports);
            if (!is_turn || !reads(l->proto, key)) {
                continue;
            }
            enum proto_guess guess = l->proto->probe(data, side);
            if (guess == PROTO_YES) {
                return i + 1;
            }
            unsure = unsure || guess == PROTO_UNSURE;
        }
    }
    return unsure ? 0 : LISTENERS_NONE;
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
