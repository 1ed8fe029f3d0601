// SPDX-License-Identifier: Apache-2.0
/* IPv4, IPv6 with its extension headers, and AH. Private to wire/; decoders as wire_walk.h says. */
#pragma once

#include "wire/wire_walk.h"

/* IP protocol numbers that we read or name (IANA Protocol Numbers). */
enum {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_IGMP = 2,
    PROTOCOL_IPV4 = 4,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_GRE = 47,
    PROTOCOL_ESP = 50,
    PROTOCOL_AH = 51,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_NONE = 59,
    PROTOCOL_DESTINATION = 60,
    PROTOCOL_OSPF = 89,
    PROTOCOL_PIM = 103,
    PROTOCOL_VRRP = 112,
    PROTOCOL_L2TP = 115,
    PROTOCOL_SCTP = 132,
    PROTOCOL_MOBILITY = 135,
    PROTOCOL_UDPLITE = 136,
    PROTOCOL_MPLS = 137,
    PROTOCOL_HIP = 139,
    PROTOCOL_SHIM6 = 140,
};

/* The headers that the decoders below have checked to be there. */
enum { WIRE_IPV4_SIZE = 20, WIRE_IPV6_SIZE = 40 };

/* Notes an IPv4 header, or one of IPv6, as the packet's. */
static inline void wire_ip_note_v4(struct packet *p, const uint8_t *ip)
{
    p->ip = ip;
    p->ethertype = ETHERTYPE_IPV4;
    p->version = 4;
    p->protocol = ip[9];
    p->tos = ip[1];
    p->ttl = ip[8];
    p->fragment_id = load_be16(ip + 4);
}

static inline void wire_ip_note_v6(struct packet *p, const uint8_t *ip)
{
    p->ip = ip;
    p->ethertype = ETHERTYPE_IPV6;
    p->version = 6;
    p->protocol = ip[6];
    p->tos = (uint8_t)(load_be16(ip) >> 4);
    p->ttl = ip[7];
}

enum wire_step wire_ip_any(struct wire_walk *w);       /* by the version field */
enum wire_step wire_ip_v4(struct wire_walk *w);        /* RFC 791 §3.1 */
enum wire_step wire_ip_v6(struct wire_walk *w);        /* RFC 8200 §3 */
enum wire_step wire_ip_extension(struct wire_walk *w); /* RFC 8200 §4, RFC 6564 §3 */
enum wire_step wire_ip_fragment(struct wire_walk *w);  /* RFC 8200 §4.5 */
enum wire_step wire_ip_ah(struct wire_walk *w);        /* RFC 4302 §2 */
