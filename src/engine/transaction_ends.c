// SPDX-License-Identifier: Apache-2.0
#include "engine/transaction_ends.h"

#include <netinet/in.h>

static const char *transport_of(const struct flow_key *key)
{
    switch (key->protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "ipv6-icmp";
    default:
        return "udp";
    }
}

static const char *community_id(struct transaction_ids *ids, const struct flow_key *key)
{
    unsigned place = (key->port[0] * 31U + key->port[1] * 17U + key->address[0][3] +
                      key->address[1][3]) % TRANSACTION_IDS;
    if (memcmp(&ids->known[place].key, key, sizeof *key) != 0) {
        ids->known[place].key = *key;
        flow_event_community_id(ids->known[place].text, key);
    }
    return ids->known[place].text;
}

/* From here to who was asked, which is the responder but where a server asks. */
static struct event_optional round_trip(const struct transaction *t, const struct flow_cold *cold)
{
    uint64_t value = cold != NULL ? flow_round_trip_ns(cold, 1 - (t->request_side & 1U)) : 0;
    return (struct event_optional){.value = value, .present = value > 0};
}

void transaction_ends(struct transaction *t, const struct transaction_flow *of,
                      struct transaction_ids *ids)
{
    const struct flow *flow = of->flow;
    const struct flow_key *key = &flow->key;
    unsigned source = flow->initiator ^ (t->request_side & 1U);
    t->source.version = t->destination.version = key->version;
    memcpy(t->source.bytes, key->address[source], sizeof t->source.bytes);
    memcpy(t->destination.bytes, key->address[1 - source], sizeof t->destination.bytes);
    if (key->protocol != IPPROTO_ICMP && key->protocol != IPPROTO_ICMPV6) {
        t->source_port = key->port[source];
        t->destination_port = key->port[1 - source];
    }
    t->network_type = key->version == 4 ? "ipv4" : "ipv6";
    t->transport = transport_of(key);
    t->incomplete = flow->flags & FLOW_INCOMPLETE;
    t->round_trip = round_trip(t, of->cold);
    memcpy(t->community_id, community_id(ids, key), sizeof t->community_id);
}
