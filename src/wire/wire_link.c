// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_link.h"

enum {
    ETHERNET_LENGTH_MAX = 1500, /* up to here the type field is a length, IEEE 802.3 §3.2.6 */
    VLAN_SIZE = 4,
    VLAN_ID = 0x0fff,
    LLC_SIZE = 3,
    LLC_STP = 0x4242,
    LLC_SNAP = 0xaaaa,
    LLC_UNNUMBERED = 0x03,
    SNAP_SIZE = 5,
    SLL_SIZE = 16,
    SLL2_SIZE = 20,
    SLL_OUTGOING = 4,
    SLL_LLC = 4, /* protocol of a cooked frame that starts with an LLC header */
    NULL_SIZE = 4,
    HDLC_SIZE = 4,
    HDLC_SLARP = 0x8035, /* Cisco's keepalive shares its number with RARP */
    ARP_SIZE = 8,
};

static void note_tag(struct wire_walk *w, uint16_t tci)
{
    struct packet *p = w->packet;
    wire_walk_layer(w, LAYER_VLAN);
    if (p->vlan_count < PACKET_VLANS) {
        p->vlan[p->vlan_count] = tci & VLAN_ID;
    }
    p->vlan_count++;
}

/* A tag that the kernel took off was the outermost: it is noted behind the first link header. */
static inline void note_kernel_tag(struct wire_walk *w)
{
    if (w->kernel_tpid != 0) {
        note_tag(w, w->kernel_tci);
        w->kernel_tpid = 0;
    }
}

enum wire_step wire_link_ethertype(struct wire_walk *w, uint16_t type)
{
    w->packet->ethertype = type;
    switch (type) {
    case ETHERTYPE_IPV4:
        return STEP_IPV4;
    case ETHERTYPE_IPV6:
        return STEP_IPV6;
    case ETHERTYPE_ARP:
    case ETHERTYPE_RARP:
        return STEP_ARP;
    case ETHERTYPE_VLAN:
    case ETHERTYPE_SERVICE_VLAN:
    case ETHERTYPE_QINQ:
        return STEP_VLAN;
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
        return STEP_MPLS;
    case ETHERTYPE_PPPOE:
        return STEP_PPPOE;
    case ETHERTYPE_PPPOE_DISCOVERY:
        return wire_walk_other(w, LAYER_PPPOE);
    case ETHERTYPE_BRIDGING:
        return STEP_ETHERNET;
    case ETHERTYPE_PPP:
        return STEP_PPP;
    case ETHERTYPE_LLDP:
        return wire_walk_other(w, LAYER_LLDP);
    case ETHERTYPE_SLOW:
        return wire_walk_other(w, LAYER_SLOW);
    default:
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
}

/* The field behind Ethernet addresses or a tag: an ethertype, or the length of an LLC frame. 0, and
 * what lies between the greatest length and the least ethertype, are ethertypes nobody knows. */
static enum wire_step type_or_length(struct wire_walk *w, uint16_t value)
{
    if (value > ETHERNET_LENGTH_MAX || value == 0) {
        return wire_link_ethertype(w, value);
    }
    w->packet->ethertype = 0;
    wire_walk_limit(w, value);
    return STEP_LLC;
}

enum wire_step wire_link_ethernet(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < WIRE_ETHERNET_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    wire_walk_layer(w, LAYER_ETHERNET);
    note_kernel_tag(w);
    w->packet->mac = at;
    w->at = at + WIRE_ETHERNET_SIZE;
    return type_or_length(w, load_be16(at + 12));
}

enum wire_step wire_link_vlan(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < VLAN_SIZE) {
        return wire_walk_short(w, PACKET_BAD_VLAN);
    }
    note_tag(w, load_be16(at));
    w->at = at + VLAN_SIZE;
    return type_or_length(w, load_be16(at + 2));
}

