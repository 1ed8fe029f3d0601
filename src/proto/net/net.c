// SPDX-License-Identifier: Apache-2.0
/* What crosses the wire, whoever speaks: packets and bytes by kind, and the heaviest hosts, services
 * and conversations. Frames are counted one by one; the top-Ns see each flow once a second. */
#include "proto/proto.h"

#include "summary/topn.h"

enum { NET_TOP_SLOTS = 1024 };

struct net_stats {
    uint64_t packets;
    uint64_t bytes;
    uint64_t packets_by_direction[3]; /* enum frame_direction */
    uint64_t bytes_by_direction[3];
    uint64_t packets_by_class[PACKET_CLASSES];
    uint64_t ipv4;
    uint64_t ipv6;
    uint64_t malformed[PACKET_MALFORMED_REASONS];
    uint64_t tunnels[TUNNEL_COUNT];
    uint64_t vlan_tagged;
    uint64_t fragments;
    uint64_t icmp_errors;
    uint64_t flows;
    TOPN_DECLARE(talkers, NET_TOP_SLOTS);
    TOPN_DECLARE(services, NET_TOP_SLOTS);
    TOPN_DECLARE(conversations, NET_TOP_SLOTS);
};

/* Keys as METRIC_KEY_ADDRESS, _PAIR and _PORT want them. */
enum { ADDRESS_KEY = 17, PAIR_KEY = 2 * ADDRESS_KEY, PORT_KEY = 3 };

static const char *direction_name(unsigned i)
{
    static const char *const names[] = {"unknown", "in", "out"};
    return names[i];
}

static const char *class_name(unsigned i)
{
    return packet_class_name((enum packet_class)i);
}

/* Intact packets are no reason, and untunnelled ones no tunnel: they are not listed. */
static const char *malformed_name(unsigned i)
{
    return i == PACKET_FINE ? NULL : packet_malformed_name((enum packet_malformed)i);
}

static const char *tunnel_name(unsigned i)
{
    return i == TUNNEL_NONE ? NULL : packet_tunnel_name((enum packet_tunnel)i);
}

static void net_on_frame(void *block, const struct packet *p)
{
    struct net_stats *s = block;
    s->packets++;
    s->bytes += p->wire_len;
    s->packets_by_direction[p->direction]++;
    s->bytes_by_direction[p->direction] += p->wire_len;
    s->packets_by_class[p->class]++;
    s->ipv4 += p->version == 4;
    s->ipv6 += p->version == 6;
    s->malformed[p->malformed]++;
    s->tunnels[p->tunnel]++;
    s->vlan_tagged += p->vlan_count > 0;
    s->fragments += p->fragment != FRAGMENT_NONE;
    s->icmp_errors += p->quoted != NULL;
}

static void address_key(uint8_t *to, const struct flow *flow, unsigned end)
{
    to[0] = flow->key.version;
    memcpy(to + 1, flow->key.address[end], 16);
}

static void net_on_flow(void *block, const struct flow *flow, const struct proto_gain *gain)
{
    struct net_stats *s = block;
    s->flows += gain->is_new;
    if (flow->key.version == 0) {
        return; /* a talk of MAC addresses: not a host in the sense of these tables */
    }
    unsigned source = flow->initiator;
    uint64_t bytes = gain->bytes[0] + gain->bytes[1];
    uint64_t packets = gain->packets[0] + gain->packets[1];
    uint64_t is_new = gain->is_new;
    uint8_t pair[PAIR_KEY];
    address_key(pair, flow, source);
    address_key(pair + ADDRESS_KEY, flow, 1 - source);
    topn_add(&s->talkers, pair, bytes, (uint64_t[]){packets, gain->bytes[0], is_new});
    topn_add(&s->talkers, pair + ADDRESS_KEY, bytes, (uint64_t[]){packets, gain->bytes[1], is_new});
    topn_add(&s->conversations, pair, bytes, (uint64_t[]){packets, gain->bytes[0], is_new});
    if (flow->key.protocol == 6 || flow->key.protocol == 17 || flow->key.protocol == 132) {
        uint16_t port = flow->key.port[1 - source];
        uint8_t key[PORT_KEY] = {flow->key.protocol};
        memcpy(key + 1, &port, sizeof port);
        topn_add(&s->services, key, bytes, (uint64_t[]){packets, gain->bytes[0], is_new});
    }
}

static void net_init(void *block)
{
    struct net_stats *s = block;
    topn_init_extras(&s->talkers, NET_TOP_SLOTS, ADDRESS_KEY);
    topn_init_extras(&s->conversations, NET_TOP_SLOTS, PAIR_KEY);
    topn_init_extras(&s->services, NET_TOP_SLOTS, PORT_KEY);
}

