// SPDX-License-Identifier: Apache-2.0
#include "engine/transaction_ends.h"

#include "engine/flow_event.h"

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

void transaction_ends(struct transaction *t, const struct flow *flow)
{
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
    flow_event_community_id(t->community_id, key);
}
