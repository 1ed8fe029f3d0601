// SPDX-License-Identifier: Apache-2.0
/* A packet is what wire/ makes of a frame: pointers to the headers of the innermost flow and the
 * facts of L2 to L4 that everybody needs, as a plain value. Every pointer is borrowed from the
 * frame (or from a reassembled datagram) and is NULL where there is no such header. All numbers
 * are in host byte order. */
#pragma once

#include "wire/frame.h"

/* What a packet is at its innermost level. The classes divide all packets among them. */
enum packet_class {
    PACKET_OTHER, /* intact, and none of the below: ESP, OSPF, BPDUs, LLDP ... */
    PACKET_ARP,
    PACKET_TCP,
    PACKET_UDP, /* UDP-Lite too */
    PACKET_SCTP,
    PACKET_ICMP,
    PACKET_ICMPV6,
    PACKET_IGMP,
    PACKET_MALFORMED, /* a header that lies or was cut off; `malformed` says which */
    PACKET_CLASSES,
};

/* Why a packet is PACKET_MALFORMED (PACKET_SNAPPED is found with other classes, too). Keep in step
 * with packet_malformed_name(). */
enum packet_malformed {
    PACKET_FINE,
    PACKET_BAD_LINK,       /* link header cut off or impossible */
    PACKET_BAD_VLAN,
    PACKET_BAD_MPLS,
    PACKET_BAD_PPP,        /* PPPoE or PPP */
    PACKET_BAD_ARP,
    PACKET_BAD_IPV4,
    PACKET_BAD_IPV6,
    PACKET_BAD_EXTENSION,  /* IPv6 extension header or AH */
    PACKET_BAD_FRAGMENT,   /* offset and length beyond 64 KiB, or an empty fragment */
    PACKET_BAD_TCP,
    PACKET_BAD_UDP,
    PACKET_BAD_SCTP,
    PACKET_BAD_ICMP,
    PACKET_BAD_IGMP,
    PACKET_BAD_TUNNEL,     /* GRE, ERSPAN, VXLAN, GENEVE, GTP-U, L2TP, Teredo */
    PACKET_TOO_DEEP,       /* nested beyond the bound */
    PACKET_SNAPPED,        /* legible so far, but the capture cut the next header: if what it is was
                            * known by then, `class` says so, and its fields are read as far as they
                            * were captured; else the class is PACKET_MALFORMED */
    PACKET_MALFORMED_REASONS,
};

/* The protocol layers of the hierarchy, outermost first in packet.layers. */
enum packet_layer {
    LAYER_NONE,
    LAYER_ETHERNET, LAYER_LLC, LAYER_SNAP, LAYER_VLAN, LAYER_MPLS, LAYER_PPPOE, LAYER_PPP,
    LAYER_SLL, LAYER_SLL2, LAYER_NULL, LAYER_RAW, LAYER_HDLC,
    LAYER_ARP, LAYER_IPV4, LAYER_IPV6, LAYER_AH,
    LAYER_GRE, LAYER_ERSPAN, LAYER_NVGRE, LAYER_VXLAN, LAYER_GENEVE, LAYER_GTPU, LAYER_L2TP,
    LAYER_TEREDO,
    LAYER_TCP, LAYER_UDP, LAYER_UDPLITE, LAYER_SCTP, LAYER_ICMP, LAYER_ICMPV6, LAYER_IGMP,
    LAYER_ESP, LAYER_OSPF, LAYER_PIM, LAYER_VRRP, LAYER_LLDP, LAYER_STP, LAYER_SLOW,
    LAYER_FRAGMENT,  /* a fragment whose datagram is not (yet) whole */
    LAYER_UNKNOWN,   /* an ethertype, protocol number or link type that we do not read */
    LAYER_MALFORMED,
    LAYER_COUNT,
};
enum { PACKET_LAYER_BITS = 6, PACKET_LAYERS_MAX = 10 };

/* The innermost tunnel around the flow. Only ids that both directions share can be part of a
 * flow's key; tunnel_id is 0 in the key for the others (GTP-U TEIDs, L2TP sessions, GRE keys
 * differ by direction), and the event carries what was seen. */
enum packet_tunnel {
    TUNNEL_NONE, TUNNEL_IPIP, TUNNEL_GRE, TUNNEL_ERSPAN, TUNNEL_NVGRE, TUNNEL_VXLAN,
    TUNNEL_GENEVE, TUNNEL_GTPU, TUNNEL_L2TP, TUNNEL_TEREDO, TUNNEL_MPLS, TUNNEL_PPPOE,
    TUNNEL_COUNT,
};

