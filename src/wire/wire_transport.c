// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_transport.h"

#include "wire/wire_ip.h"

enum {
    SCTP_SIZE = 12,
    ICMP_SIZE_MIN = 4, /* type, code and checksum; what follows depends on the type */
    ICMP_SIZE = 8,
    IGMP_SIZE = 8,
};

/* UDP ports of tunnels (IANA Service Names and Port Numbers). */
enum {
    PORT_L2TP = 1701,
    PORT_GTPU = 2152,
    PORT_TEREDO = 3544,
    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_GENEVE = 6081,
    PORT_MPLS = 6635,
};

enum packet_class wire_transport_class(uint8_t protocol)
{
    switch (protocol) {
    case PROTOCOL_TCP:
        return PACKET_TCP;
    case PROTOCOL_UDP:
    case PROTOCOL_UDPLITE:
        return PACKET_UDP;
    case PROTOCOL_SCTP:
        return PACKET_SCTP;
    case PROTOCOL_ICMP:
        return PACKET_ICMP;
    case PROTOCOL_ICMPV6:
        return PACKET_ICMPV6;
    case PROTOCOL_IGMP:
        return PACKET_IGMP;
    default:
        return PACKET_OTHER;
    }
}

static inline void read_ports(struct packet *p, const uint8_t *l4)
{
    p->source_port = load_be16(l4);
    p->destination_port = load_be16(l4 + 2);
    p->has_ports = true;
}

static void glimpse_tcp(struct packet *p, uint32_t captured)
{
    const uint8_t *tcp = p->l4;
    if (captured >= 8) {
        p->seq = load_be32(tcp + 4);
    }
    if (captured >= 12) {
        p->ack = load_be32(tcp + 8);
    }
    if (captured >= 14) {
        p->tcp_flags = tcp[13];
    }
    if (captured >= 16) {
        p->window = load_be16(tcp + 14);
    }
}

void wire_transport_glimpse(struct packet *p, uint32_t captured)
{
    switch (p->class) {
    case PACKET_TCP:
    case PACKET_UDP:
    case PACKET_SCTP:
        if (captured >= 4) {
            read_ports(p, p->l4);
        }
        if (p->class == PACKET_TCP) {
            glimpse_tcp(p, captured);
        }
        break;
    case PACKET_ICMP:
    case PACKET_ICMPV6:
        if (captured >= 2) {
            p->icmp_type = p->l4[0];
            p->icmp_code = p->l4[1];
        }
        break;
    default:
        break;
    }
}

/* The captured bytes end within a header of `size` bytes: the capture's fault, or the packet's. */
static enum wire_step cut_header(struct wire_walk *w, uint32_t size, enum packet_malformed reason)
{
    struct packet *p = w->packet;
    uint32_t left = wire_walk_left(w);
    if (left < size) {
        return wire_walk_bad(w, reason);
    }
    p->malformed = PACKET_SNAPPED;
    p->payload = NULL;
    p->payload_len = left - size;
    wire_transport_glimpse(p, wire_walk_captured(w));
    return STEP_DONE;
}

enum wire_step wire_transport_tcp(struct wire_walk *w)
{
    struct packet *p = w->packet;
    const uint8_t *tcp = w->at;
    uint32_t captured = wire_walk_captured(w);
    p->class = PACKET_TCP;
    wire_walk_layer(w, LAYER_TCP);
    if (captured < WIRE_TCP_SIZE) {
        return cut_header(w, WIRE_TCP_SIZE, PACKET_BAD_TCP);
    }
    uint32_t header = (tcp[12] >> 4) * 4U;
    if (header < WIRE_TCP_SIZE) {
        return wire_walk_bad(w, PACKET_BAD_TCP);
    }
    if (captured < header) {
        return cut_header(w, header, PACKET_BAD_TCP);
    }
    wire_transport_note_tcp(p, tcp, header, captured + w->cut);
    return STEP_DONE;
}

static enum wire_step tunnel_step(uint16_t port)
{
    switch (port) {
    case PORT_L2TP:
        return STEP_L2TP_UDP;
    case PORT_GTPU:
        return STEP_GTPU;
    case PORT_TEREDO:
        return STEP_TEREDO;
    case PORT_VXLAN:
        return STEP_VXLAN;
    case PORT_VXLAN_GPE:
        return STEP_VXLAN_GPE;
    case PORT_GENEVE:
        return STEP_GENEVE;
    case PORT_MPLS:
        return STEP_MPLS_UDP;
    default:
        return STEP_DONE;
    }
}

enum wire_step wire_transport_tunnel(uint16_t source_port, uint16_t destination_port)
{
    enum wire_step step = tunnel_step(destination_port);
    return step != STEP_DONE ? step : tunnel_step(source_port);
}

