// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_gre.h"

#include "wire/wire_link.h"

enum {
    GRE_SIZE = 4,
    GRE_FIELD = 4, /* checksum with offset, key, sequence number, acknowledgement */
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACK = 0x0080, /* version 1 only */
    GRE_VERSION = 0x0007,
    GRE_ROUTES_MAX = 16,
    GRE_ERSPAN = 0x88be,
    GRE_ERSPAN_III = 0x22eb,
    GRE_WCCP = 0x883e,
    WCCP_SIZE = 4,
    NVGRE_VSID_MIN = 0x1000, /* below: reserved, RFC 7637 §3.2 */
    ERSPAN_II_SIZE = 8,
    ERSPAN_III_SIZE = 12,
    ERSPAN_III_SUBHEADER = 8,
    ERSPAN_SESSION = 0x03ff,
    ERSPAN_FRAME_IP = 2, /* frame type: a bare IP packet */
};

/* Steps over the source route entries of RFC 1701: the last is all zero. */
static bool skip_routing(struct wire_walk *w)
{
    for (int i = 0; i < GRE_ROUTES_MAX; i++) {
        const uint8_t *at = w->at;
        if (wire_walk_captured(w) < 4U || wire_walk_captured(w) < 4U + at[3]) {
            return false;
        }
        w->at = at + 4 + at[3];
        if (load_be32(at) == 0) {
            return true;
        }
    }
    return false;
}

/* ERSPAN I has no header of its own and no GRE sequence number; the version field tells II from
 * III, whatever the ethertype. */
static enum wire_step erspan(struct wire_walk *w, uint16_t flags)
{
    if ((flags & GRE_SEQUENCE) == 0) {
        wire_walk_enter(w, TUNNEL_ERSPAN, LAYER_ERSPAN, 0);
        return STEP_ETHERNET;
    }
    return STEP_ERSPAN;
}

static enum wire_step wccp(struct wire_walk *w, uint32_t key)
{
    wire_walk_enter(w, TUNNEL_GRE, LAYER_GRE, key);
    /* WCCPv2 puts a redirect header in front of the IP packet, WCCPv1 did not. */
    if (wire_walk_captured(w) >= WCCP_SIZE && w->at[0] >> 4 != 4) {
        w->at += WCCP_SIZE;
    }
    return STEP_IPV4;
}

static enum wire_step gre_payload(struct wire_walk *w, uint16_t flags, uint16_t type, uint32_t key)
{
    bool virtual_network = type == ETHERTYPE_BRIDGING && key >> 8 >= NVGRE_VSID_MIN &&
                           (flags & (GRE_CHECKSUM | GRE_ROUTING | GRE_SEQUENCE)) == 0;
    if (virtual_network) {
        wire_walk_enter(w, TUNNEL_NVGRE, LAYER_NVGRE, key >> 8);
        return STEP_ETHERNET;
    }
    switch (type) {
    case GRE_ERSPAN:
        wire_walk_layer(w, LAYER_GRE);
        return erspan(w, flags);
    case GRE_ERSPAN_III:
        wire_walk_layer(w, LAYER_GRE);
        return STEP_ERSPAN;
    case GRE_WCCP:
        return wccp(w, key);
    default:
        wire_walk_enter(w, TUNNEL_GRE, LAYER_GRE, key);
        return wire_link_ethertype(w, type);
    }
}

/* PPTP's enhanced GRE: the key's halves are the payload's length and the call; without a sequence
 * number it carries an acknowledgement only (RFC 2637 §4.1). */
static enum wire_step gre_pptp(struct wire_walk *w, uint16_t flags)
{
    const uint8_t *at = w->at;
    uint32_t size = GRE_SIZE + GRE_FIELD;
    size += (flags & GRE_SEQUENCE) != 0 ? GRE_FIELD : 0;
    size += (flags & GRE_ACK) != 0 ? GRE_FIELD : 0;
    if ((flags & GRE_KEY) == 0) {
        return wire_walk_bad(w, PACKET_BAD_TUNNEL);
    }
    if (wire_walk_captured(w) < size) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    w->at = at + size;
    uint16_t length = load_be16(at + 4);
    if ((flags & GRE_SEQUENCE) == 0 || length == 0) {
        return wire_walk_other(w, LAYER_GRE);
    }
    wire_walk_limit(w, length);
    wire_walk_enter(w, TUNNEL_GRE, LAYER_GRE, load_be16(at + 6));
    return wire_link_ethertype(w, load_be16(at + 2));
}

enum wire_step wire_gre(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < GRE_SIZE) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    uint16_t flags = load_be16(at);
    if ((flags & GRE_VERSION) != 0) {
        return (flags & GRE_VERSION) == 1 ? gre_pptp(w, flags)
                                          : wire_walk_bad(w, PACKET_BAD_TUNNEL);
    }
    uint32_t key_at = GRE_SIZE;
    key_at += (flags & (GRE_CHECKSUM | GRE_ROUTING)) != 0 ? GRE_FIELD : 0;
    uint32_t size = key_at;
    size += (flags & GRE_KEY) != 0 ? GRE_FIELD : 0;
    size += (flags & GRE_SEQUENCE) != 0 ? GRE_FIELD : 0;
    if (wire_walk_captured(w) < size) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    uint32_t key = (flags & GRE_KEY) != 0 ? load_be32(at + key_at) : 0;
    w->at = at + size;
    if ((flags & GRE_ROUTING) != 0 && !skip_routing(w)) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    return gre_payload(w, flags, load_be16(at + 2), key);
}

static enum wire_step erspan_iii(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < ERSPAN_III_SIZE) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    bool subheader = (at[11] & 0x01) != 0;
    uint32_t size = ERSPAN_III_SIZE + (subheader ? ERSPAN_III_SUBHEADER : 0U);
    if (wire_walk_captured(w) < size) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    w->at = at + size;
    wire_walk_enter(w, TUNNEL_ERSPAN, LAYER_ERSPAN, load_be16(at + 2) & ERSPAN_SESSION);
    switch (at[10] >> 2 & 0x1f) {
    case 0:
        return STEP_ETHERNET;
    case ERSPAN_FRAME_IP:
        return STEP_IP;
    default:
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
}

enum wire_step wire_gre_erspan(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < ERSPAN_II_SIZE) {
        return wire_walk_short(w, PACKET_BAD_TUNNEL);
    }
    switch (at[0] >> 4) {
    case 1:
        w->at = at + ERSPAN_II_SIZE;
        wire_walk_enter(w, TUNNEL_ERSPAN, LAYER_ERSPAN, load_be16(at + 2) & ERSPAN_SESSION);
        return STEP_ETHERNET;
    case 2:
        return erspan_iii(w);
    default:
        return wire_walk_bad(w, PACKET_BAD_TUNNEL);
    }
}