#define AT(member) offsetof(struct net_stats, member)

static const char *const talker_extras[] = {"packets", "bytes_sent", "flows", NULL};
static const char *const pair_extras[] = {"packets", "bytes_from_source", "flows", NULL};

static const struct metric net_metrics[] = {
    {.name = "packets", .kind = METRIC_COUNTER, .offset = AT(packets), .unit = "packets",
     .help = "Frames seen", .group = "counters"},
    {.name = "bytes", .kind = METRIC_COUNTER, .offset = AT(bytes), .unit = "bytes",
     .help = "Length of those frames on the wire", .group = "counters"},
    {.name = "direction_packets", .kind = METRIC_LABELLED, .offset = AT(packets_by_direction),
     .unit = "packets", .help = "Frames by direction, where the capture knows it",
     .group = "counters", .label = "direction", .label_value = direction_name, .label_count = 3},
    {.name = "direction_bytes", .kind = METRIC_LABELLED, .offset = AT(bytes_by_direction),
     .unit = "bytes", .help = "Bytes by direction, where the capture knows it",
     .group = "counters", .label = "direction", .label_value = direction_name, .label_count = 3},
    {.name = "class_packets", .kind = METRIC_LABELLED, .offset = AT(packets_by_class),
     .unit = "packets", .help = "Frames by their innermost protocol", .group = "counters",
     .label = "class", .label_value = class_name, .label_count = PACKET_CLASSES},
    {.name = "ipv4", .kind = METRIC_COUNTER, .offset = AT(ipv4), .unit = "packets",
     .help = "Frames whose innermost network header is IPv4", .group = "counters"},
    {.name = "ipv6", .kind = METRIC_COUNTER, .offset = AT(ipv6), .unit = "packets",
     .help = "Frames whose innermost network header is IPv6", .group = "counters"},
    {.name = "malformed_packets", .kind = METRIC_LABELLED, .offset = AT(malformed),
     .unit = "packets", .help = "Frames with a header that lies or was cut off, by reason",
     .group = "counters", .label = "reason", .label_value = malformed_name,
     .label_count = PACKET_MALFORMED_REASONS},
    {.name = "tunnel_packets", .kind = METRIC_LABELLED, .offset = AT(tunnels), .unit = "packets",
     .help = "Frames by the innermost tunnel around them", .group = "counters",
     .label = "tunnel", .label_value = tunnel_name, .label_count = TUNNEL_COUNT},
    {.name = "vlan_packets", .kind = METRIC_COUNTER, .offset = AT(vlan_tagged), .unit = "packets",
     .help = "Frames with a VLAN tag", .group = "counters"},
    {.name = "fragments", .kind = METRIC_COUNTER, .offset = AT(fragments), .unit = "packets",
     .help = "Frames that carried an IP fragment", .group = "counters"},
    {.name = "icmp_errors", .kind = METRIC_COUNTER, .offset = AT(icmp_errors), .unit = "packets",
     .help = "ICMP errors, which speak of another packet", .group = "counters"},
    {.name = "flows", .kind = METRIC_COUNTER, .offset = AT(flows), .unit = "flows",
     .help = "Flows begun", .group = "counters"},
    {.name = "top_talkers", .kind = METRIC_TOPN, .offset = AT(talkers), .unit = "bytes",
     .help = "Hosts by bytes sent and received", .group = "top_hosts",
     .key = METRIC_KEY_ADDRESS, .extras = talker_extras},
    {.name = "top_services", .kind = METRIC_TOPN, .offset = AT(services), .unit = "bytes",
     .help = "Responders' ports by bytes", .group = "top_ports",
     .key = METRIC_KEY_PORT, .extras = pair_extras},
    {.name = "top_conversations", .kind = METRIC_TOPN, .offset = AT(conversations),
     .unit = "bytes", .help = "Pairs of initiator and responder by bytes",
     .group = "top_conversations", .key = METRIC_KEY_PAIR, .extras = pair_extras},
    {0},
};

static const struct metric_set net_set = {
    .name = "net",
    .help = "Packets, bytes and the heaviest hosts, services and conversations",
    .metrics = net_metrics,
    .size = sizeof(struct net_stats),
    .init = net_init,
};

const struct proto proto_net = {
    .name = "net",
    .help = "everything on the wire: packets and bytes by kind, top hosts, services, conversations",
    .metrics = &net_set,
    .on_frame = net_on_frame,
    .on_flow = net_on_flow,
};
