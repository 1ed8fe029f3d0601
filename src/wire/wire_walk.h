// SPDX-License-Identifier: Apache-2.0
/* The walk over a frame's headers: private to wire/. A decoder reads the header at `at`, notes its
 * facts in the packet, moves `at` behind it, narrows `end` to what the header encloses, and returns
 * the step that reads what follows. Only the loop in wire.c calls decoders, so that nesting costs
 * no stack and is bounded in one place. A walk is a value on the caller's stack. */
#pragma once

#include "base/cursor.h"
#include "wire/packet.h"

enum wire_step {
    STEP_DONE,
    /* The headers of one IP packet: what may be read of a packet that an ICMP error quotes. */
    STEP_IP, /* IPv4 or IPv6, by the version field */
    STEP_IPV4,
    STEP_IPV6,
    STEP_EXTENSION,
    STEP_FRAGMENT,
    STEP_AH,
    STEP_TCP,
    STEP_UDP,
    STEP_UDPLITE,
    STEP_SCTP,
    STEP_ICMP,
    STEP_ICMPV6,
    STEP_IGMP,
    STEP_FLOW_LAST = STEP_IGMP,
    /* Links and what lies directly on them. */
    STEP_ETHERNET,
    STEP_VLAN,
    STEP_LLC,
    STEP_MPLS,
    STEP_PPPOE,
    STEP_PPP,
    STEP_PPP_HDLC,
    STEP_CISCO_HDLC,
    STEP_SLL,
    STEP_SLL2,
    STEP_NULL,
    STEP_ARP,
    /* Tunnels over IP and UDP. */
    STEP_IPIP,
    STEP_GRE,
    STEP_ERSPAN,
    STEP_VXLAN,
    STEP_VXLAN_GPE,
    STEP_GENEVE,
    STEP_GTPU,
    STEP_TEREDO,
    STEP_MPLS_UDP,
    STEP_L2TP_UDP,
    STEP_L2TP_IP,
    STEP_COUNT,
};

struct wire_walk {
    const uint8_t *at;  /* the next header */
    const uint8_t *end; /* end of the captured bytes that the headers so far enclose */
    struct packet *packet;
    uint32_t cut;         /* bytes enclosed too, behind `end`, which the capture has not */
    uint16_t kernel_tpid; /* a tag that the kernel took off the frame and nobody noted yet */
    uint16_t kernel_tci;
    uint8_t layer_shift; /* where the next layer goes in packet.layers */
};

enum { WIRE_LAYERS_END = PACKET_LAYER_BITS * PACKET_LAYERS_MAX };

/* Ethertypes (IEEE 802 Numbers registry) that more than one file reads. */
enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_BRIDGING = 0x6558, /* transparent Ethernet bridging, RFC 1701 */
    ETHERTYPE_RARP = 0x8035,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_SLOW = 0x8809,
    ETHERTYPE_PPP = 0x880b,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE_DISCOVERY = 0x8863,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_SERVICE_VLAN = 0x88a8,
    ETHERTYPE_LLDP = 0x88cc,
    ETHERTYPE_QINQ = 0x9100, /* stacked tags before IEEE 802.1ad */
};

/* Captured bytes from `at` on. */
static inline uint32_t wire_walk_captured(const struct wire_walk *w)
{
    return (uint32_t)(w->end - w->at);
}

/* Bytes from `at` on, by the headers, captured or not. */
static inline uint32_t wire_walk_left(const struct wire_walk *w)
{
    return wire_walk_captured(w) + w->cut;
}

/* Only `size` bytes from `at` on are enclosed: what lies behind is padding or a trailer. A size
 * beyond the frame counts as cut off by the capture: many tools shorten frames without a note. */
static inline void wire_walk_limit(struct wire_walk *w, uint32_t size)
{
    uint32_t captured = wire_walk_captured(w);
    if (size <= captured) {
        w->end = w->at + size;
        w->cut = 0;
    } else {
        w->cut = size - captured;
    }
}

/* Appends a layer to the hierarchy path; beyond the path's capacity nothing is noted. */
static inline void wire_walk_layer(struct wire_walk *w, enum packet_layer layer)
{
    if (w->layer_shift < WIRE_LAYERS_END) {
        w->packet->layers |= (uint64_t)layer << w->layer_shift;
        w->layer_shift = (uint8_t)(w->layer_shift + PACKET_LAYER_BITS);
    }
}

/* The packet is intact and ends here as PACKET_OTHER. */
static inline enum wire_step wire_walk_other(struct wire_walk *w, enum packet_layer layer)
{
    wire_walk_layer(w, layer);
    w->packet->class = PACKET_OTHER;
    return STEP_DONE;
}

/* A header lies: the packet is malformed for `reason`. */
enum wire_step wire_walk_bad(struct wire_walk *w, enum packet_malformed reason);

/* A header is not all there: PACKET_SNAPPED if the capture cut it off, else `reason`. */
enum wire_step wire_walk_short(struct wire_walk *w, enum packet_malformed reason);

/* Notes that what follows is carried by a tunnel. */
void wire_walk_enter(struct wire_walk *w, enum packet_tunnel tunnel, enum packet_layer layer,
                     uint32_t id);

/* Forgets what was noted of the IP packet around the one that begins now. */
void wire_walk_forget_ip(struct packet *p);
