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

void transaction_ends_pass(struct event_log *log, const struct flow *flow, const uint64_t order[2],
                           struct outbox *outbox)
{
    struct event_head *head = event_log_first(log);
    for (; head != NULL; head = event_log_next(log, head)) {
        struct transaction *t = (struct transaction *)head;
        transaction_ends(t, flow);
        transaction_finish(t);
        head->order = order[0];
        head->suborder = order[1];
        size_t size = event_pack(NULL, 0, head, log->text_max);
        void *room = outbox_reserve(outbox, size);
        if (room != NULL) {
            event_pack(room, size, head, log->text_max);
            outbox_commit(outbox);
        }
    }
    event_log_reset(log);
}
