// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_tunnel.h"

#include "wire/wire_ip.h"
#include "wire/wire_link.h"

enum {
    VXLAN_SIZE = 8,
    VXLAN_VNI_VALID = 0x08,
    VXLAN_GPE_NEXT = 0x04, /* the "next protocol" field is there */
    GENEVE_SIZE = 8,
    GENEVE_CONTROL = 0x80,
    GENEVE_RESERVED = 0x3f,
    GTP_SIZE = 8,
    GTP_OPTIONAL_SIZE = 4,   /* sequence number, N-PDU number, next extension header type */
    GTP_VERSION_TYPE = 0x30, /* version 1, protocol type GTP */
    GTP_VERSION_TYPE_MASK = 0xf0,
    GTP_OPTIONAL = 0x07, /* any of the flags E, S and PN */
    GTP_EXTENSION = 0x04,
    GTP_G_PDU = 255,
    GTP_EXTENSIONS_MAX = 8,
    TEREDO_AUTHENTICATION = 0x0001,
    TEREDO_AUTHENTICATION_SIZE = 13, /* without client identifier and authentication value */
    TEREDO_ORIGIN = 0x0000,
    TEREDO_ORIGIN_SIZE = 8,
    L2TP_CONTROL = 0x8000,
    L2TP_LENGTH = 0x4000,
    L2TP_SEQUENCE = 0x0800,
    L2TP_OFFSET = 0x0200,
    L2TP_RESERVED = 0x34f0,
    L2TP_VERSION = 0x000f,
    L2TP3_UDP_SIZE = 8,
    L2TP3_IP_SIZE = 4,
    L2TP3_HIDDEN_MAX = 12, /* the longest cookie and the default sublayer, RFC 3931 §4.6 */
};

enum wire_step wire_tunnel_ipip(struct wire_walk *w)
{
    enum wire_step inner = w->packet->protocol == PROTOCOL_IPV4 ? STEP_IPV4 : STEP_IPV6;
    wire_walk_enter(w, TUNNEL_IPIP, LAYER_NONE, 0);
    return inner;
}

/* The last byte is reserved in every dialect. A receiver is to ignore it, but it tells VXLAN from
 * another protocol whose client happens to have this port; so with the others below. */
static bool vxlan_header(const struct wire_walk *w)
{
    return wire_walk_captured(w) >= VXLAN_SIZE && (w->at[0] & VXLAN_VNI_VALID) != 0 &&
           w->at[7] == 0;
}

enum wire_step wire_tunnel_vxlan(struct wire_walk *w)
{
    if (!vxlan_header(w)) {
        return STEP_DONE;
    }
    wire_walk_enter(w, TUNNEL_VXLAN, LAYER_VXLAN, load_be32(w->at + 4) >> 8);
    w->at += VXLAN_SIZE;
    return STEP_ETHERNET;
}