enum packet_fragment {
    FRAGMENT_NONE,
    FRAGMENT_FIRST, /* offset 0, more to come: the L4 header was read if it was all there */
    FRAGMENT_LATER, /* offset > 0: no L4 header */
};

enum { PACKET_VLANS = 2 };

struct packet {
    uint64_t time_ns;
    uint64_t layers; /* enum packet_layer values, PACKET_LAYER_BITS each, outermost lowest */
    const uint8_t *mac;      /* innermost Ethernet header: destination, source, ethertype */
    const uint8_t *ip;       /* innermost IPv4 or IPv6 header (none quoted by ICMP), NULL for ARP;
                              * a tunnel without IP inside leaves its own here, with its L4 facts */
    const uint8_t *outer_ip; /* header of the IP packet that carried the innermost tunnel */
    const uint8_t *l4;       /* TCP, UDP, SCTP, ICMP ... header: as much as was captured. Of a
                              * fragment: its data (IPv6: the fragment header is 8 bytes before) */
    const uint8_t *payload;  /* behind the L4 header, NULL if that was cut; of a fragment, as l4 */
    const uint8_t *quoted;   /* in an ICMP error: the IP header of the packet it speaks of */
    const uint8_t *end;      /* end of the captured bytes of this IP packet (padding excluded) */
    uint32_t frames;         /* frames it stands for: 1, or all fragments of a reassembled one */
    uint32_t wire_len;       /* length on the wire of all those frames, in bytes */
    uint32_t payload_len;    /* L4 payload by the headers; may exceed the captured end - payload */
    uint32_t tunnel_id;      /* VNI, VSID, TEID, key, session ... as seen */
    uint32_t interface;
    uint32_t seq;            /* TCP */
    uint32_t ack;            /* TCP, meaningful with the ACK flag */
    uint32_t fragment_id;    /* identification of IPv4, or of an IPv6 fragment header */
    uint16_t fragment_offset;  /* bytes */
    uint16_t window;           /* TCP, unscaled */
    uint16_t source_port;      /* TCP, UDP, SCTP */
    uint16_t destination_port;
    uint16_t ethertype;        /* of the innermost L2 header, or the IP version's */
    uint16_t vlan[PACKET_VLANS]; /* 12-bit ids, outermost first; 0: none (802.1Q priority tag) */
    uint8_t vlan_count;        /* tags seen, may exceed PACKET_VLANS */
    uint8_t version;           /* 4, 6, or 0: not IP */
    uint8_t protocol;          /* IANA protocol number of the innermost IP packet's payload */
    uint8_t ttl;               /* TTL or hop limit */
    uint8_t tos;               /* DSCP and ECN */
    uint8_t tcp_flags;         /* CWR ECE URG ACK PSH RST SYN FIN */
    uint8_t icmp_type;
    uint8_t icmp_code;
    uint8_t class;             /* enum packet_class */
    uint8_t malformed;         /* enum packet_malformed */
    uint8_t tunnel;            /* enum packet_tunnel: the innermost */
    uint8_t tunnel_depth;
    uint8_t fragment;          /* enum packet_fragment */
    uint8_t more_fragments;    /* 1: the "more fragments" bit is set */
    uint8_t direction;         /* enum frame_direction */
    bool has_ports;            /* source_port and destination_port were read */
};

enum {
    TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08,
    TCP_ACK = 0x10, TCP_URG = 0x20, TCP_ECE = 0x40, TCP_CWR = 0x80,
};

/* Short lower-case names for tables, metrics and events; static strings, never NULL. */
const char *packet_class_name(enum packet_class class);
const char *packet_malformed_name(enum packet_malformed reason);
const char *packet_layer_name(enum packet_layer layer);
const char *packet_tunnel_name(enum packet_tunnel tunnel);

/* The addresses of the innermost IP header; 4 or 16 bytes by packet.version, which is not 0. */
static inline const uint8_t *packet_source_ip(const struct packet *p)
{
    return p->ip + (p->version == 4 ? 12 : 8);
}

static inline const uint8_t *packet_destination_ip(const struct packet *p)
{
    return p->ip + (p->version == 4 ? 16 : 24);
}

/* Captured bytes of the L4 payload; empty where there is none. */
static inline struct span packet_payload(const struct packet *p)
{
    if (p->payload == NULL || p->payload >= p->end) {
        return span_of(NULL, 0);
    }
    size_t captured = (size_t)(p->end - p->payload);
    return span_of(p->payload, captured < p->payload_len ? captured : p->payload_len);
}
