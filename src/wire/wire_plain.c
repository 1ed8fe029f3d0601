// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_plain.h"

#include "wire/wire_ip.h"
#include "wire/wire_link.h"
#include "wire/wire_transport.h"

enum {
    IPV4_FIRST_BYTE = 0x45, /* version 4 and no options */
    IPV4_FRAGMENT = 0x3fff, /* "more fragments" and the offset */
};

static inline uint64_t layers(enum packet_layer network, enum packet_layer transport)
{
    return LAYER_ETHERNET | (uint64_t)network << PACKET_LAYER_BITS |
           (uint64_t)transport << 2 * PACKET_LAYER_BITS;
}

/* Reads the transport header of an IP payload of `size` captured bytes. */
static inline bool plain_transport(struct packet *p, uint8_t protocol, const uint8_t *l4,
                                   uint32_t size, enum packet_layer network)
{
    if (protocol == PROTOCOL_TCP && size >= WIRE_TCP_SIZE) {
        uint32_t header = (l4[12] >> 4) * 4U;
        if (header < WIRE_TCP_SIZE || header > size) {
            return false;
        }
        wire_transport_note_tcp(p, l4, header, size);
        p->layers = layers(network, LAYER_TCP);
        return true;
    }
    if (protocol == PROTOCOL_UDP && size >= WIRE_UDP_SIZE) {
        uint32_t length = load_be16(l4 + 4);
        if (length < WIRE_UDP_SIZE || length > size ||
            wire_transport_tunnel(load_be16(l4), load_be16(l4 + 2)) != STEP_DONE) {
            return false;
        }
        wire_transport_note_udp(p, l4, length);
        p->layers = layers(network, LAYER_UDP);
        return true;
    }
    return false;
}

static inline bool plain_ipv4(struct packet *p, const uint8_t *ip, uint32_t captured)
{
    uint32_t total = load_be16(ip + 2);
    if (ip[0] != IPV4_FIRST_BYTE || (load_be16(ip + 6) & IPV4_FRAGMENT) != 0 ||
        total < WIRE_IPV4_SIZE || total > captured ||
        !plain_transport(p, ip[9], ip + WIRE_IPV4_SIZE, total - WIRE_IPV4_SIZE, LAYER_IPV4)) {
        return false;
    }
    wire_ip_note_v4(p, ip);
    p->end = ip + total;
    return true;
}

static inline bool plain_ipv6(struct packet *p, const uint8_t *ip, uint32_t captured)
{
    uint32_t size = load_be16(ip + 4);
    if (ip[0] >> 4 != 6 || size > captured - WIRE_IPV6_SIZE ||
        !plain_transport(p, ip[6], ip + WIRE_IPV6_SIZE, size, LAYER_IPV6)) {
        return false;
    }
    wire_ip_note_v6(p, ip);
    p->end = ip + WIRE_IPV6_SIZE + size;
    return true;
}

bool wire_plain(const struct frame *frame, struct packet *p)
{
    if (frame->link != FRAME_LINK_ETHERNET || frame->vlan_tpid != 0 ||
        frame->cap_len < WIRE_ETHERNET_SIZE + WIRE_IPV6_SIZE) {
        return false;
    }
    const uint8_t *ip = frame->data + WIRE_ETHERNET_SIZE;
    uint32_t captured = frame->cap_len - WIRE_ETHERNET_SIZE;
    uint16_t type = load_be16(frame->data + 12);
    bool plain = type == ETHERTYPE_IPV4   ? plain_ipv4(p, ip, captured)
                 : type == ETHERTYPE_IPV6 ? plain_ipv6(p, ip, captured)
                                          : false;
    if (plain) {
        p->mac = frame->data;
    }
    return plain;
}
