// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include "wire/wire_gre.h"
#include "wire/wire_ip.h"
#include "wire/wire_label.h"
#include "wire/wire_link.h"
#include "wire/wire_plain.h"
#include "wire/wire_transport.h"
#include "wire/wire_tunnel.h"

/* Numbers under which LINKTYPE_RAW is found in files written by systems whose DLT_RAW differs. */
enum { LINK_RAW_BSD = 12, LINK_RAW_OPENBSD = 14 };

typedef enum wire_step decoder(struct wire_walk *w);

static decoder *const decoders[STEP_COUNT] = {
    [STEP_IP] = wire_ip_any,
    [STEP_IPV4] = wire_ip_v4,
    [STEP_IPV6] = wire_ip_v6,
    [STEP_EXTENSION] = wire_ip_extension,
    [STEP_FRAGMENT] = wire_ip_fragment,
    [STEP_AH] = wire_ip_ah,
    [STEP_TCP] = wire_transport_tcp,
    [STEP_UDP] = wire_transport_udp,
    [STEP_UDPLITE] = wire_transport_udplite,
    [STEP_SCTP] = wire_transport_sctp,
    [STEP_ICMP] = wire_transport_icmp,
    [STEP_ICMPV6] = wire_transport_icmpv6,
    [STEP_IGMP] = wire_transport_igmp,
    [STEP_ETHERNET] = wire_link_ethernet,
    [STEP_VLAN] = wire_link_vlan,
    [STEP_LLC] = wire_link_llc,
    [STEP_MPLS] = wire_label_mpls,
    [STEP_PPPOE] = wire_label_pppoe,
    [STEP_PPP] = wire_label_ppp,
    [STEP_PPP_HDLC] = wire_label_ppp_hdlc,
    [STEP_CISCO_HDLC] = wire_link_cisco_hdlc,
    [STEP_SLL] = wire_link_sll,
    [STEP_SLL2] = wire_link_sll2,
    [STEP_NULL] = wire_link_null,
    [STEP_ARP] = wire_link_arp,
    [STEP_IPIP] = wire_tunnel_ipip,
    [STEP_GRE] = wire_gre,
    [STEP_ERSPAN] = wire_gre_erspan,
    [STEP_VXLAN] = wire_tunnel_vxlan,
    [STEP_VXLAN_GPE] = wire_tunnel_vxlan_gpe,
    [STEP_GENEVE] = wire_tunnel_geneve,
    [STEP_GTPU] = wire_tunnel_gtpu,
    [STEP_TEREDO] = wire_tunnel_teredo,
    [STEP_MPLS_UDP] = wire_label_mpls_udp,
    [STEP_L2TP_UDP] = wire_tunnel_l2tp_udp,
    [STEP_L2TP_IP] = wire_tunnel_l2tp_ip,
};

/* Goes from header to header up to the step `last`. */
static void walk(struct wire_walk *w, enum wire_step step, enum wire_step last)
{
    for (int depth = 0; step != STEP_DONE && step <= last; depth++) {
        if (depth == WIRE_DEPTH_MAX) {
            wire_walk_bad(w, PACKET_TOO_DEEP);
            return;
        }
        step = decoders[step](w);
    }
}

static enum wire_step raw(struct wire_walk *w, enum wire_step step)
{
    wire_walk_layer(w, LAYER_RAW);
    return step;
}

static enum wire_step link_step(struct wire_walk *w, uint16_t link)
{
    switch (link) {
    case FRAME_LINK_ETHERNET:
        return STEP_ETHERNET;
    case FRAME_LINK_NULL:
    case FRAME_LINK_LOOP:
        return STEP_NULL;
    case FRAME_LINK_SLL:
        return STEP_SLL;
    case FRAME_LINK_SLL2:
        return STEP_SLL2;
    case FRAME_LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        return raw(w, STEP_IP);
    case FRAME_LINK_IPV4:
        return raw(w, STEP_IPV4);
    case FRAME_LINK_IPV6:
        return raw(w, STEP_IPV6);
    case FRAME_LINK_PPP:
        return STEP_PPP;
    case FRAME_LINK_PPP_HDLC:
        return STEP_PPP_HDLC;
    case FRAME_LINK_PPPOE:
        return STEP_PPPOE;
    case FRAME_LINK_C_HDLC:
        return STEP_CISCO_HDLC;
    default:
        return wire_walk_other(w, LAYER_UNKNOWN);
    }
}

/* Zeroes in two halves: each becomes a few vector stores. For the whole, compilers emit a string
 * instruction that takes longer than all the rest of an ordinary packet's walk. */
static inline void clear(struct packet *p)
{
    enum { HALF = 64 };
    memset(p, 0, HALF);
    memset((uint8_t *)p + HALF, 0, sizeof *p - HALF);
}

void wire_decode(const struct frame *frame, struct packet *ret)
{
    clear(ret);
    ret->time_ns = frame->time_ns;
    ret->end = frame->data + frame->cap_len;
    ret->frames = 1;
    ret->wire_len = frame->wire_len;
    ret->interface = frame->interface;
    ret->direction = frame->direction;
    if (wire_plain(frame, ret)) {
        return;
    }
    struct wire_walk w = {
        .at = frame->data,
        .end = ret->end,
        .packet = ret,
        .cut = frame->wire_len > frame->cap_len ? frame->wire_len - frame->cap_len : 0,
        .kernel_tpid = frame->vlan_tpid,
        .kernel_tci = frame->vlan_tci,
    };
    walk(&w, link_step(&w, frame->link), STEP_COUNT);
}

static enum packet_layer layer_at(const struct packet *p, int shift)
{
    return (enum packet_layer)(p->layers >> shift & ((1U << PACKET_LAYER_BITS) - 1));
}

/* Takes the fragment's own layers off the path, which the whole datagram adds again, and returns
 * where its first goes. A full path that ends in something else stays as it is. */
static uint8_t unwind_fragment(struct packet *p)
{
    int shift = 0;
    while (shift < WIRE_LAYERS_END && layer_at(p, shift) != LAYER_NONE) {
        shift += PACKET_LAYER_BITS;
    }
    bool unwound = false;
    while (shift > 0 && !unwound) {
        enum packet_layer top = layer_at(p, shift - PACKET_LAYER_BITS);
        if (top != LAYER_FRAGMENT && top != LAYER_AH && top != LAYER_IPV4 && top != LAYER_IPV6) {
            break;
        }
        unwound = top == LAYER_IPV4 || top == LAYER_IPV6;
        shift -= PACKET_LAYER_BITS;
        p->layers &= ((uint64_t)1 << shift) - 1;
    }
    return (uint8_t)shift;
}

void wire_resume(struct packet *p, struct span datagram)
{
    wire_walk_forget_ip(p);
    p->end = datagram.data + datagram.size;
    struct wire_walk w = {
        .at = datagram.data,
        .end = p->end,
        .packet = p,
        .layer_shift = unwind_fragment(p),
    };
    walk(&w, STEP_IP, STEP_COUNT);
}

/* What is behind the quote's end is as good as cut off by a snap length: routers quote as much as
 * they like. */
bool wire_quoted(const struct packet *p, struct packet *ret)
{
    *ret = (struct packet){
        .time_ns = p->time_ns,
        .interface = p->interface,
        .direction = p->direction,
    };
    if (p->quoted == NULL) {
        return false;
    }
    ret->end = p->end;
    struct wire_walk w = {.at = p->quoted, .end = p->end, .packet = ret, .cut = UINT16_MAX};
    walk(&w, STEP_IP, STEP_FLOW_LAST);
    return ret->version != 0;
}