static enum wire_step snap(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < SNAP_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    wire_walk_layer(w, LAYER_SNAP);
    w->at = at + SNAP_SIZE;
    if ((at[0] | at[1] | at[2]) != 0) { /* a vendor's own protocol number */
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
    return wire_link_ethertype(w, load_be16(at + 3));
}

enum wire_step wire_link_llc(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < LLC_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    wire_walk_layer(w, LAYER_LLC);
    uint16_t access_points = load_be16(at);
    if (access_points == LLC_SNAP && at[2] == LLC_UNNUMBERED) {
        w->at = at + LLC_SIZE;
        return snap(w);
    }
    return wire_walk_other(w, access_points == LLC_STP ? LAYER_STP : LAYER_UNKNOWN);
}

static enum wire_step cooked(struct wire_walk *w, uint16_t protocol, unsigned packet_type)
{
    note_kernel_tag(w);
    if (w->packet->direction == FRAME_DIRECTION_UNKNOWN && packet_type <= SLL_OUTGOING) {
        w->packet->direction =
            packet_type == SLL_OUTGOING ? FRAME_DIRECTION_OUT : FRAME_DIRECTION_IN;
    }
    return protocol == SLL_LLC ? STEP_LLC : wire_link_ethertype(w, protocol);
}

enum wire_step wire_link_sll(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < SLL_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    wire_walk_layer(w, LAYER_SLL);
    w->at = at + SLL_SIZE;
    return cooked(w, load_be16(at + 14), load_be16(at));
}

enum wire_step wire_link_sll2(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < SLL2_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    wire_walk_layer(w, LAYER_SLL2);
    w->at = at + SLL2_SIZE;
    return cooked(w, load_be16(at), at[10]);
}

/* The header is an address family in the byte order of the capturing machine (network order for
 * LINKTYPE_LOOP); all families fit in 16 bits, so the order shows. AF_INET is 2 everywhere,
 * AF_INET6 is 10 on Linux, 23 on Windows, 24, 28 and 30 on the BSDs and Darwin. */
enum wire_step wire_link_null(struct wire_walk *w)
{
    if (wire_walk_captured(w) < NULL_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    uint32_t family = load_be32(w->at);
    if (family > UINT16_MAX) {
        family = load_le32(w->at);
    }
    wire_walk_layer(w, LAYER_NULL);
    w->at += NULL_SIZE;
    switch (family) {
    case 2:
        return STEP_IPV4;
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
        return STEP_IPV6;
    default:
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
}

enum wire_step wire_link_cisco_hdlc(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < HDLC_SIZE) {
        return wire_walk_short(w, PACKET_BAD_LINK);
    }
    wire_walk_layer(w, LAYER_HDLC);
    w->at = at + HDLC_SIZE;
    uint16_t type = load_be16(at + 2);
    if (type == HDLC_SLARP) {
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
    return wire_link_ethertype(w, type);
}

enum wire_step wire_link_arp(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    wire_walk_forget_ip(w->packet);
    wire_walk_layer(w, LAYER_ARP);
    w->packet->class = PACKET_ARP;
    w->packet->end = w->end;
    uint32_t captured = wire_walk_captured(w);
    uint32_t size = captured < ARP_SIZE ? ARP_SIZE : ARP_SIZE + 2U * (at[4] + (uint32_t)at[5]);
    if (captured >= size) {
        return STEP_DONE;
    }
    if (size > wire_walk_left(w)) {
        return wire_walk_bad(w, PACKET_BAD_ARP);
    }
    w->packet->malformed = PACKET_SNAPPED;
    return STEP_DONE;
}

bool wire_link_plausible_ethernet(const uint8_t *at, size_t size)
{
    if (size < WIRE_ETHERNET_SIZE + 2) {
        return false;
    }
    uint16_t next = load_be16(at + WIRE_ETHERNET_SIZE);
    switch (load_be16(at + 12)) {
    case ETHERTYPE_IPV4:
        return next >> 12 == 4;
    case ETHERTYPE_IPV6:
        return next >> 12 == 6;
    case ETHERTYPE_ARP:
        return next == 1; /* Ethernet addresses */
    case ETHERTYPE_PPPOE:
        return next == 0x1100;
    case ETHERTYPE_VLAN:
    case ETHERTYPE_SERVICE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_MPLS:
    case ETHERTYPE_PPPOE_DISCOVERY:
    case ETHERTYPE_LLDP:
    case ETHERTYPE_SLOW:
        return true;
    default:
        return load_be16(at + 12) <= ETHERNET_LENGTH_MAX &&
               (next == LLC_STP || next == LLC_SNAP);
    }
}
