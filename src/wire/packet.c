// SPDX-License-Identifier: Apache-2.0
#include "wire/packet.h"

static const char *const class_names[] = {
    [PACKET_OTHER] = "other",   [PACKET_ARP] = "arp",       [PACKET_TCP] = "tcp",
    [PACKET_UDP] = "udp",       [PACKET_SCTP] = "sctp",     [PACKET_ICMP] = "icmp",
    [PACKET_ICMPV6] = "icmpv6", [PACKET_IGMP] = "igmp",     [PACKET_MALFORMED] = "malformed",
};

static const char *const malformed_names[] = {
    [PACKET_FINE] = "none",
    [PACKET_BAD_LINK] = "link",
    [PACKET_BAD_VLAN] = "vlan",
    [PACKET_BAD_MPLS] = "mpls",
    [PACKET_BAD_PPP] = "ppp",
    [PACKET_BAD_ARP] = "arp",
    [PACKET_BAD_IPV4] = "ipv4",
    [PACKET_BAD_IPV6] = "ipv6",
    [PACKET_BAD_EXTENSION] = "extension",
    [PACKET_BAD_FRAGMENT] = "fragment",
    [PACKET_BAD_TCP] = "tcp",
    [PACKET_BAD_UDP] = "udp",
    [PACKET_BAD_SCTP] = "sctp",
    [PACKET_BAD_ICMP] = "icmp",
    [PACKET_BAD_IGMP] = "igmp",
    [PACKET_BAD_TUNNEL] = "tunnel",
    [PACKET_TOO_DEEP] = "too_deep",
    [PACKET_SNAPPED] = "snapped",
};

static const char *const layer_names[] = {
    [LAYER_NONE] = "none",
    [LAYER_ETHERNET] = "ethernet",
    [LAYER_LLC] = "llc",
    [LAYER_SNAP] = "snap",
    [LAYER_VLAN] = "vlan",
    [LAYER_MPLS] = "mpls",
    [LAYER_PPPOE] = "pppoe",
    [LAYER_PPP] = "ppp",
    [LAYER_SLL] = "sll",
    [LAYER_SLL2] = "sll2",
    [LAYER_NULL] = "null",
    [LAYER_RAW] = "raw",
    [LAYER_HDLC] = "hdlc",
    [LAYER_ARP] = "arp",
    [LAYER_IPV4] = "ipv4",
    [LAYER_IPV6] = "ipv6",
    [LAYER_AH] = "ah",
    [LAYER_GRE] = "gre",
    [LAYER_ERSPAN] = "erspan",
    [LAYER_NVGRE] = "nvgre",
    [LAYER_VXLAN] = "vxlan",
    [LAYER_GENEVE] = "geneve",
    [LAYER_GTPU] = "gtpu",
    [LAYER_L2TP] = "l2tp",
    [LAYER_TEREDO] = "teredo",
    [LAYER_TCP] = "tcp",
    [LAYER_UDP] = "udp",
    [LAYER_UDPLITE] = "udplite",
    [LAYER_SCTP] = "sctp",
    [LAYER_ICMP] = "icmp",
    [LAYER_ICMPV6] = "icmpv6",
    [LAYER_IGMP] = "igmp",
    [LAYER_ESP] = "esp",
    [LAYER_OSPF] = "ospf",
    [LAYER_PIM] = "pim",
    [LAYER_VRRP] = "vrrp",
    [LAYER_LLDP] = "lldp",
    [LAYER_STP] = "stp",
    [LAYER_SLOW] = "slow",
    [LAYER_FRAGMENT] = "fragment",
    [LAYER_UNKNOWN] = "unknown",
    [LAYER_MALFORMED] = "malformed",
};

static const char *const tunnel_names[] = {
    [TUNNEL_NONE] = "none",     [TUNNEL_IPIP] = "ipip",     [TUNNEL_GRE] = "gre",
    [TUNNEL_ERSPAN] = "erspan", [TUNNEL_NVGRE] = "nvgre",   [TUNNEL_VXLAN] = "vxlan",
    [TUNNEL_GENEVE] = "geneve", [TUNNEL_GTPU] = "gtpu",     [TUNNEL_L2TP] = "l2tp",
    [TUNNEL_TEREDO] = "teredo", [TUNNEL_MPLS] = "mpls",     [TUNNEL_PPPOE] = "pppoe",
};

_Static_assert(sizeof class_names / sizeof class_names[0] == PACKET_CLASSES, "a name a class");
_Static_assert(sizeof malformed_names / sizeof malformed_names[0] == PACKET_MALFORMED_REASONS,
               "a name a reason");
_Static_assert(sizeof layer_names / sizeof layer_names[0] == LAYER_COUNT, "a name a layer");
_Static_assert(sizeof tunnel_names / sizeof tunnel_names[0] == TUNNEL_COUNT, "a name a tunnel");
_Static_assert(LAYER_COUNT <= 1 << PACKET_LAYER_BITS, "layers fit their bits");

const char *packet_class_name(enum packet_class class)
{
    return class_names[class];
}

const char *packet_malformed_name(enum packet_malformed reason)
{
    return malformed_names[reason];
}

const char *packet_layer_name(enum packet_layer layer)
{
    return layer_names[layer];
}

const char *packet_tunnel_name(enum packet_tunnel tunnel)
{
    return tunnel_names[tunnel];
}