enum wire_step wire_tunnel_vxlan_gpe(struct wire_walk *w)
{
    static const enum wire_step next[] = {
        [1] = STEP_IPV4, [2] = STEP_IPV6, [3] = STEP_ETHERNET, [5] = STEP_MPLS,
    };
    if (!vxlan_header(w) || (w->at[0] & VXLAN_GPE_NEXT) == 0) {
        return STEP_DONE;
    }
    uint8_t protocol = w->at[3];
    wire_walk_enter(w, TUNNEL_VXLAN, LAYER_VXLAN, load_be32(w->at + 4) >> 8);
    w->at += VXLAN_SIZE;
    if (protocol >= sizeof next / sizeof next[0] || next[protocol] == STEP_DONE) {
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
    return next[protocol];
}

/* Options are lengths to step over: none changes where the payload starts. */
enum wire_step wire_tunnel_geneve(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    uint32_t captured = wire_walk_captured(w);
    if (captured < GENEVE_SIZE || at[0] >> 6 != 0 || (at[1] & GENEVE_RESERVED) != 0 || at[7] != 0) {
        return STEP_DONE;
    }
    uint32_t size = GENEVE_SIZE + (at[0] & 0x3fU) * 4;
    uint16_t type = load_be16(at + 2);
    bool control = (at[1] & GENEVE_CONTROL) != 0;
    if (captured < size || (control && type == 0)) {
        return STEP_DONE;
    }
    w->at = at + size;
    wire_walk_enter(w, TUNNEL_GENEVE, LAYER_GENEVE, load_be32(at + 4) >> 8);
    return wire_link_ethertype(w, type);
}

/* Bytes of a GTP-U header with its extension headers; 0 when they are not all there. Each extension
 * begins with its length in units of 4 bytes and ends with the type of the next. */
static uint32_t gtpu_header(const uint8_t *at, uint32_t captured)
{
    uint32_t size = GTP_SIZE + ((at[0] & GTP_OPTIONAL) != 0 ? GTP_OPTIONAL_SIZE : 0U);
    bool more = (at[0] & GTP_EXTENSION) != 0;
    for (int i = 0; more && i < GTP_EXTENSIONS_MAX; i++) {
        if (captured < size + 1 || at[size - 1] == 0) {
            break;
        }
        if (at[size] == 0) {
            return 0;
        }
        size += at[size] * 4U;
    }
    return captured >= size && !(more && at[size - 1] != 0) ? size : 0;
}

/* A G-PDU carries what the bearer is for: IP, or Ethernet on 5G sessions of that type. */
enum wire_step wire_tunnel_gtpu(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    uint32_t captured = wire_walk_captured(w);
    if (captured < GTP_SIZE || (at[0] & GTP_VERSION_TYPE_MASK) != GTP_VERSION_TYPE ||
        at[1] != GTP_G_PDU || GTP_SIZE + (uint32_t)load_be16(at + 2) > wire_walk_left(w)) {
        return STEP_DONE;
    }
    uint32_t size = gtpu_header(at, captured);
    if (size == 0 || size > GTP_SIZE + (uint32_t)load_be16(at + 2) || captured == size) {
        return STEP_DONE;
    }
    unsigned version = at[size] >> 4;
    bool ethernet = wire_link_plausible_ethernet(at + size, captured - size);
    if (version != 4 && version != 6 && !ethernet) {
        return STEP_DONE;
    }
    wire_walk_limit(w, GTP_SIZE + load_be16(at + 2));
    w->at = at + size;
    wire_walk_enter(w, TUNNEL_GTPU, LAYER_GTPU, load_be32(at + 4));
    return version == 4 ? STEP_IPV4 : version == 6 ? STEP_IPV6 : STEP_ETHERNET;
}

/* Steps over the indications that servers put in front of the IPv6 packet. */
static struct span teredo_packet(struct span s)
{
    if (s.size >= TEREDO_AUTHENTICATION_SIZE && load_be16(s.data) == TEREDO_AUTHENTICATION) {
        s = span_skip(s, (size_t)TEREDO_AUTHENTICATION_SIZE + s.data[2] + s.data[3]);
    }
    if (s.size >= TEREDO_ORIGIN_SIZE && load_be16(s.data) == TEREDO_ORIGIN) {
        s = span_skip(s, TEREDO_ORIGIN_SIZE);
    }
    return s;
}

enum wire_step wire_tunnel_teredo(struct wire_walk *w)
{
    struct span s = teredo_packet(span_of(w->at, wire_walk_captured(w)));
    if (s.size < WIRE_IPV6_SIZE || s.data[0] >> 4 != 6 ||
        WIRE_IPV6_SIZE + (size_t)load_be16(s.data + 4) > s.size + w->cut) {
        return STEP_DONE;
    }
    w->at = s.data;
    wire_walk_enter(w, TUNNEL_TEREDO, LAYER_TEREDO, 0);
    return STEP_IPV6;
}

/* Whether an IP packet that fills `left` bytes begins here. */
static bool plausible_ip(const uint8_t *at, uint32_t captured, uint32_t left)
{
    if (captured < WIRE_IPV4_SIZE) {
        return false;
    }
    if (at[0] >> 4 == 4) {
        return (at[0] & 0x0f) >= WIRE_IPV4_SIZE / 4 && load_be16(at + 2) == left;
    }
    return at[0] >> 4 == 6 && WIRE_IPV6_SIZE + (uint32_t)load_be16(at + 4) == left;
}

/* The session's signalling said what it carries and how long its cookie and sublayer are, which
 * one packet does not: the payload is found where an Ethernet frame or IP packet makes sense. */
static enum wire_step l2tp3_payload(struct wire_walk *w, uint32_t session)
{
    uint32_t captured = wire_walk_captured(w);
    for (uint32_t hidden = 0; hidden <= L2TP3_HIDDEN_MAX && hidden < captured; hidden += 4) {
        const uint8_t *at = w->at + hidden;
        bool ip = plausible_ip(at, captured - hidden, wire_walk_left(w) - hidden);
        if (ip || wire_link_plausible_ethernet(at, captured - hidden)) {
            w->at = at;
            wire_walk_enter(w, TUNNEL_L2TP, LAYER_L2TP, session);
            return ip ? STEP_IP : STEP_ETHERNET;
        }
    }
    return STEP_DONE;
}

/* Bytes of an L2TPv2 data header; 0 when they are not all there. */
static uint32_t l2tp2_header(const uint8_t *at, uint32_t captured)
{
    uint16_t flags = load_be16(at);
    uint32_t size = 6;
    size += (flags & L2TP_LENGTH) != 0 ? 2 : 0;
    size += (flags & L2TP_SEQUENCE) != 0 ? 4 : 0;
    if ((flags & L2TP_OFFSET) != 0) {
        size += 2;
        size += size <= captured ? load_be16(at + size - 2) : 0U;
    }
    return size < captured ? size : 0;
}

static enum wire_step l2tp2(struct wire_walk *w, uint16_t flags)
{
    const uint8_t *at = w->at;
    uint32_t size = l2tp2_header(at, wire_walk_captured(w));
    if (size == 0) {
        return STEP_DONE;
    }
    bool has_length = (flags & L2TP_LENGTH) != 0;
    uint32_t length = has_length ? load_be16(at + 2) : wire_walk_left(w);
    if (length <= size || length > wire_walk_left(w)) {
        return STEP_DONE;
    }
    wire_walk_limit(w, length);
    w->at = at + size;
    wire_walk_enter(w, TUNNEL_L2TP, LAYER_L2TP, load_be32(at + (has_length ? 4 : 2)));
    return STEP_PPP;
}

enum wire_step wire_tunnel_l2tp_udp(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < L2TP3_UDP_SIZE) {
        return STEP_DONE;
    }
    uint16_t flags = load_be16(at);
    if ((flags & (L2TP_CONTROL | L2TP_RESERVED)) != 0) {
        return STEP_DONE;
    }
    switch (flags & L2TP_VERSION) {
    case 2:
        return l2tp2(w, flags);
    case 3:
        w->at = at + L2TP3_UDP_SIZE;
        return l2tp3_payload(w, load_be32(at + 4));
    default:
        return STEP_DONE;
    }
}

/* Session 0 is the control connection. */
enum wire_step wire_tunnel_l2tp_ip(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < L2TP3_IP_SIZE) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    uint32_t session = load_be32(at);
    w->at = at + L2TP3_IP_SIZE;
    enum wire_step step = session != 0 ? l2tp3_payload(w, session) : STEP_DONE;
    return step != STEP_DONE ? step : wire_walk_other(w, LAYER_L2TP);
}
