// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_ip.h"

#include "wire/wire_transport.h"

enum {
    IPV4_OFFSET = 0x1fff, /* of the flags and fragment offset, in units of 8 bytes */
    IPV4_MORE = 0x2000,
    EXTENSION_SIZE = 8,
    FRAGMENT_SIZE = 8,
    FRAGMENT_MORE = 0x0001,
    FRAGMENT_OFFSET = 0xfff8,
    AH_SIZE_MIN = 8,
};

/* A protocol that ends the walk; named in the hierarchy if people look for it. */
static enum wire_step other_protocol(struct wire_walk *w, uint8_t protocol)
{
    switch (protocol) {
    case PROTOCOL_NONE:
        w->packet->class = PACKET_OTHER;
        return STEP_DONE;
    case PROTOCOL_ESP:
        return wire_walk_other(w, LAYER_ESP);
    case PROTOCOL_OSPF:
        return wire_walk_other(w, LAYER_OSPF);
    case PROTOCOL_PIM:
        return wire_walk_other(w, LAYER_PIM);
    case PROTOCOL_VRRP:
        return wire_walk_other(w, LAYER_VRRP);
    default:
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
}

/* The step that reads an IP payload. */
static enum wire_step next_protocol(struct wire_walk *w, uint8_t protocol)
{
    struct packet *p = w->packet;
    p->protocol = protocol;
    p->l4 = p->payload = w->at;
    p->payload_len = wire_walk_left(w);
    switch (protocol) {
    case PROTOCOL_TCP:
        return STEP_TCP;
    case PROTOCOL_UDP:
        return STEP_UDP;
    case PROTOCOL_ICMP:
        return STEP_ICMP;
    case PROTOCOL_ICMPV6:
        return STEP_ICMPV6;
    case PROTOCOL_IGMP:
        return STEP_IGMP;
    case PROTOCOL_SCTP:
        return STEP_SCTP;
    case PROTOCOL_UDPLITE:
        return STEP_UDPLITE;
    case PROTOCOL_IPV4:
    case PROTOCOL_IPV6:
        return STEP_IPIP;
    case PROTOCOL_GRE:
        return STEP_GRE;
    case PROTOCOL_L2TP:
        return STEP_L2TP_IP;
    case PROTOCOL_MPLS:
        return STEP_MPLS;
    case PROTOCOL_AH:
        return STEP_AH;
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_DESTINATION:
    case PROTOCOL_MOBILITY:
    case PROTOCOL_HIP:
    case PROTOCOL_SHIM6:
        return p->version == 6 ? STEP_EXTENSION : other_protocol(w, protocol);
    case PROTOCOL_FRAGMENT:
        return p->version == 6 ? STEP_FRAGMENT : other_protocol(w, protocol);
    default:
        return other_protocol(w, protocol);
    }
}

/* The walk ends at a fragment: what it carries is known when its datagram is whole. */
static enum wire_step fragment(struct wire_walk *w, uint8_t protocol, uint16_t offset, bool more)
{
    struct packet *p = w->packet;
    uint32_t size = wire_walk_left(w);
    p->protocol = protocol;
    p->fragment = offset == 0 ? FRAGMENT_FIRST : FRAGMENT_LATER;
    p->fragment_offset = offset;
    p->more_fragments = more;
    p->l4 = p->payload = w->at;
    p->payload_len = size;
    wire_walk_layer(w, LAYER_FRAGMENT);
    if (size == 0 || offset + size > UINT16_MAX) {
        return wire_walk_bad(w, PACKET_BAD_FRAGMENT);
    }
    p->class = (uint8_t)wire_transport_class(protocol);
    if (offset == 0) {
        wire_transport_glimpse(p, wire_walk_captured(w));
    }
    return STEP_DONE;
}

enum wire_step wire_ip_any(struct wire_walk *w)
{
    if (wire_walk_captured(w) > 0 && w->at[0] >> 4 == 6) {
        return STEP_IPV6;
    }
    return STEP_IPV4;
}

/* A total length of 0 is what segmentation offload leaves in frames caught before the card has cut
 * them: then the frame says how long the packet is. */
enum wire_step wire_ip_v4(struct wire_walk *w)
{
    struct packet *p = w->packet;
    const uint8_t *ip = w->at;
    if (wire_walk_captured(w) < WIRE_IPV4_SIZE) {
        return wire_walk_short(w, PACKET_BAD_IPV4);
    }
    uint32_t header = (ip[0] & 0x0fU) * 4;
    uint32_t total = load_be16(ip + 2);
    if (total == 0) {
        total = wire_walk_left(w);
    }
    if (ip[0] >> 4 != 4 || header < WIRE_IPV4_SIZE || total < header) {
        return wire_walk_bad(w, PACKET_BAD_IPV4);
    }
    wire_walk_limit(w, total);
    if (wire_walk_captured(w) < header) {
        return wire_walk_short(w, PACKET_BAD_IPV4);
    }
    if (p->ip != NULL) {
        wire_walk_forget_ip(p);
    }
    wire_walk_layer(w, LAYER_IPV4);
    wire_ip_note_v4(p, ip);
    p->end = w->end;
    w->at = ip + header;
    uint16_t flags = load_be16(ip + 6);
    if ((flags & (IPV4_OFFSET | IPV4_MORE)) != 0) {
        return fragment(w, ip[9], (uint16_t)(flags << 3), (flags & IPV4_MORE) != 0);
    }
    return next_protocol(w, ip[9]);
}

/* A payload length of 0 is a jumbogram (RFC 2675) or segmentation offload: then the frame says how
 * long the packet is. Where nothing follows the header, 0 is meant. */
enum wire_step wire_ip_v6(struct wire_walk *w)
{
    struct packet *p = w->packet;
    const uint8_t *ip = w->at;
    if (wire_walk_captured(w) < WIRE_IPV6_SIZE) {
        return wire_walk_short(w, PACKET_BAD_IPV6);
    }
    if (ip[0] >> 4 != 6) {
        return wire_walk_bad(w, PACKET_BAD_IPV6);
    }
    if (p->ip != NULL) {
        wire_walk_forget_ip(p);
    }
    uint32_t size = load_be16(ip + 4);
    w->at = ip + WIRE_IPV6_SIZE;
    if (size != 0 || ip[6] == PROTOCOL_NONE) {
        wire_walk_limit(w, size);
    }
    wire_walk_layer(w, LAYER_IPV6);
    wire_ip_note_v6(p, ip);
    p->end = w->end;
    return next_protocol(w, ip[6]);
}

/* Hop-by-hop and destination options, routing, mobility, HIP and Shim6 headers have one shape. */
enum wire_step wire_ip_extension(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    uint32_t captured = wire_walk_captured(w);
    uint32_t size = captured < EXTENSION_SIZE ? EXTENSION_SIZE : (at[1] + 1U) * 8;
    if (captured < size) {
        return wire_walk_short(w, PACKET_BAD_EXTENSION);
    }
    w->at = at + size;
    return next_protocol(w, at[0]);
}

/* A fragment header around a whole packet ("atomic", RFC 6946) is looked through. */
enum wire_step wire_ip_fragment(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < FRAGMENT_SIZE) {
        return wire_walk_short(w, PACKET_BAD_EXTENSION);
    }
    uint16_t field = load_be16(at + 2);
    w->packet->fragment_id = load_be32(at + 4);
    w->at = at + FRAGMENT_SIZE;
    if ((field & (FRAGMENT_OFFSET | FRAGMENT_MORE)) == 0) {
        return next_protocol(w, at[0]);
    }
    return fragment(w, at[0], field & FRAGMENT_OFFSET, (field & FRAGMENT_MORE) != 0);
}

enum wire_step wire_ip_ah(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    uint32_t captured = wire_walk_captured(w);
    uint32_t size = captured < AH_SIZE_MIN ? AH_SIZE_MIN : (at[1] + 2U) * 4;
    if (captured < size) {
        return wire_walk_short(w, PACKET_BAD_EXTENSION);
    }
    wire_walk_layer(w, LAYER_AH);
    w->at = at + size;
    return next_protocol(w, at[0]);
}
