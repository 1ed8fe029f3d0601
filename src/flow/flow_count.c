// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_tcp.h"

#include <netinet/in.h>

enum { MAC_SIZE = 6 };

/* ---- The initiator ------------------------------------------------------------------------- */

/* Ports from which services answer: the system ports (RFC 6335 §6) and those registered ones that
 * are met most. Others are not told from ephemeral ports, which in older systems begin at 1024. */
static bool is_server_port(uint16_t port)
{
    switch (port) {
    case 1194: case 1433: case 1521: case 1812: case 1813: case 1883: case 2049: case 3128:
    case 3306: case 3389: case 3478: case 4500: case 5044: case 5060: case 5061: case 5222:
    case 5432: case 5672: case 5900: case 6379: case 6443: case 8080: case 8443: case 8883:
    case 9042: case 9092: case 9200: case 11211: case 27017:
        return true;
    default:
        return port < 1024;
    }
}

/* Whether the end with this port of a conversation that was met midway asked, not answered. */
static bool asked_by_port(const struct packet *p)
{
    bool source = is_server_port(p->source_port);
    bool destination = is_server_port(p->destination_port);
    if (source != destination) {
        return destination;
    }
    bool joined = p->class == PACKET_TCP && !source;
    return !joined || p->source_port >= p->destination_port;
}

/* Answers that are only sent to who asked. Advertisements and reports come unasked, too. */
static bool is_icmp_answer(const struct packet *p)
{
    if (p->class == PACKET_ICMP) {
        return p->icmp_type == 0 || p->icmp_type == 14 || p->icmp_type == 16 || p->icmp_type == 18;
    }
    return p->icmp_type == 129 || p->icmp_type == 140 || p->icmp_type == 145;
}

static bool sender_is_initiator(const struct flow *flow, const struct packet *p)
{
    if (flow->key.portless || p->class == PACKET_MALFORMED) {
        return true;
    }
    if (p->class == PACKET_TCP && p->tcp_flags & TCP_SYN) {
        return !(p->tcp_flags & TCP_ACK);
    }
    if (p->class == PACKET_ICMP || p->class == PACKET_ICMPV6) {
        return !is_icmp_answer(p);
    }
    return !p->has_ports || asked_by_port(p);
}

/* ---- Beginning ----------------------------------------------------------------------------- */

static void note_mac(struct flow_cold *cold, unsigned side, const uint8_t *mac)
{
    memcpy(cold->mac[side], mac, MAC_SIZE);
    cold->mac_seen = (uint8_t)((cold->mac_seen | 1U << side) & 3U);
}

/* In its place, flows outside of tunnels keep what flow_cross() told of them. */
static void note_tunnel(struct flow_cold *cold, const struct packet *p)
{
    if (p->tunnel != TUNNEL_NONE) {
        cold->tunnel_id[0] = p->tunnel_id;
    }
}

void flow_begin(struct flow_table *table, flow_index index, const struct packet *p, int end,
                uint64_t order)
{
    struct flow *flow = flow_at(table, index);
    struct flow_cold *cold = flow_cold_at(table, index);
    unsigned side = 0;
    if (!sender_is_initiator(flow, p)) {
        side = 1;
        flow->flags |= FLOW_FLIPPED;
    }
    flow->initiator = (uint8_t)((unsigned)end ^ side);
    flow->first_ns = p->time_ns;
    flow->last_ns = p->time_ns;
    cold->order = order & FLOW_ORDER_MAX;
    note_tunnel(cold, p);
    if (p->mac != NULL) {
        note_mac(cold, 1 - side, p->mac); /* until that side sends a frame itself */
    }
}

/* ---- Counting ------------------------------------------------------------------------------ */

/* The first packet of a side. */
static void count_first(struct flow *flow, struct flow_cold *cold, const struct packet *p,
                        unsigned side)
{
    if (p->mac != NULL) {
        note_mac(cold, side, p->mac + MAC_SIZE);
    }
    if (side == 0) {
        note_tunnel(cold, p);
    }
    if (flow->key.protocol == IPPROTO_UDP) {
        flow_history_once(cold, side, 'D');
    }
}

void flow_count(struct flow_table *table, flow_index index, const struct packet *p, int end,
                struct flow_update *ret)
{
    struct flow *flow = flow_at(table, index);
    unsigned side = (unsigned)end ^ flow->initiator;
    *ret = (struct flow_update){.side = (uint8_t)side, .before_ns = flow->last_ns};
    if (flow->packets[side] == 0) {
        count_first(flow, flow_cold_at(table, index), p, side);
    }
    flow->packets[side] += p->frames;
    flow->bytes[side] += p->wire_len;
    flow->ttl[side] = p->ttl;
    if (p->time_ns > flow->last_ns) {
        flow->last_ns = p->time_ns;
    }
    if (p->frames != 1 || p->fragment != FRAGMENT_NONE) {
        flow->flags |= FLOW_FRAGMENTS;
    }
    if (!flow_tcp_is_legible(p)) {
        return;
    }
    if (flow_tcp_is_plain(flow, side, p)) {
        flow->next_seq[side] += p->payload_len;
        flow->tcp_flags[side] |= p->tcp_flags;
        ret->plain = true;
    } else {
        flow_tcp_follow(flow, flow_cold_at(table, index), p, ret);
    }
}