/* A length of 0 is a jumbogram's over IPv6 (RFC 2675 §4). A length below that of the IP payload
 * leaves a surplus, which is not the datagram's. */
enum wire_step wire_transport_udp(struct wire_walk *w)
{
    struct packet *p = w->packet;
    const uint8_t *udp = w->at;
    uint32_t left = wire_walk_left(w);
    p->class = PACKET_UDP;
    wire_walk_layer(w, LAYER_UDP);
    if (wire_walk_captured(w) < WIRE_UDP_SIZE) {
        return cut_header(w, WIRE_UDP_SIZE, PACKET_BAD_UDP);
    }
    uint32_t size = load_be16(udp + 4);
    if (size == 0 && p->version == 6) {
        size = left;
    }
    if (size < WIRE_UDP_SIZE || size > left) {
        return wire_walk_bad(w, PACKET_BAD_UDP);
    }
    wire_transport_note_udp(p, udp, size);
    wire_walk_limit(w, size);
    w->at = udp + WIRE_UDP_SIZE;
    return wire_transport_tunnel(p->source_port, p->destination_port);
}

enum wire_step wire_transport_udplite(struct wire_walk *w)
{
    struct packet *p = w->packet;
    const uint8_t *udp = w->at;
    uint32_t left = wire_walk_left(w);
    p->class = PACKET_UDP;
    wire_walk_layer(w, LAYER_UDPLITE);
    if (wire_walk_captured(w) < WIRE_UDP_SIZE) {
        return cut_header(w, WIRE_UDP_SIZE, PACKET_BAD_UDP);
    }
    uint16_t coverage = load_be16(udp + 4);
    if ((coverage != 0 && coverage < WIRE_UDP_SIZE) || coverage > left) {
        return wire_walk_bad(w, PACKET_BAD_UDP);
    }
    read_ports(p, udp);
    p->payload = udp + WIRE_UDP_SIZE;
    p->payload_len = left - WIRE_UDP_SIZE;
    return STEP_DONE;
}

enum wire_step wire_transport_sctp(struct wire_walk *w)
{
    struct packet *p = w->packet;
    p->class = PACKET_SCTP;
    wire_walk_layer(w, LAYER_SCTP);
    if (wire_walk_captured(w) < SCTP_SIZE) {
        return cut_header(w, SCTP_SIZE, PACKET_BAD_SCTP);
    }
    read_ports(p, w->at);
    p->payload = w->at + SCTP_SIZE;
    p->payload_len = wire_walk_left(w) - SCTP_SIZE;
    return STEP_DONE;
}

/* Destination unreachable, source quench, redirect, time exceeded and parameter problem quote the
 * packet that they speak of. */
static bool icmp_quotes(uint8_t type)
{
    return (type >= 3 && type <= 5) || type == 11 || type == 12;
}

/* All ICMPv6 errors quote; the types from 128 on are no errors (RFC 4443 §2.1), and those from 100
 * on are for experiments. */
static bool icmpv6_quotes(uint8_t type)
{
    return type >= 1 && type <= 4;
}

static enum wire_step icmp(struct wire_walk *w, bool (*quotes)(uint8_t type))
{
    struct packet *p = w->packet;
    uint32_t captured = wire_walk_captured(w);
    if (captured < ICMP_SIZE_MIN) {
        return cut_header(w, ICMP_SIZE_MIN, PACKET_BAD_ICMP);
    }
    uint32_t left = wire_walk_left(w);
    uint32_t header = left < ICMP_SIZE ? left : ICMP_SIZE;
    p->icmp_type = w->at[0];
    p->icmp_code = w->at[1];
    p->payload = captured >= header ? w->at + header : NULL;
    p->payload_len = left - header;
    if (captured > ICMP_SIZE && quotes(p->icmp_type)) {
        p->quoted = w->at + ICMP_SIZE;
    }
    return STEP_DONE;
}

enum wire_step wire_transport_icmp(struct wire_walk *w)
{
    w->packet->class = PACKET_ICMP;
    wire_walk_layer(w, LAYER_ICMP);
    return icmp(w, icmp_quotes);
}

enum wire_step wire_transport_icmpv6(struct wire_walk *w)
{
    w->packet->class = PACKET_ICMPV6;
    wire_walk_layer(w, LAYER_ICMPV6);
    return icmp(w, icmpv6_quotes);
}

enum wire_step wire_transport_igmp(struct wire_walk *w)
{
    struct packet *p = w->packet;
    p->class = PACKET_IGMP;
    wire_walk_layer(w, LAYER_IGMP);
    if (wire_walk_captured(w) < IGMP_SIZE) {
        return cut_header(w, IGMP_SIZE, PACKET_BAD_IGMP);
    }
    p->payload = w->at + IGMP_SIZE;
    p->payload_len = wire_walk_left(w) - IGMP_SIZE;
    return STEP_DONE;
}
