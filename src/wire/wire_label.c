// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_label.h"

#include "wire/wire_link.h"

enum {
    LABEL_SIZE = 4,
    LABEL_BOTTOM = 0x01, /* in the third byte */
    CONTROL_WORD_SIZE = 4,
    PPPOE_SIZE = 6,
    PPPOE_VERSION_TYPE = 0x11,
    PPPOE_SESSION = 0,
    PPP_ADDRESS_CONTROL = 0xff03,
    HDLC_UNICAST = 0x0f,
    HDLC_MULTICAST = 0x8f,
};

/* PPP protocol numbers (IANA PPP Numbers). */
enum {
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPP_MPLS = 0x0281,
    PPP_MPLS_MULTICAST = 0x0283,
};

/* The label stack does not say what it carries. IP shows by its version field, and pseudowires
 * keep clear of it (RFC 4928 §3): theirs begin with a control word of nibble 0 (RFC 4448 §4.6) or,
 * older ones, with the Ethernet header itself. Returns the step that reads the payload at `at`, and
 * in `skip` the size of its control word; STEP_DONE when it is none of those. */
static enum wire_step stack_payload(const uint8_t *at, uint32_t captured, uint32_t *skip)
{
    *skip = 0;
    if (captured == 0) {
        return STEP_DONE;
    }
    switch (at[0] >> 4) {
    case 4:
        return STEP_IPV4;
    case 6:
        return STEP_IPV6;
    case 0:
        if (captured > CONTROL_WORD_SIZE &&
            wire_link_plausible_ethernet(at + CONTROL_WORD_SIZE, captured - CONTROL_WORD_SIZE)) {
            *skip = CONTROL_WORD_SIZE;
            return STEP_ETHERNET;
        }
        break;
    default:
        break;
    }
    return wire_link_plausible_ethernet(at, captured) ? STEP_ETHERNET : STEP_DONE;
}

static enum wire_step mpls_payload(struct wire_walk *w)
{
    uint32_t skip;
    enum wire_step step = stack_payload(w->at, wire_walk_captured(w), &skip);
    w->at += skip;
    return step != STEP_DONE ? step : wire_walk_other(w, LAYER_UNKNOWN);
}

enum wire_step wire_label_mpls(struct wire_walk *w)
{
    for (int label = 0; label < WIRE_LABELS_MAX; label++) {
        const uint8_t *at = w->at;
        if (wire_walk_captured(w) < LABEL_SIZE) {
            return wire_walk_short(w, PACKET_BAD_MPLS);
        }
        w->at = at + LABEL_SIZE;
        if ((at[2] & LABEL_BOTTOM) != 0) {
            wire_walk_enter(w, TUNNEL_MPLS, LAYER_MPLS, load_be32(at) >> 12);
            return mpls_payload(w);
        }
    }
    return wire_walk_bad(w, PACKET_TOO_DEEP);
}

/* Whether a label stack with a payload that shows what it is begins here. */
static bool plausible_mpls(const uint8_t *at, uint32_t captured)
{
    for (int label = 0; label < WIRE_LABELS_MAX && captured >= LABEL_SIZE; label++) {
        bool bottom = (at[2] & LABEL_BOTTOM) != 0;
        at += LABEL_SIZE;
        captured -= LABEL_SIZE;
        if (bottom) {
            uint32_t skip;
            return stack_payload(at, captured, &skip) != STEP_DONE;
        }
    }
    return false;
}

enum wire_step wire_label_mpls_udp(struct wire_walk *w)
{
    return plausible_mpls(w->at, wire_walk_captured(w)) ? STEP_MPLS : STEP_DONE;
}

enum wire_step wire_label_pppoe(struct wire_walk *w)
{
    const uint8_t *at = w->at;
    if (wire_walk_captured(w) < PPPOE_SIZE) {
        return wire_walk_short(w, PACKET_BAD_PPP);
    }
    if (at[0] != PPPOE_VERSION_TYPE) {
        return wire_walk_bad(w, PACKET_BAD_PPP);
    }
    w->at = at + PPPOE_SIZE;
    wire_walk_limit(w, load_be16(at + 4));
    wire_walk_enter(w, TUNNEL_PPPOE, LAYER_PPPOE, load_be16(at + 2));
    if (at[1] != PPPOE_SESSION) {
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
    return STEP_PPP;
}

/* Address and control may be left out, and so may the protocol's first byte (RFC 1661 §6.5 and
 * §6.6): an odd first byte is a whole protocol number. */
enum wire_step wire_label_ppp(struct wire_walk *w)
{
    uint32_t captured = wire_walk_captured(w);
    if (captured >= 2 && load_be16(w->at) == PPP_ADDRESS_CONTROL) {
        w->at += 2;
        captured -= 2;
    }
    uint32_t size = captured > 0 && (w->at[0] & 1) != 0 ? 1 : 2;
    if (captured < size) {
        return wire_walk_short(w, PACKET_BAD_PPP);
    }
    uint16_t protocol = size == 1 ? w->at[0] : load_be16(w->at);
    wire_walk_layer(w, LAYER_PPP);
    w->at += size;
    switch (protocol) {
    case PPP_IPV4:
        return STEP_IPV4;
    case PPP_IPV6:
        return STEP_IPV6;
    case PPP_MPLS:
    case PPP_MPLS_MULTICAST:
        return STEP_MPLS;
    default:
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
}

enum wire_step wire_label_ppp_hdlc(struct wire_walk *w)
{
    bool cisco = wire_walk_captured(w) >= 2 && w->at[1] == 0 &&
                 (w->at[0] == HDLC_UNICAST || w->at[0] == HDLC_MULTICAST);
    return cisco ? STEP_CISCO_HDLC : STEP_PPP;
}
