// SPDX-License-Identifier: Apache-2.0
/* ICMP and ICMPv6: who pings whom, and what the network says went wrong. See README.md. */
#include "base/cursor.h"
#include "proto/icmp/icmp_event.h"
#include "proto/icmp/icmp_flow.h"
#include "proto/proto.h"

enum { HEADER = 8 };

static void icmp_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    if (packet->l4 + HEADER > packet->end) {
        ((struct icmp_stats *)c->block)->malformed++;
        return;
    }
    struct icmp_message message = {
        .time_ns = packet->time_ns,
        .key = load_be32(packet->l4 + 4),
        .bytes = packet->payload_len,
        .version = c->flow->key.version,
        .type = packet->icmp_type,
        .code = packet->icmp_code,
        .side = (uint8_t)side,
    };
    icmp_flow_take(c, &message);
}

static void icmp_on_close(struct proto_context *c, enum proto_close why)
{
    icmp_flow_close(c, why == PROTO_TIMEOUT ? "timeout" : "closed");
}

static const struct event_type *const events[] = {&icmp_event_type, NULL};

const struct proto proto_icmp = {
    .name = "icmp",
    .help = "pings and other requests with their replies, and errors, of ICMP and ICMPv6",
    .metrics = &icmp_set,
    .flow_size = sizeof(struct icmp_flow),
    .events = events,
    .reads_icmp = true,
    .on_datagram = icmp_on_datagram,
    .on_close = icmp_on_close,
};
